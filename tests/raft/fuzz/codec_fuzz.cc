// Whatever bytes a membership entry holds, they decode or are an error; what decodes is the same after another round.
// The same of change tokens.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "raft/conf_change.h"
#include "raft/describe.h"
#include "tests/fuzz/seeds.h"

namespace raft {
namespace {

void Require(bool holds) {
  if (!holds) std::abort();
}

Result<ConfChangeV2> Decode(EntryType type, Payload data) {
  return DecodeConfChange({type, 1, 1, std::move(data)});
}

void TryWide(const Payload& bytes) {
  const Result<ConfChangeV2> change = Decode(EntryType::kConfChangeV2, bytes);
  if (!change) return Require(change.error().code == ErrorCode::kDecode);
  (void)Describe(*change);
  const Result<ConfChangeV2> again = Decode(EntryType::kConfChangeV2, Encode(*change));
  Require(again && *again == *change);
  Require(*FromTokens(ToTokens(change->changes)) == change->changes);
}

void TrySimple(const Payload& bytes) {
  const Result<ConfChangeV2> change = Decode(EntryType::kConfChange, bytes);
  if (!change) return Require(change.error().code == ErrorCode::kDecode);
  Require(change->changes.size() == 1 && !change->leaves_joint());
  const ConfChangeSingle& single = change->changes.front();
  const ConfChange simple{7, single.type, single.node_id, change->context};
  const Result<ConfChangeV2> again = Decode(EntryType::kConfChange, Encode(simple));
  Require(again && *again == *change);
  const Result<ConfChangeV2> wide = Decode(EntryType::kConfChangeV2, Encode(*change));
  Require(wide && *wide == *change);
}

void TryTokens(std::string_view text) {
  const Result<std::vector<ConfChangeSingle>> changes = FromTokens(text);
  if (!changes) return Require(changes.error().code == ErrorCode::kDecode);
  const Result<std::vector<ConfChangeSingle>> again = FromTokens(ToTokens(*changes));
  Require(again && *again == *changes);
}

std::vector<std::string> Seeds() {
  const Payload context = Payload::Copy("10.0.0.1:2380");
  const std::vector<ConfChangeSingle> changes = {{ConfChangeType::kAddNode, 1},
                                                 {ConfChangeType::kRemoveNode, 300},
                                                 {ConfChangeType::kUpdateNode, UINT64_MAX},
                                                 {ConfChangeType::kAddLearnerNode, 0}};
  std::vector<std::string> seeds = {ToTokens(changes), "v1  r2"};
  for (const ConfChangeSingle& single : changes) {
    const ConfChange simple{9, single.type, single.node_id, context};
    seeds.emplace_back(Encode(simple).view());
  }
  for (const auto transition : {ConfChangeTransition::kAuto, ConfChangeTransition::kJointImplicit,
                                ConfChangeTransition::kJointExplicit}) {
    seeds.emplace_back(Encode(ConfChangeV2{transition, changes, context}).view());
  }
  return seeds;
}

}  // namespace
}  // namespace raft

extern "C" int LLVMFuzzerInitialize(int* argc, char*** argv) {
  fuzz::WriteSeeds(*argc, *argv, raft::Seeds());
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const raft::Payload bytes = raft::Payload::Copy(text);
  raft::TryWide(bytes);
  raft::TrySimple(bytes);
  raft::TryTokens(text);
  return 0;
}
