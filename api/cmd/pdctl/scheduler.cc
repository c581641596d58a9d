#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "api/cmd/pdctl/groups.h"
#include "api/cmd/pdctl/invocation.h"

namespace api::pdctl {
namespace {

constexpr const char* kSchedulers = "/pd/api/v1/schedulers";

int Create(Invocation& call, const Json& body) {
  return call.PrintOutcome(call.Send(PostJson(kSchedulers, body)));
}

/// Whether a scheduler runs. The error is the text to print.
tl::expected<bool, std::string> Runs(Invocation& call, const std::string& name) {
  const Answer answer = call.Get(kSchedulers);
  if (!answer.Ok()) return tl::unexpected(answer.error);
  const Json names = Json::parse(answer.body, nullptr, false);
  if (!names.is_array()) return false;
  return std::find(names.begin(), names.end(), Json(name)) != names.end();
}

std::string ConfigPath(const std::string& name, const std::string& rest) {
  return fmt::format("/pd/api/v1/scheduler-config/{}/{}", name, rest);
}

Command PlainAdd(const std::string& name, const std::string& help) {
  return {.use = name, .short_help = help, .run = [name](Invocation& call) {
            if (call.count() != 0) return call.PrintUsageLine();
            return Create(call, {{"name", name}});
          }};
}

// A scheduler for given stores: the first store creates it, later ones are added to its configuration.
int AddForStore(Invocation& call, const std::string& name) {
  if (call.count() != 1) return call.PrintUsageLine();
  const auto store = ParseUint(call.arg(0));
  if (!store) return call.Print(store.error());
  const auto runs = Runs(call, name);
  if (!runs) return call.Fail(runs.error());
  if (!*runs) return Create(call, {{"name", name}, {"store_id", *store}});
  return call.PrintOutcome(
      call.Send(PostJson(ConfigPath(name, "config"), {{"name", name}, {"store_id", *store}})));
}

Command StoreAdd(const std::string& name, const std::string& help) {
  return {.use = name + " <store_id>", .short_help = help, .run = [name](Invocation& call) {
            return AddForStore(call, name);
          }};
}

int AddShuffleHotRegion(Invocation& call) {
  if (call.count() > 1) return call.PrintUsageLine();
  const auto limit = call.count() == 1 ? ParseUint(call.arg(0)) : 1;
  if (!limit) return call.Print("Error:  " + limit.error());
  return Create(call, {{"name", "shuffle-hot-region-scheduler"}, {"limit", *limit}});
}

int AddGrantHotRegion(Invocation& call) {
  if (call.count() != 2) return call.PrintUsageLine();
  return Create(call, {{"name", "grant-hot-region-scheduler"},
                       {"store-leader-id", call.arg(0)},
                       {"store-id", call.arg(1)}});
}

struct KeyRange {
  std::string start;
  std::string end;
};

tl::expected<KeyRange, std::string> ParseRange(const Invocation& call, size_t first) {
  const auto start = ParseKey(call.Text("format"), call.arg(first));
  if (!start) return tl::unexpected("Error:  " + start.error());
  const auto end = ParseKey(call.Text("format"), call.arg(first + 1));
  if (!end) return tl::unexpected("Error:  " + end.error());
  return KeyRange{QueryEscape(*start), QueryEscape(*end)};
}

int AddBalanceRange(Invocation& call) {
  if (call.count() != 5) return call.PrintUsageLine();
  const auto range = ParseRange(call, 3);
  if (!range) return call.Print(range.error());
  return Create(call, {{"name", "balance-range-scheduler"},
                       {"engine", call.arg(0)},
                       {"rule", call.arg(1)},
                       {"alias", call.arg(2)},
                       {"start-key", range->start},
                       {"end-key", range->end}});
}

int AddScatterRange(Invocation& call) {
  if (call.count() != 3) return call.PrintUsageLine();
  const auto range = ParseRange(call, 0);
  if (!range) return call.Print(range.error());
  return Create(call, {{"name", "scatter-range-scheduler"},
                       {"start_key", range->start},
                       {"end_key", range->end},
                       {"range_name", call.arg(2)}});
}

const Flag kFormat{.name = "format", .usage = "the key format", .default_value = "hex"};

Command AddCommand() {
  Command add{.use = "add <scheduler>", .short_help = "add a scheduler"};
  add.children = {
      PlainAdd("balance-hot-region-scheduler",
               "add a scheduler to balance hot regions between stores"),
      PlainAdd("balance-leader-scheduler", "add a scheduler to balance leaders between stores"),
      PlainAdd("balance-region-scheduler", "add a scheduler to balance regions between stores"),
      PlainAdd("balance-witness-scheduler", "add a scheduler to balance witness"),
      PlainAdd("evict-slow-store-scheduler", "add a scheduler to detect and evict slow stores"),
      PlainAdd("evict-slow-trend-scheduler",
               "add a scheduler to detect and evict slow stores by trend"),
      PlainAdd("evict-stopping-store-scheduler",
               "add a scheduler to detect and evict stopping stores"),
      PlainAdd("label-scheduler", "add a scheduler to schedule regions according to the label"),
      PlainAdd("random-merge-scheduler", "add a scheduler to merge regions randomly"),
      PlainAdd("shuffle-leader-scheduler", "add a scheduler to shuffle leaders between stores"),
      PlainAdd("shuffle-region-scheduler", "add a scheduler to shuffle regions between stores"),
      PlainAdd("transfer-witness-leader-scheduler", "add a scheduler to transfer witness leader"),
      StoreAdd("evict-leader-scheduler", "add a scheduler to evict leader from a store"),
      StoreAdd("grant-leader-scheduler", "add a scheduler to grant leader to a store"),
      {.use = "shuffle-hot-region-scheduler [limit]",
       .short_help = "add a scheduler to shuffle hot regions",
       .run = AddShuffleHotRegion},
      {.use = "grant-hot-region-scheduler <store_leader_id> "
              "<store_leader_id,store_peer_id_1,store_peer_id_2>",
       .short_help = "add a scheduler to grant hot region to fixed stores. \n"
                     "\t\t\t\tNote: If there is balance-hot-region-scheduler running, please "
                     "remove it first, "
                     "otherwise grant-hot-region-scheduler will not work.",
       .run = AddGrantHotRegion},
      {.use = "balance-range-scheduler [--format=raw|encode|hex] <engine> <rule> <alias> "
              "<start_key> <end_key>",
       .short_help = "add a scheduler to balance region for given range",
       .run = AddBalanceRange,
       .flags = {kFormat}},
      {.use =
           "scatter-range-scheduler [--format=raw|encode|hex] <start_key> <end_key> <range_name>",
       .short_help = "add a scheduler to scatter range",
       .run = AddScatterRange,
       .flags = {kFormat},
       .aliases = {}},
      {.use = "scatter-range [--format=raw|encode|hex] <start_key> <end_key> <range_name>",
       .short_help = "add a scheduler to scatter range",
       .run = AddScatterRange,
       .flags = {kFormat},
       .deprecated = "use scatter-range-scheduler instead"}};
  return add;
}

int ShowSchedulers(Invocation& call) {
  if (call.count() != 0) return call.PrintUsageLine();
  std::string target = kSchedulers;
  if (const std::string status = call.Text("status"); !status.empty()) {
    target += "?status=" + QueryEscape(status);
    if (call.On("timestamp")) target += "&timestamp=true";
  }
  return call.PrintBody(call.Get(target), "");
}

// evict-leader-scheduler-<store>: one store of a scheduler that serves several.
std::optional<std::pair<std::string, std::string>> SplitStoreSuffix(const std::string& name) {
  for (const char* prefix : {"evict-leader-scheduler", "grant-leader-scheduler"}) {
    const std::string dashed = std::string(prefix) + "-";
    if (name.starts_with(dashed)) return std::pair(prefix, name.substr(dashed.size()));
  }
  return std::nullopt;
}

int RemoveStoreFrom(Invocation& call, const std::string& name, const std::string& store) {
  const auto runs = Runs(call, name);
  if (!runs) return call.Fail(runs.error());
  if (!*runs) {
    return call.Print(fmt::format("Unable to update config: scheduler {} does not exist.", name));
  }
  return call.PrintSuccess(
      call.Send(
          Request{.method = "DELETE", .target = ConfigPath(name, "delete/" + PathEscape(store))}),
      "");
}

int RemoveScheduler(Invocation& call) {
  if (call.count() != 1) return call.PrintUsageLine();
  if (const auto split = SplitStoreSuffix(call.arg(0))) {
    return RemoveStoreFrom(call, split->first, split->second);
  }
  return call.PrintSuccess(
      call.Send(Request{.method = "DELETE",
                        .target = fmt::format("{}/{}", kSchedulers, PathEscape(call.arg(0)))}),
      "");
}

int Pause(Invocation& call, const std::string& name, uint64_t seconds) {
  return call.PrintOutcome(call.Send(
      PostJson(fmt::format("{}/{}", kSchedulers, PathEscape(name)), {{"delay", seconds}})));
}

int PauseScheduler(Invocation& call) {
  if (call.count() != 2) return call.PrintUsageLine();
  const auto seconds = ParseUint(call.arg(1));
  if (!seconds || *seconds == 0) return call.PrintUsageLine();
  return Pause(call, call.arg(0), *seconds);
}

int ResumeScheduler(Invocation& call) {
  if (call.count() != 1) return call.PrintUsageLine();
  return Pause(call, call.arg(0), 0);
}

Command DescribeCommand() {
  Command describe{.use = "describe", .short_help = "describe a scheduler"};
  for (const char* name : {"balance-leader-scheduler", "balance-region-scheduler"}) {
    describe.children.push_back(
        {.use = name,
         .short_help = fmt::format("describe {}", name),
         .run = Getting(fmt::format("{}/diagnostic/{}", kSchedulers, name), "")});
  }
  return describe;
}

}  // namespace

Command SchedulerCommand() {
  Command scheduler{.use = "scheduler", .short_help = "scheduler commands"};
  scheduler.children = {
      {.use = "show",
       .short_help = "show schedulers",
       .run = ShowSchedulers,
       .flags = {{.name = "status",
                  .usage = "the scheduler status value can be [paused | disabled]"},
                 {.name = "timestamp",
                  .shorthand = 't',
                  .type = FlagType::kBool,
                  .usage = "fetch the paused and resume timestamp for paused scheduler(s)"}}},
      AddCommand(),
      {.use = "remove <scheduler>", .short_help = "remove a scheduler", .run = RemoveScheduler},
      {.use = "pause <scheduler>|all <delay_seconds>",
       .short_help = "pause a scheduler",
       .run = PauseScheduler},
      {.use = "resume <scheduler>|all", .short_help = "resume a scheduler", .run = ResumeScheduler},
      SchedulerConfigCommand(),
      DescribeCommand()};
  return scheduler;
}

}  // namespace api::pdctl
