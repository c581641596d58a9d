#include "pd/dispatch/scheduler_table.h"

#include <algorithm>
#include <utility>

#include "pd/dispatch/scheduler_codec.h"
#include "pd/log/log.h"

namespace pd {
namespace {

constexpr Millis kWriteTimeout{3000};
constexpr const char* kFolder = "/scheduler_config/";
constexpr const char* kNotFoundText = "[PD:scheduler:ErrSchedulerNotFound]scheduler not found";
constexpr const char* kExistedText = "[PD:scheduler:ErrSchedulerExisted]scheduler existed";

std::vector<std::string> ArgsOf(const scheduler::SchedulerConfig& config) {
  const scheduler::StoreRanges* stores = nullptr;
  if (const auto* evict = std::get_if<scheduler::EvictLeaderConfig>(&config)) {
    stores = &evict->stores;
  }
  if (const auto* grant = std::get_if<scheduler::GrantLeaderConfig>(&config)) {
    stores = &grant->stores;
  }
  std::vector<std::string> args;
  if (stores == nullptr) return args;
  for (const auto& entry : *stores) args.push_back(std::to_string(entry.first.value));
  return args;
}

}  // namespace

std::string SchedulerTable::KeyOf(const scheduler::SchedulerType& type) const {
  return deps_.key(std::string(kFolder) + type.name);
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
    const scheduler::SchedulerType* type =
        scheduler::FindSchedulerType(std::string_view(pair.key).substr(folder.size()));
    if (type == nullptr) continue;  // Of a scheduler that this version does not have: left alone.
    auto config = SchedulerConfigFromJson(*type, pair.value);
    if (!config) {
      LogWarn("scheduler config cannot be read", {{"name", type->name}, {"error", config.error()}});
      continue;
    }
    entries[type->name] = {type, std::move(config->config), config->disabled, {}, {}};
  }
  const ConfigStore::Snapshot config = deps_.config.online();
  for (const scheduler::SchedulerType& type : scheduler::SchedulerTypes()) {
    const auto& listed = config->schedule.schedulers;
    const auto entry = std::ranges::find(listed, type.type, &SchedulerEntry::type);
    const bool known = entries.contains(type.name);
    if (type.by_default && !known) {
      entries[type.name] = {&type, DefaultSchedulerConfig(type), false, {}, {}};
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
    const auto it = entries_.find(type.name);
    if (it != entries_.end()) all.push_back(it->second);
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

void SchedulerTable::Put(Entry entry) {
  const MutexLock lock(mutex_);
  entries_.insert_or_assign(entry.type->name, std::move(entry));
  ++version_;
}

Result<void> SchedulerTable::Save(const Entry& entry) {
  uint64_t term = 0;
  {
    const MutexLock lock(mutex_);
    term = term_;
  }
  if (term == 0) return Fail(ErrorCode::kNotLeader, "not leader");
  const auto written =
      deps_.meta.Put(KeyOf(*entry.type), SchedulerConfigToJson(entry.config, entry.disabled).dump(),
                     kWriteTimeout, term);
  if (!written) return tl::unexpected(written.error());
  return {};
}

Result<void> SchedulerTable::List(const Entry& entry, Listing listing) {
  return deps_.config.Update([&](OnlineConfig& online) -> Result<void> {
    auto& listed = online.schedule.schedulers;
    const auto it = std::ranges::find(listed, entry.type->type, &SchedulerEntry::type);
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
  if (Find(type.name)) return Fail(ErrorCode::kAlreadyExists, kExistedText);
  Entry entry{&type, std::move(config), false, {}, {}};
  if (auto saved = Save(entry); !saved) return saved;
  if (auto listed = List(entry, Listing::kListed); !listed) return listed;
  Put(std::move(entry));
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
    Put(std::move(*entry));
    return {};
  }
  const auto deleted = deps_.meta.Delete(KeyOf(*entry->type), "", kWriteTimeout);
  if (!deleted) return tl::unexpected(deleted.error());
  if (auto listed = List(*entry, Listing::kRemoved); !listed) return listed;
  const MutexLock lock(mutex_);
  entries_.erase(entry->type->name);
  ++version_;
  return {};
}

Result<void> SchedulerTable::Update(std::string_view name, const Change& change) {
  const MutexLock change_lock(change_mutex_);
  std::optional<Entry> entry = Find(name);
  if (!entry) return Fail(ErrorCode::kNotFound, kNotFoundText);
  if (auto changed = change(entry->config); !changed) return changed;
  if (auto saved = Save(*entry); !saved) return saved;
  if (!entry->type->by_default) {
    if (auto listed = List(*entry, Listing::kListed); !listed) return listed;
  }
  Put(std::move(*entry));
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
    entry.resume_at_unix_s = now_s + seconds;
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
