#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pd/cluster/paths.h"
#include "pd/meta/meta_store.h"
#include "pd/result.h"
#include "pd/runtime/clock.h"
#include "pd/runtime/mutex.h"
#include "scheduler/rules/region_label.h"

namespace pd {

/// The region label rules of the cluster, kept under /pd/{cid}/region_label/{id}. A label that expires stops counting
/// at that moment; the leader takes it off the disk a little later.
///
/// Leader only; empty elsewhere. Thread-safe. Changes wait for Raft, one after the other; a change is one transaction,
/// so its size is bounded by that of a request.
class RegionLabels {
 public:
  using Book = std::shared_ptr<const scheduler::RegionLabelBook>;

  /// Deletes first, then sets, so that a rule in both is set. Deleting what is not there is no error.
  struct Patch {
    std::vector<scheduler::LabelRule> sets;
    std::vector<std::string> deletes;
  };

  RegionLabels(MetaStore& meta, const Clock& clock) : meta_(meta), clock_(clock) {}

  /// Reads what is kept. Writes are bound to `term` from here on. A rule that makes no sense is left where it is, and
  /// logged.
  Result<void> Load(const ClusterPaths& paths, uint64_t term) PD_EXCLUDES(change_mutex_, mutex_);
  /// No rule is in force any more on this member.
  void Clear() PD_EXCLUDES(mutex_);

  /// The rules in force, for planning.
  [[nodiscard]] Book book() const PD_EXCLUDES(mutex_);
  /// By id, as they stand now: without labels that have expired.
  [[nodiscard]] std::vector<scheduler::LabelRule> All() const;
  [[nodiscard]] std::optional<scheduler::LabelRule> Find(std::string_view id) const;
  /// Of one region, by key.
  [[nodiscard]] std::map<std::string, std::string> LabelsOf(const scheduler::Region& region) const;

  /// kInvalidArgument, and nothing is changed, when the rules would be too many in all. After kTimeout it may still
  /// be done; this leader sees it after its next change, or within a minute.
  Result<void> Apply(Patch patch) PD_EXCLUDES(change_mutex_, mutex_);
  /// kNotFound with the reference's text.
  Result<void> Delete(const std::string& id) PD_EXCLUDES(change_mutex_, mutex_);
  /// Takes labels that have expired off the disk, and rules without any: some of them at a time. True if there are
  /// more.
  Result<bool> RemoveExpired() PD_EXCLUDES(change_mutex_, mutex_);

 private:
  using Rules = scheduler::RegionLabelBook::Rules;
  using Changes = std::map<std::string, std::optional<scheduler::LabelRule>>;  // None: it goes.

  Result<void> Commit(Changes changes) PD_REQUIRES(change_mutex_) PD_EXCLUDES(mutex_);
  Result<void> ReadAgain() PD_REQUIRES(change_mutex_) PD_EXCLUDES(mutex_);
  Result<Book> ReadBook(const ClusterPaths& paths) const;

  MetaStore& meta_;
  const Clock& clock_;
  Mutex change_mutex_;  // Held over the whole of a change, Raft included. Taken first.
  bool unsure_ PD_GUARDED_BY(change_mutex_) =
      false;  // A write may have been done that the book does not show.
  mutable Mutex mutex_;
  std::optional<ClusterPaths> paths_ PD_GUARDED_BY(mutex_);
  uint64_t term_ PD_GUARDED_BY(mutex_) = 0;  // 0: not leading.
  Book book_ PD_GUARDED_BY(mutex_) = std::make_shared<const scheduler::RegionLabelBook>();
};

}  // namespace pd
