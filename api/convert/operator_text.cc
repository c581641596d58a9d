#include "api/convert/operator_text.h"

#include <ctime>

#include <fmt/format.h>

#include "pd/config/values.h"

namespace api {
namespace {

constexpr int64_t kNanosPerSecond = 1'000'000'000;

/// ".7246" for nanoseconds, without trailing zeros; nothing for 0.
std::string Fraction(int64_t nanos) {
  if (nanos == 0) return {};
  std::string text = fmt::format(".{:09}", nanos);
  while (text.back() == '0') text.pop_back();
  return text;
}

std::string TimeOrZero(const std::optional<pd::Stamp>& stamp, pd::Nanos process_start) {
  return stamp ? GoTimeText(*stamp, process_start) : "0001-01-01 00:00:00 +0000 UTC";
}

}  // namespace

std::string GoTimeText(const pd::Stamp& stamp, pd::Nanos process_start) {
  const auto seconds = static_cast<std::time_t>(stamp.unix_ns / kNanosPerSecond);
  std::tm local{};
  localtime_r(&seconds, &local);
  char date[32];
  char zone[32];
  std::strftime(date, sizeof(date), "%Y-%m-%d %H:%M:%S", &local);
  std::strftime(zone, sizeof(zone), "%z %Z", &local);
  const int64_t since = (stamp.monotonic - process_start).count();
  return fmt::format("{}{} {} m=+{}.{:09}", date, Fraction(stamp.unix_ns % kNanosPerSecond), zone,
                     since / kNanosPerSecond, since % kNanosPerSecond);
}

std::string OperatorText(const pd::OperatorInfo& info, pd::Nanos process_start) {
  const scheduler::Operator& op = info.op;
  const scheduler::Proposal& plan = op.plan();
  std::string steps;
  for (size_t i = 0; i < plan.steps.size(); ++i) {
    steps += fmt::format("{}{}:{{{}}}", i == 0 ? "" : ", ", i, StepText(plan.steps[i]));
  }
  std::string text = fmt::format(
      "{} {{{}}} (kind:{}, region:{}({}, {}), createAt:{}, startAt:{}, currentStep:{}, size:{}, "
      "steps:[{}], timeout:[{}])",
      plan.desc, plan.brief, KindText(plan.kind), plan.region.value, plan.epoch.version,
      plan.epoch.conf_ver, GoTimeText(info.created, process_start),
      TimeOrZero(info.started, process_start), op.current_step(), plan.size_mib, steps,
      pd::FormatDuration(plan.Timeout()));
  if (op.status() == scheduler::Status::kSuccess) text += " finished";
  if (op.status() == scheduler::Status::kTimeout) text += " timeout";
  return text;
}

std::string OperatorStatusText(const pd::OperatorInfo& info, pd::Nanos process_start) {
  return fmt::format("status: {}, operator: {}", WireStatusText(info.op.status()),
                     OperatorText(info, process_start));
}

std::string OperatorRecordText(const pd::OperatorInfo& info, pd::Nanos process_start) {
  const pd::Nanos from = info.started ? info.started->monotonic : info.created.monotonic;
  const pd::Nanos took = info.ended ? info.ended->monotonic - from : pd::Nanos{0};
  return fmt::format("{} (finishAt:{}, duration:{})", OperatorText(info, process_start),
                     TimeOrZero(info.ended, process_start), pd::FormatDuration(took));
}

nlohmann::ordered_json OperatorJson(const pd::OperatorInfo& info) {
  const scheduler::Proposal& plan = info.op.plan();
  nlohmann::ordered_json epoch = nlohmann::ordered_json::object();
  if (plan.epoch.conf_ver != 0) epoch["conf_ver"] = plan.epoch.conf_ver;
  if (plan.epoch.version != 0) epoch["version"] = plan.epoch.version;
  return {{"desc", plan.desc},
          {"brief", plan.brief},
          {"region_id", plan.region.value},
          {"region_epoch", std::move(epoch)},
          {"kind", static_cast<uint32_t>(plan.kind)},
          {"timeout", pd::FormatDuration(plan.Timeout())},
          {"status", static_cast<uint32_t>(info.op.status())}};
}

}  // namespace api
