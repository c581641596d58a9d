#pragma once

#include <algorithm>
#include <charconv>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "pd/config/fields.h"

namespace pd {

/// Visitor that reads a JSON object over a section. Members that the object lacks, or that are null, keep their values;
/// members that the section lacks are counted. The first problem stops the reading, with the text of the reference's
/// decoder.
class JsonReader {
 public:
  using Json = nlohmann::json;

  /// `path`: the dotted names from the outermost section down to `object`, empty at the top.
  JsonReader(const Json& object, std::string type_name, std::string path)
      : object_(object), type_name_(std::move(type_name)), path_(std::move(path)) {}

  /// Reads `object` over `section`; returns the keys that it does not know.
  template <class S>
  static Result<std::vector<std::string>> Read(const Json& object, S& section,
                                               const std::string& path = "") {
    JsonReader reader(object, SectionTypeName(section), path);
    VisitFields(reader, section);
    if (reader.error_) return tl::unexpected(*reader.error_);
    std::vector<std::string> unknown;
    for (const auto& [key, value] : object.items()) {
      if (!reader.known_.contains(key)) unknown.push_back(key);
    }
    return unknown;
  }

  template <class T>
  void Field(FieldName name, T& value) {
    known_.insert(name.json);
    const auto found = object_.find(name.json);
    if (error_ || found == object_.end() || found->is_null()) return;
    name_ = name.json;
    Take(*found, value);
  }

  template <class T>
  void OmitEmpty(FieldName name, T& value) {
    Field(name, value);
  }

  void CommaList(FieldName name, std::vector<std::string>& list);

  void NullList(FieldName name, std::vector<std::string>& list) { Field(name, list); }
  void NullMap(FieldName name, std::map<std::string, std::string>& map) { Field(name, map); }

 private:
  void Take(const Json& json, std::string& value);
  void Take(const Json& json, bool& value);
  void Take(const Json& json, TextBool& value);
  void Take(const Json& json, int64_t& value);
  void Take(const Json& json, uint64_t& value);
  void Take(const Json& json, double& value);
  void Take(const Json& json, Nanos& value);
  void Take(const Json& json, ByteSize& value);
  void Take(const Json& json, Redaction& value);
  void Take(const Json& json, std::vector<std::string>& value);
  void Take(const Json& json, std::map<uint64_t, StoreLimitConfig>& value);

  template <Section S>
  void Take(const Json& json, S& value) {
    if (!json.is_object()) return Mismatch(json, SectionTypeName(value));
    const auto read = Read(json, value, path_ + name_ + ".");
    if (!read) error_ = read.error();
  }
  template <class T>
  void Take(const Json& json, std::optional<T>& value) {
    T fresh = value.value_or(T{});
    Take(json, fresh);
    if (!error_) value = fresh;
  }
  template <Section S>
  void Take(const Json& json, std::vector<S>& value) {
    if (!json.is_array())
      return Mismatch(json, "config." + std::string(SectionTypeName(S{})) + "s");
    std::vector<S> fresh(json.size());
    for (size_t i = 0; i < json.size() && !error_; ++i) Take(json[i], fresh[i]);
    if (!error_) value = std::move(fresh);
  }
  template <class T>
  void Take(const Json& json, std::map<std::string, T>& value) {
    if (!json.is_object()) return Mismatch(json, "map");
    std::map<std::string, T> fresh;
    for (const auto& [key, item] : json.items()) {
      if (!error_) Take(item, fresh[key]);
    }
    if (!error_) value = std::move(fresh);
  }

  /// "json: cannot unmarshal <what> into Go struct field <section>.<path> of type <type>".
  void Mismatch(const Json& json, const std::string& type);
  void Fails(std::string text) { error_ = Error{ErrorCode::kInvalidArgument, std::move(text)}; }

  const Json& object_;
  const std::string type_name_;
  const std::string path_;
  std::string name_;  // The member that is being read.
  std::set<std::string> known_;
  std::optional<Error> error_;
};

/// Parses a text as the reference's decoder does; kInvalidArgument with its text for syntax errors.
Result<nlohmann::json> ParseJson(std::string_view text);

}  // namespace pd
