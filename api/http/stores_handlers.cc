#include <algorithm>
#include <cctype>
#include <regex>
#include <utility>

#include <fmt/format.h>

#include "api/http/cluster_routes.h"
#include "api/http/json_body.h"
#include "api/http/store_json.h"
#include "pd/cluster/store_rules.h"

// Stores over HTTP (as in the reference).

namespace api {
namespace {

using Json = nlohmann::ordered_json;
using scheduler::Store;
using scheduler::StoreId;
using scheduler::StoreLabel;

constexpr const char* kKeyFormat = "^[$]?[A-Za-z0-9]([-A-Za-z0-9_./]*[A-Za-z0-9])?$";
constexpr const char* kValueFormat = "^[-A-Za-z0-9_./]*$";

std::string Lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return lower;
}

bool IsAlnum(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0; }

bool IsLabelChar(char c) { return IsAlnum(c) || c == '-' || c == '_' || c == '.' || c == '/'; }

/// Empty when good, else what is wrong.
std::string CheckLabel(std::string_view key, std::string_view value) {
  std::string_view body = key;
  if (body.starts_with('$')) body.remove_prefix(1);
  const bool key_good = !body.empty() && IsAlnum(body.front()) && IsAlnum(body.back()) &&
                        std::ranges::all_of(body, IsLabelChar);
  if (!key_good) return fmt::format("{} does not match format \"{}\"", key, kKeyFormat);
  if (std::ranges::all_of(value, IsLabelChar)) return {};
  return fmt::format("{} does not match format \"{}\"", value, kValueFormat);
}

tl::expected<StoreId, HttpResponse> IdOf(const HttpRequest& request) {
  const auto id = ParseUint64(request.Param("id"));
  if (!id) return tl::unexpected<HttpResponse>(InputError(id.error()));
  return StoreId{*id};
}

HttpResponse StoresAnswer(const ClusterRoutes& routes, const std::vector<Store>& stores) {
  return JsonV1(200, StoresJson(stores, *routes.cluster.config().online(),
                                routes.cluster.clock().UnixNanos()));
}

HttpResponse GetStore(const ClusterRoutes& routes, const HttpRequest& request) {
  const auto id = IdOf(request);
  if (!id) return id.error();
  const auto store = routes.cluster.stores().Find(*id);
  if (!store) return ErrorResponse(pd::StoreNotFound(*id));
  return JsonV1(200, StoreJson(*store, *routes.cluster.config().online(),
                               routes.cluster.clock().UnixNanos()));
}

HttpResponse GetStores(const ClusterRoutes& routes, const HttpRequest& request) {
  std::vector<int64_t> states;
  for (const std::string_view text : request.QueryAll("state")) {
    const auto state = ParseInt64(text, "Atoi");
    if (!state) return ErrorResponse(500, state.error());
    if (*state < 0 || *state > 2) {
      return ErrorResponse(500, fmt::format("unknown StoreState: {}", *state));
    }
    states.push_back(*state);
  }
  if (states.empty()) states = {0, 1};
  std::vector<Store> stores = routes.cluster.stores().All();
  std::erase_if(stores, [&](const Store& store) {
    return std::ranges::find(states, static_cast<int64_t>(store.state)) == states.end();
  });
  return StoresAnswer(routes, stores);
}

HttpResponse CheckStores(const ClusterRoutes& routes, const HttpRequest& request) {
  static constexpr const char* kNames[] = {"up", "offline", "tombstone", "disconnected", "down"};
  std::vector<std::string> states;
  for (const std::string_view text : request.QueryAll("state")) {
    states.push_back(Lower(text));
    if (std::ranges::find(kNames, states.back()) == std::end(kNames)) {
      return ErrorResponse(400, fmt::format("unknown StoreState: {}", text));
    }
  }
  std::vector<Store> stores = routes.cluster.stores().All();
  const auto max_down = routes.cluster.config().online()->schedule.max_store_down_time;
  const int64_t now = routes.cluster.clock().UnixNanos();
  std::erase_if(stores, [&](const Store& store) {
    const std::string name = Lower(StateName(store, now, max_down));
    return !states.empty() && std::ranges::find(states, name) == states.end();
  });
  return StoresAnswer(routes, stores);
}

HttpResponse DeleteStore(const ClusterRoutes& routes, const HttpRequest& request) {
  const auto id = IdOf(request);
  if (!id) return id.error();
  const auto destroyed = request.Query("force") ? pd::StoreTable::Destroyed::kPhysically
                                                : pd::StoreTable::Destroyed::kNo;
  auto removed = routes.cluster.stores().Remove(*id, destroyed);
  if (!removed) {
    const bool gone = removed.error().code == pd::ErrorCode::kConflict;
    return gone ? ErrorResponse(410, removed.error().context) : ErrorResponse(removed.error());
  }
  return JsonV1(200, Json("The store is set as Offline."));
}

HttpResponse SetState(const ClusterRoutes& routes, const HttpRequest& request) {
  const auto id = IdOf(request);
  if (!id) return id.error();
  const std::string_view state = request.Query("state").value_or("");
  const std::string lower = Lower(state);
  pd::StoreTable& stores = routes.cluster.stores();
  pd::Result<void> done;
  if (lower == "up") {
    done = stores.Restore(*id);
  } else if (lower == "offline") {
    done = stores.Remove(*id, pd::StoreTable::Destroyed::kNo);
  } else if (!stores.Contains(*id)) {
    return ErrorResponse(pd::StoreNotFound(*id));
  } else {
    return ErrorResponse(400, fmt::format("invalid state {}", state));
  }
  if (!done) {
    const bool gone = done.error().code == pd::ErrorCode::kConflict;
    return gone ? ErrorResponse(410, done.error().context) : ErrorResponse(done.error());
  }
  return JsonV1(200, Json("The store's state is updated."));
}

/// The labels of a body such as {"zone":"z1"}, or the answer to give.
tl::expected<std::vector<StoreLabel>, HttpResponse> LabelsOf(const Json& body) {
  if (!body.is_object()) {
    return tl::unexpected<HttpResponse>(
        TypeError(pd::JsonKind(body), "map[string]string", body.dump().size()));
  }
  std::vector<StoreLabel> labels;
  size_t offset = 1;
  for (const auto& [key, value] : body.items()) {
    offset += Json(key).dump().size() + 1 + value.dump().size();
    if (!value.is_string()) {
      return tl::unexpected<HttpResponse>(TypeError(pd::JsonKind(value), "string", offset));
    }
    ++offset;
    labels.push_back({key, value.get<std::string>()});
  }
  for (const StoreLabel& label : labels) {
    if (scheduler::EqualsIgnoringCase(label.key, scheduler::kEngineLabel)) {
      return tl::unexpected<HttpResponse>(InputError("label key \"engine\" is reserved"));
    }
    if (const std::string wrong = CheckLabel(label.key, label.value); !wrong.empty()) {
      return tl::unexpected<HttpResponse>(InputError(wrong));
    }
  }
  return labels;
}

HttpResponse SetLabels(const ClusterRoutes& routes, const HttpRequest& request) {
  const auto id = IdOf(request);
  if (!id) return id.error();
  const auto body = ReadBody(request);
  if (!body) return body.error();
  const auto labels = LabelsOf(*body);
  if (!labels) return labels.error();
  const auto how =
      request.Query("force") ? pd::StoreTable::Labels::kReplace : pd::StoreTable::Labels::kMerge;
  if (auto set = routes.cluster.stores().SetLabels(*id, *labels, how); !set) {
    return ErrorResponse(500, set.error().context);
  }
  return JsonV1(200, Json("The store's label is updated."));
}

HttpResponse DeleteLabel(const ClusterRoutes& routes, const HttpRequest& request) {
  const auto id = IdOf(request);
  if (!id) return id.error();
  const auto body = ReadBody(request);
  if (!body) return body.error();
  if (!body->is_string()) return TypeError(pd::JsonKind(*body), "string", body->dump().size());
  const auto key = body->get<std::string>();
  if (scheduler::EqualsIgnoringCase(key, scheduler::kEngineLabel)) {
    return InputError("can't modify label key \"engine\"");
  }
  if (const std::string wrong = CheckLabel(key, ""); !wrong.empty()) return InputError(wrong);
  if (auto deleted = routes.cluster.stores().DeleteLabel(*id, key); !deleted) {
    return ErrorResponse(500, deleted.error().context);
  }
  return JsonV1(200, Json(fmt::format("The label {} is deleted for store {}.", key, id->value)));
}

HttpResponse SetWeight(const ClusterRoutes& routes, const HttpRequest& request) {
  const auto id = IdOf(request);
  if (!id) return id.error();
  const auto body = ReadBody(request);
  if (!body) return body.error();
  double weights[2] = {};
  const char* const names[2] = {"leader", "region"};
  for (size_t i = 0; i < 2; ++i) {
    if (!body->is_object() || !body->contains(names[i])) {
      return ErrorResponse(400, fmt::format("{} weight unset", names[i]));
    }
    const Json& value = (*body)[names[i]];
    if (!value.is_number() || value.get<double>() < 0) {
      return ErrorResponse(400, fmt::format("bad format {} weight", names[i]));
    }
    weights[i] = value.get<double>();
  }
  if (auto set = routes.cluster.stores().SetWeights(*id, weights[0], weights[1]); !set) {
    return ErrorResponse(500, set.error().context);
  }
  return JsonV1(200, Json("The store's weight is updated."));
}

HttpResponse RemoveTombstones(const ClusterRoutes& routes) {
  const auto failed = routes.cluster.stores().RemoveTombstones();
  if (!failed) return ErrorResponse(failed.error());
  if (failed->empty()) return JsonV1(200, Json("Remove tombstone successfully."));
  std::string ids;
  for (const StoreId id : *failed) ids += (ids.empty() ? "" : ", ") + std::to_string(id.value);
  return ErrorResponse(500, "failed stores: " + ids);
}

HttpResponse GetLabels(const ClusterRoutes& routes) {
  std::vector<StoreLabel> distinct;
  for (const Store& store : routes.cluster.stores().All()) {
    for (const StoreLabel& label : store.labels) {
      const bool known = std::ranges::any_of(distinct, [&](const StoreLabel& other) {
        return scheduler::EqualsIgnoringCase(other.key, label.key) &&
               scheduler::EqualsIgnoringCase(other.value, label.value);
      });
      if (!known) distinct.push_back(label);
    }
  }
  Json json;
  for (const StoreLabel& label : distinct) {
    Json entry = Json::object();
    if (!label.key.empty()) entry["key"] = label.key;
    if (!label.value.empty()) entry["value"] = label.value;
    json.push_back(std::move(entry));
  }
  return JsonV1(200, json);
}

HttpResponse GetStoresByLabel(const ClusterRoutes& routes, const HttpRequest& request) {
  std::regex name;
  std::regex value;
  for (const auto& [parameter, pattern] : {std::pair("name", &name), std::pair("value", &value)}) {
    const std::string text(request.Query(parameter).value_or(""));
    try {
      pattern->assign(text, std::regex::ECMAScript | std::regex::icase);
    } catch (const std::regex_error& error) {
      // The usual slip, in the words that clients know; the library's own for the others.
      const size_t bracket = text.find('[');
      const bool open =
          bracket != std::string::npos && text.find(']', bracket) == std::string::npos;
      return ErrorResponse(500, open ? fmt::format("error parsing regexp: missing closing ]: `{}`",
                                                   text.substr(bracket))
                                     : fmt::format("error parsing regexp: {}", error.what()));
    }
  }
  std::vector<Store> stores = routes.cluster.stores().All();
  std::erase_if(stores, [&](const Store& store) {
    return std::ranges::none_of(store.labels, [&](const StoreLabel& label) {
      return std::regex_search(label.key, name) && std::regex_search(label.value, value);
    });
  });
  return StoresAnswer(routes, stores);
}

}  // namespace

void AddStoreRoutes(Router& router, const ClusterRoutes& routes) {
  using Handler = HttpResponse (*)(const ClusterRoutes&, const HttpRequest&);
  const auto add = [&](const char* method, const char* path, const char* name, Handler handler) {
    router.Add(method, path, name,
               WhenRunning(routes, [routes, handler](const HttpRequest& request) {
                 return handler(routes, request);
               }));
  };
  add("GET", "/pd/api/v1/store/{id}", "GetStore", GetStore);
  add("DELETE", "/pd/api/v1/store/{id}", "DeleteStore", DeleteStore);
  add("POST", "/pd/api/v1/store/{id}/state", "SetStoreState", SetState);
  add("POST", "/pd/api/v1/store/{id}/label", "SetStoreLabel", SetLabels);
  add("DELETE", "/pd/api/v1/store/{id}/label", "DeleteStoreLabel", DeleteLabel);
  add("POST", "/pd/api/v1/store/{id}/weight", "SetStoreWeight", SetWeight);
  add("GET", "/pd/api/v1/stores", "GetAllStores", GetStores);
  add("GET", "/pd/api/v1/stores/check", "GetStoresByState", CheckStores);
  add("DELETE", "/pd/api/v1/stores/remove-tombstone", "RemoveTombStone",
      [](const ClusterRoutes& r, const HttpRequest&) { return RemoveTombstones(r); });
  add("GET", "/pd/api/v1/labels", "GetLabels",
      [](const ClusterRoutes& r, const HttpRequest&) { return GetLabels(r); });
  add("GET", "/pd/api/v1/labels/stores", "GetStoresByLabel", GetStoresByLabel);
}

}  // namespace api
