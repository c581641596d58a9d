#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <vector>

#include "raft/mem_storage.h"
#include "raft/raw_node.h"
#include "tests/raft/fuzz/input.h"

namespace raft::fuzz {

/// What a program may do next. New ones go to the end, so that a corpus keeps its meaning.
enum class Op : uint8_t {
  kTick,
  kPropose,
  kProposeBatch,
  kProposeConfChange,
  kProposeConfChangeV2,
  kCampaign,
  kReadIndex,
  kTransferLeader,
  kForgetLeader,
  kReportUnreachable,
  kReportSnapshot,
  kReady,
  kWrite,    ///< With asynchronous writes: the append thread finishes its oldest work.
  kApply,    ///< The same of the apply thread.
  kCompact,  ///< Makes a snapshot, and drops what it contains.
  kRestart,  ///< From what is written; the rest is lost.
  kHideSnapshot,
  kAnswer,   ///< A member answers something that this node sent.
  kLead,     ///< A member says what a leader says, as to a log like this node's.
  kMessage,  ///< Anybody says anything.
  kMessageAgain,
  kCount,
};

/// A storage in memory whose snapshot is not always there.
class HostStorage final : public Storage {
 public:
  explicit HostStorage(FatalHook fatal) : log_(std::move(fatal)) {}

  MemStorage& log() { return log_; }
  void Hide(bool hidden) { hidden_ = hidden; }

  Result<InitialState> GetInitialState() const override { return log_.GetInitialState(); }
  Result<void> GetEntries(LogIndex lo, LogIndex hi, uint64_t max_bytes,
                          std::vector<Entry>& out) const override {
    return log_.GetEntries(lo, hi, max_bytes, out);
  }
  Result<Term> GetTerm(LogIndex index) const override { return log_.GetTerm(index); }
  LogIndex FirstIndex() const override { return log_.FirstIndex(); }
  LogIndex LastIndex() const override { return log_.LastIndex(); }
  Result<SnapshotPtr> GetSnapshot() override;

 private:
  MemStorage log_;
  bool hidden_ = false;
};

/// One node, a host that keeps every promise of ready.h, and members that keep none. Aborts when the node breaks one
/// of its own.
class Host {
 public:
  /// Reads how the node and its group begin.
  explicit Host(Input& in);

  /// Does what the input says next.
  void Run(Input& in);

 private:
  void Start();
  void Restart();

  void Call(Op op, Input& in);
  void Answer(Input& in);
  void Lead(Input& in);
  void Step(Message message);

  void RunReady();
  void RunSynchronously(Ready& ready);
  void HandOut(Ready& ready);
  void Write();
  void Apply();
  void WriteParts(const HardState* state, const std::vector<Entry>& entries,
                  const SnapshotPtr& snapshot);
  void ApplyEntries(const std::vector<Entry>& entries);
  void Compact();
  void Send(Message message);

  void CheckReady(const Ready& ready) const;
  void CheckSent(const Message& message);
  void CheckState();

  Config config_;
  HostStorage storage_;
  bool bootstrap_ = false;
  bool describe_ = false;
  uint64_t draws_ = 0;
  std::unique_ptr<RawNode> node_;

  LogIndex applied_ = 0;
  LogIndex restored_ = 0;  // The newest snapshot that was written.
  ConfState members_;      // As of applied_.
  std::deque<Message> writes_;
  std::deque<Message> applies_;
  std::deque<Message> sent_;  // The newest first.

  HardState last_;                  // Since the last start.
  std::map<Term, NodeId> granted_;  // Real votes; over restarts.
};

}  // namespace raft::fuzz
