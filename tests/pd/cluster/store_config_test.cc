#include "pd/cluster/store_config.h"

#include <string>

#include <catch2/catch.hpp>
#include <fmt/format.h>

namespace pd {
namespace {

std::string Text(const StoreConfig& config) {
  return fmt::format("size={}/{} keys={}/{} engine={}", config.bounds.max_size_mib,
                     config.bounds.split_size_mib, config.bounds.max_keys, config.bounds.split_keys,
                     config.engine);
}

/// What a store's answer is read as, or what is wrong with it.
std::string Read(const std::string& json) {
  const Result<StoreConfig> config = ParseStoreConfig(json);
  if (config) return Text(*config);
  CHECK(config.error().code == ErrorCode::kInvalidArgument);
  return config.error().context;
}
std::string ReadSection(const std::string& items) {
  return Read(fmt::format(R"({{"coprocessor":{{{}}}}})", items));
}

TEST_CASE("what a store answers is read", "[store config]") {
  CHECK(Read(R"({"log":{"level":"info"},"storage":{"engine":"raft-kv2","data-dir":"/x"},
                 "coprocessor":{"split-region-on-table":false,"batch-split-limit":10,
                 "region-max-size":"384MiB","region-split-size":"256MiB",
                 "region-max-keys":3840000,"region-split-keys":2560000,
                 "region-bucket-size":"50MiB","enable-region-bucket":true}})") ==
        "size=384/256 keys=3840000/2560000 engine=raft-kv2");
}

TEST_CASE("what a store leaves out has its default", "[store config]") {
  CHECK(ReadSection("") == "size=144/96 keys=1440000/960000 engine=");
  CHECK(Text(StoreConfig()) == ReadSection(""));
  // The maximum follows the parts.
  CHECK(ReadSection(R"("region-split-size":"256MiB","region-split-keys":2560000)") ==
        "size=384/256 keys=3840000/2560000 engine=");
  CHECK(ReadSection(R"("region-split-size":"256MiB","region-max-size":null)") ==
        "size=384/256 keys=1440000/960000 engine=");
}

TEST_CASE("whether regions report buckets is read", "[store config]") {
  const auto buckets = [](const char* value) {
    return ParseStoreConfig(
               fmt::format(R"({{"coprocessor":{{"enable-region-bucket":{}}}}})", value))
        .value()
        .region_buckets;
  };
  CHECK(buckets("true"));
  CHECK_FALSE(buckets("false"));
  CHECK_FALSE(buckets("null"));
  CHECK_FALSE(ParseStoreConfig(R"({"coprocessor":{}})").value().region_buckets);
}

TEST_CASE("sizes come in all spellings", "[store config]") {
  for (const char* size :
       {R"("1GiB")", R"("1GB")", R"("1024MiB")", "1073741824", R"("1.0009GiB")"}) {
    INFO(size);
    CHECK(ReadSection(fmt::format(R"("region-max-size":{})", size)) ==
          "size=1024/96 keys=1440000/960000 engine=");
  }
}

TEST_CASE("garbage is refused by name", "[store config]") {
  const struct {
    const char* items;
    const char* why;
  } kCases[] = {
      {R"("region-max-size":"much")", "coprocessor.region-max-size: invalid size: 'much'"},
      {R"("region-max-size":[1])", "coprocessor.region-max-size: is no size"},
      {R"("region-max-size":-5)", "coprocessor.region-max-size: is no size"},
      {R"("region-max-size":"0MiB")", "coprocessor.region-max-size: is no size of a region"},
      {R"("region-split-size":"1023KiB")", "coprocessor.region-split-size: is no size of a region"},
      {R"("region-max-size":"2PiB")", "coprocessor.region-max-size: is no size of a region"},
      {R"("region-max-size":"95MiB")",
       "coprocessor.region-max-size: is less than region-split-size"},
      {R"("region-max-keys":"many")", "coprocessor.region-max-keys: is no number of keys"},
      {R"("region-max-keys":1.5)", "coprocessor.region-max-keys: is no number of keys"},
      {R"("region-split-keys":0)",
       "coprocessor.region-split-keys: is no number of keys of a region"},
      {R"("region-max-keys":18446744073709551615)",
       "coprocessor.region-max-keys: is no number of keys of a region"},
      {R"("region-max-keys":959999)",
       "coprocessor.region-max-keys: is less than region-split-keys"},
  };
  for (const auto& one : kCases) CHECK(ReadSection(one.items) == one.why);
  for (const char* text : {"", "404 page not found", "{", "\xff\xfe"}) {
    CHECK(Read(text) == "the answer is no JSON");
  }
  for (const char* text : {"[]", "3", "{}", R"({"coprocessor":[]})", R"("coprocessor")"}) {
    INFO(text);
    CHECK(Read(text) == "the answer has no section coprocessor");
  }
  CHECK(Read(R"({"coprocessor":{},"storage":{"engine":7}})") ==
        "size=144/96 keys=1440000/960000 engine=");
}

TEST_CASE("a status address on the loopback of another machine is not taken at its word",
          "[store config]") {
  CHECK(ReachableStatusAddress("tikv1:20180", "tikv1:20160") == "tikv1:20180");
  CHECK(ReachableStatusAddress("10.0.0.1:20180", "tikv1:20160") == "10.0.0.1:20180");
  for (const char* local :
       {"127.0.0.1", "127.1.2.3", "0.0.0.0", "localhost", "[::]", "[::1]", ""}) {
    INFO(local);
    CHECK(ReachableStatusAddress(fmt::format("{}:20180", local), "tikv1:20160") == "tikv1:20180");
  }
  CHECK(ReachableStatusAddress("0.0.0.0:20180", "[fe80::1]:20160") == "[fe80::1]:20180");
  CHECK(ReachableStatusAddress("127.0.0.1:20180", "127.0.0.1:20160") == "127.0.0.1:20180");
  CHECK(ReachableStatusAddress("", "tikv1:20160").empty());
}

}  // namespace
}  // namespace pd
