#include <algorithm>

#include <fmt/format.h>

#include "api/cmd/pdctl/groups.h"
#include "api/cmd/pdctl/invocation.h"

namespace api::pdctl {
namespace {

constexpr const char* kHotRegion = "balance-hot-region-scheduler";
constexpr const char* kShuffleRegion = "shuffle-region-scheduler";

std::string Path(const std::string& name, const std::string& rest) {
  return fmt::format("/pd/api/v1/scheduler-config/{}/{}", name, rest);
}

Handler ShowConfig(const std::string& name) { return Getting(Path(name, "list"), ""); }

// Words that read as booleans become booleans even when they are digits: so does the reference tool, and `batch 1`
// travels as true.
Json ValueOf(const std::string& text) {
  for (const char* word : {"1", "t", "true"}) {
    if (text == word) return true;
  }
  for (const char* word : {"0", "f", "false"}) {
    if (text == word) return false;
  }
  return NumberOrString(text);
}

bool IsPriorityList(const std::string& key) {
  return key == "read-priorities" || key == "write-leader-priorities" ||
         key == "write-peer-priorities";
}

int SetConfig(Invocation& call, const std::string& name) {
  if (call.count() != 2) return call.PrintUsageLine();
  const std::string& key = call.arg(0);
  Json body = Json::object();
  if (IsPriorityList(key)) {
    body[key] = Json(SplitList(call.arg(1), ','));
  } else {
    body[key] = ValueOf(call.arg(1));
  }
  return call.PrintOutcome(call.Send(PostJson(Path(name, "config"), body)));
}

Command SetCommand(const std::string& name) {
  return {.use = "set <key> <value>",
          .short_help = "set the config item",
          .run = [name](Invocation& call) { return SetConfig(call, name); }};
}

Command ShowAndSet(const std::string& name) {
  return {
      .use = name,
      .short_help = fmt::format("show or set the config of {}", name),
      .run = ShowConfig(name),
      .children = {{.use = "show", .short_help = "show the config item", .run = ShowConfig(name)},
                   SetCommand(name)}};
}

int ShowHotRegion(Invocation& call) {
  const Answer answer = call.Get(Path(kHotRegion, "list"));
  SortedJson config = SortedJson::parse(answer.body, nullptr, false);
  if (!answer.Ok() || !config.is_object()) return call.PrintBody(answer, "");
  for (const char* hidden :
       {"max-zombie-rounds", "max-peer-number", "byte-rate-rank-step-ratio",
        "key-rate-rank-step-ratio", "query-rate-rank-step-ratio", "cpu-rate-rank-step-ratio",
        "count-rank-step-ratio", "great-dec-ratio", "minor-dec-ratio", "enable-for-tiflash"}) {
    config.erase(hidden);
  }
  return call.Print(JsonText(config, 2));
}

Command HotRegionCommand() {
  return {.use = kHotRegion,
          .short_help = fmt::format("show or set the config of {}", kHotRegion),
          .run = ShowHotRegion,
          .children = {{.use = "show", .short_help = "list the config item", .run = ShowHotRegion},
                       {.use = "list",
                        .short_help = "list the config item",
                        .run = ShowHotRegion,
                        .deprecated = "use show instead"},
                       SetCommand(kHotRegion)}};
}

// Empty when the scheduler runs, else the text to print.
std::string MissingText(Invocation& call, const std::string& name, int& status) {
  const Answer answer = call.Get("/pd/api/v1/schedulers");
  status = answer.ExitStatus();
  if (!answer.Ok()) return answer.error;
  const Json names = Json::parse(answer.body, nullptr, false);
  if (names.is_array() && std::find(names.begin(), names.end(), Json(name)) != names.end())
    return "";
  return fmt::format("Unable to update config: scheduler {} does not exist.", name);
}

int ChangeStores(Invocation& call, const std::string& name, bool add) {
  if (call.count() != 1) return call.PrintUsageLine();
  const auto store = ParseUint(call.arg(0));
  if (!store) return call.Print(store.error());
  int status = 0;
  if (const std::string missing = MissingText(call, name, status); !missing.empty()) {
    call.Print(missing);
    return status;
  }
  if (add) {
    return call.PrintOutcome(
        call.Send(PostJson(Path(name, "config"), {{"name", name}, {"store_id", *store}})));
  }
  return call.PrintSuccess(
      call.Send(
          Request{.method = "DELETE", .target = Path(name, fmt::format("delete/{}", *store))}),
      "");
}

Command StoresOf(const std::string& name) {
  return {
      .use = name,
      .short_help = fmt::format("show or change the stores of {}", name),
      .run = ShowConfig(name),
      .children = {{.use = "add-store <store-id>",
                    .short_help = "add a store to the scheduler",
                    .run = [name](Invocation& call) { return ChangeStores(call, name, true); }},
                   {.use = "delete-store <store-id>",
                    .short_help = "delete a store from the scheduler",
                    .run = [name](Invocation& call) { return ChangeStores(call, name, false); }}}};
}

Command EvictLeaderCommand() {
  Command command = StoresOf("evict-leader-scheduler");
  command.children.push_back(SetCommand("evict-leader-scheduler"));
  return command;
}

int ShowRoles(Invocation& call) {
  const Answer list = call.Get(Path(kShuffleRegion, "list"));
  if (list.Ok()) return call.PrintBody(list, "");
  const Answer roles = call.Get(Path(kShuffleRegion, "roles"));
  if (roles.Ok()) return call.PrintBody(roles, "");
  call.Print(fmt::format("{} {}", list.error, roles.error));
  return roles.ExitStatus();
}

int SetRoles(Invocation& call) {
  if (call.count() != 1) return call.PrintUsageLine();
  const Json roles(SplitList(call.arg(0), ','));
  return call.PrintSuccess(call.Send(PostJson(Path(kShuffleRegion, "roles"), roles)), "");
}

int SetGrantHotRegion(Invocation& call) {
  if (call.count() != 2) return call.PrintUsageLine();
  return call.PrintOutcome(
      call.Send(PostJson(Path("grant-hot-region-scheduler", "config"),
                         {{"store-leader-id", call.arg(0)}, {"store-id", call.arg(1)}})));
}

}  // namespace

Command SchedulerConfigCommand() {
  Command config{.use = "config", .short_help = "config a scheduler"};
  config.children = {
      ShowAndSet("balance-leader-scheduler"),
      ShowAndSet("balance-range-scheduler"),
      ShowAndSet("evict-slow-store-scheduler"),
      ShowAndSet("evict-slow-trend-scheduler"),
      ShowAndSet("evict-stopping-store-scheduler"),
      ShowAndSet("shuffle-hot-region-scheduler"),
      HotRegionCommand(),
      EvictLeaderCommand(),
      StoresOf("grant-leader-scheduler"),
      {.use = "grant-hot-region-scheduler",
       .short_help = "show or set the config of grant-hot-region-scheduler",
       .run = ShowConfig("grant-hot-region-scheduler"),
       .children = {{.use =
                         "set <store_leader_id> <store_leader_id,store_peer_id_1,store_peer_id_2>",
                     .short_help = "set the store leader and peer ids",
                     .run = SetGrantHotRegion}}},
      {.use = kShuffleRegion,
       .short_help = "show or set the roles of shuffle-region-scheduler",
       .run = ShowRoles,
       .children = {{.use = "show-roles",
                     .short_help = "show affected roles (leader, follower, learner)",
                     .run = ShowRoles},
                    {.use = "set-roles [leader,][follower,][learner]",
                     .short_help = "set affected roles (leader, follower, learner)",
                     .run = SetRoles}}}};
  return config;
}

}  // namespace api::pdctl
