#include <map>

#include <fmt/format.h>

#include "api/cmd/pdctl/groups.h"
#include "api/cmd/pdctl/invocation.h"

namespace api::pdctl {
namespace {

using Labels = std::map<std::string, std::string>;

int ShowStoresOfLabel(Invocation& call) {
  if (call.count() < 1 || call.count() > 2) return call.Print("Usage: label store name [value]");
  const std::string value = call.count() == 2 ? call.arg(1) : "";
  return call.PrintBody(call.Get(fmt::format("/pd/api/v1/labels/stores?name={}&value={}",
                                             QueryEscape(call.arg(0)), QueryEscape(value))),
                        "Failed to get stores through label");
}

std::map<uint64_t, Labels> LabelsOfStores(const Json& stores) {
  std::map<uint64_t, Labels> all;
  for (const Json& info : stores["stores"]) {
    Labels& labels = all[info["store"].value("id", uint64_t{0})];
    if (!info["store"].contains("labels")) continue;
    for (const Json& label : info["store"]["labels"]) {
      labels[label.value("key", "")] = label.value("value", "");
    }
  }
  return all;
}

// The first level at which two stores differ; the number of levels when they do not.
size_t LevelApart(const Labels& a, const Labels& b, const std::vector<std::string>& levels) {
  for (size_t level = 0; level < levels.size(); ++level) {
    const auto in_a = a.find(levels[level]);
    const auto in_b = b.find(levels[level]);
    if (in_a == a.end() || in_b == b.end()) continue;
    if (in_a->second != in_b->second) return level;
  }
  return levels.size();
}

// A region is isolated at the lowest level that any two of its stores need: they all differ there.
std::string IsolationOf(const std::vector<Labels>& stores, const std::vector<std::string>& levels) {
  size_t lowest = 0;
  for (size_t i = 0; i < stores.size(); ++i) {
    for (size_t j = i + 1; j < stores.size(); ++j) {
      lowest = std::max(lowest, LevelApart(stores[i], stores[j], levels));
    }
  }
  return lowest < levels.size() ? levels[lowest] : "none";
}

template <class Map>
std::string MapText(const Map& map) {
  std::string text;
  for (const auto& [key, value] : map)
    text += fmt::format("{}{}:{}", text.empty() ? "" : " ", key, value);
  return fmt::format("map[{}]", text);
}

int ShowIsolation(Invocation& call) {
  const Answer stores = call.Get("/pd/api/v1/stores");
  if (!stores.Ok()) return call.PrintBody(stores, "Failed to get stores info");
  const Answer regions = call.Get("/pd/api/v1/regions");
  if (!regions.Ok()) return call.PrintBody(regions, "Failed to get regions info");
  const Answer replication = call.Get("/pd/api/v1/config/replicate");
  if (!replication.Ok()) return call.PrintBody(replication, "Failed to get labels");
  const Json store_list = Json::parse(stores.body);
  const Json region_list = Json::parse(regions.body);
  const std::string joined = Json::parse(replication.body).value("location-labels", "");

  const std::vector<std::string> levels = call.count() == 1 ? std::vector<std::string>{call.arg(0)}
                                          : joined.empty()  ? std::vector<std::string>{}
                                                            : SplitList(joined, ',');
  const std::map<uint64_t, Labels> labels = LabelsOfStores(store_list);
  std::map<std::string, int> counts;
  std::map<uint64_t, std::string> by_region;
  for (const Json& region : region_list["regions"]) {
    std::vector<Labels> of_region;
    for (const Json& peer : region["peers"]) {
      const auto found = labels.find(peer.value("store_id", uint64_t{0}));
      if (found != labels.end()) of_region.push_back(found->second);
    }
    const std::string level = IsolationOf(of_region, levels);
    ++counts[level];
    by_region[region.value("id", uint64_t{0})] = level;
  }
  return call.Print(
      fmt::format("label-count:{},region-map:{}", MapText(counts), MapText(by_region)));
}

}  // namespace

Command LabelCommand() {
  return {.use = "label [store]",
          .short_help = "show the labels",
          .run = Getting("/pd/api/v1/labels", "Failed to get labels"),
          .children = {{.use = "store <name> [value]",
                        .short_help = "show the stores with specify label",
                        .run = ShowStoresOfLabel},
                       {.use = "isolation [label]",
                        .short_help = "show the isolation levels of the regions",
                        .run = ShowIsolation}}};
}

}  // namespace api::pdctl
