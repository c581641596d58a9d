#include "pd/coordinator.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "pd/dispatch/hot_scheduler_metrics.h"
#include "pd/dispatch/schedule_options.h"
#include "pd/dispatch/scheduler_metrics.h"
#include "pd/log/log.h"

namespace pd {
namespace {

constexpr Millis kReadyPoll{100};
constexpr Millis kPushInterval{500};
constexpr Millis kTurnMin{10};
constexpr Millis kHoldInterval{1000};
constexpr scheduler::Instant kNever{Millis::max()};

int64_t UnixSeconds(const Clock& clock) { return clock.UnixNanos() / 1'000'000'000; }

/// Why planning does not start yet; without numbers if what was missing has come just now.
scheduler::Refusal Unprepared(const Cluster& cluster) {
  return cluster.RefuseUnprepared().value_or(
      scheduler::Refusal{scheduler::Reason::kNotEnoughRegions, {}, {}, 0, 0, {}});
}

std::set<std::string> NamesOf(const std::vector<SchedulerTable::Entry>& entries) {
  std::set<std::string> names;
  for (const SchedulerTable::Entry& entry : entries) names.insert(entry.name);
  return names;
}

/// It runs, is as urgent as what people ask for, and removes a peer from the store.
bool TakesOff(const OperatorInfo& info, scheduler::StoreId store) {
  const scheduler::Proposal& plan = info.op.plan();
  return !info.ended && plan.priority == scheduler::Priority::kUrgent &&
         std::ranges::any_of(plan.steps, [store](const scheduler::Step& step) {
           const auto* removal = std::get_if<scheduler::RemovePeer>(&step);
           return removal != nullptr && removal->store == store;
         });
}

GaugeFamily& RegionLists(MetricsRegistry& metrics) {
  return metrics.Gauges("pd_checker_region_list", "Regions that wait for a checker", {"type"});
}
GaugeFamily& ScatterPending(MetricsRegistry& metrics) {
  return metrics.Gauges("pd_checker_split_scatter_pending", "Entries waiting for internal scatter");
}
GaugeFamily& PatrolTime(MetricsRegistry& metrics) {
  return metrics.Gauges("pd_checker_patrol_regions_time",
                        "Seconds of the last complete patrol round");
}

}  // namespace

/// What a person asks for may take back what a scheduler did.
const scheduler::MoveHistory Coordinator::kNothingMoved;

/// Everything a PlanContext refers to, for one turn.
struct Coordinator::Situation {
  Situation(const Cluster& cluster, const ConfigStore& config, StoreLimits& limits,
            const OperatorRunner& runner, scheduler::Instant at,
            const scheduler::MoveHistory& moved_lately = kNothingMoved,
            ViewMemory* memory = nullptr)
      : settings(config.online()),
        options(MakeScheduleOptions(*settings, cluster.store_config())),
        rules(cluster.rules().InForce(settings->replication)),
        view(cluster, limits, at, memory),
        influence(runner.TotalInfluence()),
        busy(runner.BusyRegions()),
        labels(cluster.labels().book()),
        affinity_wishes(cluster.affinity().wishes_version()),
        affinity(cluster.affinity().groups()),
        moved(moved_lately),
        now(at),
        unix_ns(cluster.clock().UnixNanos()) {}

  [[nodiscard]] scheduler::PlanContext Context() const {
    return {view, options, *rules, influence, busy, *labels, *affinity, moved, now, unix_ns};
  }

  ConfigStore::Snapshot settings;  // One state of them for all the rest.
  scheduler::ScheduleOptions options;
  PlacementRules::Book rules;
  LiveView view;
  scheduler::Influence influence;
  std::set<scheduler::RegionId> busy;
  RegionLabels::Book labels;
  uint64_t affinity_wishes;
  AffinityGroups::Groups affinity;
  const scheduler::MoveHistory& moved;
  scheduler::Instant now;
  int64_t unix_ns;
};

Coordinator::Coordinator(Deps deps)
    : deps_(std::move(deps)),
      process_start_(deps_.clock.Monotonic()),
      metrics_(deps_.metrics),
      limits_(deps_.config),
      finished_moves_(deps_.metrics),
      patrol_(deps_.cluster.regions()),
      runner_({deps_.clock, deps_.sink,
               [this](scheduler::RegionId id) { return deps_.cluster.regions().Find(id); },
               [this](scheduler::StoreId id) {
                 const auto store = deps_.cluster.stores().Find(id);
                 const auto down = deps_.config.online()->schedule.max_store_down_time;
                 return store && store->DownTime(InstantOf(deps_.clock.Monotonic())) <= down;
               },
               [this] { return ConfChangeOf(*deps_.config.online()); }, metrics_,
               [this](const OperatorInfo& info) {
                 returned_data_.Note(info);
                 finished_moves_.Note(info);
                 limits_.Release(info.booking);
                 if (info.op.status() != scheduler::Status::kTimeout) return;
                 // The region's next report need not say anything new.
                 patrol_.PointOut(info.op.plan().region, InstantOf(deps_.clock.Monotonic()));
                 Wake();
               }}),
      admission_({deps_.cluster.regions(), limits_, runner_, deps_.ids, deps_.clock, metrics_}),
      schedulers_({deps_.meta, deps_.config, deps_.clock, deps_.key, [this] { Wake(); },
                   [this] { findings_.NoteUnsettled(); }}),
      decisions_(deps_.clock),
      jobs_({deps_.cluster, admission_, runner_, [this](const auto& look) { Look(look); }}),
      split_scatter_({deps_.cluster.regions(), runner_,
                      [this](scheduler::Decision& decision) { return FollowCheck(decision); },
                      deps_.metrics}),
      findings_(
          {[this](const auto& ran, const auto& found) { return schedulers_.Keep(ran, found); },
           [this] { return schedulers_.Settle(); }, [this] { Wake(); }}),
      scheduler_runner_({schedulers_, findings_, deps_.cluster.stores(), runner_, admission_,
                         decisions_, moved_, deps_.metrics,
                         [this](scheduler::Instant now, const auto& look) {
                           const Situation situation(deps_.cluster, deps_.config, limits_, runner_,
                                                     now, moved_, &view_memory_);
                           look(situation.Context());
                         },
                         deps_.seed}),
      checker_events_(deps_.metrics.Counters(
          "pd_checker_event_count", "Checker outcomes per checker and reason", {"type", "name"})),
      affinity_(deps_.cluster.affinity()) {
  deps_.cluster.AddObserver(*this);
}

Coordinator::~Coordinator() { Stop(); }

void Coordinator::Start() {
  findings_.Start();
  thread_ = std::thread([this] { Run(); });
}

void Coordinator::Stop() {
  {
    const MutexLock lock(mutex_);
    stopping_ = true;
  }
  wake_.NotifyAll();
  if (thread_.joinable()) thread_.join();
  findings_.Stop();
}

Result<void> Coordinator::OnLeaderStart(uint64_t term) {
  if (auto loaded = schedulers_.Load(term); !loaded) return loaded;
  // Of what was granted while the last lead ended. Not by the thread, like the rest: by the time it looks,
  // splits of this leadership may wait, and operators of people may have begun.
  split_scatter_.Clear();
  limits_.Clear();
  runner_.Open();
  planning_ = false;
  for (auto& until_s : checker_paused_until_s_) until_s = 0;
  {
    const MutexLock lock(mutex_);
    term_ = term;
    ++leads_;
  }
  wake_.NotifyAll();
  return {};
}

void Coordinator::OnLeaderStop() {
  planning_ = false;
  {
    const MutexLock lock(mutex_);
    term_ = 0;
  }
  schedulers_.Clear();
  findings_.Clear();
  jobs_.Clear();
  split_scatter_.Clear();
  runner_.Clear();
  wake_.NotifyAll();
}

void Coordinator::OnRegionReported(const scheduler::Region& region,
                                   const scheduler::RegionChange& change) {
  runner_.OnHeartbeat(region);
  if (!planning()) return;
  const auto small = [&] {
    const auto settings = deps_.config.online();
    return IsSmall(region, settings->schedule.max_merge_region_size,
                   settings->schedule.MergeRegionKeys());
  };
  // What has become small may be merged.
  if (change.save || change.look || !region.down_peers.empty() || (change.index && small())) {
    patrol_.PointOut(region.id, InstantOf(deps_.clock.Monotonic()));
    Wake();
  }
}

void Coordinator::OnSplitGranted(const GrantedSplit& split) {
  split_scatter_.Granted(split, deps_.config.online()->schedule.split_scatter_schedule_limit,
                         InstantOf(deps_.clock.Monotonic()));
  Wake();
}

void Coordinator::PauseChecker(scheduler::CheckerKind kind, int64_t seconds) {
  checker_paused_until_s_[static_cast<size_t>(kind)] =
      seconds <= 0 ? 0 : UnixSeconds(deps_.clock) + std::min(seconds, kPauseSecondsMax);
  patrol_.NoteNews();
  Wake();
}

bool Coordinator::IsCheckerPaused(scheduler::CheckerKind kind) const {
  return UnixSeconds(deps_.clock) < checker_paused_until_s_[static_cast<size_t>(kind)];
}

Result<void> Coordinator::PlanByPerson(const ByHand& plan) {
  const Situation situation(deps_.cluster, deps_.config, limits_, runner_,
                            InstantOf(deps_.clock.Monotonic()));
  return PlanOn(situation.Context(), plan);
}

void Coordinator::Look(const std::function<void(const scheduler::PlanContext&)>& look) {
  const Situation situation(deps_.cluster, deps_.config, limits_, runner_,
                            InstantOf(deps_.clock.Monotonic()));
  look(situation.Context());
}

std::vector<scheduler::Refusal> Coordinator::Holdups() {
  using scheduler::Reason;
  std::vector<scheduler::Refusal> holdups;
  if (!planning()) holdups.push_back(Unprepared(deps_.cluster));
  const auto config = deps_.config.online();
  if (config->schedule.halt_scheduling) holdups.push_back({Reason::kHalted, {}, {}, 0, 0, {}});
  const bool by_rules = config->replication.enable_placement_rules;
  if (IsCheckerPaused(by_rules ? scheduler::CheckerKind::kRule
                               : scheduler::CheckerKind::kReplica)) {
    const char* const who = by_rules ? "the rule checker" : "the replica checker";
    holdups.push_back({Reason::kPaused, {}, {}, 0, 0, who});
  }
  const auto running = static_cast<double>(runner_.CountOf(scheduler::Kind::kReplica));
  const auto limit = static_cast<double>(config->schedule.replica_schedule_limit);
  if (running >= limit) holdups.push_back({Reason::kScheduleLimit, {}, {}, running, limit, {}});
  return holdups;
}

Coordinator::Removals Coordinator::RemovePeers(scheduler::StoreId store,
                                               const std::vector<scheduler::RegionId>& regions) {
  Removals removals;
  std::optional<Situation> situation;  // None when nothing is left to plan.
  for (const scheduler::RegionId id : regions) {
    const std::optional<scheduler::Region> region = deps_.cluster.regions().Find(id);
    if (!region || region->PeerOnStore(store) == nullptr) {
      ++removals.not_held;
      continue;
    }
    if (const auto last = runner_.Find(id); last && TakesOff(*last, store)) {
      ++removals.under_way;
      continue;
    }
    if (!situation) {
      situation.emplace(deps_.cluster, deps_.config, limits_, runner_,
                        InstantOf(deps_.clock.Monotonic()));
    }
    const Result<void> planned = PlanOn(situation->Context(), RemovePeerByHand(*region, store));
    if (planned) {
      ++removals.planned;
    } else if (++removals.refused == 1) {
      removals.first_refused = id;
      removals.first_error = planned.error().context;
    }
  }
  return removals;
}

Result<void> Coordinator::PlanOn(const scheduler::PlanContext& context, const ByHand& plan) {
  scheduler::Result<scheduler::Proposal> proposal = plan(context);
  if (!proposal) return Fail(ErrorCode::kInvalidArgument, proposal.error().context);
  if (auto refusal = admission_.Admit(std::move(*proposal), Admission::Origin::kPerson)) {
    decisions_.NoteAdmission(*refusal);
    return Fail(ErrorCode::kUnavailable, RefusalText(*refusal));
  }
  return {};
}

void Coordinator::Run() {
  Millis wait{0};
  while (Rest(wait)) wait = Step();
}

bool Coordinator::Rest(Millis wait) {
  bool leads = false;
  {
    const MutexLock lock(mutex_);
    if (!stopping_) wake_.WaitFor(mutex_, rest_);
    dozing_ = true;
    if (!stopping_ && !woken_ && wait > rest_) wake_.WaitFor(mutex_, wait - rest_);
    dozing_ = false;
    leads = term_ != 0;
  }
  if (!leads) {
    findings_.Clear();  // The last turn may have found something after it was cleared.
    Withdraw();
  }
  const MutexLock lock(mutex_);
  while (!stopping_ && term_ == 0) wake_.Wait(mutex_);
  return !stopping_;
}

void Coordinator::Wake() {
  // In this order: who is about to wait sees one or is seen.
  woken_ = true;
  if (!dozing_.exchange(false)) return;
  { const MutexLock lock(mutex_); }
  wake_.NotifyAll();
}

Millis Coordinator::Step() {
  woken_ = false;
  bool leads = false;
  bool new_lead = false;
  {
    const MutexLock lock(mutex_);
    leads = term_ != 0;
    new_lead = leads && planned_ != leads_;
    if (leads) planned_ = leads_;
  }
  if (!leads) {
    Withdraw();
    return kReadyPoll;
  }
  if (new_lead) Reset();
  return deps_.cluster.running() ? Turn(InstantOf(deps_.clock.Monotonic())) : kReadyPoll;
}

void Coordinator::Reset() {
  planning_ = false;
  Withdraw();
  patrol_.Clear();
  returned_data_.Clear();
  affinity_.Clear();
  decisions_.Clear();
  watched_.clear();
  watched_rules_.reset();
  outlook_.Clear();
  finished_moves_.Clear();
  moved_.Clear();
  scheduler_runner_.Clear();
  next_push_ = {};
  next_hold_ = {};
}

void Coordinator::NoteStandstill(const scheduler::Refusal& refusal) {
  decisions_.NoteStandstill(NamesOf(schedulers_.Running()), refusal);
}

Millis Coordinator::Turn(scheduler::Instant now) {
  if (!planning_) {
    if (!deps_.cluster.IsPrepared()) {
      NoteStandstill(Unprepared(deps_.cluster));
      return kReadyPoll;
    }
    LogInfo("enough regions and stores have reported, planning starts",
            {{"regions", deps_.cluster.regions().size()}});
    planning_ = true;
  }
  if (now >= next_push_) {
    runner_.Tick();
    deps_.cluster.stores().progress().NotePatrolRound(patrol_.last_round());
    Publish();
    next_push_ = now + kPushInterval;
  }
  finished_moves_.AddTo(moved_, now);
  const Situation situation(deps_.cluster, deps_.config, limits_, runner_, now, moved_,
                            &view_memory_);
  const scheduler::PlanContext context = situation.Context();
  const News news = Watch(situation, context);
  scheduler::Instant next = next_push_;
  if (situation.options.halt_scheduling) {
    NoteStandstill({scheduler::Reason::kHalted, {}, {}, 0, 0, {}});
  } else {
    decisions_.EndStandstill();
    next = std::min(next, Plan(context, news));
  }
  // At most half of this thread's time goes into planning. A clock that was put on meanwhile, as by a machine that
  // slept, puts nothing off.
  const scheduler::Instant done = InstantOf(deps_.clock.Monotonic());
  rest_ = std::clamp(done - now, kTurnMin, kPushInterval);
  return std::max(next - done, rest_);
}

Coordinator::News Coordinator::Watch(const Situation& situation,
                                     const scheduler::PlanContext& context) {
  const scheduler::Instant now = context.now;
  const bool rules_changed = WatchRules(situation.rules, now);
  WatchStores(context, now);
  affinity_.Turn(context);
  // A scheduler that comes or goes holds stores, or lets them go, at once.
  const uint64_t version = schedulers_.version();
  if (now >= next_hold_ || version != held_version_) {
    scheduler_runner_.HoldStores(context);
    held_version_ = version;
    next_hold_ = now + kHoldInterval;
  }
  const Outlook::Change change =
      outlook_.Look(context,
                    {situation.settings, situation.labels, situation.affinity_wishes,
                     schedulers_.wishes_version(), situation.options.region_bounds, rules_changed},
                    {situation.affinity, version});
  if (change == Outlook::Change::kNone) return News::kNone;
  patrol_.NoteNews();
  if (change == Outlook::Change::kFromOutside) moved_.Clear();  // A move back may be right.
  return News::kSome;
}

scheduler::Instant Coordinator::Plan(const scheduler::PlanContext& context, News news) {
  const scheduler::Instant now = context.now;
  admitted_in_turn_ = 0;
  CheckRegions(context, now);
  split_scatter_.Turn(context);
  using Freshness = SchedulerRunner::Freshness;
  const scheduler::Instant schedulers = scheduler_runner_.Turn(
      context, news, admitted_in_turn_ > 0 ? Freshness::kOvertaken : Freshness::kFresh);
  const Millis interval = context.options.patrol_region_interval;
  const scheduler::Instant splits = split_scatter_.waiting() > 0 ? now + interval : kNever;
  return std::min({patrol_.NextDue(now, interval), schedulers, splits});
}

void Coordinator::CheckRegions(const scheduler::PlanContext& context, scheduler::Instant now) {
  scheduler::CheckInput input;
  for (size_t i = 0; i < scheduler::kCheckerKindCount; ++i) {
    input.paused[i] = IsCheckerPaused(static_cast<scheduler::CheckerKind>(i));
  }
  for (const scheduler::Region& region :
       patrol_.Next(now, context.options.patrol_region_interval)) {
    CheckOne(context, region, input);
  }
}

void Coordinator::CheckOne(const scheduler::PlanContext& context, const scheduler::Region& region,
                           scheduler::CheckInput& input) {
  if (runner_.IsBusy(region.id)) {
    patrol_.NoteWaits();
    return;
  }
  input.replica_operators = runner_.CountOf(scheduler::Kind::kReplica);
  input.witness_operators = runner_.CountOf(scheduler::Kind::kWitness);
  input.merge_operators = runner_.CountOf(scheduler::Kind::kMerge);
  input.affinity_operators = runner_.CountOf(scheduler::Kind::kAffinity);
  input.data_returned = returned_data_.LastOf(region.id);
  scheduler::CheckResult result = CheckRegion(context, region, input);
  if (result.repair.missing_peers) {
    patrol_.NoteMissing(region.id, *result.repair.missing_peers, context.now);
  }
  if (result.finding) deps_.cluster.affinity().Take(*result.finding);
  const size_t admitted = admitted_in_turn_;
  bool again = false;
  bool waits = false;
  for (scheduler::Decision* decision : {&result.repair, &result.affinity, &result.merge}) {
    again |= FollowCheck(*decision);
    waits |= std::ranges::any_of(decision->refusals, scheduler::PassesWithTime);
  }
  if (admitted_in_turn_ > admitted) {
    patrol_.NoteWork();
  } else if (again || waits) {
    patrol_.NoteWaits();
  }
  if (again) patrol_.LookAgain(region.id, context.now);
}

bool Coordinator::FollowCheck(scheduler::Decision& decision) {
  if (decision.proposals.empty() && decision.refusals.empty()) return false;
  decisions_.NoteCheck(decision);
  for (const scheduler::Refusal& refusal : decision.refusals) {
    checker_events_.With({decision.checker, ReasonText(refusal.reason)}).Add(refusal.times);
  }
  bool again = decision.look_again_soon;
  for (scheduler::Proposal& proposal : decision.proposals) {
    checker_events_.With({decision.checker, "new-operator"}).Add();
    if (const auto refusal = admission_.Admit(std::move(proposal))) {
      decisions_.NoteAdmission(*refusal);
      again = true;
    } else {
      ++admitted_in_turn_;
    }
  }
  return again;
}

void Coordinator::WatchStores(const scheduler::PlanContext& context, scheduler::Instant now) {
  for (const scheduler::Store& store : context.view.stores()) {
    const bool down = store.DownTime(now) > context.options.max_store_down_time;
    const bool leaves = store.state == scheduler::StoreState::kOffline;
    const bool wanting = (down || leaves) && store.counts.regions() > 0;
    if (!wanting) {
      watched_.erase(store.id);
    } else if (watched_.insert(store.id).second) {
      PointOutStore(store.id, now);
    }
  }
}

void Coordinator::PointOutStore(scheduler::StoreId store, scheduler::Instant now) {
  using scheduler::HeldAs;
  size_t count = 0;
  for (const HeldAs held_as : {HeldAs::kLeader, HeldAs::kFollower, HeldAs::kLearner}) {
    deps_.cluster.regions().VisitStore(store, held_as, [&](const scheduler::Region& region) {
      patrol_.PointOut(region.id, now);
      return ++count < Patrol::kPointedOutMax;
    });
  }
  LogInfo("regions of a leaving or lost store are looked at first",
          {{"store-id", store.value}, {"regions", count}});
}

bool Coordinator::WatchRules(const PlacementRules::Book& rules, scheduler::Instant now) {
  const PlacementRules::Book before = std::exchange(watched_rules_, rules);
  if (before == nullptr || before == rules) return false;
  const std::vector<scheduler::KeyRange> changed = rules->ChangedSince(*before);
  if (changed.empty()) return false;
  size_t count = 0;
  for (const scheduler::KeyRange& range : changed) {
    if (count >= Patrol::kPointedOutMax) break;  // The walk finds the others.
    deps_.cluster.regions().Visit(range, [&](const scheduler::Region& region) {
      patrol_.PointOut(region.id, now);
      return ++count < Patrol::kPointedOutMax;
    });
  }
  LogInfo("regions under changed placement rules are looked at first", {{"regions", count}});
  return true;
}

size_t Coordinator::PointOut(const scheduler::KeyRange& range, size_t count_max) {
  if (count_max == 0) return 0;
  const scheduler::Instant now = InstantOf(deps_.clock.Monotonic());
  size_t count = 0;
  deps_.cluster.regions().Visit(range, [&](const scheduler::Region& region) {
    patrol_.PointOut(region.id, now);
    return ++count < count_max;
  });
  Wake();
  return count;
}

void Coordinator::Publish() {
  published_ = true;
  GaugeFamily& lists = RegionLists(deps_.metrics);
  lists.With({"pending_processed_regions"}).Set(static_cast<double>(patrol_.pointed_out()));
  lists.With({"priority_list"}).Set(static_cast<double>(patrol_.endangered()));
  ScatterPending(deps_.metrics).Only().Set(static_cast<double>(split_scatter_.waiting()));
  PatrolTime(deps_.metrics).Only().Set(std::chrono::duration<double>(patrol_.last_round()).count());
  PublishSchedulers(deps_.metrics, schedulers_,
                    [this](scheduler::StoreId id) { return deps_.cluster.stores().AddressOf(id); });
}

void Coordinator::Withdraw() {
  if (!std::exchange(published_, false)) return;
  for (GaugeFamily* family :
       {&RegionLists(deps_.metrics), &ScatterPending(deps_.metrics), &PatrolTime(deps_.metrics)}) {
    family->Replace({});
  }
  WithdrawSchedulers(deps_.metrics);
  WithdrawHotRuns(deps_.metrics);
}

}  // namespace pd
