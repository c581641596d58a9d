#pragma once

#include <string_view>

#include "pd/log/log.h"

namespace pd {

/// Writes a line of a library that does not tell where in its source it comes from: `library`, such as "raft", stands
/// in the place of file and line. From any thread.
void LogFromLibrary(LogLevel level, std::string_view library, std::string_view message);

}  // namespace pd
