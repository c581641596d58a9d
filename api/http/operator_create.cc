// POST /operators: what people ask for by hand. Each wish is checked in the reference's order, so that its texts agree.
#include <algorithm>
#include <cctype>
#include <cmath>
#include <map>
#include <optional>

#include "api/http/body.h"
#include "api/http/scheduling_routes.h"
#include "pd/cluster/store_rules.h"
#include "pd/dispatch/by_hand.h"
#include "scheduler/model/hex.h"

namespace api {
namespace {

using Json = nlohmann::ordered_json;
using scheduler::Peer;
using scheduler::PeerRole;
using scheduler::Region;
using scheduler::StoreId;

/// An answer that ends the request early.
struct Refused {
  int status;
  std::string text;
};
template <class T>
using Outcome = tl::expected<T, Refused>;

tl::unexpected<Refused> Refuse(int status, std::string text) {
  return tl::unexpected(Refused{status, std::move(text)});
}

std::optional<uint64_t> IdIn(const Json& body, const char* name) {
  const auto it = body.find(name);
  return it == body.end() ? std::nullopt : IdOf(*it);
}

/// A request on one region: its plan runs on the state of the moment.
class Wish {
 public:
  Wish(const SchedulingRoutes& routes, const Json& body) : routes_(routes), body_(body) {}

  Outcome<void> Do(const std::string& name) {
    if (name == "transfer-leader") return TransferLeader();
    if (name == "transfer-region") return TransferRegion();
    if (name == "transfer-peer") return TransferPeer();
    if (name == "add-peer") return AddPeer(PeerRole::kVoter);
    if (name == "add-learner") return AddPeer(PeerRole::kLearner);
    if (name == "remove-peer") return RemovePeer();
    if (name == "merge-region") return Merge();
    if (name == "split-region") return Split();
    if (name == "scatter-region") return Scatter();
    return Refuse(400, "unknown operator");
  }

 private:
  Outcome<uint64_t> RegionId(const char* field = "region_id") const {
    const auto id = IdIn(body_, field);
    if (!id) return Refuse(400, "missing region id");
    return *id;
  }

  Outcome<StoreId> StoreIn(const char* field, const char* text) const {
    const auto id = IdIn(body_, field);
    if (!id) return Refuse(400, text);
    return StoreId{*id};
  }

  Outcome<Region> FindRegion(uint64_t id) const {
    auto region = routes_.coordinator.cluster().regions().Find({id});
    if (!region) {
      return Refuse(500,
                    "[PD:region:ErrRegionNotFound]region " + std::to_string(id) + " not found");
    }
    return std::move(*region);
  }

  /// A store that may get a peer.
  [[nodiscard]] Outcome<void> CheckTarget(StoreId id) const {
    const auto text = std::to_string(id.value);
    const auto store = routes_.coordinator.cluster().stores().Find(id);
    if (!store) return Refuse(500, pd::StoreNotFound(id).context);
    if (store->state == scheduler::StoreState::kTombstone) {
      return Refuse(500, "[PD:core:ErrStoreRemoved]store " + text + " has been removed");
    }
    if (store->IsUnhealthy(pd::InstantOf(routes_.coordinator.clock().Monotonic()))) {
      return Refuse(500, "[PD:core:ErrStoreUnhealthy]store " + text + " is unhealthy");
    }
    return {};
  }

  Outcome<void> Start(const pd::ByHand& plan) const {
    const pd::Result<void> done = routes_.coordinator.PlanByPerson(plan);
    if (done) return {};
    if (done.error().code == pd::ErrorCode::kInvalidArgument) {
      return Refuse(500, done.error().context);
    }
    return Refuse(500,
                  "[PD:operator:ErrAddOperator]failed to add operator, maybe already have one");
  }

  Outcome<void> TransferLeader() const {
    const auto id = RegionId();
    if (!id) return tl::unexpected(id.error());
    const auto to = StoreIn("to_store_id", "missing store id to transfer leader to");
    if (!to) return tl::unexpected(to.error());
    const auto region = FindRegion(*id);
    if (!region) return tl::unexpected(region.error());
    const Peer* peer = region->PeerOnStore(*to);
    if (peer == nullptr || IsLearner(*peer)) {
      return Refuse(500, "region has no voter in store " + std::to_string(to->value));
    }
    return Start(pd::TransferLeaderByHand(*region, *to));
  }

  Outcome<void> AddPeer(PeerRole role) const {
    const auto id = RegionId();
    if (!id) return tl::unexpected(id.error());
    const auto to = StoreIn("store_id", "invalid store id to transfer peer to");
    if (!to) return tl::unexpected(to.error());
    const auto region = FindRegion(*id);
    if (!region) return tl::unexpected(region.error());
    if (region->PeerOnStore(*to) != nullptr) {
      return Refuse(500, "region already has peer in store " + std::to_string(to->value));
    }
    if (auto checked = CheckTarget(*to); !checked) return checked;
    return Start(pd::AddPeerByHand(*region, *to, role));
  }

  Outcome<void> RemovePeer() const {
    const auto id = RegionId();
    if (!id) return tl::unexpected(id.error());
    const auto from = StoreIn("store_id", "invalid store id to transfer peer to");
    if (!from) return tl::unexpected(from.error());
    const auto region = FindRegion(*id);
    if (!region) return tl::unexpected(region.error());
    if (region->PeerOnStore(*from) == nullptr) {
      return Refuse(500, "region has no peer in store " + std::to_string(from->value));
    }
    return Start(pd::RemovePeerByHand(*region, *from));
  }

  Outcome<void> TransferPeer() const {
    const auto id = RegionId();
    if (!id) return tl::unexpected(id.error());
    const auto from = StoreIn("from_store_id", "invalid store id to transfer peer from");
    if (!from) return tl::unexpected(from.error());
    const auto to = StoreIn("to_store_id", "invalid store id to transfer peer to");
    if (!to) return tl::unexpected(to.error());
    const auto region = FindRegion(*id);
    if (!region) return tl::unexpected(region.error());
    if (region->PeerOnStore(*from) == nullptr) {
      return Refuse(500, "region has no peer in store " + std::to_string(from->value));
    }
    if (auto checked = CheckTarget(*to); !checked) return checked;
    return Start(pd::MovePeerByHand(*region, *from, *to));
  }

  Outcome<std::vector<StoreId>> TargetStores() const {
    const auto it = body_.find("to_store_ids");
    if (it == body_.end() || !it->is_array()) {
      return Refuse(400, "invalid store ids to transfer region to");
    }
    std::vector<StoreId> stores;
    for (const Json& item : *it) {
      const auto id = IdOf(item);
      if (!id) return Refuse(400, "invalid store ids to transfer region to");
      stores.push_back({*id});
    }
    if (stores.empty()) return Refuse(400, "missing store ids to transfer region to");
    return stores;
  }

  /// The wanted roles by store; what is no known role stands for any voter.
  Outcome<std::map<StoreId, scheduler::RuleRole>> TargetRoles(
      const std::vector<StoreId>& stores) const {
    const auto it = body_.find("peer_roles");
    if (it == body_.end() || !it->is_array() || it->size() != stores.size()) {
      return Refuse(
          500, "transfer region without peer role is not supported when placement rules enabled");
    }
    std::map<StoreId, scheduler::RuleRole> roles;
    for (size_t i = 0; i < stores.size(); ++i) {
      const std::string role = (*it)[i].is_string() ? (*it)[i].get<std::string>() : "";
      using scheduler::RuleRole;
      roles[stores[i]] = role == "leader"     ? RuleRole::kLeader
                         : role == "follower" ? RuleRole::kFollower
                         : role == "learner"  ? RuleRole::kLearner
                                              : RuleRole::kVoter;
    }
    return roles;
  }

  Outcome<void> TransferRegion() const {
    using scheduler::RuleRole;
    const auto id = RegionId();
    if (!id) return tl::unexpected(id.error());
    const auto stores = TargetStores();
    if (!stores) return tl::unexpected(stores.error());
    const auto region = FindRegion(*id);
    if (!region) return tl::unexpected(region.error());
    const auto roles = TargetRoles(*stores);
    if (!roles) return tl::unexpected(roles.error());
    std::optional<StoreId> leader;
    bool may_lead = false;
    for (const auto& [store, role] : *roles) {
      if (auto checked = CheckTarget(store); !checked) return checked;
      if (role == RuleRole::kLeader && leader) {
        return Refuse(500, "region cannot have multiple leaders");
      }
      if (role == RuleRole::kLeader) leader = store;
      may_lead |= role == RuleRole::kLeader || role == RuleRole::kVoter;
    }
    if (!may_lead) return Refuse(500, "region need at least 1 voter or leader");
    return Start(pd::MoveRegionByHand(*region, *roles));
  }

  Outcome<scheduler::SplitRegion> SplitOf(const Region& region) const {
    const auto text = StringIn(body_, "policy");
    if (!text) return Refuse(400, "missing split policy");
    std::string policy = *text;
    std::ranges::transform(policy, policy.begin(), [](char c) {
      return static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    });
    scheduler::SplitRegion step{{region.start_key, region.end_key}, {}, {}};
    if (policy == "SCAN") {
      step.policy = scheduler::SplitPolicy::kScan;
    } else if (policy == "APPROXIMATE") {
      step.policy = scheduler::SplitPolicy::kApproximate;
    } else if (policy == "USEKEY") {
      step.policy = scheduler::SplitPolicy::kUseKey;
    } else {
      return Refuse(500, "check policy " + *text + " is not supported");
    }
    const auto keys = body_.find("keys");
    if (keys == body_.end()) return step;
    if (!keys->is_array()) return Refuse(400, "bad format keys");
    for (const Json& item : *keys) {
      if (!item.is_string()) return Refuse(400, "bad format keys");
      const auto key = scheduler::FromHex(item.get<std::string>());
      if (!key) {
        return Refuse(500, "split key " + item.get<std::string>() + " is not in hex format");
      }
      step.keys.push_back(*key);
    }
    return step;
  }

  Outcome<void> Scatter() const {
    const auto id = RegionId();
    if (!id) return tl::unexpected(id.error());
    const auto region = FindRegion(*id);
    if (!region) return tl::unexpected(region.error());
    const auto done =
        routes_.coordinator.jobs().ScatterOne(*region, StringIn(body_, "group").value_or(""));
    if (!done) return Refuse(500, done.error().context);
    return {};
  }

  Outcome<void> Merge() const {
    const auto source_id = RegionId("source_region_id");
    if (!source_id) return tl::unexpected(source_id.error());
    const auto target_id = IdIn(body_, "target_region_id");
    if (!target_id) return Refuse(400, "invalid target region id to merge to");
    const auto source = FindRegion(*source_id);
    if (!source) return tl::unexpected(source.error());
    const auto target = FindRegion(*target_id);
    if (!target) return tl::unexpected(target.error());
    return Start(pd::MergeByHand(*source, *target));
  }

  Outcome<void> Split() const {
    const auto id = RegionId();
    if (!id) return tl::unexpected(id.error());
    const auto region = FindRegion(*id);
    if (!region) return tl::unexpected(region.error());
    auto step = SplitOf(*region);
    if (!step) return tl::unexpected(step.error());
    return Start(pd::SplitByHand(*region, step->policy, step->keys));
  }

  const SchedulingRoutes& routes_;
  const Json& body_;
};

}  // namespace

HttpResponse CreateOperator(const SchedulingRoutes& routes, const HttpRequest& request) {
  const auto body = ReadObject(request);
  if (!body) return body.error();
  const auto name = StringIn(*body, "name");
  if (!name) return ErrorResponse(400, "missing operator name");
  if (*name == "scatter-regions") return ScatterByOperator(routes, *body);
  const Outcome<void> done = Wish(routes, *body).Do(*name);
  if (!done) return ErrorResponse(done.error().status, done.error().text);
  return JsonV1(200, Json("The operator is created."));
}

}  // namespace api
