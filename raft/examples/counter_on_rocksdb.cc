// A replicated counter whose nodes keep their logs in RocksDB. Usage: counter_on_rocksdb FOLDER
//
// Each run starts three nodes from what is in FOLDER, adds 1 to the counter ten times, and ends. The
// counter is rebuilt from the log at each start; a real host would make snapshots and compact.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <rocksdb/db.h>
#include <rocksdb/write_batch.h>

#include "raft/raw_node.h"
#include "raft/storage.h"

namespace {

constexpr int kAdditions = 10;
constexpr int kRoundsMax = 10'000;

void Must(bool good, const std::string& what) {
  if (good) return;
  std::fprintf(stderr, "%s\n", what.c_str());
  std::exit(1);
}

// Numbers as eight bytes, big end first, so that the keys of entries are in order.
std::string Bytes(uint64_t number) {
  std::string bytes;
  for (int shift = 56; shift >= 0; shift -= 8) bytes.push_back(static_cast<char>(number >> shift));
  return bytes;
}

uint64_t NumberAt(std::string_view bytes, size_t at) {
  uint64_t number = 0;
  for (const char c : bytes.substr(at, 8)) number = number << 8 | static_cast<uint8_t>(c);
  return number;
}

/// The log on disk. Keys: "h" the hard state, "e" and the index an entry: its term, type and data.
class RocksStorage final : public raft::Storage {
 public:
  explicit RocksStorage(const std::string& path) {
    rocksdb::Options options;
    options.create_if_missing = true;
    rocksdb::DB* db = nullptr;
    Must(rocksdb::DB::Open(options, path, &db).ok(), "cannot open " + path);
    db_.reset(db);
    const std::unique_ptr<rocksdb::Iterator> at(db_->NewIterator({}));
    for (at->Seek("e"); at->Valid() && at->key().starts_with("e"); at->Next()) ++last_;
  }

  /// What a Ready wants written, in one batch; durable when it returns, if `sync`.
  void Write(const std::optional<raft::HardState>& state, const std::vector<raft::Entry>& entries,
             bool sync) {
    rocksdb::WriteBatch batch;
    if (state) batch.Put("h", Bytes(state->term) + Bytes(state->vote) + Bytes(state->commit));
    for (const raft::Entry& entry : entries) {
      batch.Put(KeyOf(entry.index),
                Bytes(entry.term) + static_cast<char>(entry.type) + std::string(entry.data.view()));
    }
    // Entries behind a new one are of an older term and go.
    for (raft::LogIndex old = entries.empty() ? last_ + 1 : entries.back().index + 1; old <= last_;
         ++old) {
      batch.Delete(KeyOf(old));
    }
    rocksdb::WriteOptions options;
    options.sync = sync;
    Must(db_->Write(options, &batch).ok(), "cannot write");
    if (!entries.empty()) last_ = entries.back().index;
  }

  raft::Result<InitialState> GetInitialState() const override {
    InitialState initial;
    initial.conf_state.voters = {1, 2, 3};  // This group never changes.
    std::string bytes;
    if (db_->Get({}, "h", &bytes).ok()) {
      initial.hard_state = {NumberAt(bytes, 0), NumberAt(bytes, 8), NumberAt(bytes, 16)};
    }
    return initial;
  }
  raft::Result<void> GetEntries(raft::LogIndex lo, raft::LogIndex hi, uint64_t max_bytes,
                                std::vector<raft::Entry>& out) const override {
    if (hi > last_ + 1) return raft::Fail(raft::ErrorCode::kUnavailable, raft::kTextUnavailable);
    std::vector<raft::Entry> entries;
    for (raft::LogIndex index = lo; index < hi; ++index) entries.push_back(EntryAt(index));
    entries.resize(raft::LimitSize(entries, max_bytes));
    out.insert(out.end(), entries.begin(), entries.end());
    return {};
  }
  raft::Result<raft::Term> GetTerm(raft::LogIndex index) const override {
    if (index > last_) return raft::Fail(raft::ErrorCode::kUnavailable, raft::kTextUnavailable);
    return index == 0 ? 0 : EntryAt(index).term;
  }
  raft::LogIndex FirstIndex() const override { return 1; }
  raft::LogIndex LastIndex() const override { return last_; }
  raft::Result<raft::SnapshotPtr> GetSnapshot(raft::LogIndex, raft::NodeId) override {
    return raft::Fail(raft::ErrorCode::kSnapshotUnavailable, raft::kTextSnapshotUnavailable);
  }

 private:
  static std::string KeyOf(raft::LogIndex index) { return "e" + Bytes(index); }
  raft::Entry EntryAt(raft::LogIndex index) const {
    std::string bytes;
    Must(db_->Get({}, KeyOf(index), &bytes).ok(), "an entry is gone");
    return {static_cast<raft::EntryType>(bytes[8]), NumberAt(bytes, 0), index,
            raft::Payload::Copy(std::string_view(bytes).substr(9))};
  }

  std::unique_ptr<rocksdb::DB> db_;
  raft::LogIndex last_ = 0;
};

struct Host {
  Host(raft::NodeId id, const std::string& folder) : storage(folder + "/" + std::to_string(id)) {
    raft::Config config;
    config.id = id;
    config.election_tick = 10;
    config.heartbeat_tick = 1;
    config.storage = &storage;
    config.random = [id](uint64_t bound) { return 3 * id % bound; };  // Enough for three.
    config.max_size_per_msg = 64 << 10;
    config.max_inflight_msgs = 64;
    auto made = raft::RawNode::Create(config);
    Must(made.has_value(), made ? "" : made.error().context);
    node = std::move(*made);
  }

  void Work(std::deque<raft::Message>& network) {
    while (node->HasReady()) {
      raft::Ready& ready = node->GetReady();
      storage.Write(ready.hard_state, ready.entries, ready.must_sync);
      for (raft::Message& message : ready.messages) network.push_back(std::move(message));
      for (const raft::Entry& entry : ready.committed_entries)
        counter += entry.data.empty() ? 0 : 1;
      node->Advance();
    }
  }

  RocksStorage storage;
  std::unique_ptr<raft::RawNode> node;
  int counter = 0;
};

}  // namespace

int main(int argc, char** argv) {
  Must(argc == 2, "usage: counter_on_rocksdb FOLDER");
  std::filesystem::create_directories(argv[1]);
  std::vector<std::unique_ptr<Host>> hosts;
  for (raft::NodeId id = 1; id <= 3; ++id) hosts.push_back(std::make_unique<Host>(id, argv[1]));
  std::deque<raft::Message> network;
  int goal = 0;  // Known when a leader has applied all that earlier runs left.
  for (int round = 0; round < kRoundsMax; ++round) {
    for (const auto& host : hosts) {
      host->node->Tick();
      const raft::BasicStatus status = host->node->GetBasicStatus();
      const bool leads = status.soft_state.role == raft::Role::kLeader;
      if (leads && goal == 0 && status.applied == host->storage.LastIndex()) {
        goal = host->counter + kAdditions;
        const std::vector<raft::Payload> additions(kAdditions, raft::Payload::Copy("+1"));
        Must(host->node->ProposeBatch(additions).has_value(), "the additions were dropped");
      }
      host->Work(network);
    }
    for (; !network.empty(); network.pop_front()) {
      (void)hosts[network.front().to - 1]->node->Step(network.front());
    }
    bool done = goal != 0;
    for (const auto& host : hosts) done = done && host->counter == goal;
    if (!done) continue;
    std::printf("each of the 3 nodes counts %d\n", goal);
    return 0;
  }
  Must(false, "the nodes do not agree");
}
