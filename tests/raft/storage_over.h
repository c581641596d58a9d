#pragma once

#include <vector>

#include "raft/mem_storage.h"

namespace raft {

/// A storage that passes everything on to one in memory; tests change what they are about.
class StorageOver : public Storage {
 public:
  /// `below` outlives it. It may be a member of a derived class.
  explicit StorageOver(MemStorage& below) : below_(below) {}

  MemStorage& log() { return below_; }

  Result<InitialState> GetInitialState() const override { return below_.GetInitialState(); }
  Result<void> GetEntries(LogIndex lo, LogIndex hi, uint64_t max_bytes,
                          std::vector<Entry>& out) const override {
    return below_.GetEntries(lo, hi, max_bytes, out);
  }
  Result<Term> GetTerm(LogIndex index) const override { return below_.GetTerm(index); }
  LogIndex FirstIndex() const override { return below_.FirstIndex(); }
  LogIndex LastIndex() const override { return below_.LastIndex(); }
  Result<SnapshotPtr> GetSnapshot(LogIndex at_least, NodeId to) override {
    return below_.GetSnapshot(at_least, to);
  }

 private:
  MemStorage& below_;
};

}  // namespace raft
