#include "api/http/json.h"

#include <catch2/catch.hpp>

#include "api/http/response.h"

namespace api {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

TEST_CASE("floats take their shortest form") {
  const std::vector<std::pair<double, std::string>> rows = {
      {0, "0"},
      {1, "1"},
      {0.5, "0.5"},
      {-2.25, "-2.25"},
      {1e20, "100000000000000000000"},
      {1e21, "1e+21"},
      {1e-6, "0.000001"},
      {1e-7, "1e-7"},
      {1.5e-9, "1.5e-9"},
      {0.1 + 0.2, "0.30000000000000004"},
      {1e100, "1e+100"},
      {-0.0, "-0"},
  };
  for (const auto& [value, text] : rows) CHECK(DumpFloat(value) == text);
}

TEST_CASE("json is written in the reference's manner") {
  ordered_json value;
  value["z"] = 1;
  value["a"] = {true, nullptr, 1.0, 18446744073709551615u};
  value["e"] = ordered_json::array();
  value["o"] = ordered_json::object();
  CHECK(DumpJson(value, -1) == R"({"z":1,"a":[true,null,1,18446744073709551615],"e":[],"o":{}})");
  CHECK(DumpJson(value, 2) ==
        "{\n  \"z\": 1,\n  \"a\": [\n    true,\n    null,\n    1,\n    18446744073709551615\n  ],\n"
        "  \"e\": [],\n  \"o\": {}\n}");
  CHECK(DumpJson(json{{"10", 1}, {"2", 2}}, -1) == R"({"10":1,"2":2})");
  CHECK(DumpJson(json("<a&b>\"\\\n\x01\xE2\x80\xA8\xFF"
                      "é"),
                 -1) == "\"\\u003ca\\u0026b\\u003e\\\"\\\\\\n\\u0001\\u2028\\ufffdé\"");
}

TEST_CASE("json is read with the reference's errors") {
  struct Row {
    std::string text;
    std::string error;
    int64_t offset;
  };
  const std::vector<Row> rows = {
      {"x", "invalid character 'x' looking for beginning of value", 1},
      {"", "unexpected end of JSON input", 0},
      {"{", "unexpected end of JSON input", 1},
      {"{]", "invalid character ']' looking for beginning of object key string", 2},
      {"{\"a\" 1}", "invalid character '1' after object key", 6},
      {"{\"a\":1 \"b\"}", "invalid character '\"' after object key:value pair", 8},
      {"{\"a\":1,}", "invalid character '}' looking for beginning of object key string", 8},
      {"[1 2]", "invalid character '2' after array element", 4},
      {"[1,]", "invalid character ']' looking for beginning of value", 4},
      {"tru", "unexpected end of JSON input", 3},
      {"trux", "invalid character 'x' in literal true (expecting 'e')", 4},
      {"nul!", "invalid character '!' in literal null (expecting 'l')", 4},
      {"1 2", "invalid character '2' after top-level value", 3},
      {"01", "invalid character '1' after top-level value", 2},
      {"-x", "invalid character 'x' in numeric literal", 2},
      {"1.x", "invalid character 'x' after decimal point in numeric literal", 3},
      {"1e+x", "invalid character 'x' in exponent of numeric literal", 4},
      {"\"\n\"", "invalid character '\\n' in string literal", 2},
      {"\"\\q\"", "invalid character 'q' in string escape code", 3},
      {"\"\\u12g4\"", "invalid character 'g' in \\u hexadecimal character escape", 6},
      {"'", "invalid character '\\'' looking for beginning of value", 1},
      {std::string("\0", 1), "invalid character '\\x00' looking for beginning of value", 1},
      {"\xC3\xA9", "invalid character 'Ã' looking for beginning of value", 1},
  };
  for (const Row& row : rows) {
    INFO(row.text);
    const auto result = ParseJson(row.text);
    REQUIRE_FALSE(result);
    CHECK(result.error().text == row.error);
    CHECK(result.error().offset == row.offset);
  }
}

TEST_CASE("json that is read is what was written") {
  for (const std::string& text : std::vector<std::string>{
           R"({"b":[1,-2,0.5,{"x":null}],"a":"q\"\\\/\u00e9\ud83d\ude00","t":true,"f":false})",
           " [ ] ", "0", "-0", "1e3", "18446744073709551615", "\"\\ud800\"", "\"\xFF\"", "null"}) {
    INFO(text);
    const auto value = ParseJson(text);
    REQUIRE(value);
    const std::string once = DumpJson(*value, -1);
    CHECK(DumpJson(ParseJson(once).value(), 2) == DumpJson(*value, 2));
  }
  CHECK(ParseJson("18446744073709551615")->get<uint64_t>() == UINT64_MAX);
  CHECK(ParseJson(R"({"a":1,"a":2})")->at("a") == 2);
  CHECK(ParseJson("\"\\ud83d\\ude00\"")->get<std::string>() == "\xF0\x9F\x98\x80");
  CHECK_FALSE(ParseJson(std::string(200000, '[')));
}

TEST_CASE("where the decoder stops at a value") {
  const std::string text =
      R"( {"a\"b" : [1, {"c":"x]}\\"} ,2.5], "d":{"e":[[],{}]},"n":null,"d2":7,"d2":"last"} )";
  REQUIRE(ParseJson(text));
  const auto before = [&](std::vector<std::string> members) {
    return text.substr(0, DecoderStop(text, members));
  };
  CHECK(before({}) == " {");
  CHECK(before({"a\"b"}).ends_with(R"("a\"b" : [)"));
  CHECK(before({"a\"b", "0"}).ends_with("[1"));
  CHECK(before({"a\"b", "1", "c"}).ends_with(R"("x]}\\")"));
  CHECK(before({"a\"b", "2"}).ends_with(",2.5"));
  CHECK(before({"d", "e", "1"}).ends_with("[[],{"));
  CHECK(before({"n"}).ends_with("null"));
  CHECK(before({"d2"}).ends_with("last\""));
  CHECK(before({"missing"}).empty());
  CHECK(before({"n", "deeper"}).empty());
  CHECK(DecoderStop("12", {}) == 2);
  const std::vector<std::string> index = {"index"};
  for (const std::string odd : {R"({"\ud800":1,"index":"x"})", "{\"\xff\":1,\"index\":\"x\"}"}) {
    REQUIRE(ParseJson(odd));
    CHECK(DecoderStop(odd, index) == odd.size() - 1);
  }
}

TEST_CASE("responses carry the family's headers") {
  CHECK(JsonV1(200, json("ok")).body == "\"ok\"\n");
  CHECK(JsonV1(200, json("ok")).headers[0].second == "application/json; charset=UTF-8");
  CHECK(PageNotFound().body == "404 page not found\n");
  CHECK(ErrorResponse(pd::Error{pd::ErrorCode::kNotBootstrapped, ""}).status == 500);
  const HttpResponse input = InputError("invalid character 'x'");
  CHECK(input.status == 400);
  CHECK(input.body ==
        "{\n  \"code\": \"input\",\n  \"msg\": \"invalid character 'x'\",\n  \"data\": {}\n}\n");
  CHECK(input.headers.back() == std::pair<std::string, std::string>("TiDB-Error-Code", "input"));
}

}  // namespace
}  // namespace api
