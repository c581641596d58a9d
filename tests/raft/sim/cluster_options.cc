#include <algorithm>
#include <utility>

#include "tests/raft/sim/cluster.h"

namespace raft::sim {

void Cluster::RunInParts(Node& node, Ready& ready) {
  const uint64_t number = ready.number;
  for (size_t i = 0; i < ready.immediate_count; ++i) Post(std::move(ready.messages[i]));
  Write(node, ready.hard_state.value_or(HardState()), ready.entries, ready.snapshot);
  const auto later = ready.messages.begin() + static_cast<std::ptrdiff_t>(ready.immediate_count);
  node.parts.push_back({number, {later, ready.messages.end()}});
  Apply(node, ready.committed_entries);
  if (Percent(2) && Percent(plan_.crash_percent)) return Crash(node);
  if (step_ < node.sync_stuck_until || Percent(60)) return node.raw->AdvanceAppendAsync();
  MakeDurable(node);
  LightReady& light = node.raw->AdvanceAppend();
  if (light.commit_index) {
    HardState state = node.storage->log().hard_state();
    state.commit = std::max(state.commit, *light.commit_index);
    node.storage->log().SetHardState(state);
  }
  for (Message& message : light.messages) Post(std::move(message));
  Apply(node, light.committed_entries);
  PostParts(node, number);
}

// A sync makes durable all that was written before; of that the node may be told less.
void Cluster::RunPart(Node& node) {
  if (Percent(50)) node.raw->AdvanceApply();
  if (node.parts.empty() || step_ < node.sync_stuck_until || DiskBusy(node)) return;
  MakeDurable(node);
  const uint64_t number = node.parts[Random(node.parts.size())].ready;
  node.raw->OnPersistReady(number);
  PostParts(node, number);
}

void Cluster::PostParts(Node& node, uint64_t up_to) {
  while (!node.parts.empty() && node.parts.front().ready <= up_to) {
    for (Message& message : node.parts.front().messages) Post(std::move(message));
    node.parts.pop_front();
  }
}

void Cluster::Fetched(Node& node) {
  const FetchContext context = node.fetching.front();
  node.fetching.pop_front();
  node.raw->OnEntriesFetched(context);
}

void Cluster::UseOptions(Node& node) {
  switch (Random(6)) {
    case 0:
      return node.raw->SetPriority(static_cast<int64_t>(Random(3)));
    case 1:
      return node.raw->SetBatchAppend(Percent(50));
    case 2:
      return node.raw->Ping();
    case 3:
      return (void)node.raw->RequestSnapshot();
    case 4: {
      node.raw->EnableGroupCommit(Percent(50));
      const CommitGroup group{1 + Random(nodes_.size()), Random(3)};
      return node.raw->AssignCommitGroups({&group, 1});
    }
    default:
      return (void)node.raw->SetMaxInflightMsgs(1 + Random(nodes_.size()),
                                                1 + Random(plan_.max_inflight_msgs));
  }
}

}  // namespace raft::sim
