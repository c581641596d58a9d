#include "tests/pd/script.h"

#include <cstdlib>
#include <fstream>
#include <sstream>

#include <catch2/catch.hpp>
#include <fmt/format.h>

namespace pd::test {
namespace {

std::vector<std::string> Tokens(const std::string& line) {
  std::vector<std::string> tokens;
  std::string token;
  bool quoted = false;
  bool any = false;
  for (size_t at = 0; at < line.size(); ++at) {
    const char c = line[at];
    if (quoted && c == '\\' && at + 1 < line.size()) {
      const char next = line[++at];
      if (next == 'x' && at + 2 < line.size()) {
        token.push_back(static_cast<char>(std::stoi(line.substr(at + 1, 2), nullptr, 16)));
        at += 2;
      } else {
        token.push_back(next);
      }
    } else if (c == '"') {
      quoted = !quoted;
      any = true;
    } else if (c == ' ' && !quoted) {
      if (any || !token.empty()) tokens.push_back(token);
      token.clear();
      any = false;
    } else {
      token.push_back(c);
    }
  }
  if (any || !token.empty()) tokens.push_back(token);
  return tokens;
}

ScriptLine Parse(const std::string& text) {
  ScriptLine line;
  for (const std::string& token : Tokens(text)) {
    const size_t equals = token.find('=');
    if (line.verb.empty()) {
      line.verb = token;
    } else if (equals != std::string::npos && equals > 0) {
      line.options[token.substr(0, equals)] = token.substr(equals + 1);
    } else {
      line.words.push_back(token);
    }
  }
  return line;
}

std::string Trimmed(std::string text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
  return text.empty() ? "ok" : text;
}

}  // namespace

std::string ScriptLine::Get(const std::string& name, const std::string& otherwise) const {
  const auto found = options.find(name);
  return found == options.end() ? otherwise : found->second;
}

int64_t ScriptLine::Number(const std::string& name, int64_t otherwise) const {
  const auto found = options.find(name);
  return found == options.end() ? otherwise : std::stoll(found->second);
}

const std::string& ScriptLine::Word(size_t at) const {
  INFO(verb << " needs more words");
  REQUIRE(at < words.size());
  return words[at];
}

std::string Shown(std::string_view bytes) {
  std::string out;
  for (const char byte : bytes) {
    if (byte >= ' ' && byte <= '~') {
      out.push_back(byte);
    } else {
      out += fmt::format("\\x{:02x}", static_cast<unsigned char>(byte));
    }
  }
  return out;
}

void RunScript(const std::string& path,
               const std::function<std::string(const std::vector<ScriptLine>&)>& run) {
  const std::string full = std::string(QM_SOURCE_DIR) + "/" + path;
  std::ifstream file(full);
  INFO("script " << path);
  REQUIRE(file.good());
  const char* setting = std::getenv("PD_REWRITE");
  const bool rewrite = setting != nullptr && std::string(setting) == "1";
  std::ostringstream rewritten;
  std::vector<ScriptLine> input;
  std::string text;
  int number = 0;
  while (std::getline(file, text)) {
    ++number;
    rewritten << text << '\n';
    if (text.empty() || text[0] == '#') continue;
    if (text != "----") {
      input.push_back(Parse(text));
      continue;
    }
    const std::string actual = Trimmed(run(input));
    input.clear();
    std::string expected;
    const int line = number;
    while (std::getline(file, text) && !text.empty()) {
      ++number;
      expected += text + '\n';
    }
    ++number;
    rewritten << actual << "\n\n";
    if (rewrite) continue;
    INFO(path << ":" << line);
    CHECK(actual == Trimmed(expected));
  }
  REQUIRE(input.empty());
  if (!rewrite) return;
  file.close();
  std::string out = rewritten.str();
  while (out.size() > 1 && out[out.size() - 2] == '\n') out.pop_back();
  std::ofstream(full) << out;
}

}  // namespace pd::test
