#include "raft/raw_node.h"

#include <utility>

#include "raft/src/core.h"

namespace raft {
namespace {

Message Local(MessageType type, NodeId from) {
  Message message;
  message.type = type;
  message.from = from;
  return message;
}

}  // namespace

RawNode::RawNode(std::unique_ptr<Core> core) : core_(std::move(core)) {}
RawNode::~RawNode() = default;

Result<std::unique_ptr<RawNode>> RawNode::Create(Config config) {
  Result<std::unique_ptr<Core>> core = Core::Create(std::move(config));
  if (!core) return tl::unexpected(std::move(core).error());
  return std::unique_ptr<RawNode>(new RawNode(std::move(*core)));
}

Result<void> RawNode::Bootstrap(std::span<const Peer> peers) { return core_->Bootstrap(peers); }

void RawNode::Tick() { core_->Tick(); }
void RawNode::TickQuiesced() { core_->TickQuiesced(); }
void RawNode::Ping() { core_->Ping(); }

Result<void> RawNode::Campaign() {
  Message message = Local(MessageType::kHup, core_->id());
  return core_->Step(message);
}

Result<void> RawNode::Propose(Payload data) {
  return core_->Propose(EntryType::kNormal, std::move(data));
}

Result<void> RawNode::ProposeBatch(std::span<const Payload> data) {
  return core_->ProposeBatch(data);
}

Result<void> RawNode::ProposeConfChange(const ConfChange& change) {
  return core_->Propose(EntryType::kConfChange, Encode(change));
}

Result<void> RawNode::ProposeConfChange(const ConfChangeV2& change) {
  return core_->Propose(EntryType::kConfChangeV2, Encode(change));
}

Result<ConfState> RawNode::ApplyConfChange(const ConfChange& change) {
  return core_->ApplyConfChange(ToV2(change));
}

Result<ConfState> RawNode::ApplyConfChange(const ConfChangeV2& change) {
  return core_->ApplyConfChange(change);
}

Result<void> RawNode::Step(Message message) {
  if (Result<void> checked = core_->CheckReceived(message); !checked) return checked;
  return core_->Step(message);
}

bool RawNode::HasReady() const { return core_->HasReady(); }
Ready& RawNode::GetReady() { return core_->GetReady(); }
void RawNode::Advance() { core_->Advance(); }
LightReady& RawNode::AdvanceAppend() { return core_->AdvanceAppend(); }
void RawNode::AdvanceAppendAsync() { core_->AdvanceAppendAsync(); }
void RawNode::OnPersistReady(uint64_t number) { core_->OnPersistReady(number); }
void RawNode::AdvanceApply() { core_->AdvanceApply(); }
void RawNode::AdvanceApplyTo(LogIndex index) { core_->AdvanceApplyTo(index); }

BasicStatus RawNode::GetBasicStatus() const { return core_->basic_status(); }

Status RawNode::GetStatus() const {
  Status status;
  static_cast<BasicStatus&>(status) = core_->basic_status();
  status.config = core_->tracker().membership();
  VisitProgress([&status](const ProgressStatus& progress) { status.progress.push_back(progress); });
  return status;
}

void RawNode::VisitProgress(const std::function<void(const ProgressStatus&)>& visit) const {
  if (!core_->leads()) return;
  for (const Progress& progress : core_->tracker().progress()) visit(progress.status());
}

void RawNode::ReportUnreachable(NodeId id) {
  Message message = Local(MessageType::kUnreachable, id);
  (void)core_->Step(message);
}

void RawNode::ReportSnapshot(NodeId id, SnapshotStatus status) {
  Message message = Local(MessageType::kSnapStatus, id);
  message.reject = status == SnapshotStatus::kFailure;
  (void)core_->Step(message);
}

void RawNode::TransferLeader(NodeId transferee) {
  if (transferee == kNoNode) return;  // Unset, the sender would be this node.
  Message message = Local(MessageType::kTransferLeader, transferee);
  (void)core_->Step(message);
}

void RawNode::ForgetLeader() {
  Message message = Local(MessageType::kForgetLeader, core_->id());
  (void)core_->Step(message);
}

Result<void> RawNode::RequestSnapshot() { return core_->RequestSnapshot(); }

void RawNode::OnEntriesFetched(const FetchContext& context) { core_->OnEntriesFetched(context); }

void RawNode::ReadIndex(Payload context) {
  Message message = Local(MessageType::kReadIndex, core_->id());
  message.entries.emplace_back().data = std::move(context);
  (void)core_->Step(message);
}

void RawNode::EnableGroupCommit(bool on) { core_->EnableGroupCommit(on); }

void RawNode::AssignCommitGroups(std::span<const CommitGroup> groups) {
  core_->AssignCommitGroups(groups);
}

void RawNode::ClearCommitGroups() { core_->ClearCommitGroups(); }

std::optional<bool> RawNode::IsCommittedByGroups() const { return core_->IsCommittedByGroups(); }

void RawNode::SetPriority(int64_t priority) { core_->SetPriority(priority); }
void RawNode::SetSkipBcastCommit(bool skip) { core_->SetSkipBcastCommit(skip); }
void RawNode::SetBatchAppend(bool batch) { core_->SetBatchAppend(batch); }
void RawNode::SetMaxCommittedSizePerReady(uint64_t bytes) {
  core_->SetMaxCommittedSizePerReady(bytes);
}

void RawNode::SetMaxApplyUnpersistedLogLimit(uint64_t entries) {
  core_->SetMaxApplyUnpersistedLogLimit(entries);
}

Result<void> RawNode::SetCheckQuorum(bool check) { return core_->SetCheckQuorum(check); }

Result<void> RawNode::SetMaxInflightMsgs(NodeId member, uint64_t count) {
  return core_->SetMaxInflightMsgs(member, count);
}

void RawNode::SetRandomizedElectionTimeout(uint32_t ticks) {
  core_->SetRandomizedElectionTimeout(ticks);
}

}  // namespace raft
