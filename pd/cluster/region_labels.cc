#include "pd/cluster/region_labels.h"

#include <utility>

#include <nlohmann/json.hpp>

#include "pd/cluster/region_label_codec.h"
#include "pd/config/json_text.h"
#include "pd/log/log.h"

namespace pd {
namespace {

using scheduler::LabelRule;
using scheduler::RegionLabelBook;

constexpr Millis kWriteTimeout{3000};
constexpr size_t kExpiredBatch = 128;  // Rules of one transaction.

Result<LabelRule> Decode(const std::string& text, int64_t unix_ns) {
  const auto json = nlohmann::ordered_json::parse(text, nullptr, false);
  if (json.is_discarded()) return Fail(ErrorCode::kCorrupt, "not JSON");
  return LabelRuleFromJson(json, unix_ns);
}

}  // namespace

Result<RegionLabels::Book> RegionLabels::ReadBook(const ClusterPaths& paths) const {
  const auto stored = meta_.GetPrefix(paths.RegionLabels());
  if (!stored) return tl::unexpected(stored.error());
  Rules rules;
  for (const KeyValue& pair : *stored) {
    auto rule = Decode(pair.value, clock_.UnixNanos());
    if (!rule) {
      LogWarn("region label rule cannot be read", {{"key", pair.key}, {"error", rule.error()}});
      continue;
    }
    rule->id = pair.key.substr(paths.RegionLabels().size());
    rules.insert_or_assign(rule->id, *std::move(rule));
  }
  // Not written by this server, which refuses them. A leader without them is better than none.
  if (const std::string why = scheduler::TooLarge(rules); !why.empty()) {
    LogError("region label rules are not in force", {{"rules", rules.size()}, {"why", why}});
    rules.clear();
  }
  return std::make_shared<const RegionLabelBook>(std::move(rules));
}

Result<void> RegionLabels::Load(const ClusterPaths& paths, uint64_t term) {
  const MutexLock change(change_mutex_);
  auto book = ReadBook(paths);
  if (!book) return tl::unexpected(book.error());
  unsure_ = false;
  const MutexLock lock(mutex_);
  paths_ = paths;
  term_ = term;
  book_ = *std::move(book);
  return {};
}

void RegionLabels::Clear() {
  const MutexLock lock(mutex_);
  term_ = 0;
  book_ = std::make_shared<const RegionLabelBook>();
}

RegionLabels::Book RegionLabels::book() const {
  const MutexLock lock(mutex_);
  return book_;
}

std::vector<LabelRule> RegionLabels::All() const {
  const Book current = book();
  const int64_t now = clock_.UnixNanos();
  std::vector<LabelRule> all;
  for (const auto& [id, rule] : current->rules()) {
    if (auto left = Unexpired(rule, now)) all.push_back(*std::move(left));
  }
  return all;
}

std::optional<LabelRule> RegionLabels::Find(std::string_view id) const {
  const Book current = book();
  const auto found = current->rules().find(id);
  if (found == current->rules().end()) return {};
  return Unexpired(found->second, clock_.UnixNanos());
}

std::map<std::string, std::string> RegionLabels::LabelsOf(const scheduler::Region& region) const {
  return book()->LabelsOf(region, clock_.UnixNanos());
}

Result<void> RegionLabels::Apply(Patch patch) {
  const MutexLock change(change_mutex_);
  Changes changes;
  // Also what the book does not show: it may be on the disk, unreadable or written by a change that was given up.
  for (std::string& id : patch.deletes) changes[std::move(id)].reset();
  for (LabelRule& rule : patch.sets) changes[rule.id] = std::move(rule);
  return Commit(std::move(changes));
}

Result<void> RegionLabels::Delete(const std::string& id) {
  const MutexLock change(change_mutex_);
  const bool known = book()->rules().contains(id);
  Changes changes;
  changes[id].reset();
  if (auto done = Commit(std::move(changes)); !done || known) return done;
  return Fail(ErrorCode::kNotFound,
              "[PD:region:ErrRegionRuleNotFound]region label rule not found for id " + id);
}

Result<bool> RegionLabels::RemoveExpired() {
  const MutexLock change(change_mutex_);
  if (unsure_) {
    if (auto read = ReadAgain(); !read) return tl::unexpected(read.error());
  }
  const Book current = book();
  const int64_t now = clock_.UnixNanos();
  Changes changes;
  for (const auto& [id, rule] : current->rules()) {
    auto left = Unexpired(rule, now);
    if (left && left->labels.size() == rule.labels.size()) continue;
    if (changes.size() == kExpiredBatch) {
      if (auto done = Commit(std::move(changes)); !done) return tl::unexpected(done.error());
      return true;
    }
    changes[id] = std::move(left);
  }
  if (auto done = Commit(std::move(changes)); !done) return tl::unexpected(done.error());
  return false;
}

/// What comes into force is made before it is written: what cannot be made is not written either.
Result<void> RegionLabels::Commit(Changes changes) {
  if (changes.empty()) return {};
  std::optional<ClusterPaths> paths;
  uint64_t term = 0;
  Book current;
  {
    const MutexLock lock(mutex_);
    paths = paths_;
    term = term_;
    current = book_;
  }
  if (!paths || term == 0) return Fail(ErrorCode::kNotLeader, "not leader");
  KvTxn txn;
  Rules rules = current->rules();
  for (auto& [id, rule] : changes) {
    if (rule) {
      txn.Put(paths->RegionLabel(id), DumpCompact(LabelRuleToJson(*rule)));
      rules.insert_or_assign(id, *std::move(rule));
    } else {
      txn.Delete(paths->RegionLabel(id));
      rules.erase(id);
    }
  }
  if (const std::string why = scheduler::TooLarge(rules); !why.empty()) {
    return Fail(ErrorCode::kInvalidArgument, "the region label rules would have " + why);
  }
  auto next = std::make_shared<const RegionLabelBook>(std::move(rules));
  const auto written = meta_.Txn(std::move(txn), kWriteTimeout, term);
  if (!written) {
    unsure_ = true;
    return tl::unexpected(written.error());
  }
  if (unsure_) {
    // Earlier writes were done before this one, or never will be.
    unsure_ = !ReadAgain();
    return {};
  }
  const MutexLock lock(mutex_);
  if (term_ == term) book_ = std::move(next);
  return {};
}

Result<void> RegionLabels::ReadAgain() {
  std::optional<ClusterPaths> paths;
  uint64_t term = 0;
  {
    const MutexLock lock(mutex_);
    paths = paths_;
    term = term_;
  }
  if (!paths || term == 0) return Fail(ErrorCode::kNotLeader, "not leader");
  auto book = ReadBook(*paths);
  if (!book) return tl::unexpected(book.error());
  const MutexLock lock(mutex_);
  if (term_ == term) book_ = *std::move(book);
  return {};
}

}  // namespace pd
