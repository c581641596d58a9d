#pragma once

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "pd/config/config.h"
#include "pd/result.h"

namespace api {

/// What the command line and the environment ask of pd-server.
struct ServerFlags {
  bool help = false;
  bool version = false;
  bool config_check = false;
  bool force_new_cluster = false;
  std::string config_file;
  /// Dotted configuration keys with their values, the environment's first, so that the command line wins.
  std::vector<std::pair<std::string, std::string>> settings;
};

/// The value of an environment variable, if it is set.
using Environment = std::function<std::optional<std::string>(const std::string& name)>;

/// Reads `--name x`, `--name=x`, `-name x`, `-name=x` and the short `-L`, `-V`, `-h`. Each long flag also has a
/// variable: --data-dir is PD_DATA_DIR. kInvalidArgument names the flag that is unknown, lacks its value or has a
/// wrong one.
pd::Result<ServerFlags> ParseServerFlags(const std::vector<std::string>& args,
                                         const Environment& environment);

/// The flags with what they do, for people.
std::string ServerUsage();

/// Defaults, then the file, then the flags; filled in and checked. Errors name the key or the flag.
pd::Result<pd::Config> LoadServerConfig(const ServerFlags& flags, const std::string& hostname);

/// What -V prints.
std::string VersionText();

}  // namespace api
