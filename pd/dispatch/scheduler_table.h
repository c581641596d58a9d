#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pd/config/config_store.h"
#include "pd/meta/meta_store.h"
#include "pd/result.h"
#include "pd/runtime/clock.h"
#include "pd/runtime/mutex.h"
#include "scheduler/schedulers/registry.h"

namespace pd {

/// No pause is longer: a hundred years.
inline constexpr int64_t kPauseSecondsMax = int64_t{100} * 365 * 24 * 3600;

/// The schedulers that run, with their settings and pauses. Settings last under /pd/{cid}/scheduler_config/{name}, and
/// the list of schedulers in schedule.schedulers-v2. Thread-safe; changes wait for Raft, one after the other, and are
/// bound to the term of the last Load(). A change that was given up may still be done, or half of it: the next one
/// first waits until that is settled, and brings all in step with the settings that are kept. Errors carry the
/// reference's texts.
class SchedulerTable {
 public:
  struct Deps {
    MetaStore& meta;
    ConfigStore& config;
    const Clock& clock;
    std::function<std::string(std::string_view)> key;  // "/pd/{cid}" + suffix.
    std::function<void()> changed;                     // Called after each change; may be empty.
    /// Called when a change was given up: who gets the call has Settle() called soon. May be empty.
    std::function<void()> unsettled;
  };

  /// One scheduler as others see it.
  struct Entry {
    const scheduler::SchedulerType* type = nullptr;
    std::string name;  // The type's, or, where there may be several, one of its own.
    scheduler::SchedulerConfig config;
    bool disabled = false;
    std::optional<int64_t> paused_at_unix_s;  // Both or none.
    std::optional<int64_t> resume_at_unix_s;
    uint64_t incarnation = 0;  // Another one each time it is added, or read by a new leader.
  };

  explicit SchedulerTable(Deps deps) : deps_(std::move(deps)) {}

  /// Reads what is kept and adds the missing default ones. Writes are bound to `term` from here on.
  Result<void> Load(uint64_t term) PD_EXCLUDES(change_mutex_, mutex_);
  /// Nothing runs any more on this member.
  void Clear() PD_EXCLUDES(mutex_);

  /// Running ones (disabled left out), in the registry's order.
  [[nodiscard]] std::vector<Entry> Running() const PD_EXCLUDES(mutex_);
  [[nodiscard]] std::vector<Entry> All() const PD_EXCLUDES(mutex_);
  /// By name; none unless it runs.
  [[nodiscard]] std::optional<Entry> Find(std::string_view name) const PD_EXCLUDES(mutex_);

  /// So many there may be, those that are disabled included.
  static constexpr size_t kSchedulersMax = 256;

  /// kAlreadyExists `[PD:scheduler:ErrSchedulerExisted]scheduler existed`; kInvalidArgument beyond kSchedulersMax.
  Result<void> Add(const scheduler::SchedulerType& type, scheduler::SchedulerConfig config)
      PD_EXCLUDES(change_mutex_, mutex_);
  /// The name that one with these settings has.
  [[nodiscard]] static std::string NameOf(const scheduler::SchedulerType& type,
                                          const scheduler::SchedulerConfig& config);
  /// Default ones are only disabled. kNotFound `[PD:scheduler:ErrSchedulerNotFound]scheduler not found`.
  Result<void> Remove(std::string_view name) PD_EXCLUDES(change_mutex_, mutex_);
  /// Changes the settings of a running scheduler and writes them, if they have become others. What `change` gets are
  /// those of the moment, which stay until it is done: it sets what it was asked to and leaves the rest. kNotFound also
  /// when a removal that was given up has been done after all.
  using Change = std::function<Result<void>(scheduler::SchedulerConfig&)>;
  Result<void> Update(std::string_view name, const Change& change)
      PD_EXCLUDES(change_mutex_, mutex_);
  /// The same, and removes the scheduler where nothing is left for it to do. Which of the two was done.
  enum class Rest : uint8_t { kSome, kNothing };
  using Cut = std::function<Result<Rest>(scheduler::SchedulerConfig&)>;
  Result<Rest> UpdateOrRemove(std::string_view name, const Cut& cut)
      PD_EXCLUDES(change_mutex_, mutex_);
  /// Puts what a run has found into the settings of the scheduler that ran. kNotFound when it has been removed since,
  /// even if there is another one of that name.
  Result<void> Keep(const Entry& ran, const scheduler::SchedulerConfig& findings)
      PD_EXCLUDES(change_mutex_, mutex_);

  /// Finds out what became of changes that were given up: the settings that are kept say what runs. Nothing to do as
  /// long as there was none.
  Result<void> Settle() PD_EXCLUDES(change_mutex_, mutex_);

  /// For `seconds` from now; 0 or less resumes. "all" is every one.
  Result<void> Pause(std::string_view name, int64_t seconds) PD_EXCLUDES(mutex_);
  [[nodiscard]] bool IsPaused(const Entry& entry) const;

  /// Grows with every change, so that whoever runs schedulers notices.
  [[nodiscard]] uint64_t version() const PD_EXCLUDES(mutex_);
  /// The same without what schedulers have found themselves.
  [[nodiscard]] uint64_t wishes_version() const PD_EXCLUDES(mutex_);

 private:
  [[nodiscard]] std::string KeyOf(const Entry& entry) const;
  /// Whose change it is.
  enum class By : uint8_t { kPerson, kItself };
  /// Whether it must be kept already.
  enum class Saved : uint8_t { kAnew, kAgain };
  Result<void> Save(const Entry& entry, Saved saved, By by) PD_REQUIRES(change_mutex_);
  void NoteUnsure(const std::string& name, By by) PD_REQUIRES(change_mutex_);
  Result<void> SaveChanged(const Entry& before, const Entry& after, By by)
      PD_REQUIRES(change_mutex_);
  Result<void> Remove(Entry entry) PD_REQUIRES(change_mutex_);
  /// Makes a change once what was given up before is settled, and calls for that where it is given up itself.
  Result<void> Make(const std::function<Result<void>()>& change) PD_EXCLUDES(change_mutex_);
  Result<void> SettleAll() PD_REQUIRES(change_mutex_);
  Result<void> SettleOne(const std::string& name, By by) PD_REQUIRES(change_mutex_);
  /// Brings schedule.schedulers-v2 in step with an entry.
  enum class Listing : uint8_t { kListed, kDisabled, kRemoved };
  Result<void> List(const Entry& entry, Listing listing) PD_REQUIRES(change_mutex_);
  /// The end of a change: nothing of it is unsure any more.
  void Put(Entry entry, By by) PD_REQUIRES(change_mutex_) PD_EXCLUDES(mutex_);
  void Forget(const std::string& name) PD_REQUIRES(change_mutex_) PD_EXCLUDES(mutex_);
  void NoteChange(By by) PD_REQUIRES(mutex_);
  void TellChange() const;
  /// kNotLeader.
  [[nodiscard]] Result<uint64_t> Term() const PD_EXCLUDES(mutex_);

  const Deps deps_;
  Mutex change_mutex_;  // Held over the whole of a lasting change, Raft included. Taken first.
  /// Those of which a change was given up half done, or with a write that may be done all the same, and whose it was.
  std::map<std::string, By> unsure_ PD_GUARDED_BY(change_mutex_);
  mutable Mutex mutex_;
  uint64_t term_ PD_GUARDED_BY(mutex_) = 0;
  uint64_t version_ PD_GUARDED_BY(mutex_) = 0;
  uint64_t wishes_version_ PD_GUARDED_BY(mutex_) = 0;
  uint64_t incarnations_ PD_GUARDED_BY(mutex_) = 0;  // The last one given away.
  std::map<std::string, Entry, std::less<>> entries_ PD_GUARDED_BY(mutex_);  // By name.
};

}  // namespace pd
