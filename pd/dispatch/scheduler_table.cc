#include "pd/dispatch/scheduler_table.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "pd/dispatch/scheduler_codec.h"
#include "pd/log/log.h"
#include "scheduler/model/hex.h"

namespace pd {
namespace {

constexpr Millis kWriteTimeout{3000};
constexpr const char* kFolder = "/scheduler_config/";
constexpr const char* kNotFoundText = "[PD:scheduler:ErrSchedulerNotFound]scheduler not found";
constexpr const char* kExistedText = "[PD:scheduler:ErrSchedulerExisted]scheduler existed";

/// What `schedulers-v2` names of a scheduler's settings (as in the reference).
struct Args {
  std::vector<std::string> operator()(const scheduler::EvictLeaderConfig& config) const {
    return StoresOf(config.stores);
  }
  std::vector<std::string> operator()(const scheduler::GrantLeaderConfig& config) const {
    return StoresOf(config.stores);
  }
  std::vector<std::string> operator()(const scheduler::ScatterRangeConfig& config) const {
    return {scheduler::LowerHex(config.range.start), scheduler::LowerHex(config.range.end),
            config.range_name};
  }
  std::vector<std::string> operator()(const scheduler::GrantHotRegionConfig& config) const {
    std::vector<std::string> stores;
    stores.reserve(config.stores.size());
    for (const auto store : config.stores) stores.push_back(std::to_string(store.value));
    return {std::to_string(config.leader_store.value), fmt::format("{}", fmt::join(stores, ","))};
  }
  std::vector<std::string> operator()(const scheduler::ShuffleHotRegionConfig& config) const {
    return {std::to_string(config.limit)};
  }
  template <class Other>
  std::vector<std::string> operator()(const Other&) const {
    return {};
  }

 private:
  static std::vector<std::string> StoresOf(const scheduler::StoreRanges& stores) {
    std::vector<std::string> args;
    for (const auto& entry : stores) args.push_back(std::to_string(entry.first.value));
    return args;
  }
};

std::vector<std::string> ArgsOf(const scheduler::SchedulerConfig& config) {
  return std::visit(Args{}, config);
}

/// The row of a scheduler: the only one of its type, or of several the one with its own name at the end of its args.
bool IsRowOf(const SchedulerTable::Entry& entry, const SchedulerEntry& row) {
  if (row.type != entry.type->type) return false;
  if (!entry.type->named) return true;
  const std::vector<std::string> args = ArgsOf(entry.config);
  return !row.args.empty() && row.args.back() == args.back();
}

}  // namespace

std::string SchedulerTable::KeyOf(const Entry& entry) const {
  return deps_.key(kFolder + entry.name);
}

std::string SchedulerTable::NameOf(const scheduler::SchedulerType& type,
                                   const scheduler::SchedulerConfig& config) {
  const auto* scatter = std::get_if<scheduler::ScatterRangeConfig>(&config);
  return scatter == nullptr ? std::string(type.name)
                            : fmt::format("{}-{}", type.name, scatter->range_name);
}

Result<void> SchedulerTable::Load(uint64_t term) {
  const MutexLock change_lock(change_mutex_);
  Clear();
  {
    const MutexLock lock(mutex_);
    term_ = term;
  }
  const std::string folder = deps_.key(kFolder);
  const Result<std::vector<KeyValue>> stored = deps_.meta.GetPrefix(folder);
  if (!stored) return tl::unexpected(stored.error());
  std::map<std::string, Entry, std::less<>> entries;
  for (const KeyValue& pair : *stored) {
    const std::string name = pair.key.substr(folder.size());
    const scheduler::SchedulerType* type = scheduler::FindSchedulerType(name);
    if (type == nullptr) continue;  // Of a scheduler that this version does not have: left alone.
    auto config = SchedulerConfigFromJson(*type, pair.value);
    if (!config) {
      LogWarn("scheduler config cannot be read", {{"name", name}, {"error", config.error()}});
      continue;
    }
    entries[name] = {type, name, std::move(config->config), config->disabled, {}, {}};
  }
  const ConfigStore::Snapshot config = deps_.config.online();
  for (const scheduler::SchedulerType& type : scheduler::SchedulerTypes()) {
    const auto& listed = config->schedule.schedulers;
    const auto entry = std::ranges::find(listed, type.type, &SchedulerEntry::type);
    const bool known = entries.contains(type.name);
    if (type.by_default && !known) {
      entries[type.name] = {&type, type.name, DefaultSchedulerConfig(type), false, {}, {}};
    }
    if (entry != listed.end() && entry->disable && entries.contains(type.name)) {
      entries[type.name].disabled = true;
    }
  }
  const MutexLock lock(mutex_);
  entries_ = std::move(entries);
  ++version_;
  return {};
}

void SchedulerTable::Clear() {
  const MutexLock lock(mutex_);
  entries_.clear();
  term_ = 0;
  ++version_;
}

std::vector<SchedulerTable::Entry> SchedulerTable::All() const {
  const MutexLock lock(mutex_);
  std::vector<Entry> all;
  for (const scheduler::SchedulerType& type : scheduler::SchedulerTypes()) {
    for (const auto& entry : entries_) {
      if (entry.second.type == &type) all.push_back(entry.second);
    }
  }
  return all;
}

std::vector<SchedulerTable::Entry> SchedulerTable::Running() const {
  std::vector<Entry> running = All();
  std::erase_if(running, [](const Entry& entry) { return entry.disabled; });
  return running;
}

std::optional<SchedulerTable::Entry> SchedulerTable::Find(std::string_view name) const {
  const MutexLock lock(mutex_);
  const auto it = entries_.find(name);
  if (it == entries_.end() || it->second.disabled) return {};
  return it->second;
}

uint64_t SchedulerTable::version() const {
  const MutexLock lock(mutex_);
  return version_;
}

void SchedulerTable::Put(const Entry& entry) {
  const MutexLock lock(mutex_);
  entries_.insert_or_assign(entry.name, entry);
  ++version_;
}

Result<void> SchedulerTable::Save(const Entry& entry) {
  uint64_t term = 0;
  {
    const MutexLock lock(mutex_);
    term = term_;
  }
  if (term == 0) return Fail(ErrorCode::kNotLeader, "not leader");
  const auto written = deps_.meta.Put(
      KeyOf(entry), StoredSchedulerText(entry.config, entry.disabled), kWriteTimeout, term);
  if (!written) return tl::unexpected(written.error());
  return {};
}

Result<void> SchedulerTable::List(const Entry& entry, Listing listing) {
  return deps_.config.Update([&](OnlineConfig& online) -> Result<void> {
    auto& listed = online.schedule.schedulers;
    const auto it = std::ranges::find_if(
        listed, [&](const SchedulerEntry& row) { return IsRowOf(entry, row); });
    if (listing == Listing::kRemoved) {
      if (it != listed.end()) listed.erase(it);
      return {};
    }
    SchedulerEntry& row = it != listed.end() ? *it : listed.emplace_back();
    row.type = entry.type->type;
    row.args = ArgsOf(entry.config);
    row.disable = listing == Listing::kDisabled;
    return {};
  });
}

Result<void> SchedulerTable::Add(const scheduler::SchedulerType& type,
                                 scheduler::SchedulerConfig config) {
  const MutexLock change_lock(change_mutex_);
  const std::string name = NameOf(type, config);
  if (Find(name)) return Fail(ErrorCode::kAlreadyExists, kExistedText);
  if (All().size() >= kSchedulersMax) {
    return Fail(ErrorCode::kInvalidArgument, "too many schedulers, remove some first");
  }
  const Entry entry{&type, name, std::move(config), false, {}, {}};
  if (auto saved = Save(entry); !saved) return saved;
  if (auto listed = List(entry, Listing::kListed); !listed) return listed;
  Put(entry);
  return {};
}

Result<void> SchedulerTable::Remove(std::string_view name) {
  const MutexLock change_lock(change_mutex_);
  std::optional<Entry> entry = Find(name);
  if (!entry) return Fail(ErrorCode::kNotFound, kNotFoundText);
  if (entry->type->by_default) {
    entry->disabled = true;
    if (auto saved = Save(*entry); !saved) return saved;
    if (auto listed = List(*entry, Listing::kDisabled); !listed) return listed;
    Put(*entry);
    return {};
  }
  const auto deleted = deps_.meta.Delete(KeyOf(*entry), "", kWriteTimeout);
  if (!deleted) return tl::unexpected(deleted.error());
  if (auto listed = List(*entry, Listing::kRemoved); !listed) return listed;
  const MutexLock lock(mutex_);
  entries_.erase(entry->name);
  ++version_;
  return {};
}

Result<void> SchedulerTable::Update(std::string_view name, const Change& change) {
  const MutexLock change_lock(change_mutex_);
  std::optional<Entry> entry = Find(name);
  if (!entry) return Fail(ErrorCode::kNotFound, kNotFoundText);
  const std::vector<std::string> args = ArgsOf(entry->config);
  if (auto changed = change(entry->config); !changed) return changed;
  if (auto saved = Save(*entry); !saved) return saved;
  if (ArgsOf(entry->config) != args) {
    if (auto listed = List(*entry, Listing::kListed); !listed) return listed;
  }
  Put(*entry);
  return {};
}

Result<void> SchedulerTable::Pause(std::string_view name, int64_t seconds) {
  const int64_t now_s = deps_.clock.UnixNanos() / 1'000'000'000;
  const MutexLock lock(mutex_);
  bool any = false;
  for (auto& [entry_name, entry] : entries_) {
    if (entry.disabled || (name != "all" && name != entry_name)) continue;
    any = true;
    entry.paused_at_unix_s.reset();
    entry.resume_at_unix_s.reset();
    if (seconds <= 0) continue;
    entry.paused_at_unix_s = now_s;
    entry.resume_at_unix_s = now_s + std::min(seconds, kPauseSecondsMax);
  }
  ++version_;
  if (!any && name != "all") return Fail(ErrorCode::kNotFound, kNotFoundText);
  return {};
}

bool SchedulerTable::IsPaused(const Entry& entry) const {
  return entry.resume_at_unix_s &&
         deps_.clock.UnixNanos() / 1'000'000'000 < *entry.resume_at_unix_s;
}

}  // namespace pd
