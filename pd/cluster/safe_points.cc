#include "pd/cluster/safe_points.h"

#include <algorithm>
#include <charconv>
#include <ctime>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace pd {
namespace {

constexpr Millis kWriteTimeout{3000};
constexpr int64_t kNsPerS = 1'000'000'000;
constexpr const char* kNativeBr = "native_br";
constexpr const char* kMinStartTsService = "tidb_min_start_ts_";

std::string BarrierJson(const SafePoints::Barrier& barrier) {
  nlohmann::ordered_json json;
  json["service_id"] = barrier.id;
  json["expired_at"] = barrier.expires_at_s;
  json["safe_point"] = barrier.ts;
  return json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

Result<SafePoints::Barrier> ParseBarrier(const KeyValue& kv) {
  const auto json = nlohmann::json::parse(kv.value, nullptr, false);
  if (!json.is_object() || !json.contains("service_id") || !json["service_id"].is_string()) {
    return Fail(ErrorCode::kCorrupt, fmt::format("{} holds no GC barrier", kv.key));
  }
  SafePoints::Barrier barrier;
  barrier.id = json["service_id"].get<std::string>();
  if (const auto it = json.find("safe_point"); it != json.end() && it->is_number_unsigned()) {
    barrier.ts = it->get<uint64_t>();
  }
  if (const auto it = json.find("expired_at"); it != json.end() && it->is_number_integer()) {
    barrier.expires_at_s = it->get<int64_t>();
  }
  return barrier;
}

/// "2026-11-23 15:47:34 +0000 UTC", or "<nil>" for never.
std::string ExpiryText(const SafePoints::Barrier& barrier) {
  if (barrier.expires_at_s == SafePoints::kForever) return "<nil>";
  const std::time_t seconds = barrier.expires_at_s;
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  return fmt::format("\"{:04}-{:02}-{:02} {:02}:{:02}:{:02} +0000 UTC\"", parts.tm_year + 1900,
                     parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec);
}

std::string Describe(const char* kind, const SafePoints::Barrier& barrier) {
  return fmt::format("{} {{ BarrierID: \"{}\", BarrierTS: {}, ExpirationTime: {} }}", kind,
                     barrier.id, barrier.ts, ExpiryText(barrier));
}

PutRequest PutOf(std::string key, std::string value) {
  return {std::move(key), std::move(value), 0, false, false, false};
}

}  // namespace

bool SafePoints::IsExpired(const Barrier& barrier) const {
  if (barrier.expires_at_s >= kForever / kNsPerS) return false;
  return clock_.UnixNanos() > barrier.expires_at_s * kNsPerS;
}

int64_t SafePoints::Remaining(const Barrier& barrier) const {
  if (barrier.expires_at_s == kForever) return kForever;
  return std::max<int64_t>(0, barrier.expires_at_s - (clock_.UnixNanos() + kNsPerS - 1) / kNsPerS);
}

Result<uint64_t> SafePoints::ReadNumber(const std::string& key, int base) const {
  const auto kv = meta_.Get(key);
  if (!kv) return tl::unexpected<Error>(kv.error());
  if (!*kv || (*kv)->value.empty()) return 0;
  uint64_t value = 0;
  const std::string& text = (*kv)->value;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc() || end != text.data() + text.size()) {
    return Fail(ErrorCode::kCorrupt, fmt::format("{} holds no number", key));
  }
  return value;
}

Result<std::vector<SafePoints::Barrier>> SafePoints::ReadBarriers(const std::string& prefix) const {
  const auto kvs = meta_.GetPrefix(prefix);
  if (!kvs) return tl::unexpected<Error>(kvs.error());
  std::vector<Barrier> barriers;
  for (const KeyValue& kv : *kvs) {
    auto barrier = ParseBarrier(kv);
    if (!barrier) return tl::unexpected<Error>(barrier.error());
    barriers.push_back(std::move(*barrier));
  }
  return barriers;
}

Result<SafePoints::State> SafePoints::Read() const {
  const auto txn = ReadNumber(kTxnSafePointPath, 10);
  if (!txn) return tl::unexpected<Error>(txn.error());
  const auto gc = ReadNumber(paths().GcSafePoint(), 16);
  if (!gc) return tl::unexpected<Error>(gc.error());
  auto barriers = ReadBarriers(paths().GcBarriers());
  if (!barriers) return tl::unexpected<Error>(barriers.error());
  auto global = ReadBarriers(paths().GlobalGcBarriers());
  if (!global) return tl::unexpected<Error>(global.error());
  return State{*txn, *gc, std::move(*barriers), std::move(*global)};
}

Result<SafePoints::State> SafePoints::ReadWith(std::optional<KeyValue>& revision) const {
  auto kv = meta_.Get(paths().GcRevision());
  if (!kv) return tl::unexpected<Error>(kv.error());
  revision = std::move(*kv);
  return Read();
}

Result<void> SafePoints::Commit(const std::optional<KeyValue>& revision,
                                std::vector<TxnOp> changes) {
  KvTxn txn;
  txn.compares.push_back(
      Compare::ModRevisionIs(paths().GcRevision(), revision ? revision->mod_revision : 0));
  uint64_t number = 0;
  if (revision) {
    std::from_chars(revision->value.data(), revision->value.data() + revision->value.size(),
                    number);
  }
  txn.then = std::move(changes);
  txn.then.emplace_back(PutOf(paths().GcRevision(), fmt::to_string(number + 1)));
  const auto done = meta_.Txn(std::move(txn), kWriteTimeout, term_());
  if (!done) return tl::unexpected<Error>(done.error());
  if (!done->succeeded) {
    return Fail(ErrorCode::kConflict,
                "[PD:etcd:ErrEtcdTxnConflict]etcd transaction failed, conflicted and rolled back");
  }
  return {};
}

/// Lowers `advanced.after` to the lowest thing that must not be passed, and names it.
Result<void> SafePoints::Hold(const State& state, Advanced& advanced) const {
  const auto hold = [&](uint64_t ts, std::string text, std::string id) {
    if (ts >= advanced.after) return;
    advanced.after = ts;
    advanced.blocker = std::move(text);
    advanced.blocker_id = std::move(id);
  };
  for (const Barrier& barrier : state.barriers) {
    if (barrier.id == kGcWorker || IsExpired(barrier)) continue;
    hold(barrier.ts, Describe("GCBarrier", barrier), barrier.id);
  }
  const auto starts = meta_.GetPrefix(kMinStartTsPrefix);
  if (!starts) return tl::unexpected<Error>(starts.error());
  for (const KeyValue& kv : *starts) {
    uint64_t ts = 0;
    std::from_chars(kv.value.data(), kv.value.data() + kv.value.size(), ts);
    if (ts == 0) continue;
    hold(ts, fmt::format("TiDBMinStartTS {{ Key: \"{}\", MinStartTS: {} }}", kv.key, ts),
         kMinStartTsService + kv.key);
  }
  for (const Barrier& barrier : state.global_barriers) {
    if (IsExpired(barrier)) continue;
    hold(barrier.ts, Describe("GlobalGCBarrier", barrier), barrier.id);
  }
  // It never falls, not even to a barrier that is behind already.
  advanced.after = std::max(advanced.after, advanced.before);
  return {};
}

Result<SafePoints::Advanced> SafePoints::AdvanceTxn(uint64_t target) {
  const MutexLock lock(change_mutex_);
  std::optional<KeyValue> revision;
  const auto state = ReadWith(revision);
  if (!state) return tl::unexpected<Error>(state.error());
  if (target < state->txn) {
    return Fail(ErrorCode::kInvalidArgument,
                fmt::format("[PD:gc:ErrDecreasingTxnSafePoint]trying to update txn safe point to a "
                            "smaller value, current value: {}, given: {}",
                            state->txn, target));
  }
  Advanced advanced{.before = state->txn, .after = target, .blocker = {}, .blocker_id = {}};
  if (auto held = Hold(*state, advanced); !held) return tl::unexpected<Error>(held.error());
  std::vector<TxnOp> changes;
  if (advanced.after != advanced.before) {
    changes.emplace_back(PutOf(kTxnSafePointPath, fmt::to_string(advanced.after)));
  }
  for (const Barrier& barrier : state->barriers) {
    const std::string key = paths().GcBarriers() + barrier.id;
    if (barrier.id == kGcWorker) {
      changes.emplace_back(PutOf(key, BarrierJson({kGcWorker, advanced.after, kForever})));
    } else if (IsExpired(barrier)) {
      changes.emplace_back(DeleteRequest{key, {}, false});
    }
  }
  for (const Barrier& barrier : state->global_barriers) {
    if (!IsExpired(barrier)) continue;
    changes.emplace_back(DeleteRequest{paths().GlobalGcBarriers() + barrier.id, {}, false});
  }
  if (changes.empty()) return advanced;
  if (auto done = Commit(revision, std::move(changes)); !done) {
    return tl::unexpected<Error>(done.error());
  }
  return advanced;
}

Result<SafePoints::Advanced> SafePoints::AdvanceGc(uint64_t target) {
  const MutexLock lock(change_mutex_);
  std::optional<KeyValue> revision;
  const auto state = ReadWith(revision);
  if (!state) return tl::unexpected<Error>(state.error());
  if (target < state->gc) {
    return Fail(ErrorCode::kInvalidArgument,
                fmt::format("[PD:gc:ErrDecreasingGCSafePoint]trying to update GC safe point to a "
                            "smaller value, current value: {}, given: {}",
                            state->gc, target));
  }
  if (target > state->txn) {
    return Fail(
        ErrorCode::kInvalidArgument,
        fmt::format("[PD:gc:ErrGCSafePointExceedsTxnSafePoint]trying to update GC safe point "
                    "to a too large value that exceeds the txn safe point, current value: "
                    "{}, given: {}, current txn safe point: {}",
                    state->gc, target, state->txn));
  }
  const Advanced advanced{.before = state->gc, .after = target, .blocker = {}, .blocker_id = {}};
  if (target == state->gc) return advanced;
  std::vector<TxnOp> changes;
  changes.emplace_back(PutOf(paths().GcSafePoint(), fmt::format("{:x}", target)));
  if (auto done = Commit(revision, std::move(changes)); !done) {
    return tl::unexpected<Error>(done.error());
  }
  return advanced;
}

Result<uint64_t> SafePoints::RaiseGc(uint64_t target) {
  const auto current = ReadNumber(paths().GcSafePoint(), 16);
  if (!current || target < *current) return current;
  const auto advanced = AdvanceGc(target);
  if (!advanced) return tl::unexpected<Error>(advanced.error());
  return advanced->after;
}

Result<SafePoints::Barrier> SafePoints::SetBarrier(Scope scope, const std::string& id, uint64_t ts,
                                                   int64_t ttl_s) {
  const bool global = scope == Scope::kGlobal;
  if (ttl_s <= 0) {
    return Fail(ErrorCode::kInvalidArgument,
                "[PD:common:ErrInvalidArgument]invalid argument for ttl: 0s");
  }
  if (auto checked = CheckBarrierId(scope, id); !checked) {
    return tl::unexpected<Error>(checked.error());
  }
  const MutexLock lock(change_mutex_);
  std::optional<KeyValue> revision;
  const auto state = ReadWith(revision);
  if (!state) return tl::unexpected<Error>(state.error());
  if (ts < state->txn) {
    return Fail(ErrorCode::kInvalidArgument,
                global
                    ? fmt::format("[PD:gc:ErrGlobalGCBarrierTSBehindTxnSafePoint]trying to set a "
                                  "global GC barrier on ts {} which is already behind the txn "
                                  "safe point {} of keyspace <null_keyspace>",
                                  ts, state->txn)
                    : fmt::format("[PD:gc:ErrGCBarrierTSBehindTxnSafePoint]trying to set a GC "
                                  "barrier on ts {} which is already behind the txn safe point {}",
                                  ts, state->txn));
  }
  Barrier barrier{id, ts, kForever};
  // A time to live that does not fit 64-bit nanoseconds means for ever.
  if (ttl_s < kForever / kNsPerS) {
    barrier.expires_at_s = (clock_.UnixNanos() + kNsPerS - 1) / kNsPerS + ttl_s;
  }
  std::vector<TxnOp> changes;
  const std::string prefix = global ? paths().GlobalGcBarriers() : paths().GcBarriers();
  changes.emplace_back(PutOf(prefix + id, BarrierJson(barrier)));
  if (auto done = Commit(revision, std::move(changes)); !done) {
    return tl::unexpected<Error>(done.error());
  }
  return barrier;
}

Result<void> SafePoints::CheckBarrierId(Scope scope, const std::string& id) {
  if (scope == Scope::kCluster && id == kGcWorker) {
    return Fail(
        ErrorCode::kInvalidArgument,
        "[PD:gc:ErrReservedGCBarrierID]trying to set a GC barrier with a barrier ID that is "
        "reserved: gc_worker");
  }
  if (id.empty()) {
    return Fail(ErrorCode::kInvalidArgument,
                "[PD:common:ErrInvalidArgument]invalid argument for barrierID: ");
  }
  return {};
}

Result<std::optional<SafePoints::Barrier>> SafePoints::DeleteBarrier(Scope scope,
                                                                     const std::string& id) {
  if (auto checked = CheckBarrierId(scope, id); !checked) {
    return tl::unexpected<Error>(checked.error());
  }
  const MutexLock lock(change_mutex_);
  std::optional<KeyValue> revision;
  const auto state = ReadWith(revision);
  if (!state) return tl::unexpected<Error>(state.error());
  const bool global = scope == Scope::kGlobal;
  const std::vector<Barrier>& barriers = global ? state->global_barriers : state->barriers;
  const auto it = std::ranges::find(barriers, id, &Barrier::id);
  if (it == barriers.end()) return std::optional<Barrier>();
  std::vector<TxnOp> changes;
  const std::string prefix = global ? paths().GlobalGcBarriers() : paths().GcBarriers();
  changes.emplace_back(DeleteRequest{prefix + id, {}, false});
  if (auto done = Commit(revision, std::move(changes)); !done) {
    return tl::unexpected<Error>(done.error());
  }
  return std::optional<Barrier>(*it);
}

Result<SafePoints::Service> SafePoints::UpdateService(const std::string& id, uint64_t ts,
                                                      int64_t ttl_s) {
  if (id == kGcWorker) {
    if (ttl_s != kForever) {
      return Fail(ErrorCode::kInvalidArgument,
                  "TTL of gc_worker's service safe point must be infinity");
    }
    const auto advanced = AdvanceTxn(ts);
    if (!advanced) return tl::unexpected<Error>(advanced.error());
    return Service{advanced->blocker_id.empty() ? kGcWorker : advanced->blocker_id,
                   advanced->after};
  }
  const Scope scope = id == kNativeBr ? Scope::kGlobal : Scope::kCluster;
  if (ttl_s > 0) {
    // A timestamp that is behind already is not kept; the caller sees it from the answer.
    const auto txn = ReadNumber(kTxnSafePointPath, 10);
    if (!txn) return tl::unexpected<Error>(txn.error());
    if (ts >= *txn || id.empty()) {
      if (auto set = SetBarrier(scope, id, ts, ttl_s); !set) {
        return tl::unexpected<Error>(set.error());
      }
    }
  } else if (auto deleted = DeleteBarrier(scope, id); !deleted) {
    return tl::unexpected<Error>(deleted.error());
  }
  const auto txn = ReadNumber(kTxnSafePointPath, 10);
  if (!txn) return tl::unexpected<Error>(txn.error());
  return Service{kGcWorker, *txn};
}

}  // namespace pd
