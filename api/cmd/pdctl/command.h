#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace api::pdctl {

enum class FlagType { kBool, kString, kStrings, kInt, kUint, kFloat, kDuration };

struct Flag {
  std::string name = {};
  char shorthand = '\0';
  FlagType type = FlagType::kString;
  std::string usage = {};
  std::string default_value = {};  // As text; empty is the zero value and is not shown.
  bool hidden = false;
};

/// How many arguments the parser itself insists on. Most commands take any number and print their usage when it is
/// wrong, as the reference tool does.
struct ArgRule {
  enum class Kind { kAny, kExact, kAtLeast, kAtMost };
  Kind kind = Kind::kAny;
  size_t count = 0;
};

class Invocation;

/// Runs a command and returns the exit status of the process.
using Handler = std::function<int(Invocation&)>;

/// One node of the command tree. A node without `run` only groups its children and prints help.
struct Command {
  std::string use = {};  // The name, then what follows it in the usage line.
  std::string short_help = {};
  Handler run = nullptr;
  std::vector<Command> children = {};
  std::vector<Flag> flags = {};             // Of this command only.
  std::vector<Flag> persistent_flags = {};  // Of this command and all below it.
  ArgRule args = {};
  std::string long_help = {};
  std::string example = {};
  std::vector<std::string> aliases = {};
  std::string deprecated = {};  // When set: hidden, and said first when the command runs.
  bool hidden = false;

  [[nodiscard]] std::string Name() const;
  [[nodiscard]] bool Listed() const { return !hidden && deprecated.empty(); }
  [[nodiscard]] bool AnswersTo(std::string_view word) const;
};

/// From the root down to one command; never empty.
using CommandPath = std::vector<const Command*>;

/// `Usage:` and all sections below it, in the layout of the reference tool, ending in one line break.
std::string UsageText(const CommandPath& path);

/// The long (else short) help above the usage text.
std::string HelpText(const CommandPath& path);

/// "pd-ctl store label": the names of a path.
std::string PathName(const CommandPath& path);

/// Finds a flag that `path`'s last command accepts: its own, or a persistent one of any command on the path.
/// Null when there is none. `-h` is known everywhere.
const Flag* FindFlag(const CommandPath& path, std::string_view name);
const Flag* FindShorthand(const CommandPath& path, char shorthand);

}  // namespace api::pdctl
