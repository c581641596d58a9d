#include "api/cmd/pd_server/flags.h"

#include <cctype>
#include <string_view>

#include <fmt/format.h>

#include "pd/version.h"

namespace api {
namespace {

enum class Kind { kText, kSwitch };

struct Flag {
  std::string_view name;
  char letter;  // 0: none.
  Kind kind;
  std::string_view key;  // The configuration key it sets; empty: the program's own.
  std::string_view help;
};

constexpr Flag kFlags[] = {
    {"version", 'V', Kind::kSwitch, "", "print version information and exit"},
    {"help", 'h', Kind::kSwitch, "", "print this text and exit"},
    {"config", 0, Kind::kText, "", "config file"},
    {"config-check", 0, Kind::kSwitch, "", "check config file validity and exit"},
    {"name", 0, Kind::kText, "name", "human-readable name for this pd member"},
    {"data-dir", 0, Kind::kText, "data-dir",
     "path to the data directory (default 'default.${name}')"},
    {"client-urls", 0, Kind::kText, "client-urls", "url for client traffic"},
    {"advertise-client-urls", 0, Kind::kText, "advertise-client-urls",
     "advertise url for client traffic (default '${client-urls}')"},
    {"peer-urls", 0, Kind::kText, "peer-urls", "url for peer traffic"},
    {"advertise-peer-urls", 0, Kind::kText, "advertise-peer-urls",
     "advertise url for peer traffic (default '${peer-urls}')"},
    {"initial-cluster", 0, Kind::kText, "initial-cluster",
     "initial cluster configuration for bootstrapping, e.g. pd=http://127.0.0.1:2380"},
    {"initial-cluster-token", 0, Kind::kText, "initial-cluster-token",
     "token that keeps the members of different clusters apart"},
    {"join", 0, Kind::kText, "join",
     "join to an existing cluster (usage: cluster's '${advertise-client-urls}')"},
    {"force-new-cluster", 0, Kind::kSwitch, "",
     "start once as the only member, with the data kept: when most members are lost for good"},
    {"metrics-addr", 0, Kind::kText, "metric.address",
     "prometheus pushgateway address, leaves it empty will disable it"},
    {"log-level", 'L', Kind::kText, "log.level",
     "log level: debug, info, warn, error, fatal (default 'info')"},
    {"log-file", 0, Kind::kText, "log.file.filename", "log file path"},
    {"cacert", 0, Kind::kText, "security.cacert-path",
     "path of file that contains list of trusted TLS CAs"},
    {"cert", 0, Kind::kText, "security.cert-path",
     "path of file that contains X509 certificate in PEM format"},
    {"key", 0, Kind::kText, "security.key-path",
     "path of file that contains X509 key in PEM format"},
};

tl::unexpected<pd::Error> Wrong(std::string text) {
  return pd::Fail(pd::ErrorCode::kInvalidArgument, std::move(text));
}

const Flag* FindFlag(std::string_view name) {
  for (const Flag& flag : kFlags) {
    if (name == flag.name || (name.size() == 1 && name[0] == flag.letter)) return &flag;
  }
  return nullptr;
}

std::string VariableOf(const Flag& flag) {
  std::string name = "PD_";
  for (const char c : flag.name) {
    name += c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  }
  return name;
}

pd::Result<void> Apply(const Flag& flag, const std::string& value, ServerFlags& flags) {
  if (flag.kind == Kind::kText) {
    if (flag.key.empty()) {
      flags.config_file = value;
    } else {
      flags.settings.emplace_back(flag.key, value);
    }
    return {};
  }
  if (value != "true" && value != "false") {
    return Wrong(fmt::format("invalid value \"{}\" for flag --{}: true or false is wanted", value,
                             flag.name));
  }
  const bool on = value == "true";
  if (flag.name == "version") flags.version = on;
  if (flag.name == "help") flags.help = on;
  if (flag.name == "config-check") flags.config_check = on;
  if (flag.name == "force-new-cluster") flags.force_new_cluster = on;
  return {};
}

pd::Result<void> ReadEnvironment(const Environment& environment, ServerFlags& flags) {
  for (const Flag& flag : kFlags) {
    if (flag.kind == Kind::kSwitch) continue;
    const auto value = environment(VariableOf(flag));
    if (!value || value->empty()) continue;
    if (auto applied = Apply(flag, *value, flags); !applied) return applied;
  }
  return {};
}

/// The configuration member behind a key of kFlags.
std::string* MemberOf(pd::Config& config, std::string_view key) {
  const std::pair<std::string_view, std::string*> members[] = {
      {"name", &config.name},
      {"data-dir", &config.data_dir},
      {"client-urls", &config.client_urls},
      {"advertise-client-urls", &config.advertise_client_urls},
      {"peer-urls", &config.peer_urls},
      {"advertise-peer-urls", &config.advertise_peer_urls},
      {"initial-cluster", &config.initial_cluster},
      {"initial-cluster-token", &config.initial_cluster_token},
      {"join", &config.join},
      {"metric.address", &config.metric.address},
      {"log.level", &config.log.level},
      {"log.file.filename", &config.log.file.filename},
      {"security.cacert-path", &config.security.cacert_path},
      {"security.cert-path", &config.security.cert_path},
      {"security.key-path", &config.security.key_path},
  };
  for (const auto& [name, member] : members) {
    if (name == key) return member;
  }
  return nullptr;
}

}  // namespace

pd::Result<ServerFlags> ParseServerFlags(const std::vector<std::string>& args,
                                         const Environment& environment) {
  ServerFlags flags;
  if (auto read = ReadEnvironment(environment, flags); !read) return tl::unexpected(read.error());
  for (size_t i = 0; i < args.size(); ++i) {
    std::string_view text = args[i];
    if (!text.starts_with('-') || text == "-" || text == "--") {
      return Wrong(fmt::format("unexpected argument \"{}\"", text));
    }
    text.remove_prefix(text.starts_with("--") ? 2 : 1);
    const size_t equals = text.find('=');
    const std::string_view name = text.substr(0, equals);
    const Flag* flag = FindFlag(name);
    if (flag == nullptr) return Wrong(fmt::format("unknown flag: --{}", name));
    std::string value = "true";
    if (equals != std::string_view::npos) {
      value = text.substr(equals + 1);
    } else if (flag->kind == Kind::kText) {
      if (++i == args.size()) return Wrong(fmt::format("flag needs an argument: --{}", flag->name));
      value = args[i];
    }
    if (auto applied = Apply(*flag, value, flags); !applied) return tl::unexpected(applied.error());
  }
  return flags;
}

std::string ServerUsage() {
  std::string out =
      "Usage of pd-server (each flag can also be given as an environment variable, PD_ and its "
      "name):\n";
  for (const Flag& flag : kFlags) {
    const std::string letter = flag.letter == 0 ? "    " : fmt::format("-{}, ", flag.letter);
    out += fmt::format("  {}--{:<24} {}\n", letter, flag.name, flag.help);
  }
  return out;
}

pd::Result<pd::Config> LoadServerConfig(const ServerFlags& flags, const std::string& hostname) {
  pd::Config config;
  if (!flags.config_file.empty()) {
    if (auto read = pd::ReadTomlFile(flags.config_file, config); !read)
      return tl::unexpected(read.error());
  }
  for (const auto& [key, value] : flags.settings) {
    std::string* const member = MemberOf(config, key);
    if (member == nullptr)
      return Wrong(fmt::format("config item {} cannot be given as a flag", key));
    *member = value;
    config.explicit_keys.push_back(key);
  }
  config.force_new_cluster = flags.force_new_cluster;
  if (auto filled = pd::FillDefaults(config, hostname); !filled)
    return tl::unexpected(filled.error());
  return config;
}

std::string VersionText() {
  return fmt::format(
      "Release Version: {}\nEdition: {}\nGit Commit Hash: {}\nGit Branch: {}\nUTC Build Time:  "
      "{}\n",
      pd::kReleaseVersion, pd::kEdition, pd::kGitHash, pd::kGitBranch, pd::kBuildTime);
}

}  // namespace api
