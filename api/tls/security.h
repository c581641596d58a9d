#pragma once

#include <cstdint>

namespace api {

/// How bytes travel on a connection.
enum class Security : uint8_t { kPlain, kTls };

}  // namespace api
