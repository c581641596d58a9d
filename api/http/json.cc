#include "api/http/json.h"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdlib>

#include <fmt/format.h>

namespace api {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD

/// Length of the well-formed UTF-8 sequence at `text`, or 0.
size_t Utf8Length(std::string_view text) {
  const auto at = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const auto follows = [&](size_t i) { return i < text.size() && (at(i) & 0xC0) == 0x80; };
  const unsigned char first = at(0);
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first <= 0xDF) return follows(1) ? 2 : 0;
  if (first >= 0xE0 && first <= 0xEF) {
    if (!follows(1) || !follows(2)) return 0;
    if (first == 0xE0 && at(1) < 0xA0) return 0;
    if (first == 0xED && at(1) > 0x9F) return 0;
    return 3;
  }
  if (first >= 0xF0 && first <= 0xF4) {
    if (!follows(1) || !follows(2) || !follows(3)) return 0;
    if (first == 0xF0 && at(1) < 0x90) return 0;
    if (first == 0xF4 && at(1) > 0x8F) return 0;
    return 4;
  }
  return 0;
}

void AppendUtf8(std::string& out, uint32_t code) {
  if (code < 0x80) {
    out += static_cast<char>(code);
  } else if (code < 0x800) {
    out += static_cast<char>(0xC0 | (code >> 6));
    out += static_cast<char>(0x80 | (code & 0x3F));
  } else if (code < 0x10000) {
    out += static_cast<char>(0xE0 | (code >> 12));
    out += static_cast<char>(0x80 | ((code >> 6) & 0x3F));
    out += static_cast<char>(0x80 | (code & 0x3F));
  } else {
    out += static_cast<char>(0xF0 | (code >> 18));
    out += static_cast<char>(0x80 | ((code >> 12) & 0x3F));
    out += static_cast<char>(0x80 | ((code >> 6) & 0x3F));
    out += static_cast<char>(0x80 | (code & 0x3F));
  }
}

void AppendAscii(std::string& out, char c) {
  switch (c) {
    case '"':
      out += "\\\"";
      return;
    case '\\':
      out += "\\\\";
      return;
    case '\b':
      out += "\\b";
      return;
    case '\f':
      out += "\\f";
      return;
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    case '<':
    case '>':
    case '&':
      out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
      return;
    default:
      if (static_cast<unsigned char>(c) < 0x20) {
        out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
      } else {
        out += c;
      }
  }
}

void AppendString(std::string& out, std::string_view text) {
  out += '"';
  while (!text.empty()) {
    const size_t length = Utf8Length(text);
    const std::string_view piece = text.substr(0, length);
    if (length == 0) {
      out += "\\ufffd";
    } else if (length == 1) {
      AppendAscii(out, text[0]);
    } else if (piece == "\xE2\x80\xA8") {
      out += "\\u2028";
    } else if (piece == "\xE2\x80\xA9") {
      out += "\\u2029";
    } else {
      out += piece;
    }
    text.remove_prefix(std::max<size_t>(length, 1));
  }
  out += '"';
}

/// Writes values of either nlohmann flavour.
class Writer {
 public:
  Writer(std::string& out, int indent) : out_(out), indent_(indent) {}

  template <class Json>
  void Write(const Json& value) {
    switch (value.type()) {
      case nlohmann::detail::value_t::null:
      case nlohmann::detail::value_t::discarded:
      case nlohmann::detail::value_t::binary:
        out_ += "null";
        return;
      case nlohmann::detail::value_t::boolean:
        out_ += value.template get<bool>() ? "true" : "false";
        return;
      case nlohmann::detail::value_t::number_integer:
        out_ += fmt::format("{}", value.template get<int64_t>());
        return;
      case nlohmann::detail::value_t::number_unsigned:
        out_ += fmt::format("{}", value.template get<uint64_t>());
        return;
      case nlohmann::detail::value_t::number_float:
        out_ += DumpFloat(value.template get<double>());
        return;
      case nlohmann::detail::value_t::string:
        AppendString(out_, value.template get_ref<const std::string&>());
        return;
      case nlohmann::detail::value_t::array:
        WriteArray(value);
        return;
      case nlohmann::detail::value_t::object:
        WriteObject(value);
        return;
    }
  }

 private:
  template <class Json>
  void WriteArray(const Json& value) {
    if (value.empty()) {
      out_ += "[]";
      return;
    }
    out_ += '[';
    ++depth_;
    const char* separator = "";
    for (const auto& element : value) {
      out_ += separator;
      NewLine();
      Write(element);
      separator = ",";
    }
    --depth_;
    NewLine();
    out_ += ']';
  }

  template <class Json>
  void WriteObject(const Json& value) {
    if (value.empty()) {
      out_ += "{}";
      return;
    }
    out_ += '{';
    ++depth_;
    const char* separator = "";
    for (const auto& [key, member] : value.items()) {
      out_ += separator;
      NewLine();
      AppendString(out_, key);
      out_ += indent_ < 0 ? ":" : ": ";
      Write(member);
      separator = ",";
    }
    --depth_;
    NewLine();
    out_ += '}';
  }

  void NewLine() {
    if (indent_ < 0) return;
    out_ += '\n';
    out_.append(static_cast<size_t>(depth_) * static_cast<size_t>(indent_), ' ');
  }

  std::string& out_;
  const int indent_;
  int depth_ = 0;
};

/// A strict parser that fails in the words of the reference's decoder. Recursive, bounded by
/// kDepthMax.
class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  tl::expected<nlohmann::ordered_json, JsonSyntaxError> Parse() {
    nlohmann::ordered_json value;
    if (!Value(value)) return tl::unexpected(error_);
    SkipSpace();
    if (at_ != text_.size()) {
      Fail("after top-level value");
      return tl::unexpected(error_);
    }
    return value;
  }

 private:
  static constexpr int kDepthMax = 1000;

  bool Value(nlohmann::ordered_json& out) {
    SkipSpace();
    if (at_ == text_.size()) return FailAtEnd();
    const char c = text_[at_];
    if (c == '{' || c == '[') {
      if (++depth_ > kDepthMax) return FailWith("exceeded max depth");
      const bool ok = c == '{' ? Object(out) : Array(out);
      --depth_;
      return ok;
    }
    if (c == '"') {
      std::string text;
      if (!String(text)) return false;
      out = std::move(text);
      return true;
    }
    if (c == '-' || (c >= '0' && c <= '9')) return Number(out);
    if (c == 't') return Literal("true", out, true);
    if (c == 'f') return Literal("false", out, false);
    if (c == 'n') return Literal("null", out, nullptr);
    return Fail("looking for beginning of value");
  }

  bool Object(nlohmann::ordered_json& out) {
    out = nlohmann::ordered_json::object();
    ++at_;
    SkipSpace();
    if (Take('}')) return true;
    while (true) {
      SkipSpace();
      if (at_ == text_.size()) return FailAtEnd();
      if (text_[at_] != '"') return Fail("looking for beginning of object key string");
      std::string key;
      if (!String(key)) return false;
      SkipSpace();
      if (at_ == text_.size()) return FailAtEnd();
      if (!Take(':')) return Fail("after object key");
      nlohmann::ordered_json member;
      if (!Value(member)) return false;
      out[key] = std::move(member);
      SkipSpace();
      if (at_ == text_.size()) return FailAtEnd();
      if (Take('}')) return true;
      if (!Take(',')) return Fail("after object key:value pair");
    }
  }

  bool Array(nlohmann::ordered_json& out) {
    out = nlohmann::ordered_json::array();
    ++at_;
    SkipSpace();
    if (Take(']')) return true;
    while (true) {
      nlohmann::ordered_json element;
      if (!Value(element)) return false;
      out.push_back(std::move(element));
      SkipSpace();
      if (at_ == text_.size()) return FailAtEnd();
      if (Take(']')) return true;
      if (!Take(',')) return Fail("after array element");
    }
  }

  bool String(std::string& out) {
    ++at_;
    while (true) {
      if (at_ == text_.size()) return FailAtEnd();
      const char c = text_[at_];
      if (Take('"')) return true;
      if (static_cast<unsigned char>(c) < 0x20) return Fail("in string literal");
      if (c == '\\') {
        if (!Escape(out)) return false;
        continue;
      }
      const size_t length = Utf8Length(text_.substr(at_));
      out += length == 0 ? kReplacement : text_.substr(at_, length);
      at_ += std::max<size_t>(length, 1);
    }
  }

  bool Escape(std::string& out) {
    ++at_;
    if (at_ == text_.size()) return FailAtEnd();
    switch (text_[at_]) {
      case '"':
      case '\\':
      case '/':
        out += text_[at_];
        break;
      case 'b':
        out += '\b';
        break;
      case 'f':
        out += '\f';
        break;
      case 'n':
        out += '\n';
        break;
      case 'r':
        out += '\r';
        break;
      case 't':
        out += '\t';
        break;
      case 'u':
        ++at_;
        return Unicode(out);
      default:
        return Fail("in string escape code");
    }
    ++at_;
    return true;
  }

  /// The four digits behind \u, and the second half of a surrogate pair.
  bool Unicode(std::string& out) {
    uint32_t code = 0;
    if (!FourHex(code)) return false;
    if (code >= 0xD800 && code < 0xDC00 && text_.substr(at_, 2) == "\\u") {
      const size_t before = at_;
      at_ += 2;
      uint32_t low = 0;
      if (!FourHex(low)) return false;
      if (low >= 0xDC00 && low < 0xE000) {
        AppendUtf8(out, 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00));
        return true;
      }
      at_ = before;  // An escape of its own.
    }
    if (code >= 0xD800 && code < 0xE000) {
      out += kReplacement;
    } else {
      AppendUtf8(out, code);
    }
    return true;
  }

  bool FourHex(uint32_t& code) {
    for (int i = 0; i < 4; ++i, ++at_) {
      if (at_ == text_.size()) return FailAtEnd();
      const char c = text_[at_];
      uint32_t digit = 0;
      if (c >= '0' && c <= '9') {
        digit = static_cast<uint32_t>(c - '0');
      } else if ((c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F')) {
        digit = static_cast<uint32_t>((c | 0x20) - 'a') + 10;
      } else {
        return Fail("in \\u hexadecimal character escape");
      }
      code = code * 16 + digit;
    }
    return true;
  }

  bool Number(nlohmann::ordered_json& out) {
    const size_t start = at_;
    Take('-');
    if (at_ == text_.size()) return FailAtEnd();
    if (!IsDigit()) return Fail("in numeric literal");
    if (!Take('0')) SkipDigits();
    bool integral = true;
    if (Take('.')) {
      integral = false;
      if (!Digits("after decimal point in numeric literal")) return false;
    }
    if (at_ < text_.size() && (text_[at_] == 'e' || text_[at_] == 'E')) {
      integral = false;
      ++at_;
      if (!Take('+')) Take('-');
      if (!Digits("in exponent of numeric literal")) return false;
    }
    Store(text_.substr(start, at_ - start), integral, out);
    return true;
  }

  static void Store(std::string_view literal, bool integral, nlohmann::ordered_json& out) {
    const char* const end = literal.data() + literal.size();
    uint64_t natural = 0;
    int64_t integer = 0;
    if (integral && std::from_chars(literal.data(), end, natural).ec == std::errc() &&
        literal[0] != '-') {
      out = natural;
    } else if (integral && std::from_chars(literal.data(), end, integer).ec == std::errc()) {
      out = integer;
    } else {
      double number = 0;
      std::from_chars(literal.data(), end, number);
      out = number;
    }
  }

  template <class Constant>
  bool Literal(std::string_view word, nlohmann::ordered_json& out, Constant constant) {
    for (const char expected : word) {
      if (at_ == text_.size()) return FailAtEnd();
      if (text_[at_] != expected) {
        return Fail(fmt::format("in literal {} (expecting '{}')", word, expected));
      }
      ++at_;
    }
    out = constant;
    return true;
  }

  bool Digits(std::string_view where) {
    if (at_ == text_.size()) return FailAtEnd();
    if (!IsDigit()) return Fail(where);
    SkipDigits();
    return true;
  }

  [[nodiscard]] bool IsDigit() const {
    return at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9';
  }
  void SkipDigits() {
    while (IsDigit()) ++at_;
  }
  void SkipSpace() {
    while (at_ < text_.size() &&
           std::string_view(" \t\r\n").find(text_[at_]) != std::string_view::npos) {
      ++at_;
    }
  }
  bool Take(char c) {
    if (at_ == text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }

  bool Fail(std::string_view where) {
    return FailWith(fmt::format("invalid character {} {}", Quoted(text_.substr(at_)), where));
  }
  bool FailWith(std::string text) {
    error_ = {std::move(text), static_cast<int64_t>(at_) + 1};
    return false;
  }
  bool FailAtEnd() {
    error_ = {"unexpected end of JSON input", static_cast<int64_t>(text_.size())};
    return false;
  }

  /// The first byte as Go quotes a character (the decoder looks at bytes, so a byte above 0x7f
  /// prints as Latin-1).
  static std::string Quoted(std::string_view rest) {
    const char c = rest[0];
    if (c == '\'') return "'\\''";
    if (c == '"') return "'\"'";
    if (c == '\\') return "'\\\\'";
    if (c == '\n') return "'\\n'";
    if (c == '\r') return "'\\r'";
    if (c == '\t') return "'\\t'";
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f) return fmt::format("'\\x{:02x}'", byte);
    std::string quoted = "'";
    AppendUtf8(quoted, byte);
    return quoted + "'";
  }

  const std::string_view text_;
  size_t at_ = 0;
  int depth_ = 0;
  JsonSyntaxError error_;
};

template <class Json>
std::string Dump(const Json& value, int indent) {
  std::string out;
  Writer(out, indent).Write(value);
  return out;
}

}  // namespace

std::string DumpFloat(double value) {
  std::array<char, 512> buffer;
  const double size = std::fabs(value);
  const bool plain = size == 0 || (size >= 1e-6 && size < 1e21);
  const auto format = plain ? std::chars_format::fixed : std::chars_format::scientific;
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, format).ptr;
  std::string text(buffer.data(), end);
  // A two-digit exponent loses its leading zero: e-07 becomes e-7.
  const size_t exponent = text.find('e');
  if (exponent != std::string::npos && text[exponent + 2] == '0') text.erase(exponent + 2, 1);
  return text;
}

std::string DumpJson(const nlohmann::json& value, int indent) { return Dump(value, indent); }

std::string DumpJson(const nlohmann::ordered_json& value, int indent) {
  return Dump(value, indent);
}

tl::expected<nlohmann::ordered_json, JsonSyntaxError> ParseJson(std::string_view text) {
  return Parser(text).Parse();
}

namespace {

/// Walks over JSON that is known to be right.
class Walker {
 public:
  explicit Walker(std::string_view text) : text_(text) {}

  size_t Find(std::span<const std::string> members) {
    SkipBlanks();
    const char open = text_[at_];
    if (members.empty()) {
      if (open == '{' || open == '[') return at_ + 1;
      SkipValue();
      return at_;
    }
    if (open != '{' && open != '[') return 0;
    size_t found = 0;
    ForEachPart([&](std::string_view name) {
      if (name == members.front()) found = Walker(*this).Find(members.subspan(1));
    });
    return found;
  }

 private:
  /// Leaves the walker behind the value; calls `on_part` with it in front of each part.
  template <class OnPart>
  void ForEachPart(const OnPart& on_part) {
    const bool object = text_[at_++] == '{';
    const char close = object ? '}' : ']';
    for (size_t index = 0;; ++index) {
      SkipBlanks();
      if (text_[at_] == close) break;
      if (text_[at_] == ',') {
        ++at_;
        SkipBlanks();
      }
      std::string name = std::to_string(index);
      if (object) {
        const size_t start = at_;
        SkipString();
        name = ParseJson(text_.substr(start, at_ - start))->get<std::string>();
        SkipBlanks();
        ++at_;  // The colon.
        SkipBlanks();
      }
      on_part(name);
      SkipValue();
    }
    ++at_;
  }

  void SkipBlanks() {
    while (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\n' || text_[at_] == '\r')
      ++at_;
  }
  void SkipString() {
    for (++at_; text_[at_] != '"'; ++at_) {
      if (text_[at_] == '\\') ++at_;
    }
    ++at_;
  }
  /// Without recursion: what is nested deeply must not use up the stack.
  void SkipValue() {
    size_t depth = 0;
    do {
      switch (text_[at_]) {
        case '"':
          SkipString();
          break;
        case '{':
        case '[':
          ++depth;
          ++at_;
          break;
        case '}':
        case ']':
          --depth;
          ++at_;
          break;
        default:
          if (depth > 0) {
            ++at_;
          } else {
            at_ = std::min(text_.find_first_of(",]} \t\n\r", at_), text_.size());
          }
      }
    } while (depth > 0);
  }

  std::string_view text_;
  size_t at_ = 0;
};

}  // namespace

size_t DecoderStop(std::string_view text, std::span<const std::string> members) {
  return Walker(text).Find(members);
}

}  // namespace api
