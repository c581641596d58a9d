#include "api/cmd/pdctl/line_editor.h"

#include <fstream>
#include <utility>

#include <fmt/format.h>
#include <termios.h>
#include <unistd.h>

namespace api::pdctl {
namespace {

constexpr char kCtrlA = 1;
constexpr char kCtrlC = 3;
constexpr char kCtrlD = 4;
constexpr char kCtrlE = 5;
constexpr char kBackspace = 127;
constexpr char kCtrlH = 8;
constexpr char kCtrlU = 21;
constexpr char kEscape = 27;

/// Keys one by one and without echo while it lives.
class RawTerminal {
 public:
  RawTerminal() {
    tcgetattr(STDIN_FILENO, &saved_);
    termios raw = saved_;
    raw.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO | ISIG);
    raw.c_cc[VMIN] = 1;
    raw.c_cc[VTIME] = 0;
    tcsetattr(STDIN_FILENO, TCSANOW, &raw);
  }
  ~RawTerminal() { tcsetattr(STDIN_FILENO, TCSANOW, &saved_); }
  RawTerminal(const RawTerminal&) = delete;
  RawTerminal& operator=(const RawTerminal&) = delete;

 private:
  termios saved_{};
};

bool ReadKey(char& key) { return read(STDIN_FILENO, &key, 1) == 1; }

void Put(const std::string& text) {
  for (size_t done = 0; done < text.size();) {
    const ssize_t n = write(STDOUT_FILENO, text.data() + done, text.size() - done);
    if (n <= 0) return;
    done += static_cast<size_t>(n);
  }
}

std::string CommonPrefix(const std::vector<std::string>& words) {
  std::string prefix = words.front();
  for (const std::string& word : words) {
    size_t same = 0;
    while (same < prefix.size() && same < word.size() && prefix[same] == word[same]) ++same;
    prefix.resize(same);
  }
  return prefix;
}

}  // namespace

LineEditor::LineEditor(Prompt prompt, std::filesystem::path history_file, Completer completer)
    : prompt_(std::move(prompt)),
      history_file_(std::move(history_file)),
      completer_(std::move(completer)) {
  std::ifstream in(history_file_);
  for (std::string line; std::getline(in, line);) history_.push_back(line);
  if (history_.size() > kHistoryMax) {
    history_.erase(history_.begin(), history_.end() - static_cast<std::ptrdiff_t>(kHistoryMax));
  }
}

std::optional<std::string> LineEditor::Read() {
  line_.clear();
  cursor_ = 0;
  recalled_ = history_.size();
  const RawTerminal raw;
  Redraw();
  char key = 0;
  while (ReadKey(key)) {
    const Outcome outcome = HandleKey(key);
    if (outcome == Outcome::kEnd) break;
    if (outcome == Outcome::kDone) {
      Put("\r\n");
      Remember(line_);
      return line_;
    }
    Redraw();
  }
  Put("\r\n");
  return std::nullopt;
}

LineEditor::Outcome LineEditor::HandleKey(char key) {
  switch (key) {
    case '\r':
    case '\n':
      return Outcome::kDone;
    case kCtrlC:
      return Outcome::kEnd;
    case kCtrlD:
      return line_.empty() ? Outcome::kEnd : Outcome::kGoOn;
    case kCtrlA:
      cursor_ = 0;
      break;
    case kCtrlE:
      cursor_ = line_.size();
      break;
    case kCtrlU:
      line_.erase(0, cursor_);
      cursor_ = 0;
      break;
    case kBackspace:
    case kCtrlH:
      if (cursor_ > 0) line_.erase(--cursor_, 1);
      break;
    case '\t':
      Complete();
      break;
    case kEscape:
      HandleEscape();
      break;
    default:
      if (static_cast<unsigned char>(key) >= ' ') line_.insert(cursor_++, 1, key);
  }
  return Outcome::kGoOn;
}

void LineEditor::HandleEscape() {
  char bracket = 0;
  char key = 0;
  if (!ReadKey(bracket) || !ReadKey(key)) return;
  switch (key) {
    case 'A':
      if (recalled_ > 0) Recall(recalled_ - 1);
      break;
    case 'B':
      if (recalled_ < history_.size()) Recall(recalled_ + 1);
      break;
    case 'C':
      if (cursor_ < line_.size()) ++cursor_;
      break;
    case 'D':
      if (cursor_ > 0) --cursor_;
      break;
    case 'H':
      cursor_ = 0;
      break;
    case 'F':
      cursor_ = line_.size();
      break;
    case '3':  // Delete, which ends in '~'.
      ReadKey(bracket);
      if (cursor_ < line_.size()) line_.erase(cursor_, 1);
      break;
    default:
      break;
  }
}

void LineEditor::Complete() {
  const std::vector<std::string> words = completer_(line_.substr(0, cursor_));
  if (words.empty()) return;
  const size_t last = line_.substr(0, cursor_).find_last_of(' ');
  const size_t start = last == std::string::npos ? 0 : last + 1;
  std::string word = CommonPrefix(words);
  if (words.size() == 1) word += ' ';
  if (words.size() > 1 && word.size() == cursor_ - start) {
    Put(fmt::format("\r\n{}\r\n", fmt::join(words, "  ")));
    return;
  }
  line_.replace(start, cursor_ - start, word);
  cursor_ = start + word.size();
}

void LineEditor::Recall(size_t position) {
  recalled_ = position;
  line_ = position < history_.size() ? history_[position] : "";
  cursor_ = line_.size();
}

void LineEditor::Redraw() const {
  Put(fmt::format("\r\033[K{}{}\r\033[{}C", prompt_.prompt, line_, prompt_.prompt_width + cursor_));
}

void LineEditor::Remember(const std::string& line) {
  if (line.empty() || (!history_.empty() && history_.back() == line)) return;
  history_.push_back(line);
  if (history_.size() > kHistoryMax) history_.erase(history_.begin());
  std::ofstream out(history_file_, std::ios::trunc);
  for (const std::string& entry : history_) out << entry << '\n';
}

}  // namespace api::pdctl
