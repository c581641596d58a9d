#include <algorithm>
#include <string>
#include <variant>
#include <vector>

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include "pd/fsm/meta_state.h"
#include "tests/pd/script.h"
#include "tests/pd/storage/fake_database.h"

namespace pd {
namespace {

using test::ScriptLine;
using test::Shown;

std::string Show(const KeyValue& pair) {
  std::string out =
      fmt::format("{}={} create={} mod={} version={}", Shown(pair.key), Shown(pair.value),
                  pair.create_revision, pair.mod_revision, pair.version);
  if (pair.lease != 0) out += fmt::format(" lease={}", pair.lease);
  return out + "\n";
}

std::string Show(const RangeResult& range) {
  std::string out = fmt::format("revision={} count={}{}\n", range.revision, range.count,
                                range.more ? " more" : "");
  for (const KeyValue& pair : range.kvs) out += "  " + Show(pair);
  return out;
}

std::string Show(const Event& event) {
  if (event.type == Event::Type::kDelete) {
    std::string out = fmt::format("event delete {} mod={}", event.kv.key, event.kv.mod_revision);
    return out + fmt::format(" was={}\n", event.prev_kv.value);
  }
  std::string out = "event put " + Show(event.kv);
  if (event.prev_kv.version != 0) {
    out.pop_back();
    out += fmt::format(" was={}\n", event.prev_kv.value);
  }
  return out;
}

std::string Show(const RegionRecord& region) {
  std::string peers;
  for (const RegionPeer& peer : region.peers) {
    peers += fmt::format("{}{}@{}", peers.empty() ? "" : ",", peer.id, peer.store_id);
  }
  return fmt::format("region {} [{},{}) epoch={}/{} peers={}\n", region.id, Shown(region.start_key),
                     Shown(region.end_key), region.conf_ver, region.version, peers);
}

std::string Show(const Error& error) {
  static const std::map<ErrorCode, std::string> kNames = {
      {ErrorCode::kNotFound, "not found"},
      {ErrorCode::kAlreadyExists, "already exists"},
      {ErrorCode::kInvalidArgument, "invalid argument"},
      {ErrorCode::kCompacted, "compacted"}};
  const auto name = kNames.find(error.code);
  return fmt::format("error {}: {}\n", name == kNames.end() ? "?" : name->second, error.context);
}

std::string Show(const TxnResult& result, const std::string& indent);

std::string Show(const TxnOpResult& response, const std::string& indent) {
  std::string out;
  if (const auto* range = std::get_if<RangeResult>(&response)) {
    out = indent + "range " + Show(*range);
  } else if (const auto* put = std::get_if<PutResult>(&response)) {
    out = indent + "put\n";
    if (put->prev_kv.version != 0) out += indent + "  was " + Show(put->prev_kv);
  } else if (const auto* deleted = std::get_if<DeleteResult>(&response)) {
    out = indent + fmt::format("delete deleted={}\n", deleted->deleted);
    for (const KeyValue& pair : deleted->prev_kvs) out += indent + "  was " + Show(pair);
  } else if (const auto* nested = std::get_if<std::vector<TxnResult>>(&response)) {
    out = indent + "txn " + Show(nested->front(), indent + "  ");
  } else {
    out = indent + "regions\n";
  }
  return out;
}

std::string Show(const TxnResult& result, const std::string& indent) {
  std::string out =
      fmt::format("{} revision={}\n", result.succeeded ? "succeeded" : "failed", result.revision);
  for (const TxnOpResult& response : result.responses) out += Show(response, indent);
  return out;
}

std::string RangeEnd(const ScriptLine& line) {
  if (line.Has("prefix")) {
    std::string end = line.Word(0);
    ++end.back();
    return end;
  }
  return line.Get("end");
}

RangeRequest ToRange(const ScriptLine& line) {
  RangeRequest request;
  request.key = line.Word(0);
  request.range_end = RangeEnd(line);
  request.limit = line.Number("limit");
  request.revision = line.Number("revision");
  request.keys_only = line.Has("keys-only");
  request.count_only = line.Has("count-only");
  request.min_mod_revision = line.Number("min-mod");
  request.max_mod_revision = line.Number("max-mod");
  request.min_create_revision = line.Number("min-create");
  request.max_create_revision = line.Number("max-create");
  static const std::map<std::string, SortTarget> kTargets = {
      {"key", SortTarget::kKey},
      {"version", SortTarget::kVersion},
      {"create", SortTarget::kCreateRevision},
      {"mod", SortTarget::kModRevision},
      {"value", SortTarget::kValue}};
  request.sort_target = kTargets.at(line.Get("sort", "key"));
  if (line.Get("order") == "descending") request.sort_order = SortOrder::kDescending;
  if (line.Get("order") == "ascending") request.sort_order = SortOrder::kAscending;
  return request;
}

PutRegions ToRegions(const ScriptLine& line) {
  PutRegions put;
  if (line.Has("delete")) put.deleted_ids.push_back(static_cast<uint64_t>(line.Number("delete")));
  if (line.words.empty()) return put;
  RegionRecord region;
  region.id = std::stoull(line.Word(0));
  region.start_key = line.Get("start");
  region.end_key = line.Get("end");
  region.conf_ver = static_cast<uint64_t>(line.Number("conf_ver", 1));
  region.version = static_cast<uint64_t>(line.Number("version", 1));
  region.peers = {{region.id + 1, 1}};
  put.regions.push_back(region);
  return put;
}

TxnOp ToOp(const ScriptLine& line) {
  if (line.verb == "range") return ToRange(line);
  if (line.verb == "regions") return ToRegions(line);
  if (line.verb == "delete") {
    return DeleteRequest{line.Word(0), RangeEnd(line), line.Has("prev")};
  }
  REQUIRE(line.verb == "put");
  PutRequest put;
  put.key = line.Word(0);
  if (line.words.size() > 1) put.value = line.words[1];
  put.lease = line.Number("lease");
  put.prev_kv = line.Has("prev");
  put.ignore_value = line.Has("ignore-value");
  put.ignore_lease = line.Has("ignore-lease");
  return put;
}

Compare ToCompare(const ScriptLine& line) {
  static const std::map<std::string, Compare::Target> kTargets = {
      {"version", Compare::Target::kVersion},
      {"create", Compare::Target::kCreateRevision},
      {"mod", Compare::Target::kModRevision},
      {"value", Compare::Target::kValue},
      {"lease", Compare::Target::kLease}};
  static const std::map<std::string, Compare::Relation> kRelations = {
      {"is", Compare::Relation::kEqual},
      {"above", Compare::Relation::kGreater},
      {"below", Compare::Relation::kLess},
      {"not", Compare::Relation::kNotEqual}};
  Compare compare;
  compare.key = line.Word(0);
  compare.range_end = RangeEnd(line);
  compare.target = kTargets.at(line.Word(1));
  compare.relation = kRelations.at(line.Word(2));
  if (compare.target == Compare::Target::kValue) {
    compare.value = line.Word(3);
  } else {
    compare.number = std::stoll(line.Word(3));
  }
  return compare;
}

/// Lines between `txn` and `end`: if, then, else, and nested transactions.
KvTxn ToTxn(const std::vector<ScriptLine>& lines, size_t& at) {
  KvTxn txn;
  std::vector<TxnOp>* branch = &txn.then;
  for (; at < lines.size(); ++at) {
    const ScriptLine& line = lines[at];
    if (line.verb == "end") break;
    if (line.verb == "if") {
      txn.compares.push_back(ToCompare(line));
    } else if (line.verb == "else") {
      branch = &txn.otherwise;
    } else if (line.verb == "txn") {
      ++at;
      branch->push_back(std::vector<KvTxn>{ToTxn(lines, at)});
    } else if (line.verb != "then") {
      branch->push_back(ToOp(line));
    }
  }
  return txn;
}

class Interpreter {
 public:
  Interpreter() : state_(MetaState::Open(database_).value()) {}

  std::string Run(const std::vector<ScriptLine>& lines) {
    std::string out;
    for (size_t at = 0; at < lines.size(); ++at) out += RunLine(lines, at);
    return out;
  }

 private:
  std::string RunLine(const std::vector<ScriptLine>& lines, size_t& at) {
    const ScriptLine& line = lines[at];
    if (line.verb == "get") return Read([&](StateReader& r) { return r.Range(ToRange(line)); });
    if (line.verb == "watch") return Watch(line);
    if (line.verb == "mark") return Mark();
    if (line.verb == "leases") return Leases();
    if (line.verb == "members") return Members();
    if (line.verb == "region-table") return Regions();
    if (line.verb == "add-member" || line.verb == "remove-member") return ChangeMember(line);
    return Apply(ToBody(lines, at));
  }

  static CommandBody ToBody(const std::vector<ScriptLine>& lines, size_t& at) {
    const ScriptLine& line = lines[at];
    if (line.verb == "grant") return LeaseGrant{std::stoll(line.Word(0)), line.Number("ttl", 1000)};
    if (line.verb == "revoke") return LeaseRevoke{std::stoll(line.Word(0))};
    if (line.verb == "checkpoint") {
      return LeaseCheckpoint{{{std::stoll(line.Word(0)), line.Number("remaining")}}};
    }
    if (line.verb == "compact") return Compact{std::stoll(line.Word(0))};
    if (line.verb == "regions") return ToRegions(line);
    if (line.verb == "publish") {
      return UpdateMember{
          {std::stoull(line.Word(0)), line.Get("name"), {"peer"}, {"client"}, true}};
    }
    if (line.verb == "txn") return ToTxn(lines, ++at);
    KvTxn single;
    single.then.push_back(ToOp(line));
    return single;
  }

  std::string Apply(CommandBody body) {
    WriteBatch batch;
    AppliedChanges changes;
    const auto result = state_.Apply({std::move(body), 0}, batch, changes);
    REQUIRE(result.has_value());
    state_.MarkApplied(++index_, 1, batch);
    REQUIRE(database_.Write(batch, Durability::kBuffered).has_value());
    if (!result->has_value()) {
      CHECK(changes.empty());
      return Show(result->error());
    }
    std::string out = Show(**result, "  ");
    for (const Event& event : changes.events) out += Show(event);
    for (const LeaseGrant& lease : changes.granted) out += fmt::format("granted {}\n", lease.id);
    for (const LeaseId id : changes.revoked) out += fmt::format("revoked {}\n", id);
    for (const PutRegions& put : changes.regions) {
      for (const uint64_t id : put.deleted_ids) out += fmt::format("delete region {}\n", id);
      for (const RegionRecord& region : put.regions) out += Show(region);
    }
    return out;
  }

  template <class Function>
  std::string Read(Function function) {
    const auto view = database_.TakeView();
    auto reader = StateReader::On(*view).value();
    const auto result = function(reader);
    return result ? Show(*result) : Show(result.error());
  }

  std::string Watch(const ScriptLine& line) {
    const auto view = database_.TakeView();
    const auto reader = StateReader::On(*view).value();
    const auto history = reader.EventsFrom(std::stoll(line.Word(0)),
                                           static_cast<size_t>(line.Number("bytes", 1 << 20)));
    if (!history) return Show(history.error());
    std::string out;
    for (const Event& event : history->events) out += Show(event);
    return out + fmt::format("next={}\n", history->next);
  }

  std::string Mark() {
    const auto view = database_.TakeView();
    const auto mark = StateReader::On(*view)->mark();
    return fmt::format("applied={} revision={} compact={}", mark.applied_index, mark.revision,
                       mark.compact_revision);
  }

  std::string Leases() {
    const auto view = database_.TakeView();
    const auto reader = StateReader::On(*view).value();
    std::string out;
    const auto leases = reader.Leases();
    REQUIRE(leases.has_value());
    for (const auto& lease : *leases) {
      out += fmt::format("lease {} granted={} remaining={} keys:", lease.id, lease.granted_ms,
                         lease.remaining_ms);
      const auto keys = reader.LeaseKeys(lease.id);
      REQUIRE(keys.has_value());
      for (const std::string& key : *keys) out += " " + Shown(key);
      out += "\n";
    }
    return out.empty() ? "none" : out;
  }

  std::string Members() {
    const auto view = database_.TakeView();
    const auto reader = StateReader::On(*view).value();
    std::string out;
    const auto members = reader.Members();
    REQUIRE(members.has_value());
    for (const Member& member : *members) {
      out += fmt::format("member {} name={}{}\n", member.id, member.name,
                         member.is_learner ? " learner" : "");
    }
    for (uint64_t id = 1; id < 10; ++id) {
      const auto removed = reader.RemovedMembers().value();
      const bool listed = std::ranges::find(removed, id) != removed.end();
      CHECK(listed == reader.MemberRemoved(id).value());
      if (listed) out += fmt::format("removed {}\n", id);
    }
    return out;
  }

  std::string Regions() {
    const auto view = database_.TakeView();
    const auto reader = StateReader::On(*view).value();
    std::string out;
    const auto visited = reader.VisitRegions([&](const RegionRecord& region) {
      out += Show(region);
      CHECK(reader.Region(region.id).value() == region);
      return true;
    });
    REQUIRE(visited.has_value());
    return out.empty() ? "none" : out;
  }

  std::string ChangeMember(const ScriptLine& line) {
    WriteBatch batch;
    AppliedChanges changes;
    const uint64_t id = std::stoull(line.Word(0));
    if (line.verb == "add-member") {
      state_.PutMember({id, "", {"peer"}, {}, line.Has("learner")}, batch, changes);
    } else {
      state_.RemoveMember(id, batch, changes);
    }
    REQUIRE(database_.Write(batch, Durability::kBuffered).has_value());
    return changes.members_changed ? "changed\n" : "nothing\n";
  }

  test::FakeDatabase database_;
  MetaState state_;
  raft::LogIndex index_ = 0;
};

void RunKvScript(const std::string& name) {
  Interpreter interpreter;
  test::RunScript("tests/pd/fsm/testdata/" + name + ".txt",
                  [&](const auto& lines) { return interpreter.Run(lines); });
}

TEST_CASE("script: puts, deletes, ranges") { RunKvScript("kv"); }
TEST_CASE("script: transactions") { RunKvScript("txn"); }
TEST_CASE("script: history and compaction") { RunKvScript("history"); }
TEST_CASE("script: leases") { RunKvScript("lease"); }
TEST_CASE("script: regions and members") { RunKvScript("tables"); }

}  // namespace
}  // namespace pd
