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

constexpr size_t kExpiredBatch = 128;  // Rules of one transaction.

Result<LabelRule> Decode(const std::string& text, int64_t unix_ns) {
  auto draft = ReadStored(text, ReadLabelRuleDraft);
  if (!draft) return tl::unexpected(draft.error());
  return MakeLabelRule(*std::move(draft), unix_ns);
}

}  // namespace

Result<RegionLabels::Book> RegionLabels::ReadBook(const ClusterPaths& paths) const {
  const auto stored = meta_.GetPrefix(paths.RegionLabels());
  if (!stored) return tl::unexpected(stored.error());
  RegionLabelBook::Rules rules;
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

Result<void> RegionLabels::Apply(Patch patch, KvTxn more) {
  return state_.Change([&](const RegionLabelBook& now, const ClusterPaths& paths, KvTxn& txn) {
    txn = std::move(more);
    Changes changes;
    // Also what the book does not show: it may be on the disk and unreadable.
    for (std::string& id : patch.deletes) changes[std::move(id)].reset();
    for (LabelRule& rule : patch.sets) changes[rule.id] = std::move(rule);
    if (changes.empty())
      return Result<Book>(state_.Get());  // Whoever looks for a change finds none.
    return Edit(now, paths, std::move(changes), txn);
  });
}

Result<void> RegionLabels::Delete(const std::string& id) {
  bool known = false;
  auto done = state_.Change([&](const RegionLabelBook& now, const ClusterPaths& paths, KvTxn& txn) {
    known = now.rules().contains(id);
    Changes changes;
    changes[id].reset();
    return Edit(now, paths, std::move(changes), txn);
  });
  if (!done || known) return done;
  return Fail(ErrorCode::kNotFound,
              "[PD:region:ErrRegionRuleNotFound]region label rule not found for id " + id);
}

Result<bool> RegionLabels::RemoveExpired() {
  if (auto caught_up = state_.CatchUp(); !caught_up) return tl::unexpected(caught_up.error());
  bool more = false;
  const auto done =
      state_.Change([&](const RegionLabelBook& now, const ClusterPaths& paths, KvTxn& txn) {
        const int64_t unix_ns = clock_.UnixNanos();
        Changes changes;
        for (const auto& [id, rule] : now.rules()) {
          auto left = Unexpired(rule, unix_ns);
          if (left && left->labels.size() == rule.labels.size()) continue;
          more = changes.size() == kExpiredBatch;
          if (more) break;
          changes[id] = std::move(left);
        }
        return Edit(now, paths, std::move(changes), txn);
      });
  if (!done) return tl::unexpected(done.error());
  return more;
}

/// What comes into force is made before it is written: what cannot be made is not written either.
Result<RegionLabels::Book> RegionLabels::Edit(const RegionLabelBook& now, const ClusterPaths& paths,
                                              Changes changes, KvTxn& txn) {
  RegionLabelBook::Rules rules = now.rules();
  for (auto& [id, rule] : changes) {
    if (rule) {
      txn.Put(paths.RegionLabel(id), DumpCompact(LabelRuleToJson(*rule)));
      rules.insert_or_assign(id, *std::move(rule));
    } else {
      txn.Delete(paths.RegionLabel(id));
      rules.erase(id);
    }
  }
  if (const std::string why = scheduler::TooLarge(rules); !why.empty()) {
    return Fail(ErrorCode::kInvalidArgument, "the region label rules would have " + why);
  }
  return std::make_shared<const RegionLabelBook>(std::move(rules));
}

}  // namespace pd
