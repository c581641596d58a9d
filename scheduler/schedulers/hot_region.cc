#include "scheduler/schedulers/hot_region.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "scheduler/checkers/split_checker.h"
#include "scheduler/model/hex.h"
#include "scheduler/operator/builder.h"
#include "scheduler/schedulers/hot_region_loads.h"
#include "scheduler/schedulers/hot_region_search.h"
#include "scheduler/schedulers/hot_region_split.h"

namespace scheduler {
namespace {

/// What a turn looks at: one task, or the two of reads.
constexpr size_t kTurns = 3;

class HotBalance {
 public:
  HotBalance(const PlanContext& context, const HotRegionConfig& config, HotRegionMemory& memory)
      : context_(context),
        config_(WithMeasuredPriorities(config, {context.options.stores_count_queries,
                                                context.options.stores_measure_read_cpu})),
        memory_(memory) {}

  Decision Run() {
    ReviewMoves(context_, memory_);
    SampleLoads(context_, config_, memory_);
    for (size_t i = 0; i < kTurns && decision_.proposals.empty(); ++i) {
      const size_t turn = memory_.turn;
      memory_.turn = (memory_.turn + 1) % kTurns;
      if (turn == 0) BalanceWrittenPeers();
      if (turn == 1) BalanceWrittenLeaders();
      if (turn == 2) BalanceReads();
    }
    return std::move(decision_);
  }

 private:
  [[nodiscard]] bool IsForbidden(Access access) const {
    return config_.forbid_rw_type == AccessText(access);
  }

  void BalanceWrittenPeers() {
    if (IsForbidden(Access::kWrite)) return RefuseForbidden();
    const HotField field = FieldOf(HotTask::kWritePeer, Engine::kTiKv);
    const auto plan = Search(field);
    if (plan && Propose(field, *plan)) return;
    if (!config_.enable_for_tiflash) return;
    const HotField tiflash = FieldOf(HotTask::kWritePeer, Engine::kTiFlash);
    if (tiflash.stores.empty()) return;
    if (const auto other = Search(tiflash)) Propose(tiflash, *other);
  }

  void BalanceWrittenLeaders() {
    if (IsForbidden(Access::kWrite)) return RefuseForbidden();
    const HotField field = FieldOf(HotTask::kWriteLeader, Engine::kTiKv);
    if (const auto plan = Search(field)) Propose(field, *plan);
  }

  void BalanceReads() {
    if (IsForbidden(Access::kRead)) return RefuseForbidden();
    const HotField leaders = FieldOf(HotTask::kReadLeader, Engine::kTiKv);
    const HotField peers = FieldOf(HotTask::kReadPeer, Engine::kTiKv);
    const auto plan = Search(leaders);
    const auto other = Search(peers);
    const PlanOrder order(config_, PrioritiesOf(config_, HotTask::kReadLeader), peers.highest);
    const bool by_peer = other && (!plan || order.Better(*other, *plan));
    if (by_peer ? Propose(peers, *other) : plan && Propose(leaders, *plan)) return;
    if (by_peer && plan) Propose(leaders, *plan);
    if (!by_peer && other) Propose(peers, *other);
  }

  [[nodiscard]] HotField FieldOf(HotTask task, Engine engine) {
    HotField field = MakeField(context_, config_, memory_, task, engine);
    memory_.summaries[{task, engine}] = SummaryOf(field);
    return field;
  }

  [[nodiscard]] std::optional<HotPlan> Search(const HotField& field) {
    auto plan = SearchHotPlan(context_, config_, memory_, field, decision_);
    memory_.exchange[static_cast<size_t>(field.task)] =
        !plan || plan->rank.rank == 2 || plan->exchanged.has_value();
    return plan;
  }

  void RefuseForbidden() {
    decision_.Refuse({Reason::kSwitchedOff, {}, {}, 0, 0, "forbid-rw-type"});
  }

  // ---- What is proposed.

  bool Propose(const HotField& field, const HotPlan& plan) {
    if (plan.target == nullptr) return ProposeLoadSplit(field, plan);
    if (IsToBeSplitFirst(field, plan)) return ProposeMiddleSplit(field, plan);
    auto moved = Move(field, plan, plan.moved, *plan.source, *plan.target);
    if (!moved) {
      decision_.Take(plan.moved.region.id, std::move(moved));
      return false;
    }
    std::optional<Proposal> back;
    if (plan.exchanged) {
      auto built = Move(field, plan, *plan.exchanged, *plan.target, *plan.source);
      if (!built) {
        decision_.Take(plan.exchanged->region.id, std::move(built));
        return false;
      }
      back = *std::move(built);
    }
    Remember(field, plan.moved, *plan.source, *plan.target);
    decision_.proposals.push_back(*std::move(moved));
    if (!back) return true;
    Remember(field, *plan.exchanged, *plan.target, *plan.source);
    decision_.proposals.push_back(*std::move(back));
    return true;
  }

  [[nodiscard]] static bool MovesPeer(const HotPick& pick, const HotStore& to) {
    return pick.region.PeerOnStore(to.store->id) == nullptr;
  }

  [[nodiscard]] Result<Proposal> Move(const HotField& field, const HotPlan& plan,
                                      const HotPick& pick, const HotStore& from,
                                      const HotStore& to) const {
    const std::string access = AccessText(AccessOf(field.task));
    const bool leads = pick.region.leader.store == from.store->id;
    const bool moves_peer = MovesPeer(pick, to);
    const std::string desc =
        (moves_peer ? "move-hot-" : "transfer-hot-") + access + (leads ? "-leader" : "-peer");
    Builder builder(context_, desc, pick.region);
    if (moves_peer) {
      Peer peer = *pick.region.PeerOnStore(from.store->id);
      peer.id = {};
      peer.store = to.store->id;
      builder.RemovePeer(from.store->id).AddPeer(peer);
    }
    if (leads) builder.SetLeader(to.store->id);
    return builder.SetWhy(Why(field, plan, pick, from, to))
        .Build(Kind::kHotRegion, Priority::kHigh);
  }

  [[nodiscard]] std::string Why(const HotField& field, const HotPlan& plan, const HotPick& pick,
                                const HotStore& from, const HotStore& to) const {
    const HotPriorities priorities = PrioritiesOf(config_, field.task);
    std::string why = "rank " + std::to_string(plan.rank.rank);
    for (const LoadDim dim : {priorities.first, priorities.second}) {
      why += std::string(", ") + LoadDimText(dim) + " " + NumberText(pick.peer.load[dim]) + " of " +
             NumberText(from.now[dim]) + " on store " + std::to_string(from.store->id.value) +
             ", " + NumberText(to.now[dim]) + " on store " + std::to_string(to.store->id.value);
    }
    if (plan.exchanged) why += "; two peers change places";
    return why;
  }

  void Remember(const HotField& field, const HotPick& pick, const HotStore& from,
                const HotStore& to) {
    HotMove move;
    move.from = from.store->id;
    move.to = to.store->id;
    const Access access = AccessOf(field.task);
    (access == Access::kRead ? move.read : move.write) = pick.peer.load;
    const Access inverse = access == Access::kRead ? Access::kWrite : Access::kRead;
    for (const HotPeer& peer : context_.view.HotPeers(inverse, move.from)) {
      if (peer.region != pick.region.id) continue;
      (inverse == Access::kRead ? move.read : move.write) = peer.load;
    }
    move.moves_leader = pick.region.leader.store == move.from;
    move.moves_peer = MovesPeer(pick, to);
    move.planned = context_.now;
    move.shows_after = MoveShowsAfter(config_, field.task, field.engine);
    memory_.moves[pick.region.id] = move;
  }

  // ---- Splits.

  /// Too large to be moved as a whole.
  [[nodiscard]] bool IsToBeSplitFirst(const HotField& field, const HotPlan& plan) const {
    return !MovesLeaders(field.task) && context_.options.stores_have_buckets &&
           MovesPeer(plan.moved, *plan.target) &&
           plan.moved.region.size_mib > context_.options.max_movable_hot_peer_size_mib &&
           MiddleBucketKey(plan.moved.region);
  }

  bool ProposeMiddleSplit(const HotField& field, const HotPlan& plan) {
    const Region& region = plan.moved.region;
    return Split(
        field, region, *MiddleBucketKey(region),
        NumberText(static_cast<double>(region.size_mib)) + " MiB are too many to be moved at once");
  }

  bool ProposeLoadSplit(const HotField& field, const HotPlan& plan) {
    const LoadDim dim = PrioritiesOf(config_, field.task).first;
    const Region& region = plan.moved.region;
    const auto key = LoadSplitKey(context_.view, region, AccessOf(field.task), dim);
    if (!key) return false;
    return Split(field, region, *key,
                 std::string(LoadDimText(dim)) + " " + NumberText(plan.moved.peer.load[dim]) +
                     " of " + NumberText(plan.source->now[dim]) + " on store " +
                     std::to_string(plan.source->store->id.value));
  }

  bool Split(const HotField& field, const Region& region, std::string key, std::string why) {
    why += ", split at key " + UpperHex(key);
    Proposal proposal = ProposeSplit(
        region, std::string("split-hot-") + AccessText(AccessOf(field.task)) + "-region",
        SplitPolicy::kUseKey, {std::move(key)});
    proposal.priority = Priority::kHigh;
    proposal.why = std::move(why);
    decision_.proposals.push_back(std::move(proposal));
    return true;
  }

  const PlanContext& context_;
  const HotRegionConfig config_;
  HotRegionMemory& memory_;
  Decision decision_;
};

}  // namespace

Decision BalanceHotRegion(const PlanContext& context, const HotRegionConfig& config,
                          HotRegionMemory& memory) {
  return HotBalance(context, config, memory).Run();
}

}  // namespace scheduler
