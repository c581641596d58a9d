#include "pd/codec/command_codec.h"

#include <limits>
#include <utility>

#include "proto/qm_raft.pb.h"

namespace pd::codec {
namespace {

namespace wire = quartermaster::raft;

tl::unexpected<Error> Corrupt(const char* what) {
  return Fail(ErrorCode::kCorrupt, std::string("command does not decode: ") + what);
}

/// The enumerator of number `value`, if there is one.
template <class Enum>
Result<Enum> ToEnum(uint32_t value, Enum last, const char* what) {
  if (value > static_cast<uint32_t>(last)) return Corrupt(what);
  return static_cast<Enum>(value);
}

// ---- Encoding ------------------------------------------------------------------------------------------------------

void Encode(const RegionRecord& region, wire::Region& out) {
  out.set_id(region.id);
  out.set_start_key(region.start_key);
  out.set_end_key(region.end_key);
  out.set_conf_ver(region.conf_ver);
  out.set_version(region.version);
  for (const RegionPeer& peer : region.peers) {
    wire::RegionPeer& to = *out.add_peers();
    to.set_id(peer.id);
    to.set_store_id(peer.store_id);
    to.set_role(static_cast<uint32_t>(peer.role));
    to.set_is_witness(peer.is_witness);
  }
  out.set_is_in_flashback(region.is_in_flashback);
  out.set_flashback_start_ts(region.flashback_start_ts);
  out.set_encryption_meta(region.encryption_meta);
}

void Encode(const PutRegions& regions, wire::PutRegions& out) {
  for (const RegionRecord& region : regions.regions) Encode(region, *out.add_regions());
  for (const uint64_t id : regions.deleted_ids) out.add_deleted_ids(id);
}

void Encode(const RangeRequest& range, wire::Range& out) {
  out.set_key(range.key);
  out.set_range_end(range.range_end);
  out.set_limit(range.limit);
  out.set_revision(range.revision);
  out.set_keys_only(range.keys_only);
  out.set_count_only(range.count_only);
  out.set_sort_target(static_cast<uint32_t>(range.sort_target));
  out.set_sort_order(static_cast<uint32_t>(range.sort_order));
  out.set_min_mod_revision(range.min_mod_revision);
  out.set_max_mod_revision(range.max_mod_revision);
  out.set_min_create_revision(range.min_create_revision);
  out.set_max_create_revision(range.max_create_revision);
}

void Encode(const PutRequest& put, wire::Put& out) {
  out.set_key(put.key);
  out.set_value(put.value);
  out.set_lease(put.lease);
  out.set_prev_kv(put.prev_kv);
  out.set_ignore_value(put.ignore_value);
  out.set_ignore_lease(put.ignore_lease);
}

void Encode(const DeleteRequest& request, wire::Delete& out) {
  out.set_key(request.key);
  out.set_range_end(request.range_end);
  out.set_prev_kv(request.prev_kv);
}

void Encode(const KvTxn& txn, wire::Txn& out);

struct OpEncoder {
  wire::TxnOp& out;

  void operator()(const RangeRequest& op) const { Encode(op, *out.mutable_range()); }
  void operator()(const PutRequest& op) const { Encode(op, *out.mutable_put()); }
  void operator()(const DeleteRequest& op) const { Encode(op, *out.mutable_delete_()); }
  void operator()(const PutRegions& op) const { Encode(op, *out.mutable_put_regions()); }
  void operator()(const std::vector<KvTxn>& nested) const {
    if (!nested.empty()) Encode(nested.front(), *out.mutable_txn());
  }
};

void Encode(const KvTxn& txn, wire::Txn& out) {
  for (const Compare& compare : txn.compares) {
    wire::Compare& to = *out.add_compares();
    to.set_target(static_cast<uint32_t>(compare.target));
    to.set_relation(static_cast<uint32_t>(compare.relation));
    to.set_key(compare.key);
    to.set_range_end(compare.range_end);
    to.set_number(compare.number);
    to.set_value(compare.value);
  }
  for (const TxnOp& op : txn.then) std::visit(OpEncoder{*out.add_then()}, op);
  for (const TxnOp& op : txn.otherwise) std::visit(OpEncoder{*out.add_otherwise()}, op);
}

struct BodyEncoder {
  wire::Command& out;

  void operator()(const KvTxn& txn) const { Encode(txn, *out.mutable_txn()); }
  void operator()(const LeaseGrant& grant) const {
    out.mutable_lease_grant()->set_id(grant.id);
    out.mutable_lease_grant()->set_ttl_ms(grant.ttl_ms);
  }
  void operator()(const LeaseRevoke& revoke) const {
    out.mutable_lease_revoke()->set_id(revoke.id);
  }
  void operator()(const LeaseCheckpoint& checkpoint) const {
    wire::LeaseCheckpoint& to = *out.mutable_lease_checkpoint();
    for (const LeaseCheckpoint::Remaining& lease : checkpoint.leases) {
      wire::LeaseCheckpoint::Remaining& one = *to.add_leases();
      one.set_id(lease.id);
      one.set_remaining_ms(lease.remaining_ms);
    }
  }
  void operator()(const Compact& compact) const {
    out.mutable_compact()->set_revision(compact.revision);
  }
  void operator()(const PutRegions& regions) const { Encode(regions, *out.mutable_put_regions()); }
  void operator()(const UpdateMember& update) const {
    wire::Member& to = *out.mutable_update_member();
    to.set_id(update.member.id);
    to.set_name(update.member.name);
    for (const std::string& url : update.member.peer_urls) to.add_peer_urls(url);
    for (const std::string& url : update.member.client_urls) to.add_client_urls(url);
    to.set_is_learner(update.member.is_learner);
  }
};

// ---- Decoding ------------------------------------------------------------------------------------------------------

Result<RegionRecord> Decode(const wire::Region& in) {
  RegionRecord region;
  region.id = in.id();
  region.start_key = in.start_key();
  region.end_key = in.end_key();
  region.conf_ver = in.conf_ver();
  region.version = in.version();
  for (const wire::RegionPeer& peer : in.peers()) {
    const auto role = ToEnum(peer.role(), PeerRole::kDemotingVoter, "peer role");
    if (!role) return tl::unexpected(role.error());
    region.peers.push_back({peer.id(), peer.store_id(), *role, peer.is_witness()});
  }
  region.is_in_flashback = in.is_in_flashback();
  region.flashback_start_ts = in.flashback_start_ts();
  region.encryption_meta = in.encryption_meta();
  return region;
}

Result<PutRegions> Decode(const wire::PutRegions& in) {
  PutRegions regions;
  regions.regions.reserve(static_cast<size_t>(in.regions_size()));
  for (const wire::Region& from : in.regions()) {
    auto region = Decode(from);
    if (!region) return tl::unexpected(region.error());
    regions.regions.push_back(*std::move(region));
  }
  regions.deleted_ids.assign(in.deleted_ids().begin(), in.deleted_ids().end());
  return regions;
}

Result<RangeRequest> Decode(const wire::Range& in) {
  const auto target = ToEnum(in.sort_target(), SortTarget::kValue, "sort target");
  if (!target) return tl::unexpected(target.error());
  const auto order = ToEnum(in.sort_order(), SortOrder::kDescending, "sort order");
  if (!order) return tl::unexpected(order.error());
  RangeRequest range;
  range.key = in.key();
  range.range_end = in.range_end();
  range.limit = in.limit();
  range.revision = in.revision();
  range.keys_only = in.keys_only();
  range.count_only = in.count_only();
  range.sort_target = *target;
  range.sort_order = *order;
  range.min_mod_revision = in.min_mod_revision();
  range.max_mod_revision = in.max_mod_revision();
  range.min_create_revision = in.min_create_revision();
  range.max_create_revision = in.max_create_revision();
  return range;
}

Result<Compare> Decode(const wire::Compare& in) {
  const auto target = ToEnum(in.target(), Compare::Target::kLease, "compare target");
  if (!target) return tl::unexpected(target.error());
  const auto relation = ToEnum(in.relation(), Compare::Relation::kNotEqual, "compare relation");
  if (!relation) return tl::unexpected(relation.error());
  return Compare{*target, *relation, in.key(), in.range_end(), in.number(), in.value()};
}

Result<KvTxn> Decode(const wire::Txn& in);

Result<TxnOp> Decode(const wire::TxnOp& in) {
  const auto wrap = [](auto decoded) -> Result<TxnOp> {
    if (!decoded) return tl::unexpected(decoded.error());
    return TxnOp(*std::move(decoded));
  };
  switch (in.op_case()) {
    case wire::TxnOp::kRange:
      return wrap(Decode(in.range()));
    case wire::TxnOp::kPut: {
      const wire::Put& put = in.put();
      return TxnOp(PutRequest{put.key(), put.value(), put.lease(), put.prev_kv(),
                              put.ignore_value(), put.ignore_lease()});
    }
    case wire::TxnOp::kDelete:
      return TxnOp(
          DeleteRequest{in.delete_().key(), in.delete_().range_end(), in.delete_().prev_kv()});
    case wire::TxnOp::kPutRegions:
      return wrap(Decode(in.put_regions()));
    case wire::TxnOp::kTxn: {
      auto nested = Decode(in.txn());
      if (!nested) return tl::unexpected(nested.error());
      std::vector<KvTxn> one;
      one.push_back(*std::move(nested));
      return TxnOp(std::move(one));
    }
    case wire::TxnOp::OP_NOT_SET:
      break;
  }
  return Corrupt("operation of no kind");
}

Result<KvTxn> Decode(const wire::Txn& in) {
  KvTxn txn;
  for (const wire::Compare& from : in.compares()) {
    auto compare = Decode(from);
    if (!compare) return tl::unexpected(compare.error());
    txn.compares.push_back(*std::move(compare));
  }
  for (const wire::TxnOp& from : in.then()) {
    auto op = Decode(from);
    if (!op) return tl::unexpected(op.error());
    txn.then.push_back(*std::move(op));
  }
  for (const wire::TxnOp& from : in.otherwise()) {
    auto op = Decode(from);
    if (!op) return tl::unexpected(op.error());
    txn.otherwise.push_back(*std::move(op));
  }
  return txn;
}

UpdateMember Decode(const wire::Member& in) {
  UpdateMember update;
  update.member.id = in.id();
  update.member.name = in.name();
  update.member.peer_urls.assign(in.peer_urls().begin(), in.peer_urls().end());
  update.member.client_urls.assign(in.client_urls().begin(), in.client_urls().end());
  update.member.is_learner = in.is_learner();
  return update;
}

Result<CommandBody> DecodeBody(const wire::Command& in) {
  const auto wrap = [](auto decoded) -> Result<CommandBody> {
    if (!decoded) return tl::unexpected(decoded.error());
    return CommandBody(*std::move(decoded));
  };
  switch (in.body_case()) {
    case wire::Command::kTxn:
      return wrap(Decode(in.txn()));
    case wire::Command::kLeaseGrant:
      return CommandBody(LeaseGrant{in.lease_grant().id(), in.lease_grant().ttl_ms()});
    case wire::Command::kLeaseRevoke:
      return CommandBody(LeaseRevoke{in.lease_revoke().id()});
    case wire::Command::kLeaseCheckpoint: {
      LeaseCheckpoint checkpoint;
      for (const auto& lease : in.lease_checkpoint().leases()) {
        checkpoint.leases.push_back({lease.id(), lease.remaining_ms()});
      }
      return CommandBody(std::move(checkpoint));
    }
    case wire::Command::kCompact:
      return CommandBody(Compact{in.compact().revision()});
    case wire::Command::kPutRegions:
      return wrap(Decode(in.put_regions()));
    case wire::Command::kUpdateMember:
      return CommandBody(Decode(in.update_member()));
    case wire::Command::BODY_NOT_SET:
      break;
  }
  return Corrupt("body of no kind");
}

}  // namespace

std::string EncodeCommand(const LoggedCommand& command) {
  wire::Command out;
  out.set_proposer(command.proposer);
  out.set_proposal_id(command.proposal_id);
  out.set_leader_unix_ms(command.command.leader_unix_ms);
  std::visit(BodyEncoder{out}, command.command.body);
  return out.SerializeAsString();
}

Result<LoggedCommand> DecodeCommand(std::string_view bytes) {
  wire::Command in;
  if (bytes.size() > static_cast<size_t>(std::numeric_limits<int>::max()) ||
      !in.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return Corrupt("not a message");
  }
  auto body = DecodeBody(in);
  if (!body) return tl::unexpected(body.error());
  return LoggedCommand{in.proposer(), in.proposal_id(), {*std::move(body), in.leader_unix_ms()}};
}

}  // namespace pd::codec
