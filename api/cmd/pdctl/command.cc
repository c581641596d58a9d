#include "api/cmd/pdctl/command.h"

#include <algorithm>

#include <fmt/format.h>

namespace api::pdctl {
namespace {

constexpr size_t kNamePaddingMin = 11;

// Every command has it, though no table lists it. The usage text names the command, hence one per call.
Flag HelpFlag(const Command& command) {
  return Flag{.name = "help",
              .shorthand = 'h',
              .type = FlagType::kBool,
              .usage = "help for " + command.Name()};
}

std::string_view TypeWord(FlagType type) {
  switch (type) {
    case FlagType::kBool:
      return "";
    case FlagType::kString:
      return "string";
    case FlagType::kStrings:
      return "strings";
    case FlagType::kInt:
      return "int";
    case FlagType::kUint:
      return "uint";
    case FlagType::kFloat:
      return "float";
    case FlagType::kDuration:
      return "duration";
  }
  return "";
}

std::string DefaultNote(const Flag& flag) {
  if (flag.default_value.empty()) return "";
  if (flag.type == FlagType::kString) return fmt::format(" (default \"{}\")", flag.default_value);
  if (flag.type == FlagType::kStrings) return fmt::format(" (default [{}])", flag.default_value);
  return fmt::format(" (default {})", flag.default_value);
}

std::string FlagHead(const Flag& flag) {
  std::string head = flag.shorthand == '\0' ? fmt::format("      --{}", flag.name)
                                            : fmt::format("  -{}, --{}", flag.shorthand, flag.name);
  const std::string_view word = TypeWord(flag.type);
  if (!word.empty()) head += fmt::format(" {}", word);
  return head;
}

// Usage texts start in one column; a text of several lines goes on in that column.
std::string FlagLines(std::vector<Flag> flags) {
  std::erase_if(flags, [](const Flag& flag) { return flag.hidden; });
  std::sort(flags.begin(), flags.end(),
            [](const Flag& a, const Flag& b) { return a.name < b.name; });
  size_t width = 0;
  for (const Flag& flag : flags) width = std::max(width, FlagHead(flag).size());
  std::string lines;
  for (const Flag& flag : flags) {
    const std::string head = FlagHead(flag);
    std::string usage;
    for (const char c : flag.usage) {
      usage += c;
      if (c == '\n') usage.append(width + 3, ' ');
    }
    lines += fmt::format("{}{}{}{}\n", head, std::string(width - head.size() + 3, ' '), usage,
                         DefaultNote(flag));
  }
  return lines;
}

std::vector<Flag> LocalFlags(const CommandPath& path) {
  std::vector<Flag> flags = path.back()->flags;
  flags.insert(flags.end(), path.back()->persistent_flags.begin(),
               path.back()->persistent_flags.end());
  flags.push_back(HelpFlag(*path.back()));
  return flags;
}

std::vector<Flag> InheritedFlags(const CommandPath& path) {
  std::vector<Flag> flags;
  for (size_t i = 0; i + 1 < path.size(); ++i) {
    flags.insert(flags.end(), path[i]->persistent_flags.begin(), path[i]->persistent_flags.end());
  }
  return flags;
}

std::vector<const Command*> ListedChildren(const Command& command) {
  std::vector<const Command*> children;
  for (const Command& child : command.children) {
    if (child.Listed()) children.push_back(&child);
  }
  std::sort(children.begin(), children.end(),
            [](const Command* a, const Command* b) { return a->Name() < b->Name(); });
  return children;
}

std::string ChildLines(const Command& command) {
  size_t padding = kNamePaddingMin;
  for (const Command& child : command.children) padding = std::max(padding, child.Name().size());
  std::string lines;
  for (const Command* child : ListedChildren(command)) {
    lines += fmt::format("  {:<{}} {}\n", child->Name(), padding, child->short_help);
  }
  return lines;
}

std::string UseLine(const CommandPath& path) {
  const CommandPath parents(path.begin(), path.end() - 1);
  std::string line = parents.empty() ? path.back()->use
                                     : fmt::format("{} {}", PathName(parents), path.back()->use);
  if (line.find("[flags]") == std::string::npos) line += " [flags]";
  return line;
}

bool Answers(const Flag& flag, std::string_view name, char shorthand) {
  return shorthand == '\0' ? flag.name == name : flag.shorthand == shorthand;
}

const Flag* Find(const CommandPath& path, std::string_view name, char shorthand) {
  for (const Flag& flag : path.back()->flags) {
    if (Answers(flag, name, shorthand)) return &flag;
  }
  for (auto command = path.rbegin(); command != path.rend(); ++command) {
    for (const Flag& flag : (*command)->persistent_flags) {
      if (Answers(flag, name, shorthand)) return &flag;
    }
  }
  static const Flag help{.name = "help", .shorthand = 'h', .type = FlagType::kBool};
  return Answers(help, name, shorthand) ? &help : nullptr;
}

}  // namespace

std::string Command::Name() const { return use.substr(0, use.find(' ')); }

bool Command::AnswersTo(std::string_view word) const {
  return Name() == word || std::find(aliases.begin(), aliases.end(), word) != aliases.end();
}

std::string PathName(const CommandPath& path) {
  std::string name;
  for (const Command* command : path) {
    if (!name.empty()) name += ' ';
    name += command->Name();
  }
  return name;
}

std::string UsageText(const CommandPath& path) {
  const Command& command = *path.back();
  std::string text = "Usage:\n";
  if (command.run != nullptr) text += fmt::format("  {}\n", UseLine(path));
  const std::string children = ChildLines(command);
  if (!children.empty()) text += fmt::format("  {} [command]\n", PathName(path));
  if (!command.aliases.empty()) {
    text += fmt::format("\nAliases:\n  {}, {}\n", command.Name(), fmt::join(command.aliases, ", "));
  }
  if (!command.example.empty()) text += fmt::format("\nExamples:\n{}\n", command.example);
  if (!children.empty()) text += fmt::format("\nAvailable Commands:\n{}", children);
  text += fmt::format("\nFlags:\n{}", FlagLines(LocalFlags(path)));
  const std::string inherited = FlagLines(InheritedFlags(path));
  if (!inherited.empty()) text += fmt::format("\nGlobal Flags:\n{}", inherited);
  if (!children.empty()) {
    text += fmt::format("\nUse \"{} [command] --help\" for more information about a command.\n",
                        PathName(path));
  }
  return text;
}

std::string HelpText(const CommandPath& path) {
  const Command& command = *path.back();
  const std::string& help = command.long_help.empty() ? command.short_help : command.long_help;
  return help.empty() ? UsageText(path) : fmt::format("{}\n\n{}", help, UsageText(path));
}

const Flag* FindFlag(const CommandPath& path, std::string_view name) {
  return Find(path, name, '\0');
}

const Flag* FindShorthand(const CommandPath& path, char shorthand) {
  return Find(path, "", shorthand);
}

}  // namespace api::pdctl
