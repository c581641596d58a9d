#pragma once

#include <map>
#include <string>
#include <vector>

#include "scheduler/affinity/census.h"
#include "scheduler/affinity/group_health.h"
#include "scheduler/checkers/checkers.h"
#include "scheduler/checkers/departure.h"
#include "scheduler/rules/rule_book.h"
#include "scheduler/scatter/scatter.h"
#include "scheduler/scatter/split_scatter.h"
#include "scheduler/schedulers/registry.h"
#include "tests/pd/script.h"
#include "tests/scheduler/world.h"

namespace scheduler::test {

/// "store=1 peers=3 leaders=1", a line for each store that has peers.
std::string CountsText(const ScatterCounts& counts);

/// The verbs of the planning scripts in testdata/:
///
///   store 1 leaders=12 labels=zone:z1 state=removing silent=40 ...   adds or changes a store
///   heard now=10                                                     every store has spoken just now
///   region 7 peers=1*,2,3l range=a,m epoch=5/2 size=96 pending=3     puts a region; * leads, l learner,
///                                                                    i incoming voter, d demoting voter, w witness;
///                                                                    split=900 when it was split, hot, busy
///   options joint=off labels=zone,host replicas=3 ...                changes settings
///   check region=7                                                   runs the checkers
///   leave region=7 store=3                                           says whether its peer can leave a store
///   schedule balance-leader seed=1                                   runs a scheduler, keeps what it found; `forget`:
///                                                                    without what it remembers of earlier runs
///   job add=ALIAS rule=peer-scatter range=a,m                        a job of balance-range
///   left region=7 store=1                                            a scheduler took its peer from the store; with
///                                                                    `leader` the lead
///   build desc region=7 add=4 remove=3 leader=2                      runs the builder
///   scatter region=7 group=g                                         plans where a region of a group goes, records it
///   split-scatter region=7 range=a,m                                 plans where a part of a split for load goes
///   affinity G stores=1*,2,3 range=a,m                               an affinity group; `gone`: it goes
///   look                                                             looks at the stores of all affinity groups
///   census count=2                                                   counts regions of affinity groups, so many
///   ask-split region=7 reason=size                                   whether affinity refuses a store's split
///   start region=7 now=10                                            starts what was proposed for the region
///   hot region=7 write=BYTES,KEYS,QUERIES read=BYTES,KEYS,QUERIES,CPU from=2
///                                                                    what is written to each peer of a region, and
///                                                                    read from its leader, or from one store, in a
///                                                                    second; leader-moved=900 when it last did
///   load store=1 read=... write=...                                  what the store has beside that
///   bucket region=7 range=a,c read=... write=...                     a hot bucket; `bucket region=7 gone`: all go
///   heartbeat region=7 peers=... now=11                              puts the region and advances its operator
///   show region=7, show store=1, show group=g, show range=a,m        shows timeouts and influence, scores, counts
///
/// Times are seconds. Peer ids are region * 100 + store.
class ScriptRunner {
 public:
  std::string Run(const std::vector<pd::test::ScriptLine>& lines);

 private:
  using Line = pd::test::ScriptLine;

  std::string RunLine(const Line& line);
  void DoStore(const Line& line);
  /// slow-score=100 network=2:100,3:1 network-heartbeats=6 cause=5 cause-rate=1 result-rate=-1
  void DoStoreSlowness(const Line& line, Store& store);
  void DoRegion(const Line& line);
  void DoOptions(const Line& line);
  /// A placement rule: `rule GROUP/ID role=learner count=1 range=a,m index=2 labels=zone in=zone:z1|z2 not-in=...
  /// exists=key not-exists=key override witness`; with `gone` it goes.
  void DoRule(const Line& line);
  /// Its group: `group GROUP index=5 override`.
  void DoGroup(const Line& line);
  void MakeRules();
  /// A region label rule: `label RULE range=a,m set=key:value [ttl=SECONDS]`; without a range it goes.
  void DoLabel(const Line& line);
  void DoHeard();
  void DoHot(const Line& line);
  void DoLoad(const Line& line);
  void DoBucket(const Line& line);
  [[nodiscard]] static Load LoadOf(const std::string& text);
  /// The settings of balance-hot-region that a line names.
  static void SetHotRegion(const Line& line, HotRegionConfig& config);
  /// What a check finds of an affinity group is done at once.
  std::string DoCheck(const Line& line);
  std::string DoLeave(const Line& line);
  std::string DoSchedule(const Line& line);
  void DoLeft(const Line& line);
  /// The queue of balance-range: `job add=ALIAS rule=peer-scatter range=a,m engine=tiflash timeout=SECONDS`,
  /// `job cancel=ID`, or `job` to show it.
  std::string DoJob(const Line& line);
  std::string DoBuild(const Line& line);
  std::string DoScatter(const Line& line);
  std::string ShowGroup(const Line& line) const;
  /// What runs are the operators that the script has started.
  std::string DoSplitScatter(const Line& line);
  [[nodiscard]] ScatterCounts CountRange(const Line& line) const;
  std::string ShowPlan(ScatterPlan plan);
  void DoAffinity(const Line& line);
  std::string DoLook();
  std::string DoCensus(const Line& line);
  std::string DoAskSplit(const Line& line);
  std::string ShowFinding(const AffinityFinding& finding);
  std::string DoStart(const Line& line);
  std::string DoHeartbeat(const Line& line);
  std::string DoShow(const Line& line);
  std::string Show(const Decision& decision);
  std::string ShowOperator(const Operator& op, size_t step_before) const;
  [[nodiscard]] Region RegionOf(const Line& line) const;

  World world_;
  RuleSet rules_;
  std::map<RegionId, Proposal> proposals_;  // The last one for each region.
  std::map<RegionId, Operator> operators_;
  std::map<std::string, SchedulerMemory> memories_;
  std::map<std::string, SchedulerConfig> configs_;  // With what runs found.
  std::map<std::string, ScatterCounts> groups_;     // Of regions that were scattered.
  std::map<std::string, GroupHealth> health_;       // Of affinity groups.
  uint64_t assignments_ = 0;
  AffinityCensus census_;
};

}  // namespace scheduler::test
