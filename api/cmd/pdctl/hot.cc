#include <algorithm>

#include <fmt/format.h>

#include "api/cmd/pdctl/groups.h"
#include "api/cmd/pdctl/invocation.h"

namespace api::pdctl {
namespace {

// The ids given, each as another value of one query parameter.
Handler ShowWithIds(const char* route, const char* parameter, const char* failure) {
  return [=](Invocation& call) {
    std::string target = fmt::format("/pd/api/v1/hotspot/{}", route);
    if (call.count() > 0) target += '?';
    for (const std::string& id : call.args()) {
      if (!ParseUint(id)) return call.Print("args should be a number, but got " + id);
      target += fmt::format("{}={}&", parameter, id);
    }
    return call.PrintBody(call.Get(target), failure);
  };
}

constexpr const char* kHistoryFailure = "Failed to get history hotspot: ";

tl::expected<Json, std::string> HistoryValue(const std::string& key, const std::string& text) {
  Json list = Json::array();
  for (const std::string& item : SplitList(text, ',')) {
    if (key == "hot_region_type") {
      list.push_back(item);
    } else if (key == "is_leader" || key == "is_learner") {
      const auto flag = ParseBool(item);
      if (!flag) return tl::unexpected(flag.error());
      list.push_back(*flag);
    } else {
      const auto id = ParseUint(item);
      if (!id) return tl::unexpected(fmt::format("{} should be a number,but got {}", key, item));
      list.push_back(*id);
    }
  }
  return list;
}

struct HistoryKey {
  const char* argument;
  const char* field;
};

constexpr HistoryKey kHistoryKeys[] = {{"hot_region_type", "hot_region_type"},
                                       {"region_id", "region_ids"},
                                       {"store_id", "store_ids"},
                                       {"peer_id", "peer_ids"},
                                       {"is_leader", "is_leaders"},
                                       {"is_learner", "is_learners"}};

// The server drops every record whose role is not listed, hence both roles unless the caller chose.
tl::expected<Json, std::string> HistoryRequest(const Invocation& call) {
  const auto start = ParseUint(call.arg(0));
  if (!start) {
    return tl::unexpected(fmt::format("start_time should be a number,but got {}", call.arg(0)));
  }
  const auto end = ParseUint(call.arg(1));
  if (!end)
    return tl::unexpected(fmt::format("end_time should be a number,but got {}", call.arg(1)));
  Json body = {{"start_time", *start},
               {"end_time", *end},
               {"is_leaders", {true, false}},
               {"is_learners", {true, false}}};
  for (size_t i = 2; i + 1 < call.count(); i += 2) {
    const auto key =
        std::find_if(std::begin(kHistoryKeys), std::end(kHistoryKeys),
                     [&](const HistoryKey& known) { return call.arg(i) == known.argument; });
    if (key == std::end(kHistoryKeys)) {
      return tl::unexpected<std::string>(
          "key should be one of hot_region_type,region_id,store_id,peer_id,is_leader,is_learner");
    }
    const auto value = HistoryValue(key->argument, call.arg(i + 1));
    if (!value) return tl::unexpected(value.error());
    body[key->field] = *value;
  }
  return body;
}

// Each member keeps its own history: ask all, merge, newest first.
int ShowHistory(Invocation& call) {
  if (call.count() < 2 || call.count() % 2 != 0) return call.PrintUsageLine();
  const auto body = HistoryRequest(call);
  if (!body) return call.Print(kHistoryFailure + body.error());
  Json merged = Json::array();
  Request request = PostJson("/pd/api/v1/hotspot/regions/history", *body);
  request.method = "GET";
  request.headers["PD-Allow-follower-handle"] =
      "true";  // A follower's own, not the leader's again.
  for (const Endpoint& endpoint : call.client().endpoints()) {
    Json question = *body;
    for (bool more = true; more;) {
      request.body = question.dump();
      const Answer answer = call.client().SendTo(endpoint, request);
      if (!answer.Ok()) {
        call.Print(kHistoryFailure + answer.error);
        return answer.ExitStatus();
      }
      const Json page = Json::parse(answer.body, nullptr, false);
      more = page.is_object() && page.contains("next_start_time") &&
             page.at("next_start_time") > question["start_time"];
      if (more) question["start_time"] = page.at("next_start_time");
      const Json records = page.is_object() ? page.value("history_hot_region", Json()) : Json();
      if (records.is_array()) merged.insert(merged.end(), records.begin(), records.end());
    }
  }
  std::stable_sort(merged.begin(), merged.end(), [](const Json& a, const Json& b) {
    return a.value("update_time", int64_t{0}) > b.value("update_time", int64_t{0});
  });
  const Json list = merged.empty() ? Json(nullptr) : merged;
  return call.Print(JsonText(Json{{"history_hot_region", list}}, 0));
}

}  // namespace

Command HotCommand() {
  return {
      .use = "hot",
      .short_help = "show the hotspot status of the cluster",
      .children = {{.use = "read [<store_id>...]",
                    .short_help = "show the read hot regions",
                    .run = ShowWithIds("regions/read", "store_id", "Failed to get read hotspot")},
                   {.use = "write [<store_id>...]",
                    .short_help = "show the write hot regions",
                    .run = ShowWithIds("regions/write", "store_id", "Failed to get write hotspot")},
                   {.use = "store",
                    .short_help = "show the hot stores",
                    .run = Getting("/pd/api/v1/hotspot/stores", "Failed to get store hotspot")},
                   {.use = "buckets [<region_id>...]",
                    .short_help = "show the hot buckets",
                    .run = ShowWithIds("buckets", "region_id", "Failed to get hotspot buckets")},
                   {.use = "history <start_time> <end_time> [<key> <value>]...",
                    .short_help = "show the history hot regions",
                    .run = ShowHistory}}};
}

}  // namespace api::pdctl
