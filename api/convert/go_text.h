#pragma once

#include <string>

#include <google/protobuf/message.h>

namespace api {

/// A message as Go's proto library prints it with %v: `id:1 region_epoch:<conf_ver:1 version:2 > `. Fields in the order
/// of their numbers, zero values left out, bytes quoted. The reference puts messages into error texts this way.
[[nodiscard]] std::string GoText(const google::protobuf::Message& message);

}  // namespace api
