#include "tests/datadriven/datadriven.h"

#include <catch2/catch.hpp>

namespace datadriven {
namespace {

std::vector<Argument> ArgumentsOf(const std::string& directive) {
  return Parse(directive + "\n----\n").at(0).arguments;
}

TEST_CASE("arguments of a directive") {
  const auto args = ArgumentsOf("do a  b=  c=d e=(f, g,h) i=(j(k,l),m) \"n\"");
  REQUIRE(args.size() == 6);
  CHECK(args[0].key == "a");
  CHECK(args[0].values.empty());
  CHECK(args[1].values == std::vector<std::string>{""});
  CHECK(args[2].values == std::vector<std::string>{"d"});
  CHECK(args[3].values == std::vector<std::string>{"f", "g", "h"});
  CHECK(args[4].values == std::vector<std::string>{"j(k,l)", "m"});
  CHECK(args[5].key == "\"n\"");
  CHECK(ArgumentsOf("do a=()").at(0).values.empty());
  CHECK_THROWS_AS(ArgumentsOf("do a=(b"), BadScript);
}

TEST_CASE("a directive goes on behind a backslash") {
  const auto stanzas = Parse("do a \\\n   b\n----\nok\n");
  CHECK(stanzas.at(0).Keyless() == std::vector<std::string_view>{"a", "b"});
}

TEST_CASE("input, expected output and what is between stanzas") {
  const auto stanzas = Parse(
      "# comment\n\n  one\n first\n\n# no comment\n----\n"
      "out\n# no comment either\n\n# comment\ntwo\n----\n");
  REQUIRE(stanzas.size() == 2);
  CHECK(stanzas[0].command == "one");
  CHECK(stanzas[0].line == 3);
  CHECK(stanzas[0].input == "first\n\n# no comment");
  CHECK(stanzas[0].expected == "out\n# no comment either\n");
  CHECK(stanzas[1].command == "two");
  CHECK(stanzas[1].input.empty());
  CHECK(stanzas[1].expected.empty());
}

TEST_CASE("the doubled form holds blank lines") {
  const auto stanzas = Parse("one\n----\n----\na\n\n----\nb\n----\n----\n\ntwo\n----\nok\n");
  REQUIRE(stanzas.size() == 2);
  CHECK(stanzas[0].expected == "a\n\n----\nb\n");
  CHECK(stanzas[1].expected == "ok\n");
  CHECK_THROWS_AS(Parse("one\n----\n----\na\n"), BadScript);
  CHECK_THROWS_AS(Parse("one\n----\n----\na\n----\n----\nb\n"), BadScript);
}

TEST_CASE("without a separator all the rest is input") {
  const auto stanzas = Parse("one\na\n\nb\n");
  REQUIRE(stanzas.size() == 1);
  CHECK(stanzas[0].input == "a\n\nb");
  CHECK(stanzas[0].expected.empty());
}

TEST_CASE("subtests only group") {
  CHECK(Parse("subtest a\n\none\n----\nok\n\nsubtest end a\n").size() == 1);
  CHECK_THROWS_AS(Parse("subtest a\n\none\n----\nok\n"), BadScript);
  CHECK_THROWS_AS(Parse("subtest a\n\nsubtest end b\n"), BadScript);
}

TEST_CASE("the first differing line is found") {
  const auto run = [](const std::string& output) {
    return Run("one\n----\na\nb\n", [&](const Stanza&) { return output; });
  };
  CHECK_FALSE(run("a\nb"));
  CHECK_FALSE(run("a\nb\n"));
  CHECK(run("a\nc")->line == 4);
  CHECK(run("a")->actual == "<end of output>");
  CHECK(run("a\nb\nc")->line == 5);
}

TEST_CASE("a rewritten script passes") {
  const std::string script = "# keep\none\nin\n----\nold\n\ntwo\n----\nold\nold\n";
  const Handler handler = [](const Stanza& stanza) {
    return stanza.command == "one" ? "new\n\nlines" : "new";
  };
  const std::string rewritten = Rewrite(script, handler);
  CHECK_FALSE(Run(rewritten, handler));
  CHECK(rewritten.starts_with("# keep\none\nin\n----\n----\nnew\n\nlines\n----\n----\n\ntwo\n"));
}

TEST_CASE("numbers and truth") {
  CHECK(ParseNumber("18446744073709551615") == UINT64_MAX);
  CHECK_THROWS_AS(ParseNumber("18446744073709551616"), BadScript);
  CHECK_THROWS_AS(ParseNumber("-1"), BadScript);
  CHECK_THROWS_AS(ParseNumber(""), BadScript);
  CHECK(ParseBool("T"));
  CHECK_FALSE(ParseBool("False"));
  CHECK_THROWS_AS(ParseBool("yes"), BadScript);
}

}  // namespace
}  // namespace datadriven
