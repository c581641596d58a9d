#include "tests/pd/storage/fake_database.h"

#include <utility>

namespace pd::test {
namespace {

using Map = FakeDatabase::Map;
using Maps = FakeDatabase::Maps;

class MapCursor final : public Cursor {
 public:
  MapCursor(std::shared_ptr<const Maps> maps, Column column)
      : maps_(std::move(maps)), map_((*maps_)[static_cast<size_t>(column)]), at_(map_.end()) {}

  void Seek(std::string_view target) override { at_ = map_.lower_bound(target); }
  void Next() override { ++at_; }
  [[nodiscard]] bool Valid() const override { return at_ != map_.end(); }
  [[nodiscard]] std::string_view key() const override { return at_->first; }
  [[nodiscard]] std::string_view value() const override { return at_->second; }
  [[nodiscard]] Result<void> Check() const override { return {}; }

 private:
  std::shared_ptr<const Maps> maps_;
  const Map& map_;
  Map::const_iterator at_;
};

std::optional<std::string> Find(const Maps& maps, Column column, std::string_view key) {
  const Map& map = maps[static_cast<size_t>(column)];
  const auto found = map.find(key);
  if (found == map.end()) return std::nullopt;
  return found->second;
}

class MapView final : public ReadView {
 public:
  explicit MapView(std::shared_ptr<const Maps> maps) : maps_(std::move(maps)) {}
  [[nodiscard]] Result<std::optional<std::string>> Get(Column column,
                                                       std::string_view key) const override {
    return Find(*maps_, column, key);
  }
  [[nodiscard]] std::unique_ptr<Cursor> NewCursor(Column column) const override {
    return std::make_unique<MapCursor>(maps_, column);
  }

 private:
  std::shared_ptr<const Maps> maps_;
};

void ApplyTo(Maps& maps, const WriteBatch& batch) {
  for (size_t slot = 0; slot < kColumnCount; ++slot) {
    const auto column = static_cast<Column>(slot);
    Map& map = maps[slot];
    for (const auto& [begin, end] : batch.deleted_ranges(column)) {
      map.erase(map.lower_bound(begin), map.lower_bound(end));
    }
    for (const auto& [key, value] : batch.writes(column)) {
      if (value) {
        map.insert_or_assign(key, *value);
      } else {
        map.erase(key);
      }
    }
  }
}

}  // namespace

FakeDatabase::FakeDatabase() : live_(std::make_shared<Maps>()) {}

Result<std::optional<std::string>> FakeDatabase::Get(Column column, std::string_view key) const {
  const std::lock_guard lock(mutex_);
  return Find(*live_, column, key);
}

std::unique_ptr<Cursor> FakeDatabase::NewCursor(Column column) const {
  const std::lock_guard lock(mutex_);
  return std::make_unique<MapCursor>(Hold(), column);
}

Result<void> FakeDatabase::Write(const WriteBatch& batch, Durability durability) {
  std::function<void(Durability)> hook;
  {
    const std::lock_guard lock(mutex_);
    if (fail_) return Fail(ErrorCode::kIo, "the disk is gone");
    hook = hook_;
  }
  if (hook) hook(durability);
  const std::lock_guard lock(mutex_);
  if (live_.use_count() > 1) live_ = std::make_shared<Maps>(*live_);
  ApplyTo(*live_, batch);
  journal_.push_back(batch);
  if (durability == Durability::kSynced) {
    ++syncs_;
    for (const WriteBatch& written : journal_) ApplyTo(durable_, written);
    journal_.clear();
  }
  return {};
}

std::unique_ptr<ReadView> FakeDatabase::TakeView() const {
  const std::lock_guard lock(mutex_);
  return std::make_unique<MapView>(Hold());
}

std::shared_ptr<const Maps> FakeDatabase::Hold() const {
  const auto let_go = [this, held = live_](const Maps*) mutable {
    const std::lock_guard lock(mutex_);
    held.reset();
  };
  return {live_.get(), let_go};
}

uint64_t FakeDatabase::SizeBytes() const {
  const std::lock_guard lock(mutex_);
  uint64_t bytes = 0;
  for (const Map& map : *live_) {
    for (const auto& [key, value] : map) bytes += key.size() + value.size();
  }
  return bytes;
}

void FakeDatabase::Crash(size_t kept) {
  const std::lock_guard lock(mutex_);
  for (size_t i = 0; i < kept && i < journal_.size(); ++i) ApplyTo(durable_, journal_[i]);
  journal_.clear();
  live_ = std::make_shared<Maps>(durable_);
  fail_ = false;
}

size_t FakeDatabase::unsynced() const {
  const std::lock_guard lock(mutex_);
  return journal_.size();
}

void FakeDatabase::FailWrites(bool fail) {
  const std::lock_guard lock(mutex_);
  fail_ = fail;
}

void FakeDatabase::OnWrite(std::function<void(Durability)> hook) {
  const std::lock_guard lock(mutex_);
  hook_ = std::move(hook);
}

uint64_t FakeDatabase::syncs() const {
  const std::lock_guard lock(mutex_);
  return syncs_;
}

Maps FakeDatabase::Dump() const {
  const std::lock_guard lock(mutex_);
  return *live_;
}

}  // namespace pd::test
