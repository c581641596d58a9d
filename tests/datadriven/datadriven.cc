#include "tests/datadriven/datadriven.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include <fmt/format.h>

namespace datadriven {
namespace {

constexpr std::string_view kSeparator = "----";
constexpr std::string_view kSpace = " \t\r\n\v\f";

std::string_view Trim(std::string_view text) {
  const size_t from = text.find_first_not_of(kSpace);
  if (from == std::string_view::npos) return {};
  return text.substr(from, text.find_last_not_of(kSpace) - from + 1);
}

std::vector<std::string_view> Lines(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    lines.push_back(line);
  }
  return lines;
}

// Takes a directive apart, from left to right.
class DirectiveParser {
 public:
  DirectiveParser(std::string_view text, size_t line) : text_(text), line_(line) {}

  std::string Command() {
    SkipSpaces();
    return std::string(Take(text_.find(' ')));
  }

  std::vector<Argument> Arguments() {
    std::vector<Argument> arguments;
    for (SkipSpaces(); !text_.empty(); SkipSpaces()) arguments.push_back(One());
    return arguments;
  }

 private:
  std::string_view Take(size_t count) {
    const std::string_view taken = text_.substr(0, count);
    text_.remove_prefix(taken.size());
    return taken;
  }

  void SkipSpaces() { Take(std::min(text_.find_first_not_of(' '), text_.size())); }

  Argument One() {
    Argument argument;
    argument.key = std::string(Take(text_.find_first_of(" =")));
    if (text_.empty() || text_.front() != '=') return argument;
    Take(1);
    if (!text_.empty() && text_.front() == '(') {
      Take(1);
      argument.values = List();
    } else {
      argument.values.emplace_back(Take(text_.find(' ')));
    }
    return argument;
  }

  // The values up to the closing parenthesis; those inside a value stay in it.
  std::vector<std::string> List() {
    std::vector<std::string> values(1);
    for (int depth = 1; !text_.empty();) {
      const char c = Take(1).front();
      if (c == '(') ++depth;
      if (c == ')' && --depth == 0) {
        if (values.size() == 1 && values.front().empty()) values.clear();
        return values;
      }
      if (c == ',' && depth == 1) {
        SkipSpaces();
        values.emplace_back();
      } else {
        values.back().push_back(c);
      }
    }
    throw BadScript(fmt::format("line {}: a parenthesis is not closed", line_));
  }

  std::string_view text_;
  size_t line_;
};

class ScriptParser {
 public:
  explicit ScriptParser(std::string_view script) : lines_(Lines(script)) {}

  std::vector<Stanza> All() {
    std::vector<Stanza> stanzas;
    while (SkipToDirective()) {
      Stanza stanza = Directive();
      if (stanza.command == "subtest") {
        TrackSubtest(stanza);
        continue;
      }
      if (Input(stanza)) Expected(stanza);
      stanzas.push_back(std::move(stanza));
    }
    if (!subtest_.empty()) throw BadScript("subtest " + subtest_ + " does not end");
    return stanzas;
  }

 private:
  bool SkipToDirective() {
    for (; at_ < lines_.size(); ++at_) {
      const std::string_view line = Trim(lines_[at_]);
      if (!line.empty() && line.front() != '#') return true;
    }
    return false;
  }

  Stanza Directive() {
    Stanza stanza;
    stanza.line = at_ + 1;
    std::string text(Trim(lines_[at_++]));
    while (text.ends_with('\\') && at_ < lines_.size()) {
      text.back() = ' ';
      text += Trim(lines_[at_++]);
    }
    DirectiveParser parser(text, stanza.line);
    stanza.command = parser.Command();
    stanza.arguments = parser.Arguments();
    return stanza;
  }

  void TrackSubtest(const Stanza& stanza) {
    const std::vector<std::string_view> words = stanza.Keyless();
    if (words.empty()) throw BadScript(fmt::format("line {}: subtest of no name", stanza.line));
    if (words[0] != "end") {
      if (!subtest_.empty()) throw BadScript(fmt::format("line {}: nested subtest", stanza.line));
      subtest_ = words[0];
      return;
    }
    if (subtest_.empty() || (words.size() > 1 && words[1] != subtest_)) {
      throw BadScript(fmt::format("line {}: the end of another subtest", stanza.line));
    }
    subtest_.clear();
  }

  // False if there is no separator, and so no expected output.
  bool Input(Stanza& stanza) {
    std::string input;
    bool separated = false;
    while (at_ < lines_.size() && !separated) {
      const std::string_view line = lines_[at_++];
      separated = line == kSeparator;
      if (!separated) input.append(line).push_back('\n');
    }
    stanza.input = std::string(Trim(input));
    stanza.output_from_line = at_;
    stanza.output_to_line = at_;
    return separated;
  }

  void Expected(Stanza& stanza) {
    const bool doubled = at_ < lines_.size() && lines_[at_] == kSeparator;
    if (doubled) ++at_;
    for (; at_ < lines_.size() && !EndsOutput(doubled); ++at_) {
      stanza.expected.append(lines_[at_]).push_back('\n');
    }
    if (doubled) {
      if (at_ == lines_.size()) {
        throw BadScript(fmt::format("line {}: the output does not end", stanza.line));
      }
      at_ += 2;
      if (at_ < lines_.size() && !Trim(lines_[at_]).empty()) {
        throw BadScript(fmt::format("line {}: no blank line behind the output", at_ + 1));
      }
    }
    stanza.output_to_line = at_;
  }

  bool EndsOutput(bool doubled) const {
    if (!doubled) return Trim(lines_[at_]).empty();
    return lines_[at_] == kSeparator && at_ + 1 < lines_.size() && lines_[at_ + 1] == kSeparator;
  }

  std::vector<std::string_view> lines_;
  size_t at_ = 0;
  std::string subtest_;
};

bool HasBlankLine(const std::string& output) {
  const std::vector<std::string_view> lines = Lines(output);
  return std::any_of(lines.begin(), lines.end(),
                     [](std::string_view line) { return Trim(line).empty(); });
}

}  // namespace

const Argument* Stanza::Find(std::string_view key) const {
  for (const Argument& argument : arguments) {
    if (argument.key == key) return &argument;
  }
  return nullptr;
}

std::string_view Stanza::Value(std::string_view key) const {
  const Argument* argument = Find(key);
  if (argument == nullptr || argument->values.size() != 1) {
    throw BadScript(fmt::format("line {}: {} wants one value for {}", line, command, key));
  }
  return argument->values.front();
}

std::vector<std::string_view> Stanza::Keyless() const {
  std::vector<std::string_view> keys;
  for (const Argument& argument : arguments) {
    if (argument.values.empty()) keys.push_back(argument.key);
  }
  return keys;
}

uint64_t ParseNumber(std::string_view text) {
  uint64_t number = 0;
  const char* end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, number);
  if (text.empty() || error != std::errc() || stopped != end) {
    throw BadScript(fmt::format("'{}' is no number", text));
  }
  return number;
}

bool ParseBool(std::string_view text) {
  for (const std::string_view yes : {"1", "t", "T", "TRUE", "true", "True"}) {
    if (text == yes) return true;
  }
  for (const std::string_view no : {"0", "f", "F", "FALSE", "false", "False"}) {
    if (text == no) return false;
  }
  throw BadScript(fmt::format("'{}' is neither true nor false", text));
}

std::vector<Stanza> Parse(std::string_view script) { return ScriptParser(script).All(); }

std::string Terminated(std::string output) {
  if (!output.empty() && output.back() != '\n') output.push_back('\n');
  return output;
}

std::optional<Mismatch> Compare(const Stanza& stanza, const std::string& output) {
  const std::string actual = Terminated(output);
  if (actual == stanza.expected) return std::nullopt;
  const std::vector<std::string_view> want = Lines(stanza.expected);
  const std::vector<std::string_view> have = Lines(actual);
  size_t at = 0;
  while (at < want.size() && at < have.size() && want[at] == have[at]) ++at;
  const auto show = [at](const std::vector<std::string_view>& lines) {
    return at < lines.size() ? std::string(lines[at]) : std::string("<end of output>");
  };
  return Mismatch{stanza.output_from_line + 1 + at, stanza.command, show(want), show(have)};
}

std::optional<Mismatch> Run(std::string_view script, const Handler& handler) {
  for (const Stanza& stanza : Parse(script)) {
    if (auto mismatch = Compare(stanza, handler(stanza))) return mismatch;
  }
  return std::nullopt;
}

std::string Rewrite(std::string_view script, const Handler& handler) {
  const std::vector<std::string_view> lines = Lines(script);
  std::string result;
  size_t copied = 0;
  const auto copy_to = [&](size_t end) {
    for (; copied < end; ++copied) result.append(lines[copied]).push_back('\n');
  };
  for (const Stanza& stanza : Parse(script)) {
    copy_to(stanza.output_from_line);
    const std::string output = Terminated(handler(stanza));
    const bool doubled = HasBlankLine(output);
    if (doubled) result += "----\n";
    result += output;
    if (doubled) result += "----\n----\n";
    copied = stanza.output_to_line;
  }
  copy_to(lines.size());
  return result;
}

std::string ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw BadScript("cannot read " + path);
  std::ostringstream text;
  text << file.rdbuf();
  return std::move(text).str();
}

std::string RunFile(const std::string& path, const Handler& handler) {
  const std::string script = ReadFile(path);
  const char* rewrite = std::getenv("PD_REWRITE");
  if (rewrite != nullptr && std::string_view(rewrite) == "1") {
    std::ofstream(path, std::ios::binary) << Rewrite(script, handler);
    return {};
  }
  const auto mismatch = Run(script, handler);
  if (!mismatch) return {};
  return fmt::format("{}:{}: output of {} differs\n  expected: {}\n  actual:   {}", path,
                     mismatch->line, mismatch->command, mismatch->expected, mismatch->actual);
}

}  // namespace datadriven
