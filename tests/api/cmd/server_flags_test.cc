#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include <catch2/catch.hpp>
#include <stdlib.h>

#include "api/cmd/pd_server/flags.h"

namespace api {
namespace {

using Variables = std::map<std::string, std::string>;

pd::Result<ServerFlags> Parse(const std::vector<std::string>& args,
                              const Variables& variables = {}) {
  return ParseServerFlags(args, [&](const std::string& name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    return found == variables.end() ? std::nullopt : std::optional(found->second);
  });
}

pd::Result<pd::Config> Load(const std::vector<std::string>& args, const Variables& variables = {}) {
  const auto flags = Parse(args, variables);
  if (!flags) return tl::unexpected(flags.error());
  return LoadServerConfig(*flags, "vm");
}

TEST_CASE("flags come with one dash or two, with a blank or an equals sign", "[flags]") {
  for (const std::vector<std::string>& args : std::vector<std::vector<std::string>>{
           {"--name", "a"}, {"--name=a"}, {"-name", "a"}, {"-name=a"}}) {
    CHECK(Load(args)->name == "a");
  }
  CHECK(Load({"-L", "debug"})->log.level == "debug");
  CHECK(Load({"--log-level=debug"})->log.level == "debug");
  CHECK(Parse({"-V"})->version);
  CHECK(Parse({"--version"})->version);
  CHECK(Parse({"--config-check"})->config_check);
  CHECK(Load({"--force-new-cluster"})->force_new_cluster);
  CHECK_FALSE(Load({})->force_new_cluster);
  CHECK(Parse({"--config-check=true", "--config", "x.toml"})->config_file == "x.toml");
}

TEST_CASE("problems name the flag", "[flags]") {
  CHECK(Parse({"--nmae", "a"}).error().context == "unknown flag: --nmae");
  CHECK(Parse({"--name"}).error().context == "flag needs an argument: --name");
  CHECK(Parse({"serve"}).error().context == "unexpected argument \"serve\"");
  CHECK(Parse({"--version=maybe"}).error().context ==
        "invalid value \"maybe\" for flag --version: true or false is wanted");
  CHECK(Load({"--client-urls", "localhost"}).error().context ==
        "config item client-urls: \"localhost\" is no URL of the form http://host:port");
  CHECK(Load({"--config", "/nowhere/pd.toml"}).error().context ==
        "cannot read config file /nowhere/pd.toml");
}

TEST_CASE("the command line wins over the environment, and that over the file", "[flags]") {
  std::string folder = std::filesystem::temp_directory_path() / "qm-flags-XXXXXX";
  REQUIRE(mkdtemp(folder.data()) != nullptr);
  const std::string file = folder + "/pd.toml";
  std::ofstream(file)
      << "name = \"file\"\ndata-dir = \"/file\"\nlease = 4\n[log]\nlevel = \"warn\"\n";
  const Variables variables = {{"PD_NAME", "environment"}, {"PD_DATA_DIR", "/environment"}};
  const auto config = Load({"--config", file, "--name", "line"}, variables);
  REQUIRE(config);
  CHECK(config->name == "line");
  CHECK(config->data_dir == "/environment");
  CHECK(config->log.level == "warn");
  CHECK(config->lease_s == 4);
  CHECK(config->IsExplicit("lease"));
  CHECK(Load({"--config", file, "-L", "error"})->log.level == "error");
  std::filesystem::remove_all(folder);
}

TEST_CASE("certificates come by flag or environment", "[flags]") {
  const auto config = Load({"--cacert", "ca.pem", "--cert=cert.pem"},
                           {{"PD_KEY", "key.pem"}, {"PD_CERT", "other.pem"}});
  REQUIRE(config);
  CHECK(config->security.cacert_path == "ca.pem");
  CHECK(config->security.cert_path == "cert.pem");
  CHECK(config->security.key_path == "key.pem");
}

TEST_CASE("the three members of the usual start agree on their list", "[flags]") {
  const std::string list = "pd1=http://127.0.0.1:1,pd2=http://127.0.0.1:2";
  const auto config =
      Load({"--name", "pd1", "--initial-cluster", list, "--peer-urls", "http://127.0.0.1:1"});
  REQUIRE(config);
  CHECK(config->initial_cluster == list);
  CHECK(config->advertise_peer_urls == "http://127.0.0.1:1");
  CHECK(config->data_dir == "default.pd1");
  CHECK(VersionText().starts_with("Release Version: v8.5."));
}

}  // namespace
}  // namespace api
