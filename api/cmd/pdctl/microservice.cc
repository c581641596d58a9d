#include <fmt/format.h>

#include "api/cmd/pdctl/groups.h"
#include "api/cmd/pdctl/invocation.h"

namespace api::pdctl {
namespace {

constexpr const char* kGroups = "/pd/api/v2/tso/keyspace-groups";
constexpr const char* kMetaGroups = "/pd/api/v2/meta-service-groups";
constexpr const char* kController = "/resource-manager/api/v1/config/controller";

std::string GroupPath(uint64_t id, const char* rest) {
  return fmt::format("{}/{}{}", kGroups, id, rest);
}

int ShowKeyspaceGroups(Invocation& call) {
  constexpr const char* kFailure = "Failed to get the keyspace groups information";
  if (call.count() > 1) return call.PrintUsageLine();
  if (call.count() == 1) {
    const auto id = ParseUint(call.arg(0));
    if (!id) return call.Print("keyspace_group_id should be a number");
    return call.PrintIndented(call.Get(GroupPath(*id, "")), kFailure);
  }
  std::string target = kGroups;
  for (const std::string& state : call.List("state")) {
    if (state != "merge" && state != "split") return call.Print("Unknown state: " + state);
    target += fmt::format("{}state={}", target == kGroups ? '?' : '&', state);
  }
  return call.PrintIndented(call.Get(target), kFailure);
}

// Ids of the arguments from `first` on. The error is the text to print.
tl::expected<Json, std::string> Ids(const Invocation& call, size_t first, const char* what) {
  Json ids = Json::array();
  for (size_t i = first; i < call.count(); ++i) {
    const auto id = ParseUint(call.arg(i));
    if (!id) return tl::unexpected(fmt::format("Failed to parse the {} ID: {}", what, id.error()));
    ids.push_back(*id);
  }
  return ids;
}

tl::expected<uint64_t, std::string> GroupId(const Invocation& call, size_t at, const char* what) {
  const auto id = ParseUint(call.arg(at));
  if (!id) return tl::unexpected(fmt::format("Failed to parse the {} ID: {}", what, id.error()));
  return *id;
}

int SplitGroup(Invocation& call) {
  if (call.count() < 3) return call.PrintUsageLine();
  const auto id = GroupId(call, 0, "old keyspace group");
  if (!id) return call.Print(id.error());
  const auto fresh = GroupId(call, 1, "new keyspace group");
  if (!fresh) return call.Print(fresh.error());
  const auto keyspaces = Ids(call, 2, "keyspace");
  if (!keyspaces) return call.Print(keyspaces.error());
  return call.PrintOutcome(call.Send(
      PostJson(GroupPath(*id, "/split"), {{"new-id", *fresh}, {"keyspaces", *keyspaces}})));
}

int SplitGroupByRange(Invocation& call) {
  if (call.count() != 4) return call.PrintUsageLine();
  constexpr const char* kNames[] = {"old keyspace group", "new keyspace group", "start keyspace",
                                    "end keyspace"};
  uint64_t ids[4] = {};
  for (size_t i = 0; i < 4; ++i) {
    const auto id = GroupId(call, i, kNames[i]);
    if (!id) return call.Print(id.error());
    ids[i] = *id;
  }
  return call.PrintOutcome(call.Send(
      PostJson(GroupPath(ids[0], "/split"),
               {{"new-id", ids[1]}, {"start-keyspace-id", ids[2]}, {"end-keyspace-id", ids[3]}})));
}

Handler Finish(const char* what, const char* failure) {
  return [what, failure](Invocation& call) {
    if (call.count() != 1) return call.PrintUsageLine();
    const auto id = GroupId(call, 0, "keyspace group");
    if (!id) return call.Print(id.error());
    return call.PrintSuccess(call.Send(Request{.method = "DELETE", .target = GroupPath(*id, what)}),
                             failure);
  };
}

int MergeGroups(Invocation& call) {
  if (call.count() < 1) return call.PrintUsageLine();
  const auto target = GroupId(call, 0, "target keyspace group");
  if (!target) return call.Print(target.error());
  Json body;
  if (call.On("all")) {
    if (*target != 0) {
      return call.Print("Unable to merge all keyspace groups into a non-default keyspace group");
    }
    body = {{"merge-all-into-default", true}};
  } else {
    const auto ids = Ids(call, 1, "source keyspace group");
    if (!ids) return call.Print(ids.error());
    if (ids->empty()) {
      return call.Print("Must specify the source keyspace group ID(s) or the merge all flag");
    }
    body = {{"merge-list", *ids}};
  }
  return call.PrintOutcome(call.Send(PostJson(GroupPath(*target, "/merge"), body)));
}

Request Patch(const std::string& target, const Json& body) {
  Request request = PostJson(target, body);
  request.method = "PATCH";
  return request;
}

int SetNodes(Invocation& call) {
  if (call.count() < 2) return call.PrintUsageLine();
  const auto id = GroupId(call, 0, "keyspace group");
  if (!id) return call.Print(id.error());
  Json nodes = Json::array();
  for (size_t i = 1; i < call.count(); ++i) {
    const auto endpoint = ParseEndpoint(call.arg(i));
    if (!endpoint) return call.Print("Failed to parse the tso node address: " + endpoint.error());
    nodes.push_back(call.arg(i));
  }
  return call.PrintOutcome(call.Send(Patch(GroupPath(*id, ""), {{"Nodes", nodes}})));
}

// The path holds the escaped address with a backslash before each percent sign.
int SetNodePriority(Invocation& call) {
  if (call.count() != 3) return call.PrintUsageLine();
  const auto id = GroupId(call, 0, "keyspace group");
  if (!id) return call.Print(id.error());
  const auto priority = ParseFloat(call.arg(2));
  if (!priority) return call.Print("Failed to parse the priority: " + priority.error());
  std::string node;
  for (const char c : QueryEscape(call.arg(1)))
    node += c == '%' ? std::string("%5C%25") : std::string(1, c);
  return call.PrintOutcome(
      call.Send(Patch(GroupPath(*id, ("/" + node).c_str()), {{"Priority", *priority}})));
}

int ShowPrimary(Invocation& call) {
  if (call.count() != 1) return call.PrintUsageLine();
  const auto id = GroupId(call, 0, "keyspace group");
  if (!id) return call.Print(id.error());
  return call.PrintBody(call.Get(GroupPath(*id, "?fields=primary")),
                        "Failed to get the keyspace group primary information");
}

int PrintOrWarn(Invocation& call, const Answer& answer, const char* failure) {
  if (answer.Ok()) return call.Print(answer.body);
  call.Warn(fmt::format("{} {}", failure, answer.error));
  return answer.ExitStatus();
}

int ListMetaGroups(Invocation& call) {
  return PrintOrWarn(call, call.Get(kMetaGroups),
                     "Failed to get the meta-service group information: ");
}

int UpsertMetaGroups(Invocation& call) {
  Json body = Json::object();
  if (!call.Given("group")) return call.FailWithUsage("required flag(s) \"group\" not set");
  std::string id;
  for (const std::string& part : call.List("group")) {
    const size_t equals = part.find('=');
    if (equals != std::string::npos && equals > 0 && equals + 1 < part.size()) {
      id = part.substr(0, equals);
      body[id] = part.substr(equals + 1);
    } else if (equals == std::string::npos && !id.empty() && !part.empty()) {
      body[id] = body[id].get<std::string>() + "," + part;
    } else {
      return call.Warn(
          fmt::format("Invalid --group format: \"{}\" (expected id=addr1,addr2,...)", part));
    }
  }
  return PrintOrWarn(call, call.Send(Patch(kMetaGroups, body)),
                     "Failed to update meta-service group:");
}

int DeleteMetaGroups(Invocation& call) {
  if (call.count() == 0) return call.PrintUsageLine();
  Json body = Json::object();
  for (const std::string& id : call.args()) {
    if (id.find_first_not_of(" \t") == std::string::npos) {
      return call.Warn("Invalid ID: cannot be empty or whitespace-only");
    }
    body[id] = nullptr;
  }
  return PrintOrWarn(call, call.Send(Patch(kMetaGroups, body)),
                     "Failed to delete meta-service group:");
}

int ChangeMetaGroup(Invocation& call, const Json& body) {
  return PrintOrWarn(
      call,
      call.Send(Patch(fmt::format("{}/{}/status", kMetaGroups, PathEscape(call.arg(0))), body)),
      "Failed to update meta-service group:");
}

int EnableMetaGroup(Invocation& call) {
  if (call.count() != 2) return call.PrintUsageLine();
  const auto enabled = ParseBool(call.arg(1));
  if (!enabled) {
    return call.Warn("Invalid value for enabled flag, must be true or false: " + enabled.error());
  }
  return ChangeMetaGroup(call, {{"enabled", *enabled}});
}

int SetAssignmentCount(Invocation& call) {
  if (call.count() != 2) return call.PrintUsageLine();
  const auto count = ParseUint(call.arg(1));
  if (!count)
    return call.Warn("Invalid value for assignment count, must be an integer: " + count.error());
  return ChangeMetaGroup(call, {{"assignment_count", *count}});
}

// The doubled slash is the reference tool's own; servers clean it with a redirect.
Command ServiceCommand(const std::string& service) {
  const auto show = [&](const char* what) {
    return Command{
        .use = what,
        .short_help = fmt::format("show the {} {} status", service, what),
        .run = Getting(fmt::format("//pd/api/v2/ms/{}/{}", what, service),
                       fmt::format("Failed to get the {} microservice {}", service, what))};
  };
  Command command{.use = service, .short_help = fmt::format("{} microservice commands", service)};
  command.children = {show("members")};
  if (service != "router") {
    Command primary = show("primary");
    primary.run = Getting(fmt::format("//pd/api/v2/ms/primary/{}", service),
                          fmt::format("Failed to get the {} microservice primary", service));
    command.children.push_back(primary);
  }
  return command;
}

int EvictPrimary(Invocation& call) {
  if (call.count() != 1) return call.PrintUsageLine();
  return call.PrintBody(call.Send(Request{.method = "POST",
                                          .target = "/pd/api/v2/ms/tso/primary/evict?node=" +
                                                    QueryEscape(call.arg(0))}),
                        fmt::format("Failed to evict the tso primaries on {}", call.arg(0)));
}

int SetController(Invocation& call) {
  if (call.count() != 2) return call.PrintUsageLine();
  const Answer answer =
      call.Send(PostJson(kController, {{call.arg(0), NumberOrString(call.arg(1))}}));
  if (answer.Ok()) return call.Print(answer.body);
  call.Warn("Failed to set the config:  " + answer.error);
  return answer.ExitStatus();
}

}  // namespace

Command KeyspaceGroupCommand() {
  Command group{.use = "keyspace-group <keyspace_group_id>",
                .short_help = "show keyspace group information",
                .run = ShowKeyspaceGroups};
  group.flags = {{.name = "state", .type = FlagType::kStrings, .usage = "state filter"}};
  group.children = {
      {.use = "split <keyspace_group_id> <new_keyspace_group_id> [<keyspace_id>]",
       .short_help = "split the keyspace group with the given ID",
       .run = SplitGroup},
      {.use = "split-range <keyspace_group_id> <new_keyspace_group_id> <start_keyspace_id> "
              "<end_keyspace_id>",
       .short_help = "split the keyspace group with the given ID by a range",
       .run = SplitGroupByRange},
      {.use = "finish-split <keyspace_group_id>",
       .short_help = "finish the split of a keyspace group",
       .run = Finish("/split", "Failed to finish split-keyspace-group"),
       .hidden = true},
      {.use = "merge <target_keyspace_group_id> [<keyspace_group_id>]",
       .short_help = "merge the keyspace group with the given IDs into the target one",
       .run = MergeGroups,
       .flags = {{.name = "all",
                  .type = FlagType::kBool,
                  .usage = "merge all keyspace groups into the default one"}}},
      {.use = "finish-merge <keyspace_group_id>",
       .short_help = "finish the merge of a keyspace group",
       .run = Finish("/merge", "Failed to finish merge-keyspace-group"),
       .hidden = true},
      {.use = "set-node <keyspace_group_id> <tso_node_addr> [<tso_node_addr>...]",
       .short_help = "set the address of tso nodes for keyspace group",
       .run = SetNodes},
      {.use = "set-priority <keyspace_group_id> <tso_node_addr> <priority>",
       .short_help = "set the priority of a tso node for keyspace group",
       .run = SetNodePriority},
      {.use = "primary <keyspace_group_id>",
       .short_help = "show the primary of a keyspace group",
       .run = ShowPrimary}};
  return group;
}

Command MetaServiceGroupCommand() {
  return {.use = "meta-service-group",
          .short_help = "meta-service group commands",
          .children = {
              {.use = "list", .short_help = "list the meta-service groups", .run = ListMetaGroups},
              {.use = "upsert",
               .short_help = "add or change meta-service groups",
               .run = UpsertMetaGroups,
               .flags = {{.name = "group",
                          .shorthand = 'g',
                          .type = FlagType::kStrings,
                          .usage = "id=addr1,addr2; may be given several times"}}},
              {.use = "delete <id>...",
               .short_help = "delete meta-service groups",
               .run = DeleteMetaGroups},
              {.use = "set-enabled <id> <true|false>",
               .short_help = "enable or disable a meta-service group",
               .run = EnableMetaGroup},
              {.use = "set-assignment-count <id> <count>",
               .short_help = "set the assignment count of a group",
               .run = SetAssignmentCount}}};
}

Command MicroserviceCommand() {
  Command command{.use = "microservice", .short_help = "microservice commands", .aliases = {}};
  command.children = {ServiceCommand("tso"), ServiceCommand("scheduling"),
                      ServiceCommand("router")};
  command.children[0].children.push_back({.use = "evict-primary <addr>",
                                          .short_help = "move the tso primaries away from a node",
                                          .run = EvictPrimary});
  return command;
}

Command ResourceManagerCommand() {
  return {.use = "resource-manager",
          .short_help = "resource-manager commands",
          .children = {{.use = "config",
                        .short_help = "config resource manager",
                        .children = {{.use = "controller",
                                      .short_help = "config the controller",
                                      .children = {{.use = "show",
                                                    .short_help = "show the controller config",
                                                    .run = Getting(kController, "")},
                                                   {.use = "set <key> <value>",
                                                    .short_help = "set the controller config",
                                                    .run = SetController}}}}}}};
}

}  // namespace api::pdctl
