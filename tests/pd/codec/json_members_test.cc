#include "pd/codec/json_members.h"

#include <limits>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

// The words are those of Go's decoder, which the reference's clients are told.

namespace pd {
namespace {

using Json = nlohmann::ordered_json;

struct Inner {
  std::string key;
};
struct Outer {
  std::string text;
  bool flag = false;
  int64_t count = 0;
  uint64_t id = 0;
  std::vector<std::string> names;
  std::vector<Inner> inners;
};

JsonResult<Inner> ReadInner(const Json& json) {
  Inner inner;
  JsonMembers members(json, "Inner", "house.Inner");
  members.Read("key", inner.key);
  return members.Result(std::move(inner));
}

JsonResult<Outer> ReadOuter(const Json& json) {
  Outer outer;
  JsonMembers members(json, "Outer", "house.Outer");
  members.Read("text", outer.text);
  members.Read("flag", outer.flag);
  members.Read("count", outer.count);
  members.Read("id", outer.id);
  members.Read("names", outer.names);
  members.ReadList("inners", outer.inners, "house.Inner", ReadInner);
  return members.Result(std::move(outer));
}

std::string FaultOf(std::string_view text) {
  const auto read = ReadOuter(Json::parse(text));
  return read ? "none" : read.error().Text();
}

TEST_CASE("members are read, and what is absent or null stays as it was", "[codec]") {
  const auto read = ReadOuter(Json::parse(
      R"({"text":"a","flag":true,"count":-9223372036854775808,"id":18446744073709551615,)"
      R"("names":["x",null],"inners":[{"key":"k"},null,{}],"more":[1]})"));
  REQUIRE(read);
  CHECK(read->text == "a");
  CHECK(read->flag);
  CHECK(read->count == std::numeric_limits<int64_t>::min());
  CHECK(read->id == std::numeric_limits<uint64_t>::max());
  CHECK(read->names == std::vector<std::string>{"x", ""});
  REQUIRE(read->inners.size() == 3);
  CHECK(read->inners[0].key == "k");
  CHECK(read->inners[1].key.empty());

  CHECK(FaultOf("null") == "none");
  CHECK(FaultOf(R"({"text":null,"names":null,"inners":null})") == "none");
}

TEST_CASE("a member of the wrong kind is named with its struct and its type", "[codec]") {
  struct Case {
    const char* json;
    const char* fault;
  };
  const Case cases[] = {
      {R"([])", "array into Go value of type house.Outer"},
      {R"({"text":1})", "number into Go struct field Outer.text of type string"},
      {R"({"text":true})", "bool into Go struct field Outer.text of type string"},
      {R"({"flag":"yes"})", "string into Go struct field Outer.flag of type bool"},
      {R"({"count":1.5})", "number 1.5 into Go struct field Outer.count of type int"},
      {R"({"count":9223372036854775808})",
       "number 9223372036854775808 into Go struct field Outer.count of type int"},
      {R"({"count":"1"})", "string into Go struct field Outer.count of type int"},
      {R"({"id":-1})", "number -1 into Go struct field Outer.id of type uint64"},
      {R"({"names":{}})", "object into Go struct field Outer.names of type []string"},
      {R"({"names":["a",{}]})", "object into Go struct field Outer.names of type string"},
      {R"({"inners":"a"})", "string into Go struct field Outer.inners of type []house.Inner"},
      {R"({"inners":[7]})", "number into Go struct field Outer.inners of type house.Inner"},
      // The innermost struct, with the whole way to it.
      {R"({"inners":[{},{"key":[]}]})",
       "array into Go struct field Inner.inners.key of type string"},
      {R"({"text":1,"flag":1})", "number into Go struct field Outer.text of type string"},
  };
  for (const Case& c : cases) {
    INFO(c.json);
    CHECK(FaultOf(c.json) == "json: cannot unmarshal " + std::string(c.fault));
  }
}

TEST_CASE("the way to a fault keeps the indexes of lists, and its name does not", "[codec]") {
  const auto read = ReadOuter(Json::parse(R"({"inners":[{},{"key":[]}]})"));
  REQUIRE(!read);
  CHECK(read.error().members == std::vector<std::string>{"inners", "1", "key"});
  CHECK(read.error().Field() == "inners.key");
}

TEST_CASE("a list is read whole or not at all", "[codec]") {
  const auto read = [](std::string_view text) {
    return ReadJsonList(Json::parse(text), "[]house.Inner", ReadInner);
  };
  CHECK(read("null")->empty());
  CHECK(read(R"([{"key":"a"},{"key":"b"}])")->size() == 2);
  CHECK(read("{}").error().Text() ==
        "json: cannot unmarshal object into Go value of type []house.Inner");
  const auto fault = read(R"([{"key":"a"},{"key":2}])");
  REQUIRE(!fault);
  CHECK(fault.error().members == std::vector<std::string>{"1", "key"});
}

TEST_CASE("hexadecimal digits become bytes", "[codec]") {
  CHECK(BytesOfHex("7a80") == std::string("z\x80"));
  CHECK(BytesOfHex("").value().empty());
  const auto bad = BytesOfHex("7g");
  REQUIRE(!bad);
  CHECK(bad.error().context == "[PD:hex:ErrHexDecodingString]decode string 7g error");
}

TEST_CASE("base64 becomes bytes", "[codec]") {
  CHECK(BytesOfBase64("").value().empty());
  CHECK(BytesOfBase64("azAx").value() == "k01");
  CHECK(BytesOfBase64("azA=").value() == "k0");
  CHECK(BytesOfBase64("aw==").value() == "k");
  CHECK(BytesOfBase64("az\r\nAx\n").value() == "k01");
  CHECK(BytesOfBase64("/+8A").value() == std::string("\xff\xef\0", 3));
  const std::vector<std::pair<const char*, size_t>> wrong = {
      {"a", 1},    {"az", 2},   {"azA", 3},   {"az*x", 2},   {"=", 0},       {"a=", 1},
      {"a===", 1}, {"az=x", 3}, {"azA==", 4}, {"aw==aw", 4}, {"azA=azAx", 4}};
  for (const auto& [text, at] : wrong) {
    INFO(text);
    const auto bytes = BytesOfBase64(text);
    REQUIRE_FALSE(bytes);
    CHECK(bytes.error() == at);
  }
}

TEST_CASE("members with free names are read, and bytes among them", "[codec]") {
  const auto read = [](const Json& json) -> JsonResult<std::string> {
    std::string bytes;
    JsonMembers members(json, "Item", "pkg.Item");
    members.ReadBytes("key", bytes);
    return members.Result(std::move(bytes));
  };
  const auto fault = [&](const char* text) {
    const Json json = Json::parse(text);
    std::map<std::string, std::string> items;
    JsonMembers members(json, "Items", "pkg.Items");
    members.ReadMap("items", items, "map[string]pkg.Item", read);
    const auto result = members.Result(items.size());
    return result ? std::to_string(*result) : result.error().Text();
  };
  CHECK(fault(R"({"items":{"a":{"key":"aw=="},"b":{},"c":null}})") == "3");
  CHECK(fault(R"({"items":null})") == "0");
  CHECK(
      fault(R"({"items":[]})") ==
      "json: cannot unmarshal array into Go struct field Items.items of type map[string]pkg.Item");
  CHECK(fault(R"({"items":{"a":1}})") ==
        "json: cannot unmarshal number into Go struct field Items.items of type pkg.Item");
  CHECK(fault(R"({"items":{"a":{"key":1}}})") ==
        "json: cannot unmarshal number into Go struct field Item.items.key of type []uint8");
  CHECK(fault(R"({"items":{"a":{"key":"a*"}}})") == "illegal base64 data at input byte 1");
}

}  // namespace
}  // namespace pd
