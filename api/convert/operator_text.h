#pragma once

#include <string>

#include <nlohmann/json.hpp>

#include "pd/dispatch/operator_info.h"

namespace api {

/// An operator in the reference's text form (as in the reference):
///
///     DESC {BRIEF} (kind:KINDS, region:ID(VERSION, CONFVER), createAt:TIME, startAt:TIME, currentStep:N, size:MIB,
///      steps:[0:{STEP}, 1:{STEP}], timeout:[DURATION])
///
/// on one line; " finished" or " timeout" behind one that ended so. `process_start` is what "m=+" counts from.
[[nodiscard]] std::string OperatorText(const pd::OperatorInfo& info, pd::Nanos process_start);

/// `status: RUNNING, operator: <text form>`.
[[nodiscard]] std::string OperatorStatusText(const pd::OperatorInfo& info, pd::Nanos process_start);

/// `<text form> (finishAt:TIME, duration:1.045715ms)`.
[[nodiscard]] std::string OperatorRecordText(const pd::OperatorInfo& info, pd::Nanos process_start);

/// The object form.
[[nodiscard]] nlohmann::ordered_json OperatorJson(const pd::OperatorInfo& info);

/// Go's default form of a time taken in this process: `2026-11-23 15:58:10.7246 +0000 UTC m=+5.6987`.
[[nodiscard]] std::string GoTimeText(const pd::Stamp& stamp, pd::Nanos process_start);

}  // namespace api
