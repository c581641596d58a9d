#include "raft/types.h"

#include <algorithm>

#include "raft/src/wire.h"
#include "raft/storage.h"

namespace raft {
namespace {

std::vector<NodeId> Sorted(std::vector<NodeId> ids) {
  std::sort(ids.begin(), ids.end());
  return ids;
}

}  // namespace

uint64_t EncodedSize(const Entry& entry) {
  // One byte of tag for each field; term and index are always there (eraftpb.Entry fields 1 to 4).
  uint64_t size = 2 + VarintSize(entry.term) + VarintSize(entry.index);
  if (entry.type != EntryType::kNormal) size += 2;
  if (entry.data.is_set()) size += 1 + VarintSize(entry.data.size()) + entry.data.size();
  return size;
}

size_t LimitSize(const std::vector<Entry>& entries, uint64_t max_bytes) {
  uint64_t total = 0;
  for (size_t i = 0; i < entries.size(); ++i) {
    total += EncodedSize(entries[i]);
    if (total > max_bytes && i > 0) return i;
  }
  return entries.size();
}

bool Equivalent(const ConfState& a, const ConfState& b) {
  return a.auto_leave == b.auto_leave && Sorted(a.voters) == Sorted(b.voters) &&
         Sorted(a.learners) == Sorted(b.learners) &&
         Sorted(a.voters_outgoing) == Sorted(b.voters_outgoing) &&
         Sorted(a.learners_next) == Sorted(b.learners_next);
}

bool IsLocal(MessageType type) {
  switch (type) {
    case MessageType::kHup:
    case MessageType::kBeat:
    case MessageType::kUnreachable:
    case MessageType::kSnapStatus:
    case MessageType::kCheckQuorum:
    case MessageType::kStorageAppend:
    case MessageType::kStorageAppendResp:
    case MessageType::kStorageApply:
    case MessageType::kStorageApplyResp:
      return true;
    default:
      return false;
  }
}

bool IsResponse(MessageType type) {
  switch (type) {
    case MessageType::kAppResp:
    case MessageType::kVoteResp:
    case MessageType::kHeartbeatResp:
    case MessageType::kUnreachable:
    case MessageType::kReadIndexResp:
    case MessageType::kPreVoteResp:
    case MessageType::kStorageAppendResp:
    case MessageType::kStorageApplyResp:
      return true;
    default:
      return false;
  }
}

}  // namespace raft
