#include "pd/dispatch/refusal_words.h"

#include <string>

#include <catch2/catch.hpp>

namespace pd {
namespace {

using scheduler::Reason;
using scheduler::Refusal;

TEST_CASE("every reason has words of its own") {
  for (size_t i = 0; i < scheduler::kReasonCount; ++i) {
    Refusal refusal;
    refusal.reason = static_cast<Reason>(i);
    INFO(scheduler::ReasonText(refusal.reason));
    CHECK(RefusalWords(refusal) != scheduler::RefusalText(refusal));
    CHECK(RefusalWords(refusal).find('{') == std::string::npos);
  }
}

TEST_CASE("the numbers stand in the sentence") {
  Refusal refusal{
      Reason::kStoreAddLimit, scheduler::StoreId{3}, scheduler::RegionId{7}, 250, 1000, ""};
  CHECK(RefusalWords(refusal) ==
        "store 3 has 250 of the 1000 cost units left that a new peer takes");
  refusal = {Reason::kAlreadyBalanced, {}, {}, 12.5, 11.25, "stores 1 and 2"};
  CHECK(RefusalWords(refusal) ==
        "balanced: score 12.5 against 11.25, tolerance included (stores 1 and 2)");
  refusal = {Reason::kNoRegion, {4}, {}, 10, 10, ""};
  CHECK(RefusalWords(refusal) == "no fitting region found in 10 tries");
  refusal.value = 0;
  CHECK(RefusalWords(refusal) == "no fitting region found");
}

}  // namespace
}  // namespace pd
