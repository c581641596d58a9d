#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pd/cluster/led_state.h"
#include "pd/cluster/paths.h"
#include "pd/meta/meta_store.h"
#include "pd/result.h"
#include "pd/runtime/clock.h"
#include "scheduler/rules/region_label.h"

namespace pd {

/// The region label rules of the cluster, kept under /pd/{cid}/region_label/{id}. A label that expires stops counting
/// at that moment; the leader takes it off the disk a little later.
///
/// Leader only; empty elsewhere; see LedState. A change is one transaction: a request bounds its size.
class RegionLabels {
 public:
  using Book = std::shared_ptr<const scheduler::RegionLabelBook>;

  /// Deletes first, then sets, so that a rule in both is set. Deleting what is not there is no error.
  struct Patch {
    std::vector<scheduler::LabelRule> sets;
    std::vector<std::string> deletes;
  };

  RegionLabels(MetaStore& meta, const Clock& clock)
      : meta_(meta),
        clock_(clock),
        state_(meta, [this](const auto& paths) { return ReadBook(paths); }) {}

  /// Reads what is kept. Writes are bound to `term` from here on. A rule that makes no sense is left where it is, and
  /// logged.
  Result<void> Load(const ClusterPaths& paths, uint64_t term) { return state_.Load(paths, term); }
  /// No rule is in force any more on this member.
  void Clear() { state_.Clear(); }

  /// The rules in force, for planning.
  [[nodiscard]] Book book() const { return state_.Get(); }
  /// By id, as they stand now: without labels that have expired.
  [[nodiscard]] std::vector<scheduler::LabelRule> All() const;
  [[nodiscard]] std::optional<scheduler::LabelRule> Find(std::string_view id) const;
  /// Of one region, by key.
  [[nodiscard]] std::map<std::string, std::string> LabelsOf(const scheduler::Region& region) const;

  /// kInvalidArgument, and nothing is changed, when the rules would be too many in all. After kTimeout it may still
  /// be done; this leader sees it after its next change, or within a minute. What `more` puts and deletes elsewhere is
  /// written with it.
  Result<void> Apply(Patch patch, KvTxn more = {});
  /// Shows what a change that was given up has done after all.
  Result<void> CatchUp() { return state_.CatchUp(); }
  /// kNotFound with the reference's text.
  Result<void> Delete(const std::string& id);
  /// Takes labels that have expired off the disk, and rules without any: some of them at a time. True if there are
  /// more.
  Result<bool> RemoveExpired();

 private:
  using State = LedState<scheduler::RegionLabelBook>;
  using Changes = std::map<std::string, std::optional<scheduler::LabelRule>>;  // None: it goes.

  [[nodiscard]] Result<Book> ReadBook(const ClusterPaths& paths) const;
  /// What holds after `changes`, and their writes.
  static Result<Book> Edit(const scheduler::RegionLabelBook& now, const ClusterPaths& paths,
                           Changes changes, KvTxn& txn);

  MetaStore& meta_;
  const Clock& clock_;
  State state_;
};

}  // namespace pd
