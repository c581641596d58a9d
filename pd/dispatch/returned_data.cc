#include "pd/dispatch/returned_data.h"

#include <algorithm>
#include <variant>

namespace pd {
namespace {

bool ReturnsData(const scheduler::Step& step) {
  const auto* switches = std::get_if<scheduler::BatchSwitchWitness>(&step);
  return switches != nullptr &&
         std::ranges::any_of(switches->switches, [](const auto& one) { return !one.witness; });
}

}  // namespace

void ReturnedData::Note(const OperatorInfo& ended) {
  const scheduler::Operator& op = ended.op;
  if (op.status() != scheduler::Status::kSuccess || !op.ended_at()) return;
  if (std::ranges::none_of(op.plan().steps, ReturnsData)) return;
  regions_.Note(op.plan().region, *op.ended_at());
}

}  // namespace pd
