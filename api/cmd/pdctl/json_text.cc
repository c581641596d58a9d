#include "api/cmd/pdctl/json_text.h"

#include <cmath>
#include <cstdlib>

#include <fmt/format.h>

namespace api::pdctl {
namespace {

// Shortest form that reads back the same; exponents from 1e21 on and below 1e-6 only, without leading zeros.
std::string FloatText(double value) {
  const double size = std::fabs(value);
  std::string shortest = fmt::format("{}", value);
  if (size != 0 && (size < 1e-6 || size >= 1e21)) {
    if (const size_t at = shortest.find("e-0"); at != std::string::npos) shortest.erase(at + 2, 1);
    return shortest;
  }
  if (shortest.find('e') != std::string::npos) shortest = fmt::format("{:f}", value);
  if (const size_t dot = shortest.find('.'); dot != std::string::npos) {
    const size_t last = shortest.find_last_not_of('0');
    shortest.erase(last == dot ? dot : last + 1);
  }
  return shortest;
}

std::string StringText(const std::string& text) {
  const std::string quoted =
      SortedJson(text).dump(-1, ' ', false, SortedJson::error_handler_t::replace);
  std::string out;
  for (const char c : quoted) {
    switch (c) {
      case '<':
        out += "\\u003c";
        break;
      case '>':
        out += "\\u003e";
        break;
      case '&':
        out += "\\u0026";
        break;
      default:
        out += c;
    }
  }
  return out;
}

template <class AnyJson>
class Writer {
 public:
  explicit Writer(int indent) : indent_(indent) {}

  void Write(const AnyJson& value, int depth) {
    if (value.is_object() || value.is_array()) {
      WriteChildren(value, depth);
    } else if (value.is_string()) {
      text_ += StringText(value.template get<std::string>());
    } else if (value.is_number_float()) {
      text_ += FloatText(value.template get<double>());
    } else {
      text_ += value.dump();
    }
  }

  std::string Take() { return std::move(text_); }

 private:
  void WriteChildren(const AnyJson& value, int depth) {
    const bool object = value.is_object();
    text_ += object ? '{' : '[';
    bool first = true;
    for (const auto& item : value.items()) {
      if (!first) text_ += ',';
      first = false;
      BreakLine(depth + 1);
      if (object) text_ += StringText(item.key()) + (indent_ == 0 ? ":" : ": ");
      Write(item.value(), depth + 1);
    }
    if (!first) BreakLine(depth);
    text_ += object ? '}' : ']';
  }

  void BreakLine(int depth) {
    if (indent_ == 0) return;
    text_ += '\n';
    text_.append(static_cast<size_t>(depth) * static_cast<size_t>(indent_), ' ');
  }

  int indent_;
  std::string text_;
};

template <class AnyJson>
std::string Text(const AnyJson& value, int indent) {
  Writer<AnyJson> writer(indent);
  writer.Write(value, 0);
  return writer.Take();
}

}  // namespace

std::string JsonText(const Json& value, int indent) { return Text(value, indent); }

std::string JsonText(const SortedJson& value, int indent) { return Text(value, indent); }

}  // namespace api::pdctl
