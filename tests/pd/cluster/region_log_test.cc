#include "pd/cluster/region_log.h"

#include <algorithm>
#include <fstream>
#include <sstream>
#include <string>

#include <catch2/catch.hpp>

#include "pd/config/config.h"
#include "pd/log/log.h"
#include "tests/pd/temporary_folder.h"

namespace pd {
namespace {

using scheduler::Region;

Region Reported(uint64_t id, const std::string& start, const std::string& end, uint64_t version) {
  Region region;
  region.id = scheduler::RegionId{id};
  region.start_key = start;
  region.end_key = end;
  region.epoch = {1, version};
  region.peers = {{scheduler::PeerId{id + 1}, scheduler::StoreId{1}}};
  region.leader = region.peers[0];
  return region;
}

/// The log of a split and a merge, under a configuration file.
std::string LogOfChanges(const std::string& toml) {
  const test::TemporaryFolder folder;
  Config config;
  config.log.file.filename = folder.path() + "/pd.log";
  config.log.level = "debug";
  REQUIRE(ReadToml(toml, config));
  REQUIRE(ConfigureLog(MakeLogOptions(config).value()));
  RegionTable regions;
  for (const Region& report :
       {Reported(2, "", "secret-z", 1), Reported(2, "secret-m", "secret-z", 2),
        Reported(5, "", "secret-m", 2), Reported(5, "", "secret-m", 2),
        Reported(5, "", "secret-z", 4)}) {
    const auto outcome = regions.Report(report, {});
    REQUIRE(outcome);
    LogRegionChange(*outcome);
  }
  REQUIRE(ConfigureLog({}));
  std::ostringstream text;
  text << std::ifstream(config.log.file.filename).rdbuf();
  return text.str();
}

TEST_CASE("splits and merges are logged, one line a version", "[cluster]") {
  const std::string text = LogOfChanges("");
  CHECK(std::count(text.begin(), text.end(), '\n') == 3);
  CHECK(text.find("[\"region Version changed\"] [region-id=2] [old-version=1] [new-version=2] "
                  "[old-start-key=\"\"] [old-end-key=7365637265742D7A] "
                  "[start-key=7365637265742D6D] [end-key=7365637265742D7A]") != std::string::npos);
  CHECK(text.find("[\"region is covered by a newer one\"] [region-id=2] [newer-region-id=5]") !=
        std::string::npos);
}

TEST_CASE("a redacted log has no byte of a key", "[cluster]") {
  const std::string text = LogOfChanges("[security]\nredact-info-log = true\n");
  CHECK(std::count(text.begin(), text.end(), '\n') == 3);
  CHECK(text.find("secret") == std::string::npos);
  CHECK(text.find("736563") == std::string::npos);
  CHECK(text.find("[start-key=?]") != std::string::npos);
  const std::string marked = LogOfChanges("[security]\nredact-info-log = \"MARKER\"\n");
  CHECK(marked.find("[start-key=\"‹7365637265742D6D›\"]") != std::string::npos);
}

}  // namespace
}  // namespace pd
