#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "pd/config/fields.h"

namespace pd {

/// Visitor that builds the JSON of a section, members in the order of the table.
class JsonWriter {
 public:
  template <class T>
  void Field(FieldName name, T& value) {
    out_[name.json] = Value(value);
  }

  template <class T>
  void OmitEmpty(FieldName name, T& value) {
    if (!IsZero(value)) Field(name, value);
  }

  void CommaList(FieldName name, std::vector<std::string>& list) {
    std::string text;
    for (const std::string& item : list) text += (text.empty() ? "" : ",") + item;
    out_[name.json] = text;
  }

  void NullList(FieldName name, std::vector<std::string>& list) {
    out_[name.json] = list.empty() ? nlohmann::ordered_json(nullptr) : nlohmann::ordered_json(list);
  }

  void NullMap(FieldName name, std::map<std::string, std::string>& map) {
    out_[name.json] = map.empty() ? nlohmann::ordered_json(nullptr) : Value(map);
  }

  nlohmann::ordered_json Take() { return std::move(out_); }

  template <Section S>
  static nlohmann::ordered_json Write(S section) {
    JsonWriter writer;
    VisitFields(writer, section);
    return writer.Take();
  }

 private:
  using Json = nlohmann::ordered_json;

  static bool IsZero(const std::string& value) { return value.empty(); }
  static bool IsZero(TextBool value) { return !value; }
  static bool IsZero(int64_t value) { return value == 0; }
  static bool IsZero(double value) { return value == 0; }

  static Json Value(const std::string& value) { return value; }
  static Json Value(bool value) { return value; }
  static Json Value(TextBool value) { return value ? "true" : "false"; }
  static Json Value(int64_t value) { return value; }
  static Json Value(uint64_t value) { return value; }
  static Json Value(Nanos value) { return FormatDuration(value); }
  static Json Value(ByteSize value) { return FormatByteSize(value); }
  static Json Value(Redaction value) {
    return value == Redaction::kMarker ? Json("MARKER") : Json(value == Redaction::kOn);
  }
  /// A whole number is written without a fraction.
  static Json Value(double value) {
    const auto whole = static_cast<int64_t>(value);
    return static_cast<double>(whole) == value ? Json(whole) : Json(value);
  }
  template <Section S>
  static Json Value(const S& section) {
    return Write(section);
  }
  template <class T>
  static Json Value(const std::optional<T>& value) {
    return value ? Value(*value) : Json(nullptr);
  }
  template <Section S>
  static Json Value(const std::vector<S>& list) {
    Json out = Json::array();
    for (const S& item : list) out.push_back(Value(item));
    return out;
  }
  template <class T>
  static Json Value(const std::map<std::string, T>& map) {
    Json out = Json::object();
    for (const auto& [key, value] : map) out[key] = Value(value);
    return out;
  }
  /// Keys in the order of their text, as the reference's encoder writes maps.
  static Json Value(const std::map<uint64_t, StoreLimitConfig>& map) {
    std::map<std::string, StoreLimitConfig> by_text;
    for (const auto& [id, limit] : map) by_text.emplace(std::to_string(id), limit);
    return Value(by_text);
  }

  Json out_ = Json::object();
};

}  // namespace pd
