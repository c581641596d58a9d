#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <vector>

#include "scheduler/model/load.h"
#include "scheduler/model/region.h"
#include "scheduler/stats/rolling_load.h"

namespace scheduler {

/// Which peers are hot by what is reported of them; one cache for reads, one for writes (as in the reference).
///
/// A peer enters when some rate of a report reaches the threshold of its store, and gains a degree with each interval
/// in which it stays there. With each other interval it loses one, until it is forgotten. The threshold is a fixed
/// minimum as long as the store has few hot peers; with 60 or more of them it is 80% of the 60th highest rate.
///
/// A peer that is new to its region takes over what is known of another one, so that a move does not begin from
/// nothing. Where the reference takes over as well: the state of peers that were cold all the time, and rolling
/// statistics that are then shared by two peers.
///
/// A report costs a look-up, however many regions there are; once in 8 s one of a store pays for the walk over its
/// hot peers. Memory: at most kPeersMax peers a store, of at most 1.5 KiB each. Works on one thread.
class HotPeerCache {
 public:
  /// Hot peers of a store beyond which one must outdo the 60th to come in, at the cost of the weakest.
  static constexpr size_t kPeersMax = 1000;
  static constexpr size_t kTopCount = 60;

  explicit HotPeerCache(Access access);

  /// What was read or written on the peers that `stores` hold of the region, on each of them, in `interval_s`.
  void Report(const Region& region, std::span<const StoreId> stores, const Load& amount,
              uint64_t interval_s, Instant now);
  /// A store has reported all peers that it thinks much is read from, `reported`, in ascending order: what else was hot
  /// there has cooled down.
  void ReportSilence(StoreId store, std::span<const RegionId> reported, uint64_t interval_s,
                     Instant now);
  /// Forgets the peers that the region no longer has.
  void KeepPeersOf(const Region& region);
  /// Forgets all stores but these, which are in ascending order.
  void KeepStores(std::span<const StoreId> stores);

  /// Some peer of the region has at least this degree.
  [[nodiscard]] bool IsHot(RegionId region, int degree_min) const;
  /// What may be planned with: hot in at least `degree_min` intervals, and in the last one. By region id.
  [[nodiscard]] std::vector<HotPeer> PeersOn(StoreId store, int degree_min, Instant now) const;
  /// All that is known of the region's peers.
  [[nodiscard]] std::vector<HotPeer> PeersOf(RegionId region, Instant now) const;

  /// For the metrics page.
  struct StoreStatus {
    size_t peers = 0;
    Load thresholds;
    uint64_t added = 0;
    uint64_t updated = 0;
    uint64_t removed = 0;
  };
  [[nodiscard]] std::map<StoreId, StoreStatus> Status() const;

  /// How the two kinds differ.
  struct Rules {
    Load thresholds_min;
    uint64_t interval_s = 0;  // How often peers are reported, as a rule.
    int anti_count = 0;
  };

 private:
  struct Item {
    HotPeer peer;
    RollingLoad rolling;
    bool silent = false;    // Not in its store's last report.
    bool inherits = false;  // Another peer may take over what is known of it.
    Instant updated;
  };
  using Items = std::vector<Item>;  // Of one region, by store.
  struct StoreEntry {
    std::map<RegionId, Items*> regions;  // Into regions_.
    std::optional<Instant> thresholds_at;
    Load thresholds;
    std::optional<Load> top;  // The 60th highest rates; none while there are fewer peers.
    uint64_t added = 0;
    uint64_t updated = 0;
    uint64_t removed = 0;
  };

  [[nodiscard]] bool Knows(RegionId region, StoreId store, Instant now);
  bool NoteLeader(const Region& region, Instant now);
  void Begin(const Region& region, StoreId store, const Load& amount, uint64_t interval_s,
             Instant now);
  void Renew(Item& item, const Region& region, Instant now) const;
  /// False when the peer is to be forgotten.
  bool Judge(Item& item, const Load& thresholds) const;
  bool Adopt(RegionId region, StoreId store);
  [[nodiscard]] Item* Find(RegionId region, StoreId store);
  [[nodiscard]] static Item* FindIn(Items& items, StoreId store);
  bool MakeRoom(StoreId store, const Load& rate, Instant now);
  void Insert(Item item);
  void Remove(RegionId region, StoreId store);
  const Load& ThresholdsOf(StoreId store, Instant now);
  void Sweep(StoreId store, Instant now);
  [[nodiscard]] bool IsExpired(const Item& item, Instant now) const;

  const Access access_;
  const Rules rules_;
  std::map<RegionId, Items> regions_;
  std::map<StoreId, StoreEntry> stores_;
  StoreId swept_;  // The last store swept out of turn.
};

/// The degree from which peers are shown and planned with, of the setting hot-region-cache-hits-threshold: that counts
/// reports of regions, of which reads get six in the time of one.
constexpr int HotDegreeMin(Access access, int hits_threshold) {
  return access == Access::kRead ? 6 * hits_threshold : hits_threshold;
}

}  // namespace scheduler
