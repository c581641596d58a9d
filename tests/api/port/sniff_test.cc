#include "api/port/sniff.h"

#include <catch2/catch.hpp>

namespace api {
namespace {

TEST_CASE("the first bytes tell the protocol") {
  const std::string preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
  for (size_t i = 0; i < preface.size(); ++i) {
    CHECK(Sniff(std::string_view(preface).substr(0, i)) == Protocol::kUndecided);
    std::string other = preface;
    other[i] = 'x';
    CHECK(Sniff(other) == Protocol::kHttp1);
    CHECK(Sniff(std::string_view(other).substr(0, i + 1)) == Protocol::kHttp1);
  }
  CHECK(Sniff(preface) == Protocol::kHttp2);
  CHECK(Sniff(preface + "more") == Protocol::kHttp2);
  CHECK(Sniff("GET / HTTP/1.1\r\n") == Protocol::kHttp1);
  CHECK(Sniff("P") == Protocol::kUndecided);
  CHECK(Sniff("PO") == Protocol::kHttp1);
  CHECK(Sniff("\x16\x03\x01") == Protocol::kTls);
}

}  // namespace
}  // namespace api
