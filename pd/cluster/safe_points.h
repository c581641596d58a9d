#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "pd/cluster/paths.h"
#include "pd/fsm/command.h"
#include "pd/meta/meta_store.h"
#include "pd/result.h"
#include "pd/runtime/clock.h"
#include "pd/runtime/mutex.h"

namespace pd {

/// How far old versions of data may be thrown away: the GC safe point g and the txn safe point t of the whole cluster,
/// and the barriers that hold t back (as in the reference). Invariants: g and t never fall; g <= t; t never passes a
/// barrier that has not expired, nor the oldest transaction that a SQL server has written down.
///
/// Everything lies in the replicated key space, nothing in memory; each change is one transaction that fails when
/// another came between. Leader only. Thread-safe; changes wait for Raft one after the other. Errors carry the
/// reference's texts.
class SafePoints {
 public:
  static constexpr int64_t kForever = std::numeric_limits<int64_t>::max();
  static constexpr const char* kGcWorker = "gc_worker";

  struct Barrier {
    std::string id;
    uint64_t ts = 0;
    int64_t expires_at_s = kForever;  // Unix seconds.

    friend bool operator==(const Barrier&, const Barrier&) = default;
  };
  struct State {
    uint64_t txn = 0;
    uint64_t gc = 0;
    std::vector<Barrier> barriers;  // Expired ones too; by id.
    std::vector<Barrier> global_barriers;
  };
  struct Advanced {
    uint64_t before = 0;
    uint64_t after = 0;
    std::string blocker;     // Described; empty when nothing held it back.
    std::string blocker_id;  // As a service id of the old interface.
  };

  SafePoints(MetaStore& meta, const Clock& clock, std::function<uint64_t()> cluster_id,
             std::function<uint64_t()> term)
      : meta_(meta), clock_(clock), cluster_id_(std::move(cluster_id)), term_(std::move(term)) {}

  [[nodiscard]] Result<State> Read() const;

  Result<Advanced> AdvanceTxn(uint64_t target);
  Result<Advanced> AdvanceGc(uint64_t target);
  /// Like AdvanceGc, but a smaller target is no error: the answer is then what stands.
  Result<uint64_t> RaiseGc(uint64_t target);

  /// Which set of barriers.
  enum class Scope : uint8_t { kCluster, kGlobal };
  Result<Barrier> SetBarrier(Scope scope, const std::string& id, uint64_t ts, int64_t ttl_s);
  /// The barrier deleted, or none.
  Result<std::optional<Barrier>> DeleteBarrier(Scope scope, const std::string& id);

  /// The old interface: a service names the oldest timestamp it needs, for `ttl_s`. The answer is what holds now: the
  /// caller is safe when its own value is not below it.
  struct Service {
    std::string id;
    uint64_t safe_point = 0;
  };
  Result<Service> UpdateService(const std::string& id, uint64_t ts, int64_t ttl_s);

  /// Seconds that remain, 0 when expired, kForever for ever.
  [[nodiscard]] int64_t Remaining(const Barrier& barrier) const;

 private:
  [[nodiscard]] Result<State> ReadWith(std::optional<KeyValue>& revision) const;
  Result<void> Commit(const std::optional<KeyValue>& revision, std::vector<TxnOp> changes);
  Result<std::vector<Barrier>> ReadBarriers(const std::string& prefix) const;
  Result<uint64_t> ReadNumber(const std::string& key, int base) const;
  static Result<void> CheckBarrierId(Scope scope, const std::string& id);
  Result<void> Hold(const State& state, Advanced& advanced) const;
  [[nodiscard]] bool IsExpired(const Barrier& barrier) const;
  [[nodiscard]] ClusterPaths paths() const { return ClusterPaths(cluster_id_()); }

  MetaStore& meta_;
  const Clock& clock_;
  const std::function<uint64_t()> cluster_id_;
  const std::function<uint64_t()> term_;
  Mutex change_mutex_;  // One change at a time, Raft included.
};

}  // namespace pd
