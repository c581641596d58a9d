#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <vector>

#include "raft/raw_node.h"
#include "tests/raft/fuzz/input.h"
#include "tests/raft/storage_over.h"

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
  kReadyDurable,  ///< As kReady; in parts: AdvanceAppend.
  kReadyWritten,  ///< As kReady; in parts: AdvanceAppendAsync.
  kPersist,       ///< In parts: the oldest of those written is durable.
  kTellApplied,   ///< In parts: half of what is applied is told.
  kTickQuiesced,
  kPing,
  kRequestSnapshot,
  kSlowDisk,  ///< Entries must be fetched from now on.
  kFetched,
  kSetOption,
  kGroupCommit,
  kCount,
};

/// A storage in memory whose snapshot is not always there.
class HostStorage final : public StorageOver {
 public:
  explicit HostStorage(FatalHook fatal) : StorageOver(log_), log_(std::move(fatal)) {}

  void Hide(bool hidden) { hidden_ = hidden; }

  Result<SnapshotPtr> GetSnapshot(LogIndex at_least, NodeId to) override;
  bool PrepareEntries(LogIndex lo, LogIndex hi, uint64_t max_bytes,
                      const FetchContext& context) override;

  void Slow() { slow_ = true; }
  /// Ends that; gives what was asked for meanwhile.
  std::vector<FetchContext> Fetch();

 private:
  MemStorage log_;
  bool hidden_ = false;
  bool slow_ = false;
  std::vector<FetchContext> fetching_;
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

  void SetOption(Input& in);
  void SetGroups(Input& in);

  void RunReady(Op how);
  void RunInParts(Ready& ready, Op how);
  void Persist();
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
  struct Part {
    uint64_t number = 0;
    std::vector<Message> messages;  // That wait for it to be durable.
  };
  std::deque<Part> parts_;
  uint64_t number_ = 0;       // Of the last Ready.
  LogIndex told_ = 0;         // In parts: applied, as the node was told.
  std::deque<Message> sent_;  // The newest first.

  HardState last_;                  // Since the last start.
  std::map<Term, NodeId> granted_;  // Real votes; over restarts.
};

}  // namespace raft::fuzz
