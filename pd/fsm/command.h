#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "pd/fsm/kv.h"
#include "raft/types.h"

// What Raft replicates. A command is applied by every member in the same order, so it carries
// everything that could differ between them: the leader's time, and any id or random number.

namespace pd {

// ---- Regions
// -------------------------------------------------------------------------------------------------------

enum class PeerRole : uint8_t { kVoter = 0, kLearner = 1, kIncomingVoter = 2, kDemotingVoter = 3 };

struct RegionPeer {
  uint64_t id = 0;
  uint64_t store_id = 0;
  PeerRole role = PeerRole::kVoter;
  bool is_witness = false;

  friend bool operator==(const RegionPeer&, const RegionPeer&) = default;
};

/// The replicated part of a region: range, epoch, peers. Leader, flow and sizes are not (heartbeats
/// bring them again).
struct RegionRecord {
  uint64_t id = 0;
  std::string start_key;
  std::string end_key;  // Empty: no end.
  uint64_t conf_ver = 0;
  uint64_t version = 0;
  std::vector<RegionPeer> peers;
  bool is_in_flashback = false;
  uint64_t flashback_start_ts = 0;
  std::string
      encryption_meta;  // Encoded encryptionpb.EncryptionMeta, kept as it came; mostly empty.

  friend bool operator==(const RegionRecord&, const RegionRecord&) = default;
};

/// Changes the region table: first the deletes, then the puts. A put replaces whatever the id held;
/// the proposer names every region that its puts overlap in `deleted_ids`. No history, no events,
/// no revision.
struct PutRegions {
  std::vector<RegionRecord> regions;
  std::vector<uint64_t> deleted_ids;

  friend bool operator==(const PutRegions&, const PutRegions&) = default;
};

// ---- Transactions
// --------------------------------------------------------------------------------------------------

/// A condition on one key, or on every key of a range. A key that does not exist compares as one
/// with all numbers 0; comparing its value is always false.
struct Compare {
  enum class Target : uint8_t { kVersion, kCreateRevision, kModRevision, kValue, kLease };
  enum class Relation : uint8_t { kEqual, kGreater, kLess, kNotEqual };
  Target target = Target::kVersion;
  Relation relation = Relation::kEqual;
  std::string key;
  std::string range_end;
  int64_t number = 0;  // For all targets but kValue.
  std::string value;   // For kValue.

  friend bool operator==(const Compare&, const Compare&) = default;

  /// The conditions used most.
  static Compare Absent(std::string key);
  static Compare ValueIs(std::string key, std::string value);
  static Compare ModRevisionIs(std::string key, Revision revision);
};

struct PutRequest {
  std::string key;
  std::string value;
  LeaseId lease = 0;
  bool prev_kv = false;       // Answer with the pair replaced.
  bool ignore_value = false;  // Keep the value; the key must exist.
  bool ignore_lease = false;  // Keep the lease; the key must exist.
};

struct DeleteRequest {
  std::string key;
  std::string range_end;
  bool prev_kv = false;  // Answer with the pairs deleted.
};

struct KvTxn;
/// A nested transaction is a vector of exactly one.
using TxnOp = std::variant<RangeRequest, PutRequest, DeleteRequest, PutRegions, std::vector<KvTxn>>;

/// If all of `compares` hold, does `then`, else `otherwise`, as one step at one revision. The first
/// failing operation (a missing lease, an ignore_value of no key, a compacted revision) fails the
/// whole transaction without effect.
struct KvTxn {
  std::vector<Compare> compares;
  std::vector<TxnOp> then;
  std::vector<TxnOp> otherwise;

  /// The steps used most; each returns the transaction, so that they can be chained.
  KvTxn& If(Compare compare);
  KvTxn& Put(std::string key, std::string value, LeaseId lease = 0);
  KvTxn& Delete(std::string key, std::string range_end = "");
};

// ---- Leases
// --------------------------------------------------------------------------------------------------------

/// Time to live is kept by the leader; the replicated part is the id, the granted time and the keys
/// attached.
struct LeaseGrant {
  LeaseId id = 0;  // Chosen by the proposer, > 0. Granting a known id fails with kAlreadyExists.
  int64_t ttl_ms = 0;
};

/// Deletes the lease and its keys, with one event a key. An unknown id fails with kNotFound.
struct LeaseRevoke {
  LeaseId id = 0;
};

/// Saves what remains of long leases, so that a new leader does not start them from their full time
/// again.
struct LeaseCheckpoint {
  struct Remaining {
    LeaseId id = 0;
    int64_t remaining_ms = 0;
  };
  std::vector<Remaining> leases;  // Unknown ids are skipped.
};

/// Forgets history up to and including `revision`; what is current at it stays readable.
struct Compact {
  Revision revision = 0;
};

// ---- Members
// -------------------------------------------------------------------------------------------------------

/// A member of the group, as the outside world sees it.
struct Member {
  raft::NodeId id = 0;
  std::string name;                      // Empty until the member has published itself.
  std::vector<std::string> peer_urls;    // Where the other members reach it.
  std::vector<std::string> client_urls;  // Where clients reach it; empty until published.
  bool is_learner = false;

  friend bool operator==(const Member&, const Member&) = default;
};

/// Replaces the name and addresses of a known member; its role is changed by a membership change
/// only.
struct UpdateMember {
  Member member;
};

// ---- The envelope
// --------------------------------------------------------------------------------------------------

using CommandBody = std::variant<KvTxn, LeaseGrant, LeaseRevoke, LeaseCheckpoint, Compact,
                                 PutRegions, UpdateMember>;

struct Command {
  CommandBody body;
  int64_t leader_unix_ms = 0;  // Filled in by RaftGroup when it is 0.
};

// ---- Results
// -------------------------------------------------------------------------------------------------------

struct PutResult {
  KeyValue prev_kv;  // Version 0 when there was none or it was not asked for.
};
struct DeleteResult {
  int64_t deleted = 0;
  std::vector<KeyValue> prev_kvs;
};
struct TxnResult;
/// In the shape of TxnOp; PutRegions answers std::monostate.
using TxnOpResult =
    std::variant<std::monostate, RangeResult, PutResult, DeleteResult, std::vector<TxnResult>>;

struct TxnResult {
  bool succeeded = false;  // All compares held.
  Revision revision = 0;   // Of the space after the transaction.
  std::vector<TxnOpResult> responses;
};

/// Result of any command; all but transactions fill the revision only.
using CommandResult = TxnResult;

}  // namespace pd
