#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <tuple>
#include <utility>

#include "pd/cluster/paths.h"
#include "pd/meta/meta_store.h"
#include "pd/result.h"
#include "pd/runtime/mutex.h"

namespace pd {

/// What the leader makes of some of the stored keys, to plan with, and changes by writing them. Immutable once it is
/// made, so that a plan sees one state of it; empty on members that do not lead.
///
/// Thread-safe. Changes wait for Raft, one after the other. A write that was given up may still be done: the change
/// after it first waits until that is settled, and reads again.
template <class T>
class LedState {
 public:
  using Value = std::shared_ptr<const T>;
  using Read = std::function<Result<Value>(const ClusterPaths&)>;
  /// Fills the transaction, and gives what holds once it is written. Left empty, nothing is written.
  using Edit = std::function<Result<Value>(const T& now, const ClusterPaths&, KvTxn&)>;
  /// Writes a transaction, with whatever else is to be written together with it.
  using Writer = std::function<Result<void>(KvTxn txn)>;

  LedState(MetaStore& meta, Read read) : meta_(meta), read_(std::move(read)) {}

  /// Reads what is kept. Writes are bound to `term` from here on.
  Result<void> Load(const ClusterPaths& paths, uint64_t term) PD_EXCLUDES(change_mutex_, mutex_) {
    const MutexLock change(change_mutex_);
    auto value = read_(paths);
    if (!value) return tl::unexpected(value.error());
    unsure_ = false;
    const MutexLock lock(mutex_);
    lead_ = Lead{paths, term};
    value_ = *std::move(value);
    return {};
  }

  /// This member leads, and has read what is kept.
  [[nodiscard]] bool leads() const PD_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    return lead_.has_value();
  }

  /// Nothing holds any more on this member.
  void Clear() PD_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    lead_.reset();
    value_ = std::make_shared<const T>();
  }

  [[nodiscard]] Value Get() const PD_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    return value_;
  }

  /// Errors: those of `edit`, kNotLeader, those of the write. After kTimeout it may still be done.
  Result<void> Change(const Edit& edit) PD_EXCLUDES(change_mutex_, mutex_) {
    return Change(edit, nullptr);
  }
  /// The same through `writer`, an empty transaction too. It must not write in another term than that of the last
  /// Load(), and must not come back here.
  Result<void> Change(const Edit& edit, const Writer& writer) PD_EXCLUDES(change_mutex_, mutex_) {
    const MutexLock change(change_mutex_);
    std::optional<Lead> lead = CurrentLead().first;
    if (!lead) return NotLeader();
    if (auto settled = Settle(*lead); !settled) return settled;
    Value now;
    std::tie(lead, now) = CurrentLead();
    if (!lead) return NotLeader();
    KvTxn txn;
    auto next = edit(*now, lead->paths, txn);
    if (!next) return tl::unexpected(next.error());
    if (txn.then.empty() && !writer) return {};
    if (auto written = Write(*lead, std::move(txn), writer); !written) return written;
    Show(*lead, *std::move(next));
    return {};
  }

  /// Shows what a write that was given up has done after all. Nothing to do as long as there was none; so call it now
  /// and then.
  Result<void> CatchUp() PD_EXCLUDES(change_mutex_, mutex_) {
    const MutexLock change(change_mutex_);
    const std::optional<Lead> lead = CurrentLead().first;
    return lead ? Settle(*lead) : NotLeader();
  }

 private:
  struct Lead {
    ClusterPaths paths;
    uint64_t term;
  };
  static constexpr Millis kWriteTimeout{3000};

  static Result<void> NotLeader() { return Fail(ErrorCode::kNotLeader, "not leader"); }

  /// Both at one moment: without a lead the value is empty.
  [[nodiscard]] std::pair<std::optional<Lead>, Value> CurrentLead() const PD_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    return {lead_, value_};
  }

  /// An empty write comes after all earlier ones: they are done then, or never will be.
  Result<void> Settle(const Lead& lead) PD_REQUIRES(change_mutex_) PD_EXCLUDES(mutex_) {
    if (!unsure_) return {};
    if (auto written = Write(lead, {}); !written) return written;
    auto value = read_(lead.paths);
    if (!value) return tl::unexpected(value.error());
    unsure_ = false;
    Show(lead, *std::move(value));
    return {};
  }

  Result<void> Write(const Lead& lead, KvTxn txn, const Writer& writer = nullptr)
      PD_REQUIRES(change_mutex_) {
    Result<void> written;
    if (writer) {
      written = writer(std::move(txn));
    } else if (auto done = meta_.Txn(std::move(txn), kWriteTimeout, lead.term); !done) {
      written = tl::unexpected(done.error());
    }
    if (written) return {};
    unsure_ = unsure_ || written.error().code !=
                             ErrorCode::kInvalidArgument;  // Then it was not even proposed.
    return tl::unexpected(written.error());
  }

  /// Not if the lead was lost meanwhile.
  void Show(const Lead& lead, Value value) PD_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    if (lead_ && lead_->term == lead.term) value_ = std::move(value);
  }

  MetaStore& meta_;
  const Read read_;
  Mutex change_mutex_;  // Held over the whole of a change, Raft included. Taken first.
  bool unsure_ PD_GUARDED_BY(change_mutex_) =
      false;  // A write may have been done that is not shown.
  mutable Mutex mutex_;
  std::optional<Lead> lead_ PD_GUARDED_BY(mutex_);
  Value value_ PD_GUARDED_BY(mutex_) = std::make_shared<const T>();
};

}  // namespace pd
