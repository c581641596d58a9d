#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace api::pdctl {

/// Reads lines from the terminal on standard input with cursor keys, history and prefix completion. History is kept
/// in a
/// file, newest last, at most kHistoryMax lines. Not thread-safe; puts the terminal back between lines.
class LineEditor {
 public:
  struct Prompt {
    std::string prompt;
    size_t prompt_width = 0;  // Columns it takes on the screen.
  };
  /// What the last word of a line can become.
  using Completer = std::function<std::vector<std::string>(const std::string& line)>;

  static constexpr size_t kHistoryMax = 500;

  LineEditor(Prompt prompt, std::filesystem::path history_file, Completer completer);

  /// Nothing at the end of input, Ctrl-C or Ctrl-D.
  std::optional<std::string> Read();

 private:
  enum class Outcome { kGoOn, kDone, kEnd };

  Outcome HandleKey(char key);
  void HandleEscape();
  void Complete();
  void Recall(size_t position);
  void Redraw() const;
  void Remember(const std::string& line);

  Prompt prompt_;
  std::filesystem::path history_file_;
  Completer completer_;
  std::vector<std::string> history_;
  size_t recalled_ = 0;  // Index into history_; its size stands for the new line.
  std::string line_;
  size_t cursor_ = 0;
};

}  // namespace api::pdctl
