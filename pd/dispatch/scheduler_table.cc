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
  unsure_.clear();
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
      LogWarn("scheduler config cannot be read, it does not run",
              {{"name", name}, {"error", config.error()}});
      // With its default settings it might move what it was told to leave alone.
      if (type->by_default) {
        entries[name] = {type, name, DefaultSchedulerConfig(*type), true, {}, {}, 0};
      }
      continue;
    }
    entries[name] = {type, name, std::move(config->config), config->disabled, {}, {}, 0};
  }
  const ConfigStore::Snapshot config = deps_.config.online();
  for (const scheduler::SchedulerType& type : scheduler::SchedulerTypes()) {
    const auto& listed = config->schedule.schedulers;
    const auto entry = std::ranges::find(listed, type.type, &SchedulerEntry::type);
    const bool known = entries.contains(type.name);
    if (type.by_default && !known) {
      entries[type.name] = {&type, type.name, DefaultSchedulerConfig(type), false, {}, {}, 0};
    }
    if (entry != listed.end() && entry->disable && entries.contains(type.name)) {
      entries[type.name].disabled = true;
    }
  }
  const MutexLock lock(mutex_);
  for (auto& entry : entries) entry.second.incarnation = ++incarnations_;
  entries_ = std::move(entries);
  NoteChange(By::kPerson);
  return {};
}

void SchedulerTable::Clear() {
  const MutexLock lock(mutex_);
  entries_.clear();
  term_ = 0;
  NoteChange(By::kPerson);
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

uint64_t SchedulerTable::wishes_version() const {
  const MutexLock lock(mutex_);
  return wishes_version_;
}

void SchedulerTable::NoteChange(By by) {
  ++version_;
  if (by == By::kPerson) ++wishes_version_;
}

void SchedulerTable::Put(Entry entry, By by) {
  unsure_.erase(entry.name);
  const MutexLock lock(mutex_);
  if (term_ == 0) return;  // The lead was lost while it was written.
  Entry& kept = entries_[entry.name];
  if (entry.incarnation == 0) {
    entry.incarnation = ++incarnations_;
  } else {  // It may have been paused meanwhile: that waits for nobody.
    entry.paused_at_unix_s = kept.paused_at_unix_s;
    entry.resume_at_unix_s = kept.resume_at_unix_s;
  }
  kept = std::move(entry);
  NoteChange(by);
}

void SchedulerTable::Forget(const std::string& name) {
  unsure_.erase(name);
  const MutexLock lock(mutex_);
  entries_.erase(name);
  NoteChange(By::kPerson);
}

void SchedulerTable::TellChange() const {
  if (deps_.changed) deps_.changed();
}

Result<uint64_t> SchedulerTable::Term() const {
  const MutexLock lock(mutex_);
  if (term_ == 0) return Fail(ErrorCode::kNotLeader, "not leader");
  return term_;
}

void SchedulerTable::NoteUnsure(const std::string& name, By by) {
  const auto [it, fresh] = unsure_.try_emplace(name, by);
  if (!fresh && by == By::kPerson) it->second = by;
}

Result<void> SchedulerTable::Save(const Entry& entry, Saved saved, By by) {
  const Result<uint64_t> term = Term();
  if (!term) return tl::unexpected(term.error());
  const std::string key = KeyOf(entry);
  KvTxn txn;
  if (saved == Saved::kAgain) {
    txn.If({Compare::Target::kVersion, Compare::Relation::kGreater, key, "", 0, ""});
  }
  txn.Put(key, StoredSchedulerText(entry.config, entry.disabled));
  NoteUnsure(entry.name, by);
  const auto written = deps_.meta.Txn(std::move(txn), kWriteTimeout, *term);
  if (!written) return tl::unexpected(written.error());
  if (!written->succeeded) return Fail(ErrorCode::kNotFound, kNotFoundText);
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

Result<void> SchedulerTable::Make(const std::function<Result<void>()>& change) {
  const uint64_t before = version();
  bool unsettled = false;
  Result<void> done;
  {
    const MutexLock change_lock(change_mutex_);
    done = SettleAll();
    if (done) done = change();
    unsettled =
        !unsure_.empty() && Term();  // Else it is the next leader's: that reads what is kept.
  }
  if (version() != before) TellChange();
  if (unsettled && deps_.unsettled) deps_.unsettled();
  return done;
}

Result<void> SchedulerTable::Settle() {
  return Make([] { return Result<void>(); });
}

Result<void> SchedulerTable::SettleAll() {
  if (unsure_.empty()) return {};
  const Result<uint64_t> term = Term();
  if (!term) return tl::unexpected(term.error());
  // An empty write comes after all earlier ones: they are done then, or never will be.
  if (const auto last = deps_.meta.Txn({}, kWriteTimeout, *term); !last) {
    return tl::unexpected(last.error());
  }
  for (const auto& [name, by] : std::map(unsure_)) {
    if (auto settled = SettleOne(name, by); !settled) return settled;
  }
  return {};
}

Result<void> SchedulerTable::SettleOne(const std::string& name, By by) {
  const auto stored = deps_.meta.Get(deps_.key(kFolder + name));
  if (!stored) return tl::unexpected(stored.error());
  std::optional<Entry> known;
  {
    const MutexLock lock(mutex_);
    if (const auto it = entries_.find(name); it != entries_.end()) known = it->second;
  }
  if (!*stored) {
    if (!known || known->type->by_default) {  // It never came to be, or is as it always was.
      unsure_.erase(name);
      return {};
    }
    if (auto listed = List(*known, Listing::kRemoved); !listed) return listed;
    Forget(name);
    return {};
  }
  const scheduler::SchedulerType* const type = scheduler::FindSchedulerType(name);
  auto config = SchedulerConfigFromJson(*type, (*stored)->value);
  if (!config) {  // Not written by this table. It must not keep all others from being changed.
    LogWarn("scheduler config cannot be read, it stays as it was",
            {{"name", name}, {"error", config.error()}});
    unsure_.erase(name);
    return {};
  }
  Entry entry = known ? *known : Entry{type, name, {}, false, {}, {}, 0};
  entry.config = std::move(config->config);
  entry.disabled = config->disabled;
  const Listing listing = entry.disabled ? Listing::kDisabled : Listing::kListed;
  if (auto listed = List(entry, listing); !listed) return listed;
  const bool same = known && StoredSchedulerText(known->config, known->disabled) ==
                                 StoredSchedulerText(entry.config, entry.disabled);
  if (same) {  // It was not done.
    unsure_.erase(name);
  } else {
    Put(std::move(entry), by);
  }
  return {};
}

Result<void> SchedulerTable::Add(const scheduler::SchedulerType& type,
                                 scheduler::SchedulerConfig config) {
  return Make([&]() PD_REQUIRES(change_mutex_) -> Result<void> {
    const std::string name = NameOf(type, config);
    if (Find(name)) return Fail(ErrorCode::kAlreadyExists, kExistedText);
    if (All().size() >= kSchedulersMax) {
      return Fail(ErrorCode::kInvalidArgument, "too many schedulers, remove some first");
    }
    const Entry entry{&type, name, std::move(config), false, {}, {}, 0};
    if (auto saved = Save(entry, Saved::kAnew, By::kPerson); !saved) return saved;
    if (auto listed = List(entry, Listing::kListed); !listed) return listed;
    Put(entry, By::kPerson);
    return {};
  });
}

Result<void> SchedulerTable::Remove(std::string_view name) {
  return Make([&]() PD_REQUIRES(change_mutex_) -> Result<void> {
    std::optional<Entry> entry = Find(name);
    if (!entry) return Fail(ErrorCode::kNotFound, kNotFoundText);
    return Remove(*std::move(entry));
  });
}

Result<void> SchedulerTable::Remove(Entry entry) {
  if (entry.type->by_default) {
    entry.disabled = true;
    if (auto saved = Save(entry, Saved::kAnew, By::kPerson); !saved) return saved;
    if (auto listed = List(entry, Listing::kDisabled); !listed) return listed;
    Put(entry, By::kPerson);
    return {};
  }
  const Result<uint64_t> term = Term();
  if (!term) return tl::unexpected(term.error());
  // Its settings go last: as long as they are there, so is the scheduler, and one tries again.
  NoteUnsure(entry.name, By::kPerson);
  if (auto listed = List(entry, Listing::kRemoved); !listed) return listed;
  const auto deleted = deps_.meta.Delete(KeyOf(entry), "", kWriteTimeout, *term);
  if (!deleted) return tl::unexpected(deleted.error());
  Forget(entry.name);
  return {};
}

Result<void> SchedulerTable::SaveChanged(const Entry& before, const Entry& after, By by) {
  const bool same = StoredSchedulerText(after.config, after.disabled) ==
                    StoredSchedulerText(before.config, before.disabled);
  if (same) return {};
  // What is kept of a default one may be nothing yet; it is never deleted.
  const Result<void> saved = Save(after, after.type->by_default ? Saved::kAnew : Saved::kAgain, by);
  if (!saved) {
    if (saved.error().code == ErrorCode::kNotFound) Forget(after.name);
    return saved;
  }
  if (ArgsOf(after.config) != ArgsOf(before.config)) {
    if (auto listed = List(after, Listing::kListed); !listed) return listed;
  }
  Put(after, by);
  return {};
}

Result<void> SchedulerTable::Update(std::string_view name, const Change& change) {
  const auto updated =
      UpdateOrRemove(name, [&](scheduler::SchedulerConfig& config) -> Result<Rest> {
        if (auto changed = change(config); !changed) return tl::unexpected(changed.error());
        return Rest::kSome;
      });
  if (!updated) return tl::unexpected(updated.error());
  return {};
}

Result<SchedulerTable::Rest> SchedulerTable::UpdateOrRemove(std::string_view name, const Cut& cut) {
  Result<Rest> rest = Rest::kSome;
  const auto done = Make([&]() PD_REQUIRES(change_mutex_) -> Result<void> {
    const std::optional<Entry> before = Find(name);
    if (!before) return Fail(ErrorCode::kNotFound, kNotFoundText);
    Entry after = *before;
    rest = cut(after.config);
    if (!rest) return tl::unexpected(rest.error());
    return *rest == Rest::kNothing ? Remove(*before) : SaveChanged(*before, after, By::kPerson);
  });
  if (!done) return tl::unexpected(done.error());
  return rest;
}

Result<void> SchedulerTable::Keep(const Entry& ran, const scheduler::SchedulerConfig& findings) {
  return Make([&]() PD_REQUIRES(change_mutex_) -> Result<void> {
    const std::optional<Entry> before = Find(ran.name);
    if (!before || before->incarnation != ran.incarnation) {
      return Fail(ErrorCode::kNotFound, kNotFoundText);
    }
    Entry after = *before;
    KeepFindings(after.config, findings, deps_.clock.UnixNanos());
    return SaveChanged(*before, after, By::kItself);
  });
}

Result<void> SchedulerTable::Pause(std::string_view name, int64_t seconds) {
  const int64_t now_s = deps_.clock.UnixNanos() / 1'000'000'000;
  bool any = false;
  {
    const MutexLock lock(mutex_);
    for (auto& [entry_name, entry] : entries_) {
      if (entry.disabled || (name != "all" && name != entry_name)) continue;
      any = true;
      entry.paused_at_unix_s.reset();
      entry.resume_at_unix_s.reset();
      if (seconds <= 0) continue;
      entry.paused_at_unix_s = now_s;
      entry.resume_at_unix_s = now_s + std::min(seconds, kPauseSecondsMax);
    }
    NoteChange(By::kPerson);
  }
  TellChange();
  if (!any && name != "all") return Fail(ErrorCode::kNotFound, kNotFoundText);
  return {};
}

bool SchedulerTable::IsPaused(const Entry& entry) const {
  return entry.resume_at_unix_s &&
         deps_.clock.UnixNanos() / 1'000'000'000 < *entry.resume_at_unix_s;
}

}  // namespace pd
