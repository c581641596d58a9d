#include <fmt/format.h>

#include "api/cmd/pdctl/groups.h"
#include "api/cmd/pdctl/invocation.h"

namespace api::pdctl {
namespace {

constexpr const char* kRegionsByKey = "/pd/api/v1/regions/key";
constexpr int kScanLimit = 1024;
constexpr uint64_t kKeyspaceIdMax = 16777215;

const Flag kJq{.name = "jq", .usage = "jq query"};
const Flag kFormat{.name = "format", .usage = "the key format", .default_value = "hex"};

// The body as it came, or what jq makes of it.
int PrintRegions(Invocation& call, const Answer& answer, const std::string& failure) {
  if (!answer.Ok() || !call.Given("jq")) return call.PrintBody(answer, failure);
  const auto filtered = RunJq(call.Text("jq"), answer.body);
  return call.Print(filtered ? *filtered : filtered.error());
}

int ShowRegions(Invocation& call) {
  if (call.count() > 1) return call.PrintUsageLine();
  std::string target = "/pd/api/v1/regions";
  if (call.count() == 1) {
    if (!ParseUint(call.arg(0))) return call.Print("region_id should be a number");
    target = "/pd/api/v1/region/id/" + call.arg(0);
  }
  return PrintRegions(call, call.Get(target), "Failed to get region");
}

int ShowRegionByKey(Invocation& call) {
  if (call.count() != 1) return call.PrintUsageLine();
  const auto key = ParseKey(call.Text("format"), call.arg(0));
  if (!key) return call.Print("Error:  " + key.error());
  return call.PrintBody(call.Get("/pd/api/v1/region/key/" + QueryEscape(*key)),
                        "Failed to get region");
}

// Keys travel escaped twice: the server decodes once and compares what is left.
int ShowRegionsByKeys(Invocation& call) {
  if (call.count() < 1 || call.count() > 3) return call.PrintUsageLine();
  const auto start = ParseKey(call.Text("format"), call.arg(0));
  if (!start) return call.Print("Error:  " + start.error());
  std::string target = fmt::format("{}?key={}", kRegionsByKey, QueryEscape(QueryEscape(*start)));
  if (call.count() >= 2) {
    const auto end = ParseKey(call.Text("format"), call.arg(1));
    if (!end) return call.Print("Error:  " + end.error());
    target += "&end_key=" + QueryEscape(QueryEscape(*end));
  }
  if (call.count() == 3) {
    if (!ParseUint(call.arg(2))) return call.Print("limit should be a number");
    target += "&limit=" + call.arg(2);
  }
  return call.PrintBody(call.Get(target), "Failed to get region");
}

int ScanRegions(Invocation& call) {
  std::string key;
  while (true) {
    const Answer answer =
        call.Get(fmt::format("{}?key={}&limit={}", kRegionsByKey, QueryEscape(key), kScanLimit));
    const int status = PrintRegions(call, answer, "Failed to scan regions");
    if (!answer.Ok()) return status;
    const Json page = Json::parse(answer.body, nullptr, false);
    if (page.is_discarded() || !page.contains("regions") || page["regions"].empty()) return 0;
    const auto end = ParseKey("hex", page["regions"].back().value("end_key", ""));
    if (!end) return call.Print("Error:  " + end.error());
    if (end->empty() || *end <= key) return 0;
    key = *end;
  }
}

int CheckRegions(Invocation& call) {
  if (call.count() < 1 || call.count() > 2) return call.PrintUsageLine();
  const std::string& state = call.arg(0);
  std::string target = "/pd/api/v1/regions/check/" + PathEscape(state);
  const bool histogram = state == "hist-size" || state == "hist-keys";
  if (histogram && call.count() == 2) {
    if (!ParseUint(call.arg(1))) {
      return call.Print(
          fmt::format("region {} histogram bound should be a number", state.substr(5)));
    }
    target += "?bound=" + call.arg(1);
  } else if (histogram) {
    target += state == "hist-size" ? "?bound=10" : "?bound=10000";
  }
  return PrintRegions(call, call.Get(target), "Failed to get region");
}

int ShowSiblings(Invocation& call) {
  if (call.count() != 1) return call.PrintUsageLine();
  if (!ParseUint(call.arg(0))) return call.Print("region_id should be a number");
  return call.PrintBody(call.Get("/pd/api/v1/regions/sibling/" + call.arg(0)),
                        "Failed to get region sibling");
}

int ShowRegionsOfStore(Invocation& call) {
  if (call.count() != 1) return call.PrintUsageLine();
  return call.PrintBody(
      call.Get(fmt::format("/pd/api/v1/regions/store/{}?type={}", PathEscape(call.arg(0)),
                           QueryEscape(call.Text("type")))),
      "Failed to get regions with the given storeID");
}

// A TiDB key space prefixes keys with 'x' and its id in three bytes; a table follows as 't' and its id, big-endian with
// the sign bit flipped.
std::string TablePrefix(uint64_t keyspace, uint64_t table) {
  std::string key = "x";
  for (int shift = 16; shift >= 0; shift -= 8) key += static_cast<char>((keyspace >> shift) & 0xFF);
  key += 't';
  const uint64_t flipped = table ^ (uint64_t{1} << 63);
  for (int shift = 56; shift >= 0; shift -= 8) key += static_cast<char>((flipped >> shift) & 0xFF);
  return key;
}

// Keys in regions are memory-comparable: groups of eight bytes, each followed by 0xFF less the padding.
std::string EncodeComparable(const std::string& bytes) {
  constexpr size_t kGroup = 8;
  std::string out;
  for (size_t at = 0; at <= bytes.size(); at += kGroup) {
    std::string group = bytes.substr(at, kGroup);
    const size_t padding = kGroup - group.size();
    group.append(padding, '\0');
    out += group + static_cast<char>(0xFF - padding);
  }
  return out;
}

int ShowRegionsOfTable(Invocation& call, uint64_t keyspace) {
  if (call.arg(1) != "table-id") return call.Print("the second argument should be table-id");
  const auto table = ParseUint(call.arg(2));
  if (!table) return call.Print("table-id should be a number");
  std::string target =
      fmt::format("{}?key={}&end_key={}", kRegionsByKey,
                  QueryEscape(EncodeComparable(TablePrefix(keyspace, *table))),
                  QueryEscape(EncodeComparable(TablePrefix(keyspace, *table + 1))));
  if (call.count() == 4) {
    if (!ParseUint(call.arg(3))) return call.Print("limit should be a number");
    target += "&limit=" + call.arg(3);
  }
  return call.PrintBody(call.Get(target), "Failed to get regions with the given keyspace");
}

int ShowRegionsOfKeyspace(Invocation& call) {
  if (call.count() < 1 || call.count() > 4) return call.PrintUsageLine();
  const auto keyspace = ParseUint(call.arg(0));
  if (!keyspace) return call.Print("keyspace_id should be a number");
  if (*keyspace > kKeyspaceIdMax) {
    return call.Print(fmt::format("invalid keyspace id {}. It must be in the range of [0, {}]",
                                  *keyspace, kKeyspaceIdMax));
  }
  if (call.count() > 2) return ShowRegionsOfTable(call, *keyspace);
  std::string target = fmt::format("/pd/api/v1/regions/keyspace/id/{}", *keyspace);
  if (call.count() == 2) {
    if (!ParseUint(call.arg(1))) return call.Print("limit should be a number");
    target += "?limit=" + call.arg(1);
  }
  return call.PrintBody(call.Get(target), "Failed to get regions with the given keyspace");
}

// region top<what> [by] [limit]; `by_byte` and `by_query` are the routes of the two orders, equal when there is one.
struct TopList {
  const char* name;
  const char* help;
  const char* by_byte;
  const char* by_query;
};

constexpr TopList kTopLists[] = {
    {"topread", "show regions with top read flow or query", "readflow", "readquery"},
    {"topwrite", "show regions with top write flow or query", "writeflow", "writequery"},
    {"topconfver", "show regions with top conf version", "confver", nullptr},
    {"topversion", "show regions with top version", "version", nullptr},
    {"topsize", "show regions with top size", "size", nullptr},
    {"topkeys", "show regions with top keys", "keys", nullptr},
    {"topcpu", "show regions with top CPU usage", "cpu", nullptr}};

int ShowTop(Invocation& call, const TopList& list) {
  size_t next = 0;
  const char* route = list.by_byte;
  if (list.by_query != nullptr && next < call.count() && !ParseUint(call.arg(next))) {
    if (call.arg(next) != "byte" && call.arg(next) != "query") return call.PrintUsageLine();
    if (call.arg(next++) == "query") route = list.by_query;
  }
  if (call.count() > next + 1) return call.PrintUsageLine();
  std::string target = fmt::format("/pd/api/v1/regions/{}", route);
  if (next < call.count()) {
    if (!ParseUint(call.arg(next))) return call.Print("limit should be a number");
    target += "?limit=" + call.arg(next);
  }
  return PrintRegions(call, call.Get(target), "Failed to get regions");
}

Command TopCommand(const TopList& list) {
  return {.use = fmt::format("{} {}<limit> [--jq=\"<query string>\"]", list.name,
                             list.by_query == nullptr ? "" : "[byte|query] "),
          .short_help = list.help,
          .run = [list](Invocation& call) { return ShowTop(call, list); },
          .flags = {kJq}};
}

// TiFlash refuses regions whose end key is not a whole encoded key: 9 bytes a group.
bool InvalidForTiFlash(const std::string& end_key) {
  return !end_key.empty() && end_key.starts_with("t\x80") && end_key.size() % 9 != 0;
}

int FixByMerge(Invocation& call, const Json& region) {
  const uint64_t id = region.value("id", uint64_t{0});
  const Answer siblings = call.Get(fmt::format("/pd/api/v1/regions/sibling/{}", id));
  const Json list = Json::parse(siblings.body, nullptr, false);
  if (!siblings.Ok() || list.is_discarded() || list["regions"].empty()) return 1;
  const uint64_t target = list["regions"].back().value("id", uint64_t{0});
  const Answer answer = call.Send(
      PostJson("/pd/api/v1/operators",
               {{"name", "merge-region"}, {"source_region_id", id}, {"target_region_id", target}}));
  return answer.ExitStatus();
}

int FindInvalidForTiFlash(Invocation& call) {
  const Answer probe = call.Get("/pd/api/v1/cluster");
  if (!probe.Ok()) return call.Fail(probe.error);
  Json results = Json::array();
  uint64_t scanned = 0;
  std::string key;
  while (true) {
    const Answer answer = call.Get(
        fmt::format("{}?key={}&limit={}", kRegionsByKey, QueryEscape(key), call.Text("limit")));
    const Json page = Json::parse(answer.body, nullptr, false);
    if (!answer.Ok() || page.is_discarded()) {
      call.Print("Error during region scan: " + answer.error);
      return answer.ExitStatus();
    }
    std::string last;
    for (const Json& region : page["regions"]) {
      ++scanned;
      last = ParseKey("hex", region.value("end_key", "")).value_or("");
      if (!InvalidForTiFlash(last)) continue;
      results.push_back(region);
      if (call.On("auto-fix")) FixByMerge(call, region);
    }
    if (last.empty() || last <= key) break;
    key = last;
  }
  return call.Print(
      JsonText(Json{{"scan_count", scanned}, {"count", results.size()}, {"results", results}}, 2));
}

}  // namespace

Command RegionCommand() {
  Command region{.use = "region <region_id> [-jq=\"<query string>\"]",
                 .short_help = "show the region status",
                 .run = ShowRegions};
  region.flags = {kJq};
  region.persistent_flags = {
      {.name = "no-forward",
       .type = FlagType::kBool,
       .usage =
           "direct request to the endpoint instead of forwarding by PD leader if the flag exists"}};
  region.children = {
      {.use = "key [--format=raw|encode|hex] <key>",
       .short_help = "show the region with key",
       .run = ShowRegionByKey,
       .flags = {kFormat}},
      {.use = "keys [--format=raw|encode|hex] <start_key> <end_key> <limit>",
       .short_help = "show regions in a given range of keys",
       .run = ShowRegionsByKeys,
       .flags = {kFormat}},
      {.use = "scan [--jq=\"<query string>\"]",
       .short_help = "scan all regions",
       .run = ScanRegions,
       .flags = {kJq}},
      {.use = "check "
              "<miss-peer|extra-peer|down-peer|learner-peer|pending-peer|offline-peer|empty-region|"
              "oversized-region|undersized-region|hist-size|hist-keys> [--jq=\"<query string>\"]",
       .short_help = "show the region with check specific status",
       .run = CheckRegions,
       .flags = {kJq}},
      {.use = "sibling <region_id>",
       .short_help = "show the sibling regions of specific region",
       .run = ShowSiblings},
      {.use = "store <store_id>",
       .short_help = "show the regions of a specific store",
       .run = ShowRegionsOfStore,
       .flags = {{.name = "type",
                  .usage =
                      "the type of the regions, could be 'all', 'leader', 'learner' or 'pending'",
                  .default_value = "all"}}},
      {.use = "keyspace <command>",
       .short_help = "show region information of the given keyspace",
       .children = {{.use = "id <keyspace_id> [table-id <table_id>] [<limit>]",
                     .short_help = "show region information for the given keyspace id",
                     .run = ShowRegionsOfKeyspace}}},
      {.use = "range-holes",
       .short_help = "show all empty ranges without any region info",
       .run = Getting("/pd/api/v1/regions/range-holes", "Failed to get range holes")},
      {.use = "invalid-tiflash-key",
       .short_help = "find regions whose end key TiFlash cannot read",
       .run = FindInvalidForTiFlash,
       .flags = {{.name = "limit",
                  .type = FlagType::kInt,
                  .usage = "regions asked for at a time",
                  .default_value = "8192"},
                 {.name = "auto-fix",
                  .type = FlagType::kBool,
                  .usage = "merge such regions into their neighbour"}}}};
  for (const TopList& list : kTopLists) region.children.push_back(TopCommand(list));
  return region;
}

}  // namespace api::pdctl
