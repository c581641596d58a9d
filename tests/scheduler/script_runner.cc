#include "tests/scheduler/script_runner.h"

#include <sstream>

#include <catch2/catch.hpp>

#include "scheduler/operator/builder.h"
#include "scheduler/operator/command.h"
#include "tests/scheduler/script_words.h"

namespace scheduler::test {
namespace {

RegionEpoch EpochOf(const std::string& text) {
  const std::vector<std::string> parts = Split(text, '/');
  return {std::stoull(parts.at(0)), std::stoull(parts.at(1))};
}

std::string EpochText(const RegionEpoch& epoch) {
  return std::to_string(epoch.conf_ver) + "/" + std::to_string(epoch.version);
}

Peer PeerOf(const std::string& text, RegionId region) {
  const uint64_t store = std::stoull(text);
  Peer peer{{region.value * 100 + store}, {store}, PeerRole::kVoter, false};
  if (text.find('l') != std::string::npos) peer.role = PeerRole::kLearner;
  if (text.find('i') != std::string::npos) peer.role = PeerRole::kIncomingVoter;
  if (text.find('d') != std::string::npos) peer.role = PeerRole::kDemotingVoter;
  peer.witness = text.find('w') != std::string::npos;
  return peer;
}

std::string CommandOf(const Operator& op, const Region& region) {
  const Step& step = op.plan().steps[op.current_step()];
  const auto command = CommandFor(step, region, ConfChange::kV2);
  return command ? std::string("send ") + CommandText(*command) : "send nothing";
}

}  // namespace

std::string ScriptRunner::Run(const std::vector<Line>& lines) {
  std::string out;
  for (const Line& line : lines) out += RunLine(line);
  return out;
}

std::string ScriptRunner::RunLine(const Line& line) {
  if (line.Has("now")) world_.SetNow(Seconds{1000 + line.Number("now")});
  if (line.verb == "store") return DoStore(line), "";
  if (line.verb == "region") return DoRegion(line), "";
  if (line.verb == "options") return DoOptions(line), "";
  if (line.verb == "label") return DoLabel(line), "";
  if (line.verb == "rule") return DoRule(line), "";
  if (line.verb == "group") return DoGroup(line), "";
  if (line.verb == "affinity") return DoAffinity(line), "";
  if (line.verb == "heard") return DoHeard(), "";
  if (line.verb == "hot") return DoHot(line), "";
  if (line.verb == "load") return DoLoad(line), "";
  if (line.verb == "bucket") return DoBucket(line), "";
  world_.Refresh();
  if (line.verb == "left") {
    DoLeft(line);
    return "";
  }
  if (line.verb == "look") return DoLook();
  if (line.verb == "census") return DoCensus(line);
  if (line.verb == "ask-split") return DoAskSplit(line);
  if (line.verb == "check") return DoCheck(line);
  if (line.verb == "leave") return DoLeave(line);
  if (line.verb == "schedule") return DoSchedule(line);
  if (line.verb == "job") return DoJob(line);
  if (line.verb == "build") return DoBuild(line);
  if (line.verb == "scatter") return DoScatter(line);
  if (line.verb == "split-scatter") return DoSplitScatter(line);
  if (line.verb == "start") return DoStart(line);
  if (line.verb == "heartbeat") return DoHeartbeat(line);
  if (line.verb == "show") return DoShow(line);
  FAIL("unknown verb " << line.verb);
  return {};
}

void ScriptRunner::DoStore(const Line& line) {
  const uint64_t id = std::stoull(line.Word(0));
  Store* found = world_.MutableStore(id);
  Store& store = found != nullptr ? *found : world_.AddStore(id);
  for (const std::string& word : line.words) {
    if (word == "busy") store.stats.busy = true;
    if (word == "stopping") store.stats.stopping = true;
    if (word == "no-leaders-in") store.pauses.leader_transfer_in = 1;
    if (word == "no-leaders-out") store.pauses.leader_transfer_out = 1;
    if (word == "never-seen") store.last_heartbeat.reset();
    if (word == "unheard") store.has_stats = false;
    if (word == "destroyed") store.physically_destroyed = true;
    if (word == "well") {
      const Store fresh = World().AddStore(id);
      store.stats = fresh.stats;
      store.pauses = fresh.pauses;
      store.has_stats = true;
      store.physically_destroyed = false;
      store.last_heartbeat = world_.now;
    }
  }
  if (line.Has("labels")) {
    store.labels.clear();
    for (const std::string& label : Split(line.Get("labels"), ',')) {
      const std::vector<std::string> parts = Split(label, ':');
      store.labels.push_back({parts.at(0), parts.at(1)});
    }
  }
  const std::string state = line.Get("state");
  if (state == "preparing") {
    store.node_state = NodeState::kPreparing;
  } else if (state == "removing") {
    store.state = StoreState::kOffline;
    store.node_state = NodeState::kRemoving;
  } else if (state == "tombstone") {
    store.state = StoreState::kTombstone;
    store.node_state = NodeState::kRemoved;
  } else if (state == "up") {
    store.state = StoreState::kUp;
    store.node_state = NodeState::kServing;
  }
  if (line.Has("silent")) store.last_heartbeat = world_.now - Seconds{line.Number("silent")};
  if (line.Has("leaders") || line.Has("regions")) {
    StoreCounts counts;
    counts.leaders = static_cast<uint64_t>(line.Number("leaders"));
    counts.followers = static_cast<uint64_t>(line.Number("regions")) - counts.leaders;
    if (!line.Has("regions")) counts.followers = 0;
    counts.leader_size_mib = 96 * counts.leaders;
    counts.follower_size_mib = 96 * counts.followers;
    world_.SetCounts(id, counts);
  }
  if (line.Has("weight")) store.leader_weight = store.region_weight = std::stod(line.Get("weight"));
  if (line.Has("capacity")) {
    store.stats.capacity_bytes = static_cast<uint64_t>(line.Number("capacity")) << 30;
  }
  if (line.Has("available")) {
    store.stats.available_bytes = static_cast<uint64_t>(line.Number("available")) << 30;
    store.smoothed_available_bytes = static_cast<double>(store.stats.available_bytes);
  }
  if (line.Has("used")) {
    store.stats.used_bytes = static_cast<uint64_t>(line.Number("used")) << 30;
  }
  if (line.Has("snapshots")) {
    store.stats.receiving_snapshots = static_cast<uint32_t>(line.Number("snapshots"));
  }
  DoStoreSlowness(line, store);
  if (line.Has("add-room")) store.room.add_peer = line.Number("add-room");
  if (line.Has("remove-room")) store.room.remove_peer = line.Number("remove-room");
  if (line.Has("send-room")) store.room.send_snapshot.fill(line.Number("send-room"));
}

void ScriptRunner::DoStoreSlowness(const Line& line, Store& store) {
  StoreStats& stats = store.stats;
  if (line.Has("slow-score")) stats.slow_score = static_cast<uint64_t>(line.Number("slow-score"));
  if (line.Has("network")) {
    stats.network_slow_scores.clear();
    for (const std::string& score : Split(line.Get("network"), ',')) {
      const std::vector<std::string> parts = Split(score, ':');
      stats.network_slow_scores[std::stoull(parts.at(0))] = std::stoull(parts.at(1));
    }
  }
  if (line.Has("network-heartbeats")) {
    store.network_slow_heartbeats = static_cast<uint32_t>(line.Number("network-heartbeats"));
  }
  for (const auto& [name, value] : {std::pair{"cause", &stats.slow_trend_cause_value},
                                    std::pair{"cause-rate", &stats.slow_trend_cause_rate},
                                    std::pair{"result-rate", &stats.slow_trend_result_rate}}) {
    if (!line.Has(name)) continue;
    stats.has_slow_trend = true;
    *value = std::stod(line.Get(name));
  }
}

void ScriptRunner::DoRegion(const Line& line) {
  const RegionId id{line.Has("region") ? static_cast<uint64_t>(line.Number("region"))
                                       : std::stoull(line.Word(0))};
  Region region = world_.FindRegion(id).value_or(Region{});
  region.id = id;
  region.source = RegionSource::kHeartbeat;
  if (line.Has("range")) {
    const std::vector<std::string> keys = Split(line.Get("range") + ",", ',');
    region.start_key = keys.at(0);
    region.end_key = keys.size() > 1 ? keys.at(1) : "";
  }
  if (line.Has("epoch")) region.epoch = EpochOf(line.Get("epoch"));
  if (line.Has("keys")) region.keys = static_cast<uint64_t>(line.Number("keys"));
  if (line.Has("size")) region.size_mib = static_cast<uint64_t>(line.Number("size"));
  if (line.Has("buckets")) {
    region.buckets.version = 1;
    region.buckets.keys = Split(line.Get("buckets"), ',');
  }
  if (line.Has("peers")) {
    region.peers.clear();
    region.leader = {};
    for (const std::string& text : Split(line.Get("peers"), ',')) {
      region.peers.push_back(PeerOf(text, id));
      if (text.find('*') != std::string::npos) region.leader = region.peers.back();
    }
  }
  if (line.Has("merged")) world_.merges[id] = Instant{Seconds{1000 + line.Number("merged")}};
  if (line.Has("split")) world_.splits[id] = Instant{Seconds{1000 + line.Number("split")}};
  world_.hot.erase(id);
  world_.busy.erase(id);
  for (const std::string& word : line.words) {
    if (word == "hot") world_.hot.insert(id);
    if (word == "busy") world_.busy.insert(id);
  }
  region.pending_peers.clear();
  region.down_peers.clear();
  for (const std::string& store : Split(line.Get("pending"), ',')) {
    region.pending_peers.push_back(*region.PeerOnStore({std::stoull(store)}));
  }
  for (const std::string& store : Split(line.Get("down"), ',')) {
    region.down_peers.push_back({*region.PeerOnStore({std::stoull(store)}), 3600});
  }
  world_.PutRegion(region);
}

void ScriptRunner::DoOptions(const Line& line) {
  ScheduleOptions& options = world_.options;
  if (line.Has("joint")) options.enable_joint_consensus = line.Get("joint") == "on";
  if (line.Has("labels")) options.location_labels = Split(line.Get("labels"), ',');
  if (line.Has("affinity")) {
    options.affinity_schedule_limit = static_cast<uint64_t>(line.Number("affinity"));
  }
  if (line.Has("rules")) options.enable_placement_rules = line.Get("rules") == "on";
  if (line.Has("isolation")) options.isolation_level = line.Get("isolation");
  if (line.Has("witness")) options.enable_witness = line.Get("witness") == "on";
  if (line.Has("replicas")) options.max_replicas = static_cast<uint64_t>(line.Number("replicas"));
  if (line.Has("tolerance")) options.tolerant_size_ratio = std::stod(line.Get("tolerance"));
  if (line.Has("one-way-merge")) options.enable_one_way_merge = line.Get("one-way-merge") == "on";
  if (line.Has("merge-within-table")) {
    options.merge_within_table = line.Get("merge-within-table") == "on";
  }
  if (line.Has("affinity-merge-size")) {
    options.max_affinity_merge_region_size_mib =
        static_cast<uint64_t>(line.Number("affinity-merge-size"));
  }
  if (line.Has("raft-kv2")) options.stores_run_raft_kv2 = line.Get("raft-kv2") == "on";
  if (line.Has("leader-limit")) {
    options.leader_schedule_limit = static_cast<uint64_t>(line.Number("leader-limit"));
  }
  if (line.Has("merges")) {
    options.merge_schedule_limit = static_cast<uint64_t>(line.Number("merges"));
  }
  if (line.Has("merge-size")) {
    options.max_merge_region_size_mib = static_cast<uint64_t>(line.Number("merge-size"));
  }
  if (line.Has("known-since")) {
    world_.known_since = Instant{Seconds{1000 + line.Number("known-since")}};
  }
  for (const auto& [name, setting] :
       {std::pair{"remove-down", &options.enable_remove_down_replica},
        std::pair{"replace-offline", &options.enable_replace_offline_replica},
        std::pair{"make-up", &options.enable_make_up_replica},
        std::pair{"remove-extra", &options.enable_remove_extra_replica},
        std::pair{"location", &options.enable_location_replacement}}) {
    if (line.Has(name)) *setting = line.Get(name) == "on";
  }
  if (line.Has("buckets")) options.stores_have_buckets = line.Get("buckets") == "on";
  if (line.Has("queries")) options.stores_count_queries = line.Get("queries") == "on";
  if (line.Has("cpu")) options.stores_measure_read_cpu = line.Get("cpu") == "on";
  if (line.Has("max-movable")) {
    options.max_movable_hot_peer_size_mib = static_cast<uint64_t>(line.Number("max-movable"));
  }
  if (line.Has("average-size")) {
    world_.SetAverageSize(static_cast<uint64_t>(line.Number("average-size")));
  }
  if (line.Has("reject-leader")) {
    const std::vector<std::string> parts = Split(line.Get("reject-leader"), ':');
    options.reject_leader_labels = {{parts.at(0), parts.at(1)}};
  }
  rules_.rules[{kDefaultRuleGroup, kDefaultRuleId}] =
      DefaultRule(options.max_replicas, options.location_labels, options.isolation_level);
  MakeRules();
}

void ScriptRunner::MakeRules() {
  if (rules_.rules.empty()) {
    rules_.rules[{kDefaultRuleGroup, kDefaultRuleId}] = DefaultRule(3, {}, "");
  }
  auto book = RuleBook::Make(rules_);
  INFO((book ? "" : book.error().context));
  REQUIRE(book.has_value());
  world_.rules = *std::move(book);
}

void ScriptRunner::DoRule(const Line& line) {
  if (rules_.rules.empty()) MakeRules();
  const std::vector<std::string> names = Split(line.Word(0), '/');
  Rule rule;
  rule.group_id = names.at(0);
  rule.id = names.at(1);
  rule.count = static_cast<uint64_t>(line.Number("count"));
  rule.index = line.Number("index");
  for (const std::string& word : line.words) {
    if (word == "override") rule.overrides = true;
    if (word == "witness") rule.witness = true;
  }
  const std::string role = line.Get("role");
  if (role == "leader") rule.role = RuleRole::kLeader;
  if (role == "follower") rule.role = RuleRole::kFollower;
  if (role == "learner") rule.role = RuleRole::kLearner;
  if (line.Has("range")) {
    const std::vector<std::string> keys = Split(line.Get("range") + ",", ',');
    rule.range = {keys.at(0), keys.size() > 1 ? keys.at(1) : ""};
  }
  rule.location_labels = Split(line.Get("labels"), ',');
  for (const auto& [name, op] :
       {std::pair{"in", ConstraintOp::kIn}, std::pair{"not-in", ConstraintOp::kNotIn},
        std::pair{"exists", ConstraintOp::kExists},
        std::pair{"not-exists", ConstraintOp::kNotExists}}) {
    if (!line.Has(name)) continue;
    const std::vector<std::string> parts = Split(line.Get(name), ':');
    rule.constraints.push_back(
        {parts.at(0), op, parts.size() > 1 ? Split(parts.at(1), '|') : std::vector<std::string>()});
  }
  if (line.words.back() == "gone") {
    rules_.rules.erase({names.at(0), names.at(1)});
  } else {
    rules_.rules[{names.at(0), names.at(1)}] = rule;
  }
  MakeRules();
}

void ScriptRunner::DoGroup(const Line& line) {
  const std::string& id = line.Word(0);
  rules_.groups[id] = {id, line.Number("index"), line.words.back() == "override"};
  MakeRules();
}

void ScriptRunner::DoLabel(const Line& line) {
  RegionLabelBook::Rules rules = world_.labels.rules();
  LabelRule rule;
  rule.id = line.Word(0);
  rules.erase(rule.id);
  if (line.Has("range")) {
    const std::vector<std::string> keys = Split(line.Get("range") + ",", ',');
    rule.ranges.push_back({{keys.at(0), keys.size() > 1 ? keys.at(1) : ""}, "", ""});
    const std::vector<std::string> label = Split(line.Get("set"), ':');
    rule.labels.push_back({.key = label.at(0), .value = label.at(1), .ttl = "", .start_at = ""});
    if (line.Has("ttl")) {
      rule.labels.back().expires_unix_ns = world_.unix_ns + line.Number("ttl") * 1'000'000'000;
    }
    rules[rule.id] = rule;
  }
  world_.labels = RegionLabelBook(std::move(rules));
}

Region ScriptRunner::RegionOf(const Line& line) const {
  const auto region = world_.FindRegion({static_cast<uint64_t>(line.Number("region"))});
  INFO("region " << line.Get("region"));
  REQUIRE(region.has_value());
  return *region;
}

std::string ScriptRunner::Show(const Decision& decision) {
  std::string out;
  for (const Proposal& proposal : decision.proposals) {
    out += "propose " + proposal.desc + " {" + proposal.brief +
           "} region=" + std::to_string(proposal.region.value) +
           " epoch=" + EpochText(proposal.epoch) + " kind=" + KindText(proposal.kind) +
           " priority=" + PriorityText(proposal.priority);
    if (!proposal.why.empty()) out += " why: " + proposal.why;
    out += '\n';
    for (const Step& step : proposal.steps) out += "  " + StepText(step) + '\n';
    proposals_.insert_or_assign(proposal.region, proposal);
  }
  for (const Refusal& refusal : decision.refusals) out += "skip " + RefusalText(refusal) + '\n';
  if (decision.look_again_soon) out += "look again soon\n";
  return out.empty() ? "nothing to do\n" : out;
}

std::string ScriptRunner::DoCheck(const Line& line) {
  CheckInput input;
  input.replica_operators = static_cast<uint64_t>(line.Number("running"));
  input.witness_operators = static_cast<uint64_t>(line.Number("witness-running"));
  input.merge_operators = static_cast<uint64_t>(line.Number("merges-running"));
  if (line.Has("data-returned")) {
    input.data_returned = world_.now - Seconds{line.Number("data-returned")};
  }
  if (line.Has("paused")) {
    const auto kind = CheckerByName(line.Get("paused"));
    REQUIRE(kind.has_value());
    input.paused[static_cast<size_t>(*kind)] = true;
  }
  input.affinity_operators = static_cast<uint64_t>(line.Number("affinity-running"));
  CheckResult result = CheckRegion(world_.Context(), RegionOf(line), input);
  Decision all = std::move(result.repair);
  for (const Decision* more : {&result.affinity, &result.merge}) {
    for (const Proposal& proposal : more->proposals) all.proposals.push_back(proposal);
    for (const Refusal& refusal : more->refusals) all.Refuse(refusal);
  }
  std::string out =
      all.proposals.empty() && all.refusals.empty() && result.finding ? "" : Show(all);
  if (all.missing_peers.value_or(0) > 0) {
    out += "missing peers: " + std::to_string(*all.missing_peers) + '\n';
  }
  return result.finding ? out + ShowFinding(*result.finding) : out;
}

std::string ScriptRunner::DoLeave(const Line& line) {
  const StoreId store{static_cast<uint64_t>(line.Number("store"))};
  const Departure departure = ExplainDeparture(world_.Context(), RegionOf(line), store);
  std::string text = DepartureText(departure.state);
  if (departure.cause) text += ": " + RefusalText(*departure.cause);
  if (departure.rule != nullptr)
    text += " rule=" + departure.rule->group_id + "/" + departure.rule->id;
  text += '\n';
  for (const Refusal& refusal : departure.passed_over) text += "  " + RefusalText(refusal) + '\n';
  return text;
}

std::string ScriptRunner::DoBuild(const Line& line) {
  const Region region = RegionOf(line);
  const PlanContext context = world_.Context();
  Builder builder(context, line.Word(0), region);
  const auto each = [&](const char* name, auto change) {
    for (const std::string& text : Split(line.Get(name), ',')) change(text);
  };
  std::map<StoreId, Peer> exactly;
  each("peers", [&](const std::string& text) {
    Peer peer = PeerOf(text, region.id);
    peer.id = {};
    exactly[peer.store] = peer;
  });
  if (!exactly.empty()) builder.SetPeers(exactly);
  each("remove", [&](const std::string& text) { builder.RemovePeer({std::stoull(text)}); });
  each("add", [&](const std::string& text) {
    Peer peer = PeerOf(text, region.id);
    peer.id = {};
    builder.AddPeer(peer);
  });
  each("promote", [&](const std::string& text) { builder.PromoteLearner({std::stoull(text)}); });
  each("demote", [&](const std::string& text) { builder.DemoteVoter({std::stoull(text)}); });
  each("leader", [&](const std::string& text) { builder.SetLeader({std::stoull(text)}); });
  Result<Proposal> built = builder.Build(Kind::kNone);
  if (!built) return "error: " + built.error().context + '\n';
  Decision decision;
  decision.proposals.push_back(std::move(*built));
  return Show(decision);
}

std::string ScriptRunner::DoStart(const Line& line) {
  const RegionId id{static_cast<uint64_t>(line.Number("region"))};
  const auto proposal = proposals_.find(id);
  REQUIRE(proposal != proposals_.end());
  Operator op(proposal->second, world_.now);
  for (const StoreId store : proposal->second.NewPeerStores()) {
    op.FillPeerId(store, {id.value * 100 + store.value});
  }
  REQUIRE(op.Start(world_.now));
  const std::string command = CommandOf(op, RegionOf(line));
  operators_.insert_or_assign(id, std::move(op));
  return "started; " + command + '\n';
}

std::string ScriptRunner::DoHeartbeat(const Line& line) {
  DoRegion(line);
  world_.Refresh();
  const Region region = RegionOf(line);
  const auto found = operators_.find(region.id);
  if (found == operators_.end()) return "no operator\n";
  Operator& op = found->second;
  const size_t before = op.current_step();
  const AdvanceResult result = Advance(op, region, world_.now);
  std::string out = ShowOperator(op, before);
  if (result != AdvanceResult::kSend) return out + '\n';
  const CancelReason reason = CheckStale(op, region, [&](StoreId id) {
    const Store* store = world_.FindStore(id);
    return store != nullptr && store->DownTime(world_.now) <= world_.options.max_store_down_time;
  });
  if (reason == CancelReason::kNone) return out + "; " + CommandOf(op, region) + '\n';
  REQUIRE(op.Cancel(reason, world_.now));
  return out + "; canceled: " + CancelReasonText(reason) + '\n';
}

std::string ScriptRunner::ShowOperator(const Operator& op, size_t step_before) const {
  std::string out = "operator " + op.plan().desc +
                    " region=" + std::to_string(op.plan().region.value) + ": step " +
                    std::to_string(op.current_step()) + "/" +
                    std::to_string(op.plan().steps.size()) + " done";
  if (op.current_step() == step_before) out += ", no change";
  const auto age = std::chrono::duration_cast<Seconds>(world_.now - *op.started_at());
  return out + " after " + std::to_string(age.count()) + "s; " + StatusText(op.status());
}

std::string ScriptRunner::DoShow(const Line& line) {
  if (line.Has("group")) return ShowGroup(line);
  if (line.Has("range")) return CountsText(CountRange(line));
  std::ostringstream out;
  if (line.Has("store")) {
    const Store* store = world_.FindStore({static_cast<uint64_t>(line.Number("store"))});
    REQUIRE(store != nullptr);
    const PlanContext context = world_.Context();
    out << "leader-score=" << NumberText(context.LeaderScore(*store, 0))
        << " region-score=" << NumberText(context.RegionScore(*store, line.Number("delta")))
        << '\n';
    return out.str();
  }
  const Region region = RegionOf(line);
  const Proposal& proposal = proposals_.at(region.id);
  out << "timeout=" << proposal.Timeout().count() / 1000 << "s\n";
  const Influence influence = proposal.TotalInfluence(region);
  for (const auto& [store, delta] : influence.stores()) {
    out << "store=" << store.value << " regions=" << delta.region_count
        << " size=" << delta.region_size_mib << " leaders=" << delta.leader_count
        << " add-cost=" << delta.CostOf(LimitType::kAddPeer)
        << " remove-cost=" << delta.CostOf(LimitType::kRemovePeer)
        << " send-cost=" << delta.CostOf(LimitType::kSendSnapshot) << '\n';
  }
  return out.str();
}

}  // namespace scheduler::test
