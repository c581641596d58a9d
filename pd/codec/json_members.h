#pragma once

#include <cstdint>
#include <initializer_list>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>
#include <tl/expected.hpp>

#include "pd/result.h"

// JSON that people send, with the words of Go's decoder for what does not fit.

namespace pd {

/// "string", "number", ...: what Go's decoder calls a value where one of another kind was wanted.
const char* JsonKind(const nlohmann::ordered_json& json);

/// Bytes from hexadecimal digits. kInvalidArgument with the reference's text.
Result<std::string> BytesOfHex(const std::string& digits);

/// Bytes from base64 with padding, line ends left out. Otherwise where it stops to be that, as Go's decoder counts.
tl::expected<std::string, size_t> BytesOfBase64(std::string_view text);

/// A member of the wrong kind, as Go's decoder names it.
struct JsonFault {
  std::string value;      // What is there: "string", "number 1.5".
  std::string structure;  // "Rule".
  std::vector<std::string>
      members;        // The way there, from the outside in; indexes of lists as digits.
  std::string type;   // What the member takes: "int".
  std::string words;  // Instead of all this, where the kind is right and the value is not.

  [[nodiscard]] std::string Text() const;
  /// The members without indexes, with dots.
  [[nodiscard]] std::string Field() const;
};

template <class T>
using JsonResult = tl::expected<T, JsonFault>;

/// Reads the members of one object. The first fault stays; after it nothing more is read.
class JsonMembers {
 public:
  JsonMembers(const nlohmann::ordered_json& object, const char* structure, const char* type)
      : object_(object), structure_(structure) {
    if (!object.is_object() && !object.is_null()) {
      fault_ = JsonFault{JsonKind(object), structure_, {}, type, {}};
    }
  }

  void Read(const char* name, std::string& out) {
    const nlohmann::ordered_json* member = Member(name);
    if (member == nullptr) return;
    if (!member->is_string()) return Refuse(name, *member, "string");
    out = member->get<std::string>();
  }
  void Read(const char* name, bool& out) {
    const nlohmann::ordered_json* member = Member(name);
    if (member == nullptr) return;
    if (!member->is_boolean()) return Refuse(name, *member, "bool");
    out = member->get<bool>();
  }
  void Read(const char* name, int64_t& out) {
    const nlohmann::ordered_json* member = Member(name);
    if (member == nullptr) return;
    const bool beyond = member->is_number_unsigned() &&
                        member->get<uint64_t>() > uint64_t{std::numeric_limits<int64_t>::max()};
    if (!member->is_number_integer() || beyond) return RefuseNumber(name, *member, "int");
    out = member->get<int64_t>();
  }
  void Read(const char* name, uint64_t& out) {
    const nlohmann::ordered_json* member = Member(name);
    if (member == nullptr) return;
    if (!member->is_number_unsigned()) return RefuseNumber(name, *member, "uint64");
    out = member->get<uint64_t>();
  }
  /// Text in base64.
  void ReadBytes(const char* name, std::string& out) {
    const nlohmann::ordered_json* member = Member(name);
    if (member == nullptr) return;
    if (!member->is_string()) return Refuse(name, *member, "[]uint8");
    auto bytes = BytesOfBase64(member->get_ref<const std::string&>());
    if (bytes) {
      out = *std::move(bytes);
    } else {
      fault_ = JsonFault{
          "", "", {}, "", "illegal base64 data at input byte " + std::to_string(bytes.error())};
    }
  }
  void Read(const char* name, std::vector<std::string>& out) {
    ReadList(name, out, "string",
             [](const nlohmann::ordered_json& item) -> JsonResult<std::string> {
               if (item.is_null()) return std::string();
               if (item.is_string()) return item.get<std::string>();
               return tl::unexpected(JsonFault{JsonKind(item), "", {}, "string", {}});
             });
  }
  template <class T, class ReadItem>
  void ReadList(const char* name, std::vector<T>& out, const char* type, const ReadItem& read) {
    const nlohmann::ordered_json* member = Member(name);
    if (member == nullptr) return;
    if (!member->is_array()) return Refuse(name, *member, std::string("[]") + type);
    for (size_t i = 0; i < member->size(); ++i) {
      JsonResult<T> item = read((*member)[i]);
      if (!item) {
        return TakeOver(std::move(item.error()), {name, std::to_string(i)});
      }
      out.push_back(*std::move(item));
    }
  }
  /// An object whose members are all of one type; `type` is that of the whole.
  template <class T, class ReadItem>
  void ReadMap(const char* name, std::map<std::string, T>& out, const char* type,
               const ReadItem& read) {
    const nlohmann::ordered_json* member = Member(name);
    if (member == nullptr) return;
    if (!member->is_object()) return Refuse(name, *member, type);
    for (const auto& [key, value] : member->items()) {
      JsonResult<T> item = read(value);
      if (!item) return TakeOver(std::move(item.error()), {name});  // Keys are not named.
      out.insert_or_assign(key, *std::move(item));
    }
  }

  template <class T>
  JsonResult<T> Result(T value) {
    if (fault_) return tl::unexpected(*std::move(fault_));
    return value;
  }

 private:
  const nlohmann::ordered_json* Member(const char* name) const {
    if (fault_ || object_.is_null()) return nullptr;
    const auto found = object_.find(name);
    return found == object_.end() || found->is_null() ? nullptr : &*found;
  }
  /// What is wrong inside a struct further in is that one's matter, though the whole way to it is named.
  void TakeOver(JsonFault fault, std::initializer_list<std::string> way) {
    fault_ = std::move(fault);
    if (fault_->members.empty()) fault_->structure = structure_;
    fault_->members.insert(fault_->members.begin(), way);
  }
  /// A number that is none of the wanted kind is told as it is.
  void RefuseNumber(const char* name, const nlohmann::ordered_json& member, const char* type) {
    Refuse(name, member, type);
    if (member.is_number()) fault_->value += " " + member.dump();
  }
  void Refuse(const char* name, const nlohmann::ordered_json& member, std::string type) {
    fault_ = JsonFault{JsonKind(member), structure_, {name}, std::move(type), {}};
  }

  const nlohmann::ordered_json& object_;
  const char* structure_;
  std::optional<JsonFault> fault_;
};

/// All of a list, or none. Null is an empty one.
template <class T>
JsonResult<std::vector<T>> ReadJsonList(const nlohmann::ordered_json& json, const char* type,
                                        JsonResult<T> (*read)(const nlohmann::ordered_json&)) {
  std::vector<T> list;
  if (json.is_null()) return list;
  if (!json.is_array()) return tl::unexpected(JsonFault{JsonKind(json), "", {}, type, {}});
  for (size_t i = 0; i < json.size(); ++i) {
    JsonResult<T> item = read(json[i]);
    if (!item) {
      item.error().members.insert(item.error().members.begin(), std::to_string(i));
      return tl::unexpected(std::move(item.error()));
    }
    list.push_back(*std::move(item));
  }
  return list;
}

/// What is kept as JSON text, by `read`. kCorrupt says why it cannot be read.
template <class T>
Result<T> ReadStored(const std::string& text,
                     JsonResult<T> (*read)(const nlohmann::ordered_json&)) {
  const auto json = nlohmann::ordered_json::parse(text, nullptr, false);
  if (json.is_discarded()) return Fail(ErrorCode::kCorrupt, "not JSON");
  JsonResult<T> value = read(json);
  if (!value) return Fail(ErrorCode::kCorrupt, value.error().Text());
  return *std::move(value);
}

}  // namespace pd
