#include <algorithm>

#include <fmt/format.h>

#include "api/cmd/pdctl/groups.h"
#include "api/cmd/pdctl/invocation.h"

namespace api::pdctl {
namespace {

constexpr const char* kRemoveFailed = "/pd/api/v1/admin/unsafe/remove-failed-stores";
constexpr const char* kMaintenance = "/pd/api/v2/maintenance";
constexpr const char* kSafePoints = "/pd/api/v1/gc/safepoint";
constexpr double kPlanTimeoutMaxS = 9223372036.0;  // What still fits a duration in nanoseconds.

int RemoveFailedStores(Invocation& call) {
  Json body = Json::object();
  if (call.On("auto-detect")) {
    if (call.count() > 0) {
      return call.Print("The flag `auto-detect` is set, no need to specify failed store ids");
    }
    body["auto-detect"] = true;
  } else {
    if (call.count() < 1) {
      call.Print("Failed store ids are not specified");
      return call.PrintUsage();
    }
    body["stores"] = Json::array();
    for (const std::string& word : SplitList(call.arg(0), ',')) {
      const auto id = ParseUint(word);
      if (!id) return call.Print(id.error());
      body["stores"].push_back(*id);
    }
  }
  // The server has defaults of its own: what was not asked for is not sent.
  if (call.Text("timeout") != "300") body["timeout"] = *ParseFloat(call.Text("timeout"));
  if (call.Text("plan-execution-timeout") != "60") {
    const double seconds = *ParseFloat(call.Text("plan-execution-timeout"));
    if (seconds < 1 || seconds != static_cast<double>(static_cast<int64_t>(seconds)) ||
        seconds > kPlanTimeoutMaxS) {
      return call.Print(
          fmt::format("plan-execution-timeout must be a positive integer number of seconds no "
                      "greater than {:.0f}",
                      kPlanTimeoutMaxS));
    }
    body["plan-execution-timeout"] = seconds;
  }
  if (call.On("disable-paranoid-check")) body["disable-paranoid-check"] = true;
  return call.PrintOutcome(call.Send(PostJson(kRemoveFailed, body)));
}

std::string TaskPath(const Invocation& call) {
  return fmt::format("{}/{}/{}", kMaintenance, PathEscape(call.arg(0)), PathEscape(call.arg(1)));
}

int SetMaintenance(Invocation& call) {
  if (call.count() != 2) return call.PrintUsageLine();
  return call.PrintBody(call.Send(Request{.method = "PUT",
                                          .target = TaskPath(call),
                                          .body = call.Text("desc"),
                                          .content_type = "text/plain"}),
                        "Failed to start maintenance task");
}

int ShowMaintenance(Invocation& call) {
  if (call.count() > 1) return call.PrintUsageLine();
  std::string target = kMaintenance;
  if (call.count() == 1) target += "/" + PathEscape(call.arg(0));
  return call.PrintBody(call.Get(target), "Failed to get maintenance task");
}

int DeleteMaintenance(Invocation& call) {
  if (call.count() != 2) return call.PrintUsageLine();
  return call.PrintBody(call.Send(Request{.method = "DELETE", .target = TaskPath(call)}),
                        "Failed to delete maintenance task");
}

int ShowSafePoints(Invocation& call) {
  const Answer probe = call.Get("/pd/api/v1/cluster");
  if (!probe.Ok()) return call.Fail(probe.error);
  const Answer answer = call.Get(kSafePoints);
  Json list = Json::parse(answer.body, nullptr, false);
  if (!answer.Ok() || !list.is_object())
    return call.PrintBody(answer, "Failed to get service GC safepoint");
  if (list.contains("service_gc_safe_points") && list["service_gc_safe_points"].is_array()) {
    Json& points = list["service_gc_safe_points"];
    std::stable_sort(points.begin(), points.end(), [](const Json& a, const Json& b) {
      return a.value("safe_point", uint64_t{0}) < b.value("safe_point", uint64_t{0});
    });
  }
  return call.Print(JsonText(list, 2));
}

int DeleteSafePoint(Invocation& call) {
  if (call.count() != 1) return call.PrintUsageLine();
  const Answer answer = call.Send(Request{
      .method = "DELETE", .target = fmt::format("{}/{}", kSafePoints, PathEscape(call.arg(0)))});
  return call.PrintIndented(answer, "Failed to delete service GC safepoint");
}

std::vector<Flag> RemoveFlags() {
  return {{.name = "auto-detect",
           .type = FlagType::kBool,
           .usage = "detect failed stores automatically without needing to pass failed store ids, "
                    "and all stores not in "
                    "PD stores list are regarded as failed; \n"
                    "\tNote: DO NOT RECOMMEND to use this flag for general use, it's used only for "
                    "case that PD doesn't "
                    "have the store information of failed stores after pd-recover;\n"
                    "\tNote: Do it with caution to make sure all live stores's heartbeats has been "
                    "reported PD already, "
                    "otherwise it may regarded some stores as failed mistakenly."},
          {.name = "disable-paranoid-check",
           .type = FlagType::kBool,
           .usage = "disable the empty region overlap paranoid check"},
          {.name = "plan-execution-timeout",
           .type = FlagType::kFloat,
           .usage = "plan execution timeout in seconds before dispatching the plan again",
           .default_value = "60"},
          {.name = "timeout",
           .type = FlagType::kFloat,
           .usage = "timeout in seconds",
           .default_value = "300"}};
}

}  // namespace

Command UnsafeCommand() {
  return {
      .use = "unsafe [command]",
      .short_help = "Unsafe operations",
      .children = {{.use = "remove-failed-stores [<store_id1>,<store_id2>,...]",
                    .short_help = "Remove failed stores unsafely",
                    .run = RemoveFailedStores,
                    .children = {{.use = "show",
                                  .short_help = "Show the status of ongoing failed stores removal",
                                  .run = Getting(std::string(kRemoveFailed) + "/show", "")},
                                 {.use = "abort",
                                  .short_help = "Abort the current failed stores removal",
                                  .run = Posting(std::string(kRemoveFailed) + "/abort")}},
                    .flags = RemoveFlags()}}};
}

Command MaintenanceCommand() {
  return {
      .use = "maintenance",
      .short_help = "maintenance task commands",
      .children = {
          {.use = "set <type> <id>",
           .short_help = "start a maintenance task",
           .run = SetMaintenance,
           .flags = {{.name = "desc", .usage = "the description of the task"}}},
          {.use = "show [type]", .short_help = "show the maintenance task", .run = ShowMaintenance},
          {.use = "delete <type> <id>",
           .short_help = "delete a maintenance task",
           .run = DeleteMaintenance}}};
}

Command ServiceGcSafepointCommand() {
  return {.use = "service-gc-safepoint",
          .short_help = "show all service gc safepoint",
          .run = ShowSafePoints,
          .children = {{.use = "delete <service_id>",
                        .short_help = "delete a service gc safepoint",
                        .run = DeleteSafePoint,
                        .hidden = true}}};
}

}  // namespace api::pdctl
