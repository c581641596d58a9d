#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "pd/cluster/store_progress.h"
#include "pd/members/members.h"
#include "scheduler/model/store.h"

namespace api {

/// One picture of the cluster, as the dashboard shows it each second. Plain values; all ages and
/// durations were taken at one moment.
struct DashboardMember {
  pd::MemberDetail detail;
  bool leader = false;
  std::optional<bool> healthy;  // None: not asked yet.
};

struct DashboardStore {
  scheduler::Store store;
  std::string state;  // Up, Disconnected, Down, Offline, Tombstone.
  double leader_score = 0;
  double region_score = 0;
  std::optional<int64_t> heartbeat_age_ms;
  bool low_space = false;
  std::optional<pd::StoreProgress::Report> progress;  // Of a store that leaves or is new.
};

struct DashboardOperator {
  uint64_t region_id = 0;
  std::string desc;
  std::string brief;
  std::vector<std::string> kinds;
  std::string priority;
  std::string status;  // created, started, success, canceled, replaced, expired, timeout.
  std::string why;
  std::vector<std::string> steps;
  size_t current_step = 0;
  uint64_t size_mib = 0;
  int64_t age_ms = 0;  // Of a finished one: how long it took.
  int64_t timeout_ms = 0;
  std::optional<int64_t> ended_ms_ago;
  std::string cancel_reason;
};

/// One kind of refusal that planning met lately, with the words of the latest one.
struct DashboardRefusal {
  std::string source;
  std::string reason;
  std::string text;
  uint64_t count = 0;
};

struct DashboardOperators {
  std::vector<DashboardOperator> running;  // At most kListed, oldest first.
  uint64_t running_count = 0;
  std::vector<DashboardOperator> finished;  // At most kListed, newest first.
  uint64_t finished_total = 0;              // Since this member leads.
  std::vector<DashboardRefusal> refusals;

  static constexpr size_t kListed = 30;
};

/// One reason of a scheduler's latest run, for one store or for none in particular.
struct DashboardSchedulerRefusal {
  std::string reason;
  std::optional<uint64_t> store_id;
  std::string text;
  std::string remedy;  // Empty where there is none.
  uint64_t times = 0;
};

struct DashboardScheduler {
  struct Proposed {
    int64_t ms_ago = 0;
    uint64_t region_id = 0;
    std::string brief;
    std::string why;
  };

  std::string name;
  std::string status;               // running, limit, paused, waiting, halted, disabled.
  std::vector<uint64_t> store_ids;  // Those it was made for; empty: it looks at all.
  std::optional<int64_t> resumes_in_ms;
  std::string kind;  // Of the operators that it counts against.
  uint64_t running = 0;
  std::optional<uint64_t> limit;      // None: any number.
  std::optional<int64_t> ran_ms_ago;  // None: not since this member leads.
  uint64_t proposed_latest = 0;
  uint64_t proposed_total = 0;  // Since this member leads.
  std::optional<Proposed> proposed_last;
  std::vector<DashboardSchedulerRefusal> refusals;  // At most kListed of each reason.
  uint64_t refusals_total = 0;

  static constexpr size_t kListed = 8;
};

/// A second.
struct DashboardRates {
  double bytes = 0;
  double keys = 0;
  double queries = 0;

  friend bool operator==(const DashboardRates&, const DashboardRates&) = default;
};

/// What a store bore between its last two heartbeats.
struct DashboardStoreLoad {
  uint64_t store_id = 0;
  DashboardRates read;
  DashboardRates write;
};

struct DashboardHotPeer {
  uint64_t region_id = 0;
  uint64_t store_id = 0;
  std::string role;  // leader, follower, learner.
  int64_t degree = 0;
  DashboardRates rates;
};

/// Hot peers of one kind: the first kListed by each of the rates, so at most three times as many.
struct DashboardHotPeers {
  std::vector<DashboardHotPeer> hottest;
  uint64_t total = 0;

  static constexpr size_t kListed = 10;
};

struct DashboardHot {
  struct Peers {
    DashboardHotPeers read_peers;
    DashboardHotPeers read_leaders;
    DashboardHotPeers write_peers;
    DashboardHotPeers write_leaders;
  };

  std::vector<DashboardStoreLoad> stores;  // Only those that are heard.
  Peers peers;
};

struct DashboardSnapshot {
  int64_t time_ms = 0;  // Unix.
  uint64_t cluster_id = 0;
  std::string name;    // Of the member that answers.
  bool leads = false;  // Else stores, regions and operators are empty.
  bool bootstrapped = false;
  std::optional<pd::Member> leader;
  std::vector<DashboardMember> members;
  std::vector<DashboardStore> stores;
  uint64_t region_count = 0;
  uint64_t region_size_mib = 0;
  uint64_t regions_reported = 0;
  DashboardOperators operators;
  std::vector<DashboardScheduler> schedulers;
  DashboardHot hot;
};

/// What is remembered of one second, for the charts of a page that opens later.
struct DashboardSample {
  struct StoreFigures {
    uint64_t id = 0;
    uint64_t leaders = 0;
    uint64_t regions = 0;
    uint64_t used_bytes = 0;
    uint64_t read_bytes_per_s = 0;
    uint64_t write_bytes_per_s = 0;
  };
  int64_t time_ms = 0;
  std::vector<StoreFigures> stores;
  uint64_t running = 0;
  uint64_t finished_total = 0;
};

}  // namespace api
