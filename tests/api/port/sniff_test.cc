#include "api/port/sniff.h"

#include <random>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "tests/harness/certificates.h"

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

using Offer = std::vector<std::string>;

/// The bytes of one TLS record, spread over records that hold `size` bytes each.
std::string Spread(const std::string& record, size_t size) {
  std::string out;
  for (size_t at = 5; at < record.size(); at += size) {
    const std::string piece = record.substr(at, size);
    out += record.substr(0, 3);
    out += static_cast<char>(piece.size() >> 8);
    out += static_cast<char>(piece.size());
    out += piece;
  }
  return out;
}

/// A block behind its length in `width` bytes.
std::string Block(size_t width, const std::string& bytes) {
  std::string out;
  for (size_t i = width; i-- > 0;) out += static_cast<char>(bytes.size() >> (8 * i));
  return out + bytes;
}

/// A hello by hand: what comes behind the compression methods is given.
std::string HelloWith(const std::string& end) {
  const std::string start = "\x03\x03" + std::string(32, 'r') + Block(1, "session") +
                            Block(2, "\x13\x01") + Block(1, std::string(1, '\0'));
  return "\x16\x03\x01" + Block(2, "\x01" + Block(3, start + end));
}

std::string Extension(char type, const std::string& bytes) {
  return std::string(1, '\0') + type + Block(2, bytes);
}

TEST_CASE("a hello tells the protocol by its offer") {
  const std::vector<std::pair<Offer, Protocol>> rows = {
      {{}, Protocol::kHttp1},
      {{"http/1.1"}, Protocol::kHttp1},
      {{"h2"}, Protocol::kHttp2},
      {{"h2", "http/1.1"}, Protocol::kHttp1},
      {{"http/1.1", "h2"}, Protocol::kHttp1},
      {{"grpc-exp", "h2"}, Protocol::kHttp2},
      {{"h3", "spdy/3"}, Protocol::kHttp1},
  };
  for (const auto& [offer, protocol] : rows) {
    const std::string hello = harness::ClientHello(offer);
    CHECK(Sniff(hello) == Protocol::kTls);
    for (const size_t size : {hello.size(), size_t{1}, size_t{7}, size_t{100}}) {
      const std::string bytes = Spread(hello, size);
      INFO(offer.size() << " offers, records of " << size);
      CHECK(SniffHello(bytes) == protocol);
      CHECK(SniffHello(bytes + "\x17\x03\x03 and what follows") == protocol);
      size_t undecided = 0;
      while (undecided < bytes.size() &&
             SniffHello(std::string_view(bytes).substr(0, undecided)) == Protocol::kUndecided)
        ++undecided;
      CHECK(undecided == bytes.size());
    }
  }
}

TEST_CASE("what is no hello, or a broken one, is garbage") {
  const std::string h2 = Extension(16, Block(2, Block(1, "h2")));
  CHECK(SniffHello(HelloWith("")) == Protocol::kHttp1);  // TLS 1.2 without extensions.
  CHECK(SniffHello(HelloWith(Block(2, ""))) == Protocol::kHttp1);
  CHECK(SniffHello(HelloWith(Block(2, Extension(0, "name") + h2))) == Protocol::kHttp2);
  const std::vector<std::string> rows = {
      "GET / HTTP/1.1\r\n\r\n",
      "P",
      std::string("\x15\x03\x01\x00\x02", 5),                  // An alert.
      std::string("\x16\x02", 2),                              // SSL 2.
      std::string("\x16\x03\x01\x00\x00", 5),                  // An empty record.
      std::string("\x16\x03\x01\x40\x01", 5),                  // A record too long.
      std::string("\x16\x03\x01\x00\x04\x02\x00\x00\x00", 9),  // A server's hello.
      std::string("\x16\x03\x01\x40\x00\x01\x00\x40\x00", 9),  // Longer than is looked at.
      std::string("\x16\x03\x01\x00\x04\x01\x00\x00\x00", 9),  // An empty hello.
      Spread(HelloWith(Block(2, h2)), 20).substr(0, 25) +
          "junk",      // Something else between records.
      HelloWith("x"),  // Half a length.
      HelloWith(Block(2, "").substr(0, 1)),
      HelloWith(Block(2, h2).substr(0, 6)),
      HelloWith(Block(2, h2.substr(0, h2.size() - 1))),
      HelloWith(Block(2, Extension(16, ""))),
      HelloWith(Block(2, Extension(16, Block(2, "\x09h2")))),
  };
  for (const std::string& row : rows) CHECK(SniffHello(row) == Protocol::kGarbage);

  // Records that would go on for ever come to an end.
  const std::string endless = Spread("\x16\x03\x01zz\x01" + Block(3, std::string(16000, 'x')), 1);
  CHECK(SniffHello(std::string_view(endless).substr(0, kHelloBytesMax - 1)) ==
        Protocol::kUndecided);
  CHECK(SniffHello(std::string_view(endless).substr(0, kHelloBytesMax)) == Protocol::kGarbage);
}

TEST_CASE("no bytes harm who looks at hellos") {
  std::mt19937 random(11);
  const std::string good = harness::ClientHello({"h2"});
  for (int i = 0; i < 20000; ++i) {
    std::string bytes = good;
    const size_t changes = random() % 6 + 1;
    for (size_t j = 0; j < changes; ++j)
      bytes[random() % bytes.size()] = static_cast<char>(random() % 256);
    if (i % 3 == 0) bytes.resize(random() % bytes.size());
    CHECK(SniffHello(bytes) != Protocol::kTls);
  }
}

}  // namespace
}  // namespace api
