#include <set>

#include <fmt/format.h>

#include "api/cmd/pdctl/groups.h"
#include "api/cmd/pdctl/invocation.h"

namespace api::pdctl {
namespace {

constexpr const char* kKeyspaces = "/pd/api/v2/keyspaces";
constexpr uint64_t kKeyspaceIdMax = 16777215;

// Failures of this group go to standard error.
int PrintOrWarn(Invocation& call, const Answer& answer, const std::string& failure) {
  if (answer.Ok()) return call.Print(answer.body);
  call.Warn(fmt::format("{}  {}", failure, answer.error));
  return answer.ExitStatus();
}

int ShowById(Invocation& call) {
  if (call.count() != 1) return call.PrintUsageLine();
  return PrintOrWarn(call, call.Get(fmt::format("{}/id/{}", kKeyspaces, PathEscape(call.arg(0)))),
                     "Failed to get the keyspace information:");
}

int ShowByName(Invocation& call) {
  if (call.count() != 1) return call.PrintUsageLine();
  const std::string target = fmt::format("{}/{}", kKeyspaces, PathEscape(call.arg(0)));
  Answer answer = call.Get(
      call.On("force_refresh_group_id") ? target + "?force_refresh_group_id=true" : target);
  // Keyspace groups only exist with microservices; without them the plain question has the answer.
  if (!answer.Ok() &&
      answer.error.find("keyspace group manager is not initialized") != std::string::npos) {
    answer = call.Get(target);
  }
  return PrintOrWarn(call, answer, "Failed to get the keyspace information:");
}

// Adds k=v pairs to `config`. Empty when all is well, else the text to print.
std::string AddPairs(const std::vector<std::string>& pairs, Json& config,
                     std::set<std::string>& seen) {
  for (const std::string& pair : pairs) {
    const size_t equals = pair.find('=');
    if (equals == std::string::npos || equals == 0) return fmt::format("invalid kv pair {}", pair);
    const std::string key = pair.substr(0, equals);
    if (!seen.insert(key).second) return fmt::format("key {} is specified multiple times", key);
    config[key] = pair.substr(equals + 1);
  }
  return "";
}

std::string AddNulls(const std::vector<std::string>& keys, Json& config,
                     std::set<std::string>& seen) {
  for (const std::string& key : keys) {
    if (!seen.insert(key).second) return fmt::format("key {} is specified multiple times", key);
    config[key] = nullptr;
  }
  return "";
}

int Create(Invocation& call) {
  if (call.count() != 1) return call.PrintUsageLine();
  Json config = Json::object();
  std::set<std::string> seen;
  if (const std::string error = AddPairs(call.List("config"), config, seen); !error.empty()) {
    return call.Warn("Failed to create keyspace: " + error);
  }
  return PrintOrWarn(call,
                     call.Send(PostJson(kKeyspaces, {{"name", call.arg(0)}, {"config", config}})),
                     "Failed to create the keyspace:");
}

int UpdateConfig(Invocation& call) {
  if (call.count() != 1) return call.PrintUsageLine();
  Json config = Json::object();
  Json preconditions = Json::object();
  std::set<std::string> seen;
  std::set<std::string> expected;
  std::string error = AddPairs(call.List("update"), config, seen);
  if (error.empty()) error = AddNulls(call.List("remove"), config, seen);
  if (error.empty()) error = AddPairs(call.List("expect"), preconditions, expected);
  if (error.empty()) error = AddNulls(call.List("expect-absent"), preconditions, expected);
  if (!error.empty()) return call.Warn("Failed to update keyspace config: " + error);
  Json body = {{"config", config}};
  if (!preconditions.empty()) body["preconditions"] = preconditions;
  Request request =
      PostJson(fmt::format("{}/{}/config", kKeyspaces, PathEscape(call.arg(0))), body);
  request.method = "PATCH";
  return PrintOrWarn(call, call.Send(request), "Failed to update the keyspace config:");
}

int UpdateState(Invocation& call) {
  if (call.count() != 2) return call.PrintUsageLine();
  Request request = PostJson(fmt::format("{}/{}/state", kKeyspaces, PathEscape(call.arg(0))),
                             {{"state", call.arg(1)}});
  request.method = "PUT";
  return PrintOrWarn(call, call.Send(request), "Failed to update the keyspace state:");
}

int List(Invocation& call) {
  std::string target = kKeyspaces;
  char separator = '?';
  for (const char* parameter : {"limit", "page_token"}) {
    if (!call.Given(parameter)) continue;
    target += fmt::format("{}{}={}", separator, parameter, QueryEscape(call.Text(parameter)));
    separator = '&';
  }
  return PrintOrWarn(call, call.Get(target), "Failed to list keyspace:");
}

// 'x' or 'r' and the id in three bytes; the range ends before the next id.
std::string Bound(char prefix, uint64_t id) {
  if (id > kKeyspaceIdMax) return fmt::format("{:02x}000000", prefix + 1);
  return fmt::format("{:02x}{:06x}", prefix, id);
}

int PrintRange(Invocation& call, uint64_t id) {
  const char prefix = call.On("raw") ? 'r' : 'x';
  return call.Print(
      JsonText(Json{{"end_key", Bound(prefix, id + 1)}, {"start_key", Bound(prefix, id)}}, 2));
}

int RangeById(Invocation& call) {
  if (call.count() != 1) return call.PrintUsageLine();
  const auto id = ParseUint(call.arg(0));
  if (!id) return call.Warn("keyspace id should be a valid number:  " + id.error());
  if (*id > kKeyspaceIdMax) {
    return call.Warn(fmt::format("invalid keyspace id {}. It must be in the range of [0, {}]", *id,
                                 kKeyspaceIdMax));
  }
  return PrintRange(call, *id);
}

int RangeByName(Invocation& call) {
  if (call.count() != 1) return call.PrintUsageLine();
  const Answer answer = call.Get(fmt::format("{}/{}", kKeyspaces, PathEscape(call.arg(0))));
  const Json keyspace = Json::parse(answer.body, nullptr, false);
  if (!answer.Ok() || !keyspace.is_object())
    return PrintOrWarn(call, answer, "Failed to get the keyspace:");
  return PrintRange(call, keyspace.value("id", uint64_t{0}));
}

std::string RuleGroup(const std::string& id) { return "keyspace-" + id; }

Json KeyspaceRule(uint64_t id, char prefix, const Json& constraints) {
  return {{"group_id", RuleGroup(std::to_string(id))},
          {"id", fmt::format("keyspace-{}-{}", id, prefix == 'r' ? "raw" : "txn")},
          {"start_key", Bound(prefix, id)},
          {"end_key", Bound(prefix, id + 1)},
          {"role", "voter"},
          {"count", 3},
          {"label_constraints", constraints}};
}

int SetPlacement(Invocation& call) {
  constexpr int kGroupIndex = 100;
  if (call.count() < 2) return call.PrintUsageLine();
  const auto id = ParseUint(call.arg(0));
  if (!id || *id > kKeyspaceIdMax) {
    return call.Warn("Invalid keyspace ID: " +
                     (id ? std::string("value out of range") : id.error()));
  }
  Json constraints = Json::array();
  std::string shown;
  for (size_t i = 1; i < call.count(); ++i) {
    const std::string& label = call.arg(i);
    const size_t equals = label.find('=');
    if (equals == std::string::npos) {
      return call.Warn("Invalid label format, expected <label-key>=<label-value>, got: " + label);
    }
    if (equals == 0 || equals + 1 == label.size())
      return call.Warn("Label key and value cannot be empty");
    constraints.push_back(
        {{"key", label.substr(0, equals)}, {"op", "in"}, {"values", {label.substr(equals + 1)}}});
    shown += fmt::format("{}{}", shown.empty() ? "" : ", ", label);
  }
  const Json bundle = {
      {"group_id", RuleGroup(std::to_string(*id))},
      {"group_index", kGroupIndex},
      {"group_override", true},
      {"rules", Json::array({KeyspaceRule(*id, call.On("raw") ? 'r' : 'x', constraints)})}};
  const Answer answer =
      call.Send(PostJson("/pd/api/v1/config/placement-rule?partial=true", Json::array({bundle})));
  if (answer.Ok()) {
    return call.Print(fmt::format(
        "Successfully set placement rules for keyspace {} with label constraints: {}", *id, shown));
  }
  call.Warn("Failed to set placement rule: " + answer.error);
  return answer.ExitStatus();
}

int RevertPlacement(Invocation& call) {
  if (call.count() != 1) return call.PrintUsageLine();
  const Answer answer = call.Send(
      Request{.method = "DELETE",
              .target = "/pd/api/v1/config/placement-rule/" + PathEscape(RuleGroup(call.arg(0)))});
  if (answer.Ok()) {
    return call.Print(
        fmt::format("Successfully reverted placement rules for keyspace {}", call.arg(0)));
  }
  call.Warn("Failed to revert placement rule: " + answer.error);
  return answer.ExitStatus();
}

/// Like the reference tool: ask for the cluster first, and give up with status 1 when that fails.
Handler Probed(Handler run) {
  return [run = std::move(run)](Invocation& call) {
    const Answer probe = call.Get("/pd/api/v1/cluster");
    return probe.Ok() ? run(call) : call.Fail(probe.error);
  };
}

Flag Strings(const char* name, const char* usage) {
  return {.name = name, .type = FlagType::kStrings, .usage = usage};
}

}  // namespace

Command KeyspaceCommand() {
  const Flag raw{.name = "raw",
                 .type = FlagType::kBool,
                 .usage = "use the raw key range instead of the txn one"};
  return {
      .use = "keyspace <command>",
      .short_help = "keyspace commands",
      .children = {
          {.use = "show",
           .short_help = "show keyspace metadata",
           .children =
               {{.use = "id <id>", .short_help = "show by keyspace id", .run = Probed(ShowById)},
                {.use = "name <name>",
                 .short_help = "show by keyspace name",
                 .run = Probed(ShowByName),
                 .flags = {{.name = "force_refresh_group_id",
                            .type = FlagType::kBool,
                            .usage = "force to refresh the keyspace group id",
                            .default_value = "true"}}}}},
          {.use = "create <keyspace-name> [flags]",
           .short_help = "create a keyspace",
           .run = Probed(Create),
           .flags = {Strings("config", "keyspace configs for the new keyspace, key=value pairs")}},
          {.use = "update-config <keyspace-name> [flags]",
           .short_help = "update keyspace config",
           .run = Probed(UpdateConfig),
           .flags = {Strings("update", "key=value pairs to set"),
                     Strings("remove", "keys to remove"),
                     Strings("expect", "key=value pairs that must hold before"),
                     Strings("expect-absent", "keys that must be absent before")}},
          {.use = "update-state <keyspace-name> <state>",
           .short_help = "update keyspace state",
           .run = Probed(UpdateState)},
          {.use = "list [flags]",
           .short_help = "list keyspaces according to filters",
           .run = Probed(List),
           .flags = {{.name = "limit", .usage = "the maximum number of keyspaces to list"},
                     {.name = "page_token", .usage = "where to go on, as an earlier answer said"}}},
          {.use = "range",
           .short_help = "show the key range of a keyspace",
           .children = {{.use = "id <id>",
                         .short_help = "show by keyspace id",
                         .run = Probed(RangeById),
                         .flags = {raw}},
                        {.use = "name <name>",
                         .short_help = "show by keyspace name",
                         .run = Probed(RangeByName),
                         .flags = {raw}}}},
          {.use = "set-placement <keyspace-id> <label-key>=<label-value> [...]",
           .short_help = "place a keyspace on stores with given labels",
           .run = Probed(SetPlacement),
           .flags = {raw}},
          {.use = "revert-placement <keyspace-id>",
           .short_help = "drop the placement rules of a keyspace",
           .run = Probed(RevertPlacement)}}};
}

}  // namespace api::pdctl
