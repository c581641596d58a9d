#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

namespace raft {

enum class LogLevel : uint8_t { kDebug, kInfo, kWarn, kError, kFatal };

/// Where the library's log lines go. Called on the thread that calls the library; must not call
/// back into it.
class Logger {
 public:
  virtual ~Logger() = default;

  /// False saves the cost of making the text.
  virtual bool Enabled(LogLevel level) const = 0;

  /// One line without a line end. The texts are pinned by scripts: tools may look for them.
  virtual void Log(LogLevel level, std::string_view text) = 0;
};

/// Called when an invariant is broken: the log lost entries it acknowledged, or the host misused the library. The first
/// line of the text says what, the second how the node stood. The state of the group can no longer be trusted, so the
/// hook must not return; if it does, the library aborts the process.
using FatalHook = std::function<void(std::string_view text)>;

}  // namespace raft
