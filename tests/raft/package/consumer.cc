// Uses the installed library: one node elects itself.
#include <cstdio>

#include "raft/mem_storage.h"
#include "raft/raw_node.h"

namespace {

void Work(raft::RawNode& node, raft::MemStorage& storage) {
  while (node.HasReady()) {
    raft::Ready& ready = node.GetReady();
    if (ready.hard_state) storage.SetHardState(*ready.hard_state);
    storage.Append(ready.entries);
    for (const raft::Entry& entry : ready.committed_entries) {
      if (const auto change = raft::DecodeConfChange(entry)) (void)node.ApplyConfChange(*change);
    }
    node.Advance();
  }
}

}  // namespace

int main() {
  raft::MemStorage storage;
  raft::Config config;
  config.id = 1;
  config.election_tick = 10;
  config.heartbeat_tick = 1;
  config.storage = &storage;
  config.random = [](uint64_t) -> uint64_t { return 0; };
  config.max_inflight_msgs = 1;
  auto node = raft::RawNode::Create(config);
  const raft::Peer self{1, {}};
  if (!node || !(*node)->Bootstrap({&self, 1})) return 1;
  Work(**node, storage);
  if (!(*node)->Campaign()) return 1;
  Work(**node, storage);
  const bool leads = (*node)->GetBasicStatus().soft_state.role == raft::Role::kLeader;
  std::puts(leads ? "the installed library elects a leader" : "no leader");
  return leads ? 0 : 1;
}
