#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "pd/fsm/kv_read.h"
#include "pd/fsm/meta_state.h"
#include "pd/storage/overlay_view.h"

namespace pd {

/// Carries out one command. Everything it writes stays in a batch of its own until the caller takes
/// it, so that a command that fails half way leaves nothing behind. Errors of all calls: those of
/// the command, kIo, kCorrupt.
class StateWriter {
 public:
  StateWriter(const ReadView& before, Generation generation, const StateMark& mark)
      : view_(before, batch_), generation_(generation), mark_(mark) {}
  StateWriter(const StateWriter&) = delete;
  StateWriter& operator=(const StateWriter&) = delete;

  Result<TxnResult> Run(const KvTxn& txn);
  Result<TxnResult> Run(const LeaseGrant& grant);
  Result<TxnResult> Run(const LeaseRevoke& revoke);
  Result<TxnResult> Run(const LeaseCheckpoint& checkpoint);
  Result<TxnResult> Run(const Compact& compact);
  Result<TxnResult> Run(const PutRegions& regions);
  Result<TxnResult> Run(const UpdateMember& update);

  WriteBatch& batch() { return batch_; }
  AppliedChanges& changes() { return changes_; }
  [[nodiscard]] const StateMark& mark() const { return mark_; }

 private:
  /// Which branch each transaction takes, nested ones in the order they are met; all conditions
  /// look at the state before the whole transaction.
  using Path = std::vector<bool>;

  [[nodiscard]] kv::Source Source() const { return {view_, generation_, mark_}; }
  [[nodiscard]] TxnResult Done() const { return {true, mark_.revision, {}}; }
  Revision WriteRevision();

  Result<bool> Holds(const Compare& compare) const;
  Result<void> Decide(const KvTxn& txn, Path& path) const;
  Result<TxnResult> Execute(const KvTxn& txn, const Path& path, size_t& at);
  Result<TxnOpResult> Execute(const TxnOp& op, const Path& path, size_t& at);

  Result<PutResult> Put(const PutRequest& put);
  Result<DeleteResult> Delete(const DeleteRequest& request);
  void WriteEvent(Event event);
  void DeletePair(KeyValue pair);
  void ApplyRegions(const PutRegions& regions);
  Result<void> CompactKey(const std::string& key, Revision revision);

  WriteBatch batch_;
  OverlayView view_;
  Generation generation_;
  StateMark mark_;
  AppliedChanges changes_;
  bool wrote_ = false;  // The revision of this command is taken.
  uint32_t next_sub_ = 0;
  // What the transaction touched: no key may be written twice at one revision.
  std::set<std::string> put_keys_;
  std::vector<std::pair<std::string, std::string>> deleted_ranges_;
};

}  // namespace pd
