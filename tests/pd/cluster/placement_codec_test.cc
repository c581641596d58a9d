#include "pd/cluster/placement_codec.h"

#include <string>

#include <catch2/catch.hpp>

namespace pd {
namespace {

using Json = nlohmann::ordered_json;

RuleChecks Checks(const std::string& key_type = "table") { return {key_type, 3, {}}; }

/// The rule again as JSON, or why there is none.
std::string Made(const std::string& text, const RuleChecks& checks = Checks(),
                 const std::string& group = "") {
  auto draft = ReadRuleDraft(Json::parse(text));
  if (!draft) return draft.error().Text();
  const auto rule = MakeRule(*std::move(draft), checks, group);
  return rule ? RuleToJson(*rule).dump() : rule.error().context;
}

std::string BadRule(const std::string& why) {
  return "[PD:placement:ErrRuleContent]invalid rule content, " + why;
}

TEST_CASE("a rule is shown as it was written", "[placement]") {
  const std::string whole =
      R"({"group_id":"g","id":"a/1","index":-2,"override":true,"start_key":"6162636400000000fb",)"
      R"("end_key":"6162636500000000FB","role":"follower","is_witness":true,"count":1,)"
      R"("label_constraints":[{"key":"zone","op":"notIn","values":["a","b"]},{"key":"disk","op":"exists"}],)"
      R"("location_labels":["zone","host"],"isolation_level":"zone"})";
  CHECK(Made(whole) == whole);
  const std::string bare =
      R"({"group_id":"g","id":"a","start_key":"","end_key":"","role":"voter","is_witness":false,"count":3})";
  CHECK(Made(R"({"group_id":"g","id":"a","role":"voter","count":3,"label_constraints":null})") ==
        bare);
  CHECK(Made(R"({"id":"a","role":"voter","count":3})", Checks(), "g") == bare);
}

TEST_CASE("what a rule may not say", "[placement]") {
  const auto with = [](const std::string& more) {
    return R"({"group_id":"g","id":"a","role":"voter","count":1,)" + more + "}";
  };
  CHECK(Made(R"({"start_key":"0"})") == "[PD:hex:ErrHexDecodingString]decode string 0 error");
  CHECK(Made(R"({"end_key":"zz"})") == "[PD:hex:ErrHexDecodingString]decode string zz error");
  CHECK(Made(with(R"("start_key":"62","end_key":"62")")) ==
        BadRule("endKey should be greater than startKey"));
  CHECK(Made(with(R"("end_key":"62")")) ==
        BadRule("end key should be encoded in table mode: insufficient bytes to decode value"));
  CHECK(Made(with(R"("start_key":"6162000000000000f9")")) != "");
  CHECK(Made("{}") == BadRule("group ID should not be empty"));
  CHECK(Made(R"({"group_id":"g"})") == BadRule("ID should not be empty"));
  CHECK(Made(R"({"group_id":"h"})", Checks(), "g") ==
        BadRule("rule group h does not match group ID g"));
  CHECK(Made(R"({"group_id":"g","id":"a","role":"king"})") == BadRule("invalid role king"));
  CHECK(Made(R"({"group_id":"g","id":"a","role":"voter","count":-1})") ==
        BadRule("invalid count -1"));
  CHECK(Made(R"({"group_id":"g","id":"a","role":"leader","count":2})") ==
        BadRule("define multiple leaders by count 2"));
  CHECK(Made(R"({"group_id":"g","id":"a","role":"voter","count":2,"is_witness":true})") ==
        BadRule("define too many witness by count 2"));
  CHECK(Made(R"({"group_id":"g","id":"a","role":"leader","count":1,"is_witness":true})") ==
        BadRule("witness can't be the leader"));
  CHECK(Made(with(R"("label_constraints":[{"key":"zone","op":"near"}])")) ==
        BadRule("invalid op near"));
  CHECK(
      Made(with(
          R"("is_witness":true,"label_constraints":[{"key":"engine","op":"in","values":["tiflash"]}])")) ==
      BadRule("witness can't combine with tiflash"));
  RuleChecks nowhere = Checks();
  nowhere.fits_some_store = [](const scheduler::Rule& rule) { return rule.count != 1; };
  CHECK(Made(with(R"("index":1)"), nowhere) ==
        BadRule("rule 'a' from rule group 'g' can not match any store"));
}

TEST_CASE("keys of raw clusters are no encoded ones", "[placement]") {
  const std::string text =
      R"({"group_id":"g","id":"a","role":"voter","count":1,"start_key":"61","end_key":"62"})";
  CHECK(Made(text, Checks("raw")).starts_with(R"({"group_id":"g")"));
  CHECK(Made(text, Checks("txn")) ==
        BadRule("start key should be encoded in txn mode: insufficient bytes to decode value"));
}

TEST_CASE("members of the wrong kind are named as the reference's decoder does", "[placement]") {
  const auto fault = [](const std::string& text) {
    const auto draft = ReadBundleDrafts(Json::parse(text));
    REQUIRE_FALSE(draft);
    return draft.error();
  };
  CHECK(fault("7").Text() ==
        "json: cannot unmarshal number into Go value of type []placement.GroupBundle");
  CHECK(fault("[true]").Text() ==
        "json: cannot unmarshal bool into Go value of type placement.GroupBundle");
  const JsonFault count = fault(R"([{},{"rules":[{"count":1.5}]}])");
  CHECK(count.members == std::vector<std::string>{"1", "rules", "0", "count"});
  CHECK(count.Text() ==
        "json: cannot unmarshal number 1.5 into Go struct field Rule.rules.count of type int");
  CHECK(fault(R"([{"rules":[{"location_labels":["a",1]}]}])").Field() == "rules.location_labels");
  CHECK(fault(R"([{"group_index":18446744073709551615}])").type == "int");
  CHECK(fault(R"([{"group_override":"no"}])").type == "bool");
  CHECK(fault(R"([{"group_index":18446744073709551615}])").value == "number 18446744073709551615");
  CHECK(fault(R"([{"rules":[{"role":1.5}]}])").value == "number");
  CHECK(fault(R"([{"rules":[7]}])").Text() ==
        "json: cannot unmarshal number into Go struct field GroupBundle.rules of type "
        "placement.Rule");
  CHECK(fault(R"([{"rules":[{"label_constraints":[{"op":{}}]}]}])").Text() ==
        "json: cannot unmarshal object into Go struct field "
        "LabelConstraint.rules.label_constraints.op of type string");
}

TEST_CASE("a stored rule is read back whole, or not at all", "[placement]") {
  auto draft = ReadRuleDraft(Json::parse(
      R"({"group_id":"g","id":"a","role":"voter","count":9,"is_witness":true,"start_key":"61"})"));
  auto rule = MakeRule(*std::move(draft), {"raw", 100, {}});
  REQUIRE(rule);
  rule->version = 4;
  rule->create_timestamp = 1'700'000'000;
  // Settings have changed since: it is in force all the same.
  CHECK(RuleFromStored(RuleToJson(*rule).dump()) == *rule);
  for (const char* text :
       {"", "{", "[]", "{}", R"({"group_id":"g","id":"a","role":"x","count":1})",
        R"({"group_id":"g","id":"a","role":"voter","count":"1"})",
        R"({"group_id":"g","id":"a","role":"voter","count":1,"start_key":"0"})"}) {
    CAPTURE(text);
    const auto read = RuleFromStored(text);
    REQUIRE_FALSE(read);
    CHECK(read.error().code == ErrorCode::kCorrupt);
  }
}

TEST_CASE("a group shows what is not usual", "[placement]") {
  CHECK(RuleGroupToJson({"", 0, false}).dump() == "{}");
  CHECK(RuleGroupToJson({"g", -1, true}).dump() == R"({"id":"g","index":-1,"override":true})");
  CHECK(RuleGroupFromStored(R"({"id":"g","index":-1,"override":true})") ==
        scheduler::RuleGroup{"g", -1, true});
  CHECK_FALSE(RuleGroupFromStored("x"));
}

}  // namespace
}  // namespace pd
