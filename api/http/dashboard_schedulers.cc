#include "api/http/dashboard_schedulers.h"

#include <algorithm>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "pd/dispatch/refusal_words.h"
#include "pd/dispatch/remedy_words.h"
#include "pd/dispatch/schedule_options.h"

namespace api {
namespace {

using Entry = pd::SchedulerTable::Entry;
using scheduler::Reason;
using scheduler::Refusal;

constexpr int64_t kNsPerMs = 1'000'000;
constexpr int64_t kMsPerS = 1000;

int64_t AgeMs(int64_t then_ns, int64_t now_ns) {
  return std::max<int64_t>(0, now_ns - then_ns) / kNsPerMs;
}

/// What keeps a scheduler from running at all: a status, and the refusal that says it.
struct Holdup {
  const char* status = "";
  Refusal refusal;
};

/// One state of the server for all schedulers.
class Reader {
 public:
  explicit Reader(pd::Coordinator& coordinator)
      : coordinator_(coordinator),
        config_(coordinator.config().online()),
        options_(pd::MakeScheduleOptions(*config_, coordinator.cluster().store_config())),
        now_ns_(coordinator.clock().UnixNanos()) {
    if (!coordinator.planning()) unprepared_ = coordinator.cluster().RefuseUnprepared();
    for (pd::DecisionLog::Source& source : coordinator.decisions().All()) {
      std::string name = source.name;
      sources_.emplace(std::move(name), std::move(source));
    }
  }

  [[nodiscard]] DashboardScheduler Read(const Entry& entry) const;

 private:
  [[nodiscard]] std::optional<Holdup> HoldupOf(const Entry& entry,
                                               const DashboardScheduler& row) const;
  void Tell(const pd::DecisionLog::Source& source, DashboardScheduler& row) const;

  pd::Coordinator& coordinator_;
  const std::shared_ptr<const pd::OnlineConfig> config_;
  const scheduler::ScheduleOptions options_;
  const int64_t now_ns_;
  std::optional<Refusal> unprepared_;
  std::map<std::string, pd::DecisionLog::Source, std::less<>> sources_;
};

/// The stores that a scheduler was made for.
struct StoresOf {
  using Ids = std::vector<uint64_t>;

  Ids operator()(const scheduler::EvictLeaderConfig& config) const { return KeysOf(config.stores); }
  Ids operator()(const scheduler::GrantLeaderConfig& config) const { return KeysOf(config.stores); }
  Ids operator()(const scheduler::GrantHotRegionConfig& config) const {
    Ids ids{config.leader_store.value};
    for (const scheduler::StoreId store : config.stores) ids.push_back(store.value);
    return ids;
  }
  template <class Other>
  Ids operator()(const Other&) const {
    return {};
  }

 private:
  static Ids KeysOf(const scheduler::StoreRanges& stores) {
    Ids ids;
    for (const auto& entry : stores) ids.push_back(entry.first.value);
    return ids;
  }
};

void Add(const Refusal& refusal, const scheduler::SchedulerType& type, DashboardScheduler& row) {
  DashboardSchedulerRefusal& line = row.refusals.emplace_back();
  line.reason = scheduler::ReasonText(refusal.reason);
  if (refusal.store) line.store_id = refusal.store.value;
  line.text = pd::RefusalWords(refusal);
  line.remedy = pd::SchedulerRemedyWords(refusal, type);
  line.times = refusal.times;
}

DashboardScheduler Reader::Read(const Entry& entry) const {
  DashboardScheduler row;
  row.name = entry.name;
  row.store_ids = std::visit(StoresOf{}, entry.config);
  const scheduler::Kind kind = entry.type->limit_kind;
  row.kind = scheduler::KindText(kind);
  row.running = coordinator_.operators().CountOf(kind);
  const uint64_t limit = scheduler::ScheduleLimit(options_, kind);
  if (limit != std::numeric_limits<uint64_t>::max()) row.limit = limit;
  if (coordinator_.schedulers().IsPaused(entry)) {
    row.resumes_in_ms =
        std::max<int64_t>(0, *entry.resume_at_unix_s * kMsPerS - now_ns_ / kNsPerMs);
  }
  const auto source = sources_.find(row.name);
  if (source != sources_.end()) Tell(source->second, row);

  if (entry.disabled) {
    row.status = "disabled";
  } else if (const auto holdup = HoldupOf(entry, row)) {
    row.status = holdup->status;
    row.proposed_latest = 0;
    row.refusals_total = 1;
    Add(holdup->refusal, *entry.type, row);
  } else {
    row.status = "running";
    if (source == sources_.end()) return row;
    std::map<Reason, size_t> listed;
    row.refusals_total = source->second.lines.size();
    for (const pd::DecisionLog::Line& line : source->second.lines) {
      if (++listed[line.refusal.reason] > DashboardScheduler::kListed) continue;
      Add(line.refusal, *entry.type, row);
    }
  }
  return row;
}

std::optional<Holdup> Reader::HoldupOf(const Entry& entry, const DashboardScheduler& row) const {
  if (unprepared_) return Holdup{"waiting", *unprepared_};
  if (options_.halt_scheduling) return Holdup{"halted", {Reason::kHalted, {}, {}, 0, 0, {}}};
  if (coordinator_.schedulers().IsPaused(entry)) {
    return Holdup{"paused", {Reason::kPaused, {}, {}, 0, 0, {}}};
  }
  if (!row.limit || row.running < *row.limit) return {};
  return Holdup{"limit",
                {Reason::kScheduleLimit,
                 {},
                 {},
                 static_cast<double>(row.running),
                 static_cast<double>(*row.limit),
                 {}}};
}

void Reader::Tell(const pd::DecisionLog::Source& source, DashboardScheduler& row) const {
  if (source.runs > 0) row.ran_ms_ago = AgeMs(source.unix_ns, now_ns_);
  row.proposed_latest = source.proposals_latest;
  row.proposed_total = source.proposals;
  if (!source.proposed_last) return;
  const pd::DecisionLog::Proposed& last = *source.proposed_last;
  row.proposed_last = {AgeMs(last.unix_ns, now_ns_), last.region.value, last.brief, last.why};
}

}  // namespace

std::vector<DashboardScheduler> ReadSchedulers(pd::Coordinator& coordinator) {
  std::vector<DashboardScheduler> schedulers;
  if (!coordinator.cluster().running()) return schedulers;
  const Reader reader(coordinator);
  for (const Entry& entry : coordinator.schedulers().All()) {
    schedulers.push_back(reader.Read(entry));
  }
  return schedulers;
}

}  // namespace api
