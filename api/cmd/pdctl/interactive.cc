#include <filesystem>
#include <iostream>
#include <optional>

#include <fmt/format.h>

#include "api/cmd/pdctl/line_editor.h"
#include "api/cmd/pdctl/program.h"

namespace api::pdctl {
namespace {

constexpr const char* kPrompt = "\033[31m»\033[0m ";
constexpr size_t kPromptWidth = 2;

// The commands that the words so far can go on with.
std::vector<std::string> Completions(const std::string& line) {
  const size_t last = line.find_last_of(' ');
  const std::string head = last == std::string::npos ? "" : line.substr(0, last);
  const std::string start = last == std::string::npos ? line : line.substr(last + 1);
  std::vector<std::string> words;
  if (!SplitWords(head, words)) return {};
  const Command* command = &Root();
  for (const std::string& word : words) {
    const Command* next = nullptr;
    for (const Command& child : command->children) {
      if (child.AnswersTo(word)) next = &child;
    }
    if (next == nullptr) return {};
    command = next;
  }
  std::vector<std::string> matches;
  for (const Command& child : command->children) {
    if (child.Listed() && child.Name().starts_with(start)) matches.push_back(child.Name());
  }
  return matches;
}

bool RunLine(const std::string& line, const std::vector<std::string>& carried,
             const Environment& environment) {
  std::vector<std::string> words;
  if (!SplitWords(line, words)) {
    environment.out << "parse command err: EOF found when expecting closing quote\n";
    return true;
  }
  if (words.empty()) return true;
  if (words.front() == "exit") return false;
  words.insert(words.end(), carried.begin(), carried.end());
  RunProgram(words, environment);
  environment.out.flush();
  return true;
}

}  // namespace

bool SplitWords(const std::string& line, std::vector<std::string>& words) {
  std::string word;
  bool in_word = false;
  char quote = '\0';
  for (size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (c == '\\' && quote != '\'' && i + 1 < line.size()) {
      word += line[++i];
      in_word = true;
    } else if (quote != '\0') {
      if (c == quote) {
        quote = '\0';
      } else {
        word += c;
      }
    } else if (c == '"' || c == '\'') {
      quote = c;
      in_word = true;
    } else if (c == ' ' || c == '\t') {
      if (in_word) words.push_back(std::move(word));
      word.clear();
      in_word = false;
    } else {
      word += c;
      in_word = true;
    }
  }
  if (in_word) words.push_back(std::move(word));
  return quote == '\0';
}

int RunInteractive(const std::vector<std::string>& carried, const Environment& environment) {
  if (!environment.terminal) {
    std::string line;
    while (std::getline(environment.in, line) && RunLine(line, carried, environment)) {
    }
    return 0;
  }
  LineEditor editor({.prompt = kPrompt, .prompt_width = kPromptWidth},
                    std::filesystem::temp_directory_path() / "readline.tmp", Completions);
  while (true) {
    const std::optional<std::string> line = editor.Read();
    if (!line.has_value() || !RunLine(*line, carried, environment)) return 0;
  }
}

}  // namespace api::pdctl
