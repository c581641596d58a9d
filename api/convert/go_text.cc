#include "api/convert/go_text.h"

#include <algorithm>
#include <string_view>
#include <vector>

#include <fmt/format.h>

namespace api {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

std::string Quoted(std::string_view bytes) {
  std::string text = "\"";
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      text += '\\';
      text += c;
    } else if (byte >= 0x20 && byte < 0x7f) {
      text += c;
    } else {
      text += fmt::format("\\{:03o}", byte);
    }
  }
  return text + '"';
}

/// The value of a singular field, or of one element of a repeated one.
std::string ValueText(const Message& message, const FieldDescriptor& field, int index) {
  const Reflection& get = *message.GetReflection();
  const bool list = field.is_repeated();
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return fmt::format("<{}>", GoText(list ? get.GetRepeatedMessage(message, &field, index)
                                             : get.GetMessage(message, &field)));
    case FieldDescriptor::CPPTYPE_STRING:
      return Quoted(list ? get.GetRepeatedString(message, &field, index)
                         : get.GetString(message, &field));
    case FieldDescriptor::CPPTYPE_ENUM:
      return (list ? get.GetRepeatedEnum(message, &field, index) : get.GetEnum(message, &field))
          ->name();
    case FieldDescriptor::CPPTYPE_BOOL:
      return (list ? get.GetRepeatedBool(message, &field, index) : get.GetBool(message, &field))
                 ? "true"
                 : "false";
    case FieldDescriptor::CPPTYPE_INT32:
      return fmt::to_string(list ? get.GetRepeatedInt32(message, &field, index)
                                 : get.GetInt32(message, &field));
    case FieldDescriptor::CPPTYPE_INT64:
      return fmt::to_string(list ? get.GetRepeatedInt64(message, &field, index)
                                 : get.GetInt64(message, &field));
    case FieldDescriptor::CPPTYPE_UINT32:
      return fmt::to_string(list ? get.GetRepeatedUInt32(message, &field, index)
                                 : get.GetUInt32(message, &field));
    case FieldDescriptor::CPPTYPE_UINT64:
      return fmt::to_string(list ? get.GetRepeatedUInt64(message, &field, index)
                                 : get.GetUInt64(message, &field));
    case FieldDescriptor::CPPTYPE_FLOAT:
      return fmt::to_string(list ? get.GetRepeatedFloat(message, &field, index)
                                 : get.GetFloat(message, &field));
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return fmt::to_string(list ? get.GetRepeatedDouble(message, &field, index)
                                 : get.GetDouble(message, &field));
  }
  return {};
}

}  // namespace

std::string GoText(const Message& message) {
  std::vector<const FieldDescriptor*> fields;
  message.GetReflection()->ListFields(message, &fields);
  std::ranges::sort(fields, {}, [](const FieldDescriptor* field) { return field->number(); });
  std::string text;
  for (const FieldDescriptor* field : fields) {
    const int count = field->is_repeated() ? message.GetReflection()->FieldSize(message, field) : 1;
    for (int i = 0; i < count; ++i) {
      text += fmt::format("{}:{} ", field->name(), ValueText(message, *field, i));
    }
  }
  return text;
}

}  // namespace api
