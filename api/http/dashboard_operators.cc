#include "api/http/dashboard_operators.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "pd/dispatch/refusal_words.h"

namespace api {
namespace {

constexpr int64_t kNsPerS = 1'000'000'000;
constexpr int64_t kRefusalAgeMaxNs = 60 * kNsPerS;
constexpr size_t kRefusalsListed = 12;

int64_t MillisOf(pd::Nanos time) { return std::chrono::duration_cast<pd::Millis>(time).count(); }

std::vector<std::string> KindNames(scheduler::Kind kind) {
  std::vector<std::string> names;
  std::string text = scheduler::KindText(kind);
  for (size_t from = 0; from <= text.size();) {
    const size_t at = std::min(text.find(',', from), text.size());
    names.push_back(text.substr(from, at - from));
    from = at + 1;
  }
  return names;
}

std::vector<DashboardRefusal> ReadRefusals(const pd::DecisionLog& log, int64_t now_ns) {
  std::vector<DashboardRefusal> refusals;
  for (const pd::DecisionLog::Source& source : log.All()) {
    std::map<scheduler::Reason, DashboardRefusal> by_reason;
    for (const pd::DecisionLog::Line& line : source.lines) {
      if (line.unix_ns < now_ns - kRefusalAgeMaxNs) continue;
      DashboardRefusal& entry = by_reason[line.refusal.reason];
      entry.source = source.name;
      entry.reason = scheduler::ReasonText(line.refusal.reason);
      entry.text = pd::RefusalWords(line.refusal);
      ++entry.count;
    }
    for (auto& [reason, entry] : by_reason) refusals.push_back(std::move(entry));
  }
  if (refusals.size() > kRefusalsListed) refusals.resize(kRefusalsListed);
  return refusals;
}

}  // namespace

DashboardOperator OperatorOf(const pd::OperatorInfo& info, const pd::Stamp& now) {
  const scheduler::Proposal& plan = info.op.plan();
  DashboardOperator op;
  op.region_id = plan.region.value;
  op.desc = plan.desc;
  op.brief = plan.brief;
  op.kinds = KindNames(plan.kind);
  op.priority = scheduler::PriorityText(plan.priority);
  op.status = scheduler::StatusText(info.op.status());
  op.why = plan.why;
  for (const scheduler::Step& step : plan.steps) op.steps.push_back(scheduler::StepText(step));
  op.current_step = info.op.current_step();
  op.size_mib = plan.size_mib;
  op.timeout_ms = plan.Timeout().count();
  const pd::Nanos until = info.ended ? info.ended->monotonic : now.monotonic;
  op.age_ms = MillisOf(until - info.created.monotonic);
  if (info.ended) op.ended_ms_ago = MillisOf(now.monotonic - info.ended->monotonic);
  if (info.op.cancel_reason() != scheduler::CancelReason::kNone) {
    op.cancel_reason = scheduler::CancelReasonText(info.op.cancel_reason());
  }
  return op;
}

DashboardOperators OperatorsReader::Read() {
  const pd::Stamp now{coordinator_.clock().UnixNanos(), coordinator_.clock().Monotonic()};
  DashboardOperators operators;
  std::vector<pd::OperatorInfo> running = coordinator_.operators().Running();
  std::sort(running.begin(), running.end(),
            [](const auto& a, const auto& b) { return a.created.monotonic < b.created.monotonic; });
  operators.running_count = running.size();
  if (running.size() > DashboardOperators::kListed) {
    running.erase(running.begin() + DashboardOperators::kListed, running.end());
  }
  for (const pd::OperatorInfo& info : running) operators.running.push_back(OperatorOf(info, now));

  CountEnded();
  operators.finished_total = ended_;
  // Most often the last minute fills the list; only then are the long records not copied.
  auto records = coordinator_.operators().Records(now.unix_ns / kNsPerS - 60);
  if (records.size() < DashboardOperators::kListed) {
    records = coordinator_.operators().Records(now.unix_ns / kNsPerS - 600);
  }
  for (auto info = records.rbegin(); info != records.rend(); ++info) {
    if (operators.finished.size() == DashboardOperators::kListed) break;
    operators.finished.push_back(OperatorOf(*info, now));
  }
  operators.refusals = ReadRefusals(coordinator_.decisions(), now.unix_ns);
  return operators;
}

void OperatorsReader::CountEnded() {
  const int64_t counted_until_ns = ended_until_ns_;
  const auto records = coordinator_.operators().Records(counted_until_ns / kNsPerS);
  for (const pd::OperatorInfo& info : records) {
    if (!info.ended || info.ended->unix_ns <= counted_until_ns) continue;
    ++ended_;
    ended_until_ns_ = std::max(ended_until_ns_, info.ended->unix_ns);
  }
}

}  // namespace api
