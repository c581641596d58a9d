#pragma once

#include <array>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pd/storage/database.h"

namespace pd::test {

/// A database in memory that behaves as a disk does in a crash: it remembers what was synced, and of the rest only as
/// many batches, in order, as the test says. Thread-safe; outlives its views and cursors.
class FakeDatabase final : public Database {
 public:
  using Map = std::map<std::string, std::string, std::less<>>;
  using Maps = std::array<Map, kColumnCount>;

  FakeDatabase();

  [[nodiscard]] Result<std::optional<std::string>> Get(Column column,
                                                       std::string_view key) const override;
  [[nodiscard]] std::unique_ptr<Cursor> NewCursor(Column column) const override;
  Result<void> Write(const WriteBatch& batch, Durability durability) override;
  [[nodiscard]] std::unique_ptr<ReadView> TakeView() const override;
  [[nodiscard]] uint64_t SizeBytes() const override;

  /// The machine goes down: of the batches not synced the first `kept` are there afterwards. Nobody may use the
  /// database meanwhile; views taken before must be gone.
  void Crash(size_t kept);
  /// Batches that a crash may forget.
  [[nodiscard]] size_t unsynced() const;
  /// The next writes fail with kIo.
  void FailWrites(bool fail);
  /// Called before each write, to move a test's clock say.
  void OnWrite(std::function<void(Durability)> hook);
  [[nodiscard]] uint64_t syncs() const;

  /// All of it, for comparing two.
  [[nodiscard]] Maps Dump() const;

 private:
  // With the lock held. Let go of with the lock, too: a use count alone orders a reader's last read before no write.
  [[nodiscard]] std::shared_ptr<const Maps> Hold() const;

  mutable std::mutex mutex_;
  std::shared_ptr<Maps> live_;  // Copied before a write when a view or cursor still holds it.
  Maps durable_;
  std::vector<WriteBatch> journal_;
  bool fail_ = false;
  std::function<void(Durability)> hook_;
  uint64_t syncs_ = 0;
};

}  // namespace pd::test
