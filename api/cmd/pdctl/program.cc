#include "api/cmd/pdctl/program.h"

#include <algorithm>
#include <cctype>
#include <iostream>
#include <iterator>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "api/cmd/pdctl/groups.h"
#include "api/cmd/pdctl/invocation.h"
#include "pd/version.h"

namespace api::pdctl {
namespace {

constexpr size_t kSuggestionDistanceMax = 2;

struct CommandLine {
  CommandPath path;
  std::vector<std::string>
      rest;  // What is left when the command's names are taken away: arguments and flags.
  std::vector<std::string> args;
  FlagValues flags;
};

bool IsFlag(const std::string& word) { return word.size() > 1 && word[0] == '-'; }

const Flag* FlagOf(const CommandPath& path, const std::string& word) {
  if (word.starts_with("--")) return FindFlag(path, word.substr(2, word.find('=') - 2));
  return FindShorthand(path, word[1]);
}

// True when the next word is the value of this flag.
bool TakesNextWord(const CommandPath& path, const std::string& word) {
  if (word.find('=') != std::string::npos) return false;
  const Flag* flag = FlagOf(path, word);
  if (flag == nullptr) return word.starts_with("--");
  return flag->type != FlagType::kBool && (word.starts_with("--") || word.size() == 2);
}

const Command* FindChild(const Command& command, const std::string& word) {
  for (const Command& child : command.children) {
    if (child.AnswersTo(word)) return &child;
  }
  return nullptr;
}

CommandLine FindCommand(const std::vector<std::string>& words) {
  CommandLine line;
  line.path.push_back(&Root());
  bool descending = true;
  for (size_t i = 0; i < words.size(); ++i) {
    if (descending && words[i] != "--" && !IsFlag(words[i])) {
      if (const Command* child = FindChild(*line.path.back(), words[i])) {
        line.path.push_back(child);
        continue;
      }
      descending = false;
    }
    descending = descending && words[i] != "--";
    line.rest.push_back(words[i]);
    if (descending && IsFlag(words[i]) && TakesNextWord(line.path, words[i]) &&
        i + 1 < words.size()) {
      line.rest.push_back(words[++i]);
    }
  }
  return line;
}

std::optional<std::string> CheckValue(const Flag& flag, const std::string& value) {
  std::string error;
  if (flag.type == FlagType::kBool) {
    if (const auto parsed = ParseBool(value); !parsed) error = parsed.error();
  } else if (flag.type == FlagType::kFloat) {
    if (const auto parsed = ParseFloat(value); !parsed) error = parsed.error();
  } else if (flag.type == FlagType::kUint || flag.type == FlagType::kInt) {
    if (const auto parsed = ParseUint(value); !parsed) error = parsed.error();
  }
  if (error.empty()) return std::nullopt;
  return fmt::format("invalid argument \"{}\" for \"--{}\" flag: {}", value, flag.name, error);
}

/// Parses `rest` into arguments and flags; on failure says why.
class FlagParser {
 public:
  explicit FlagParser(CommandLine& line) : line_(line) {}

  std::optional<std::string> Parse() {
    bool flags_ended = false;
    for (; at_ < line_.rest.size(); ++at_) {
      const std::string& word = line_.rest[at_];
      if (flags_ended || !IsFlag(word)) {
        line_.args.push_back(word);
      } else if (word == "--") {
        flags_ended = true;
      } else if (auto error = word[1] == '-' ? ParseLong(word) : ParseShort(word)) {
        return error;
      }
    }
    return std::nullopt;
  }

 private:
  std::optional<std::string> ParseLong(const std::string& word) {
    const size_t equals = word.find('=');
    const std::string name = word.substr(2, equals == std::string::npos ? equals : equals - 2);
    const Flag* flag = FindFlag(line_.path, name);
    if (flag == nullptr) return fmt::format("unknown flag: --{}", name);
    if (equals != std::string::npos) return Set(*flag, word.substr(equals + 1));
    if (flag->type == FlagType::kBool) return Set(*flag, "true");
    if (at_ + 1 >= line_.rest.size()) return fmt::format("flag needs an argument: --{}", name);
    return Set(*flag, line_.rest[++at_]);
  }

  std::optional<std::string> ParseShort(const std::string& word) {
    for (size_t i = 1; i < word.size(); ++i) {
      const Flag* flag = FindShorthand(line_.path, word[i]);
      if (flag == nullptr) return fmt::format("unknown shorthand flag: '{}' in {}", word[i], word);
      const std::string tail = word.substr(i + 1);
      if (flag->type == FlagType::kBool && !tail.starts_with('=')) {
        if (auto error = Set(*flag, "true")) return error;
        continue;
      }
      if (!tail.empty()) return Set(*flag, tail.starts_with('=') ? tail.substr(1) : tail);
      if (at_ + 1 >= line_.rest.size()) {
        return fmt::format("flag needs an argument: '{}' in {}", word[i], word);
      }
      return Set(*flag, line_.rest[++at_]);
    }
    return std::nullopt;
  }

  std::optional<std::string> Set(const Flag& flag, const std::string& value) {
    if (auto error = CheckValue(flag, value)) return error;
    line_.flags[flag.name].push_back(
        flag.type == FlagType::kBool ? (*ParseBool(value) ? "true" : "false") : value);
    return std::nullopt;
  }

  CommandLine& line_;
  size_t at_ = 0;
};

std::optional<std::string> CheckCount(const ArgRule& rule, size_t count) {
  switch (rule.kind) {
    case ArgRule::Kind::kAny:
      return std::nullopt;
    case ArgRule::Kind::kExact:
      if (count == rule.count) return std::nullopt;
      return fmt::format("accepts {} arg(s), received {}", rule.count, count);
    case ArgRule::Kind::kAtLeast:
      if (count >= rule.count) return std::nullopt;
      return fmt::format("requires at least {} arg(s), only received {}", rule.count, count);
    case ArgRule::Kind::kAtMost:
      if (count <= rule.count) return std::nullopt;
      return fmt::format("accepts at most {} arg(s), received {}", rule.count, count);
  }
  return std::nullopt;
}

std::string Lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

// Levenshtein's distance, one row at a time.
size_t EditDistance(const std::string& a, const std::string& b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, replaced});
    }
  }
  return row[b.size()];
}

std::string UnknownCommand(const std::string& word) {
  std::string text = fmt::format("unknown command \"{}\" for \"{}\"", word, Root().Name());
  std::string near;
  for (const Command& command : Root().children) {
    if (!command.Listed()) continue;
    const std::string name = Lower(command.Name());
    if (EditDistance(Lower(word), name) <= kSuggestionDistanceMax ||
        name.starts_with(Lower(word))) {
      near += fmt::format("\t{}\n", command.Name());
    }
  }
  if (!near.empty()) text += fmt::format("\n\nDid you mean this?\n{}", near);
  return text;
}

std::string VersionText() {
  return fmt::format(
      "Release Version: {}\nEdition: Community\nKernel Type: Classic\nGit Commit Hash: {}\n"
      "Git Branch: {}\nUTC Build Time:  {}\n",
      pd::kReleaseVersion, pd::kGitHash, pd::kGitBranch, pd::kBuildTime);
}

int PrintHelpOf(const std::vector<std::string>& words, std::ostream& out) {
  const CommandLine line = FindCommand(words);
  if (!line.rest.empty() && line.path.size() == 1) {
    out << fmt::format("Unknown help topic [`{}`]\n", fmt::join(words, " "))
        << UsageText(line.path);
    return 0;
  }
  out << HelpText(line.path);
  return 0;
}

// The connection flags of a line, to be carried into the lines of interactive mode.
std::vector<std::string> CarriedFlags(const CommandLine& line) {
  std::vector<std::string> carried;
  for (const char* name : {"pd", "cacert", "cert", "key"}) {
    const auto values = line.flags.find(name);
    if (values == line.flags.end()) continue;
    carried.push_back(fmt::format("--{}={}", name, values->second.back()));
  }
  return carried;
}

class Runner {
 public:
  Runner(CommandLine& line, const Environment& environment) : line_(line), env_(environment) {}

  int Run() {
    const Command& command = *line_.path.back();
    if (line_.path.size() == 1 && !line_.rest.empty()) {
      const auto word = std::find_if_not(line_.rest.begin(), line_.rest.end(), IsFlag);
      CommandLine probe = line_;
      if (word != line_.rest.end() && !FlagParser(probe).Parse() && !probe.args.empty()) {
        return Fail(UnknownCommand(probe.args.front()));
      }
    }
    if (const auto error = FlagParser(line_).Parse()) return FailWithUsage(*error);
    if (!command.deprecated.empty()) {
      env_.out << fmt::format("Command \"{}\" is deprecated, {}\n", command.Name(),
                              command.deprecated);
    }
    if (line_.flags.contains("help")) {
      env_.out << HelpText(line_.path);
      return 0;
    }
    if (line_.path.size() == 1) return RunRoot();
    if (command.Name() == "help") return PrintHelpOf(line_.args, env_.out);
    if (command.run == nullptr) {
      env_.out << HelpText(line_.path);
      return 0;
    }
    if (const auto error = CheckCount(command.args, line_.args.size()))
      return FailWithUsage(*error);
    return RunCommand(command);
  }

 private:
  int RunRoot() {
    if (line_.flags.contains("version")) {
      env_.out << VersionText();
      return 0;
    }
    if (line_.flags.contains("interact")) return RunInteractive(CarriedFlags(line_), env_);
    return 0;
  }

  int RunCommand(const Command& command) {
    std::string addresses = env_.pd_address;
    if (addresses.empty()) {
      const auto given = line_.flags.find("pd");
      addresses = given == line_.flags.end() ? FindFlag(line_.path, "pd")->default_value
                                             : given->second.back();
    }
    std::vector<Endpoint> endpoints;
    for (const std::string& address : SplitList(addresses, ',')) {
      const auto endpoint = ParseEndpoint(address);
      if (!endpoint) return Fail(endpoint.error());
      endpoints.push_back(*endpoint);
    }
    const TlsFiles tls{.ca = FileOf("cacert", env_.ca_path),
                       .certificate = FileOf("cert", env_.certificate_path),
                       .key = FileOf("key", env_.key_path)};
    if (std::ranges::any_of(endpoints, &Endpoint::tls)) {
      if (const auto good = CheckTlsFiles(tls); !good) return Fail(good.error().context);
    }
    Client client(std::move(endpoints), tls);
    Invocation call(line_.path, line_.args, line_.flags, client, {env_.out, env_.err});
    return command.run(call);
  }

  std::string FileOf(const std::string& flag, const std::string& fallback) const {
    const auto given = line_.flags.find(flag);
    return given == line_.flags.end() ? fallback : given->second.back();
  }

  int Fail(const std::string& text) {
    env_.out << text << '\n';
    return 1;
  }

  int FailWithUsage(const std::string& text) {
    env_.out << UsageText(line_.path) << '\n';
    return Fail(text);
  }

  CommandLine& line_;
  const Environment& env_;
};

Command BuildRoot() {
  Command root{.use = "pd-ctl", .short_help = "Placement Driver control"};
  root.run = [](Invocation&) { return 0; };
  root.children = ClusterCommands();
  for (Command (*group)() :
       {StoreCommand, StoresCommand, LabelCommand, RegionCommand, OperatorCommand, SchedulerCommand,
        ConfigCommand, HotCommand, MemberCommand, KeyspaceCommand, KeyspaceGroupCommand,
        MetaServiceGroupCommand, MicroserviceCommand, ResourceManagerCommand, UnsafeCommand,
        MaintenanceCommand, GcStateCommand, ServiceGcSafepointCommand}) {
    root.children.push_back(group());
  }
  root.children.push_back(Command{.use = "help [command]", .short_help = "Help about any command"});
  root.flags = {{.name = "interact",
                 .shorthand = 'i',
                 .type = FlagType::kBool,
                 .usage = "Run pdctl with readline."},
                {.name = "version",
                 .shorthand = 'V',
                 .type = FlagType::kBool,
                 .usage = "Print version information and exit."}};
  root.persistent_flags = {
      {.name = "pd",
       .shorthand = 'u',
       .usage = "address of PD",
       .default_value = "http://127.0.0.1:2379"},
      {.name = "cacert", .usage = "path of file that contains list of trusted SSL CAs"},
      {.name = "cert", .usage = "path of file that contains X509 certificate in PEM format"},
      {.name = "key", .usage = "path of file that contains X509 key in PEM format"}};
  return root;
}

}  // namespace

const Command& Root() {
  static const Command root = BuildRoot();
  return root;
}

int RunProgram(const std::vector<std::string>& arguments, const Environment& environment) {
  CommandLine line = FindCommand(arguments);
  return Runner(line, environment).Run();
}

}  // namespace api::pdctl
