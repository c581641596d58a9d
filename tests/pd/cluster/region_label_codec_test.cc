#include "pd/cluster/region_label_codec.h"

#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "pd/config/json_text.h"

namespace pd {
namespace {

using Json = nlohmann::ordered_json;
using scheduler::RegionLabel;

/// Read and checked.
Result<scheduler::LabelRule> RuleOf(const Json& json, int64_t unix_ns) {
  auto draft = ReadLabelRuleDraft(json);
  if (!draft) return Fail(ErrorCode::kInvalidArgument, draft.error().Text());
  return MakeLabelRule(*std::move(draft), unix_ns);
}

// Mon Nov 23 15:59:08 UTC 2026, and a bit.
constexpr int64_t kNow = 1'795'449'548'250'000'000;
constexpr int64_t kSecond = 1'000'000'000;

std::string Around(const std::string& labels, const std::string& data,
                   const std::string& rest = "") {
  return R"({"id":"a",)" + rest + R"("labels":)" + labels + R"(,"rule_type":"key-range","data":)" +
         data + "}";
}

const std::string kLabels = R"([{"key":"k","value":"v"}])";
const std::string kData = R"([{"start_key":"6B","end_key":"6c"}])";

TEST_CASE("what makes no rule is refused in the reference's words") {
  const std::string content = "[PD:region:ErrRegionRuleContent]invalid region rule content, ";
  struct Case {
    std::string json;
    std::string error;
  };
  const auto labels = [](const std::string& text) { return Around(text, kData); };
  const auto data = [](const std::string& text) { return Around(kLabels, text); };
  const std::vector<Case> cases = {
      {"{}", content + "empty rule id"},
      {R"({"id":""})", content + "empty rule id"},
      {R"({"id":"a"})", content + "no region labels"},
      {labels("[]"), content + "no region labels"},
      {labels("[null]"), content + "empty region label key"},
      {labels(R"([{"value":"v"}])"), content + "empty region label key"},
      {labels(R"([{"key":"k"}])"), content + "empty region label value"},
      {labels(R"([{"key":"k","value":"v","ttl":"bogus"}])"),
       content + R"(region label with invalid ttl info time: invalid duration "bogus")"},
      {labels(R"([{"key":"k","value":"v","ttl":"1h","start_at":"x"}])"),
       content + R"(region label with invalid ttl info parsing time "x" as )"
                 R"("Mon Jan _2 15:04:05 MST 2006" failed)"},
      {labels(R"([{"key":"k","value":"v","ttl":"1h","start_at":"Mon Nov 23 15:59:08 UTC 9999"}])"),
       content + R"(region label with invalid ttl info start "Mon Nov 23 15:59:08 UTC 9999" )"
                 "is out of range"},
      {R"({"id":"a","labels":)" + kLabels + "}", content + "invalid rule type: "},
      {R"({"id":"a","labels":)" + kLabels + R"(,"rule_type":"x","data":1})",
       content + "invalid rule type: x"},
      {data("null"), content + "invalid rule type: <nil>"},
      {data("\"x\""), content + "invalid rule type: string"},
      {data("{}"), content + "invalid rule type: map[string]interface {}"},
      {data("1"), content + "invalid rule type: float64"},
      {data("[]"), content + "no key ranges"},
      {data("[7]"), content + "invalid range type: float64"},
      {data(R"([{"start_key":1}])"), content + "invalid startKey type: *reflect.rtype"},
      {data(R"([{"start_key":"61"}])"), content + "invalid endKey type: <nil>"},
      {data(R"([{"start_key":"zz","end_key":""}])"),
       "[PD:hex:ErrHexDecodingString]decode string zz error"},
      {data(R"([{"start_key":"6B","end_key":"6"}])"),
       "[PD:hex:ErrHexDecodingString]decode string 6 error"},
      {data(R"([{"start_key":"6B","end_key":"6b"}])"),
       content + "endKey should be greater than startKey"},
      {"[]", "json: cannot unmarshal array into Go value of type labeler.LabelRule"},
      {R"({"id":1})",
       "json: cannot unmarshal number into Go struct field LabelRule.id of type string"},
      {Around(kLabels, kData, R"("index":1.5,)"),
       "json: cannot unmarshal number 1.5 into Go struct field LabelRule.index of type int"},
      {labels("{}"),
       "json: cannot unmarshal object into Go struct field LabelRule.labels of type "
       "[]labeler.RegionLabel"},
      {labels(R"([{"key":true}])"),
       "json: cannot unmarshal bool into Go struct field RegionLabel.labels.key of type string"},
  };
  for (const Case& c : cases) {
    INFO(c.json);
    const auto read = RuleOf(Json::parse(c.json), kNow);
    REQUIRE_FALSE(read);
    CHECK(read.error().code == ErrorCode::kInvalidArgument);
    CHECK(read.error().context == c.error);
  }
}

TEST_CASE("a rule reads as it was written") {
  const std::string text =
      R"({"id":"b/1","index":-2,"labels":[{"key":"k","value":"v"},)"
      R"({"key":"t","value":"<","ttl":"1h","start_at":"Mon Nov 23 15:59:08 UTC 2026"}],)"
      R"("rule_type":"key-range","data":[{"start_key":"6b30","end_key":""},{"start_key":"","end_key":"6C"}]})";
  const auto rule = RuleOf(Json::parse(text), 0);
  REQUIRE(rule);
  CHECK(rule->id == "b/1");
  CHECK(rule->index == -2);
  REQUIRE(rule->ranges.size() == 2);
  CHECK(rule->ranges[0].keys == scheduler::KeyRange{"k0", ""});
  CHECK(rule->ranges[1].keys == scheduler::KeyRange{"", "l"});
  CHECK(rule->labels[0].expires_unix_ns == RegionLabel::kNever);
  CHECK(rule->labels[1].expires_unix_ns == kNow / kSecond * kSecond + 3600 * kSecond);
  CHECK(LabelRuleToJson(*rule) == Json::parse(text));
}

TEST_CASE("a label that lives for a time begins now, unless it says when") {
  const auto expiry = [](const std::string& ttl, const std::string& start) {
    const auto rule = RuleOf(Json::parse(Around(R"([{"key":"k","value":"v","ttl":")" + ttl +
                                                    R"(","start_at":")" + start + R"("}])",
                                                kData)),
                             kNow);
    REQUIRE(rule);
    return rule->labels[0];
  };
  CHECK(expiry("90s", "").expires_unix_ns == kNow + 90 * kSecond);
  CHECK(expiry("90s", "").start_at == "Mon Nov 23 15:59:08 UTC 2026");
  CHECK(expiry("1s", "Mon Nov  2 15:59:08 UTC 2026").expires_unix_ns ==
        kNow / kSecond * kSecond - 21 * 86'400 * kSecond + kSecond);
  CHECK(expiry("2562047h", "").expires_unix_ns == RegionLabel::kNever);
}

TEST_CASE("the rule of keyspace 0 reads back") {
  const scheduler::LabelRule rule = DefaultKeyspaceRule();
  CHECK(RuleOf(LabelRuleToJson(rule), 0).value() == rule);
}

}  // namespace
}  // namespace pd
