#include <algorithm>
#include <cctype>
#include <utility>

#include <fmt/format.h>

#include "api/cmd/pdctl/groups.h"
#include "api/cmd/pdctl/invocation.h"

namespace api::pdctl {
namespace {

constexpr const char* kStores = "/pd/api/v1/stores";
constexpr double kAllStoresRateMax = 200;

std::string StorePath(const std::string& id) { return "/pd/api/v1/store/" + id; }

bool IsNumber(const std::string& text) { return ParseUint(text).has_value(); }

void DropStates(Json& info, bool node_state_too) {
  if (!info.contains("store")) return;
  info["store"].erase("state");
  if (node_state_too) info["store"].erase("node_state");
}

// The states that the list can be filtered by, as the wire numbers them.
int StateNumber(const std::string& name) {
  if (name == "Up") return 0;
  if (name == "Offline") return 1;
  return name == "Tombstone" ? 2 : -1;
}

int ShowStores(Invocation& call) {
  if (call.count() > 1) return call.PrintUsage();
  std::string target = kStores;
  if (call.count() == 1) {
    if (!IsNumber(call.arg(0))) return call.Print("store_id should be a number");
    target = StorePath(call.arg(0));
  } else {
    char separator = '?';
    for (const std::string& state : call.List("state")) {
      const int number = StateNumber(state);
      if (number < 0) return call.Print("Unknown state: " + state);
      target += fmt::format("{}state={}", std::exchange(separator, '&'), number);
    }
  }
  Answer answer = call.Get(target);
  if (!answer.Ok()) return call.PrintBody(answer, "Failed to get store");
  if (call.Given("jq")) {
    const auto filtered = RunJq(call.Text("jq"), answer.body);
    return call.Print(filtered ? *filtered : filtered.error());
  }
  Json value = Json::parse(answer.body, nullptr, false);
  if (value.is_discarded()) return call.Fail("Failed to get store: the answer is not JSON");
  if (value.contains("stores") && value["stores"].is_array()) {
    for (Json& info : value["stores"]) DropStates(info, true);
  } else {
    DropStates(value, false);
  }
  return call.Print(JsonText(value, 2));
}

int DeleteStore(Invocation& call) {
  if (call.count() != 1) return call.PrintUsage();
  const std::string& id = call.arg(0);
  if (!IsNumber(id)) return call.Print("store_id should be a number");
  const Answer answer = call.Send(Request{.method = "DELETE", .target = StorePath(id)});
  return call.PrintSuccess(answer, fmt::format("Failed to delete store {}", id));
}

struct Found {
  std::string id;
  std::string state_name;
};

// The store that listens at an address. The error is the text to print.
tl::expected<Found, std::string> FindByAddress(Invocation& call, const std::string& address) {
  const Answer answer = call.Get(kStores);
  if (!answer.Ok()) return tl::unexpected(answer.error);
  const Json list = Json::parse(answer.body, nullptr, false);
  if (!list.is_discarded() && list.contains("stores")) {
    for (const Json& info : list["stores"]) {
      const Json& store = info["store"];
      if (store.value("address", "") != address) continue;
      return Found{std::to_string(store.value("id", uint64_t{0})), store.value("state_name", "")};
    }
  }
  return tl::unexpected("address not found: " + address);
}

int DeleteStoreByAddress(Invocation& call) {
  const std::string& address = call.arg(0);
  const auto found = FindByAddress(call, address);
  if (!found) return call.FailWithUsage(found.error());
  const Answer answer = call.Send(Request{.method = "DELETE", .target = StorePath(found->id)});
  if (answer.Ok()) return call.Print("Success!");
  return call.FailWithUsage(fmt::format("failed to delete store {}: {}", address, answer.error));
}

int SetUp(Invocation& call, const std::string& id, const std::string& name) {
  const Answer answer =
      call.Send(Request{.method = "POST", .target = StorePath(id) + "/state?state=Up"});
  return call.PrintSuccess(answer, fmt::format("Failed to cancel delete store {}", name));
}

int CancelDelete(Invocation& call) {
  if (call.count() != 1) return call.PrintUsage();
  const std::string& id = call.arg(0);
  if (!IsNumber(id)) return call.Print("store_id should be a number");
  const Answer answer = call.Get(StorePath(id));
  if (!answer.Ok()) return call.PrintBody(answer, "Failed to get store");
  const Json info = Json::parse(answer.body, nullptr, false);
  const bool offline = !info.is_discarded() && info.contains("store") &&
                       info["store"].value("state_name", "") == "Offline";
  if (!offline) return call.Print(fmt::format("store {} is not offline", id));
  return SetUp(call, id, id);
}

int CancelDeleteByAddress(Invocation& call) {
  if (call.count() != 1) return call.PrintUsage();
  const std::string& address = call.arg(0);
  const auto found = FindByAddress(call, address);
  if (!found) return call.Print(found.error());
  if (found->state_name != "Offline") return call.Print("store is not offline: " + address);
  return SetUp(call, found->id, address);
}

int DeleteLabel(Invocation& call) {
  if (call.count() != 2) {
    return call.Warn("Failed: not allow to delete multiple labels at a time");
  }
  Request request = PostJson(StorePath(call.arg(0)) + "/label", Json(call.arg(1)));
  request.method = "DELETE";
  const Answer answer = call.Send(request);
  call.Print(answer.Ok() ? fmt::format("Success! {}", answer.body)
                         : fmt::format("Failed! {}", answer.error));
  return answer.ExitStatus();
}

// Labels as key=value words, or in the old form as pairs of words. The error is the text to print.
tl::expected<Json, std::string> ParseLabels(const std::vector<std::string>& words) {
  Json labels = Json::object();
  if (words.front().find('=') != std::string::npos) {
    for (const std::string& word : words) {
      const size_t equals = word.find('=');
      if (equals == std::string::npos) {
        return tl::unexpected<std::string>("Failed: invalid arguments, expect <key>=<value>");
      }
      labels[word.substr(0, equals)] = word.substr(equals + 1);
    }
    return labels;
  }
  if (words.size() % 2 != 0) {
    return tl::unexpected<std::string>(
        "Failed: invalid arguments, expect <key> <value> [key value]...");
  }
  for (size_t i = 0; i < words.size(); i += 2) labels[words[i]] = words[i + 1];
  return labels;
}

int LabelStore(Invocation& call) {
  if (!IsNumber(call.arg(0))) return call.Print("store_id should be a number");
  if (call.On("delete")) return DeleteLabel(call);
  const auto labels = ParseLabels({call.args().begin() + 1, call.args().end()});
  if (!labels) return call.Print(labels.error());
  const bool rewrite = call.On("rewrite") || call.On("force");
  const std::string target = StorePath(call.arg(0)) + (rewrite ? "/label?force=true" : "/label");
  return call.PrintOutcome(call.Send(PostJson(target, *labels)));
}

int SetWeight(Invocation& call) {
  if (call.count() != 3) return call.PrintUsage();
  if (!IsNumber(call.arg(0))) return call.Print("store_id should be a number");
  const auto leader = ParseFloat(call.arg(1));
  if (!leader || *leader < 0) return call.Print("leader_weight should be a number that >= 0.");
  const auto region = ParseFloat(call.arg(2));
  if (!region || *region < 0) return call.Print("region_weight should be a number that >= 0");
  return call.PrintOutcome(call.Send(
      PostJson(StorePath(call.arg(0)) + "/weight", {{"leader", *leader}, {"region", *region}})));
}

int SetOneLimit(Invocation& call) {
  const auto rate = ParseFloat(call.arg(1));
  if (!rate || *rate <= 0) return call.Print("rate should be a number that > 0.");
  Json body = {{"rate", *rate}};
  if (call.count() == 3) body["type"] = call.arg(2);
  return call.PrintOutcome(call.Send(PostJson(StorePath(call.arg(0)) + "/limit", body)));
}

// all [<key> <value>]... <rate> [type]: the rate is the last word or the one before it.
int SetAllLimits(Invocation& call) {
  std::vector<std::string> words(call.args().begin() + 1, call.args().end());
  Json body = Json::object();
  if (!ParseFloat(words.back()) && words.size() > 1) {
    body["type"] = words.back();
    words.pop_back();
  }
  const auto rate = ParseFloat(words.back());
  words.pop_back();
  if (!rate || *rate <= 0) return call.Print("rate should be a number that > 0.");
  if (*rate > kAllStoresRateMax) return call.Print("rate should be less than 200.0 for all");
  body["rate"] = *rate;
  if (words.size() % 2 != 0) return call.PrintUsage();
  for (size_t i = 0; i < words.size(); i += 2) body["labels"][words[i]] = words[i + 1];
  return call.PrintOutcome(call.Send(PostJson("/pd/api/v1/stores/limit", body)));
}

int StoreLimit(Invocation& call) {
  if (call.count() <= 1) {
    std::string target = "/pd/api/v1/stores/limit";
    if (call.count() == 1) target += "?type=" + QueryEscape(call.arg(0));
    return call.PrintBody(call.Get(target), "Failed to get store limit");
  }
  if (call.arg(0) == "all") return SetAllLimits(call);
  if (call.count() > 3) return call.Print("Labels are an option of set all stores limit.");
  return SetOneLimit(call);
}

int CheckStores(Invocation& call) {
  if (call.count() != 1) return call.PrintUsage();
  std::string state = call.arg(0);
  std::transform(state.begin(), state.end(), state.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (!state.empty())
    state[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(state[0])));
  return call.PrintBody(call.Get("/pd/api/v1/stores/check?state=" + QueryEscape(state)),
                        "Failed to get store");
}

int ShowBlockers(Invocation& call) {
  if (!ParseUint(call.arg(0))) return call.Print("store_id should be a number");
  return call.PrintBody(call.Get("/qm/api/v1/store/" + call.arg(0) + "/blockers"),
                        "Failed to get what blocks the store");
}

int ShowProgress(Invocation& call) {
  const char* key = ParseUint(call.arg(0)) ? "id" : "action";
  return call.PrintBody(
      call.Get(std::string("/pd/api/v1/stores/progress?") + key + "=" + QueryEscape(call.arg(0))),
      "Failed to get store progress");
}

int RemoveTombstone(Invocation& call) {
  const Answer answer =
      call.Send(Request{.method = "DELETE", .target = "/pd/api/v1/stores/remove-tombstone"});
  call.Print(answer.Ok() ? "Success!" : "Failed to remove tombstone store " + answer.error);
  return answer.ExitStatus();
}

int SetLimitOfAll(Invocation& call) {
  if (call.count() < 1 || call.count() > 2) return call.PrintUsage();
  const auto rate = ParseFloat(call.arg(0));
  if (!rate || *rate <= 0) return call.Print("rate should be a number that > 0.");
  Json body = {{"rate", *rate}};
  if (call.count() == 2) body["type"] = call.arg(1);
  return call.PrintOutcome(call.Send(PostJson("/pd/api/v1/stores/limit", body)));
}

int ShowLimitOfAll(Invocation& call) {
  std::string target = "/pd/api/v1/stores/limit";
  if (call.count() == 1) target += "?type=" + QueryEscape(call.arg(0));
  return call.PrintBody(call.Get(target), "Failed to get all stores' limit");
}

Command LabelCommandOfStore() {
  return {.use = "label <store_id> <key>=<value> [<key>=<value>]",
          .short_help = "Set a store's labels",
          .run = LabelStore,
          .flags = {{.name = "delete",
                     .shorthand = 'd',
                     .type = FlagType::kBool,
                     .usage = "delete the specified label"},
                    {.name = "force",
                     .shorthand = 'f',
                     .type = FlagType::kBool,
                     .usage = "[Deprecated] rewrite all labels for the store, same as rewrite"},
                    {.name = "rewrite",
                     .shorthand = 'r',
                     .type = FlagType::kBool,
                     .usage = "rewrite all labels for the store"}},
          .args = {ArgRule::Kind::kAtLeast, 2},
          .example =
              "  # Add nonexistent label or update existent\n"
              "\tlabel <store_id> <key>=<value> [<key>=<value>]...\n"
              "  # Delete one existent label via key\n"
              "\tlabel <store_id> <key> --delete\n"
              "  # Rewrite all labels for the store\n"
              "\tlabel <store_id> <key>=<value> [<key>=<value>]... --rewrite"};
}

}  // namespace

Command StoreCommand() {
  Command store{
      .use = "store [command]", .short_help = "manipulate or query stores", .run = ShowStores};
  store.flags = {{.name = "jq", .usage = "jq query"},
                 {.name = "state", .type = FlagType::kStrings, .usage = "state filter"}};
  store.children = {
      {.use = "delete <store_id>",
       .short_help = "delete the store",
       .run = DeleteStore,
       .children = {{.use = "addr <address>",
                     .short_help = "delete store by its address",
                     .run = DeleteStoreByAddress,
                     .args = {ArgRule::Kind::kExact, 1}}}},
      {.use = "cancel-delete <store_id>",
       .short_help = "cancel delete the store",
       .run = CancelDelete,
       .children = {{.use = "addr <address>",
                     .short_help = "cancel delete store by its address",
                     .run = CancelDeleteByAddress}}},
      LabelCommandOfStore(),
      {.use = "weight <store_id> <leader_weight> <region_weight>",
       .short_help = "set a store's leader and region balance weight",
       .run = SetWeight},
      {.use = "limit [<type>]|[<store_id>|<all> [<key> <value>]... <limit> <type>]",
       .short_help = "show or set a store's rate limit",
       .run = StoreLimit},
      {.use = "check [up|offline|tombstone|disconnected|down]",
       .short_help = "Check all the stores with specified status",
       .run = CheckStores},
      {.use = "remove-tombstone",
       .short_help = "remove tombstone record if only safe",
       .run = RemoveTombstone},
      // Ours, and not in the list: the reference's help of this command is compared to the letter.
      {.use = "progress <store_id>|removing|preparing",
       .short_help = "show how far stores have come that leave or are new",
       .run = ShowProgress,
       .args = {ArgRule::Kind::kExact, 1},
       .hidden = true},
      {.use = "blockers <store_id>",
       .short_help = "show why regions do not leave a store, and what would help",
       .run = ShowBlockers,
       .args = {ArgRule::Kind::kExact, 1},
       .hidden = true}};
  return store;
}

Command StoresCommand() {
  Command stores{
      .use = "stores", .short_help = "store status", .deprecated = "use store command instead"};
  stores.children = {{.use = "show",
                      .short_help = "show the stores",
                      .run = Getting(kStores, "Failed to get store"),
                      .children = {{.use = "limit [type]",
                                    .short_help = "show all stores' limit",
                                    .run = ShowLimitOfAll}}},
                     {.use = "set",
                      .short_help = "set stores",
                      .children = {{.use = "limit <rate> [type]",
                                    .short_help = "set all stores' limit",
                                    .run = SetLimitOfAll}}},
                     {.use = "remove-tombstone",
                      .short_help = "remove tombstone record if only safe",
                      .run = RemoveTombstone}};
  return stores;
}

}  // namespace api::pdctl
