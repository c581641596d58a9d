#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "pd/result.h"
#include "pd/storage/write_batch.h"

namespace pd {

/// Walks the keys of one column in ascending order. Not thread-safe. Must not outlive the view that
/// made it.
class Cursor {
 public:
  virtual ~Cursor() = default;

  /// Goes to the first key >= `target`.
  virtual void Seek(std::string_view target) = 0;
  virtual void Next() = 0;  // Requires Valid().
  /// False past the end and after an error; look at Check() to tell.
  [[nodiscard]] virtual bool Valid() const = 0;
  [[nodiscard]] virtual std::string_view key() const = 0;    // Good until the next move.
  [[nodiscard]] virtual std::string_view value() const = 0;  // Good until the next move.
  /// Errors: kIo, kCorrupt.
  [[nodiscard]] virtual Result<void> Check() const = 0;
};

/// Something to read keys from. Thread-safe, but for the cursors it makes.
class ReadView {
 public:
  virtual ~ReadView() = default;

  /// nullopt: no such key. Errors: kIo, kCorrupt.
  [[nodiscard]] virtual Result<std::optional<std::string>> Get(Column column,
                                                               std::string_view key) const = 0;
  [[nodiscard]] virtual std::unique_ptr<Cursor> NewCursor(Column column) const = 0;
};

/// kSynced: on the platters before Write returns. kBuffered: a crash of the machine may forget it,
/// with all later writes; never one without the later ones.
enum class Durability : uint8_t { kBuffered, kSynced };

/// The disk of a server: ordered columns, atomic batches, frozen views. Thread-safe; writes come
/// from one thread.
class Database : public ReadView {
 public:
  /// Errors: kIo (nothing or all of the batch may be there after a restart; the server must stop).
  virtual Result<void> Write(const WriteBatch& batch, Durability durability) = 0;

  /// The database as it is now; later writes do not show. Holds disk space until released; must not
  /// outlive this.
  [[nodiscard]] virtual std::unique_ptr<ReadView> TakeView() const = 0;

  /// Estimate of what the files take, in bytes: sorted ones and logs.
  [[nodiscard]] virtual uint64_t SizeBytes() const = 0;
};

/// Opens, or makes, the RocksDB database in the folder `path`. Errors: kIo (also: another process
/// holds it), kCorrupt.
Result<std::unique_ptr<Database>> OpenRocksDatabase(const std::string& path);

}  // namespace pd
