#include <array>
#include <utility>
#include <vector>

#include <rocksdb/db.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/options.h>
#include <rocksdb/table.h>
#include <rocksdb/transaction_log.h>

#include "pd/storage/database.h"
#include "scheduler/model/assert.h"

namespace pd {
namespace {

constexpr std::array<const char*, kColumnCount> kColumnNames = {
    "raft_log", "raft_state", "keys", "history", "leases", "regions", "members"};

using Handles = std::array<rocksdb::ColumnFamilyHandle*, kColumnCount>;

rocksdb::Slice ToSlice(std::string_view bytes) { return {bytes.data(), bytes.size()}; }
std::string_view ToView(const rocksdb::Slice& slice) { return {slice.data(), slice.size()}; }

tl::unexpected<Error> Translate(const rocksdb::Status& status) {
  return Fail(status.IsCorruption() ? ErrorCode::kCorrupt : ErrorCode::kIo, status.ToString());
}

class RocksCursor final : public Cursor {
 public:
  explicit RocksCursor(rocksdb::Iterator* iterator) : iterator_(iterator) {}

  void Seek(std::string_view target) override { iterator_->Seek(ToSlice(target)); }
  void Next() override { iterator_->Next(); }
  [[nodiscard]] bool Valid() const override { return iterator_->Valid(); }
  [[nodiscard]] std::string_view key() const override { return ToView(iterator_->key()); }
  [[nodiscard]] std::string_view value() const override { return ToView(iterator_->value()); }
  [[nodiscard]] Result<void> Check() const override {
    const rocksdb::Status status = iterator_->status();
    if (!status.ok()) return Translate(status);
    return {};
  }

 private:
  std::unique_ptr<rocksdb::Iterator> iterator_;
};

Result<std::optional<std::string>> GetFrom(rocksdb::DB& db, const rocksdb::ReadOptions& options,
                                           rocksdb::ColumnFamilyHandle* handle,
                                           std::string_view key) {
  std::string value;
  const rocksdb::Status status = db.Get(options, handle, ToSlice(key), &value);
  if (status.IsNotFound()) return std::optional<std::string>();
  if (!status.ok()) return Translate(status);
  return std::optional<std::string>(std::move(value));
}

class RocksView final : public ReadView {
 public:
  RocksView(rocksdb::DB& db, const Handles& handles)
      : db_(db), handles_(handles), snapshot_(db.GetSnapshot()) {
    options_.snapshot = snapshot_;
  }
  ~RocksView() override { db_.ReleaseSnapshot(snapshot_); }
  RocksView(const RocksView&) = delete;
  RocksView& operator=(const RocksView&) = delete;

  [[nodiscard]] Result<std::optional<std::string>> Get(Column column,
                                                       std::string_view key) const override {
    return GetFrom(db_, options_, handles_[static_cast<size_t>(column)], key);
  }
  [[nodiscard]] std::unique_ptr<Cursor> NewCursor(Column column) const override {
    return std::make_unique<RocksCursor>(
        db_.NewIterator(options_, handles_[static_cast<size_t>(column)]));
  }

 private:
  rocksdb::DB& db_;
  const Handles& handles_;
  const rocksdb::Snapshot* snapshot_;
  rocksdb::ReadOptions options_;
};

class RocksDatabase final : public Database {
 public:
  RocksDatabase(std::unique_ptr<rocksdb::DB> db, rocksdb::ColumnFamilyHandle* unused,
                const Handles& handles)
      : db_(std::move(db)), unused_(unused), handles_(handles) {}

  ~RocksDatabase() override {
    // Destroying a handle, or closing, can only fail for a handle that is not of this database.
    for (rocksdb::ColumnFamilyHandle* handle : handles_) {
      db_->DestroyColumnFamilyHandle(handle).PermitUncheckedError();
    }
    db_->DestroyColumnFamilyHandle(unused_).PermitUncheckedError();
    db_->Close().PermitUncheckedError();
  }
  RocksDatabase(const RocksDatabase&) = delete;
  RocksDatabase& operator=(const RocksDatabase&) = delete;

  [[nodiscard]] Result<std::optional<std::string>> Get(Column column,
                                                       std::string_view key) const override {
    return GetFrom(*db_, rocksdb::ReadOptions(), Handle(column), key);
  }
  [[nodiscard]] std::unique_ptr<Cursor> NewCursor(Column column) const override {
    return std::make_unique<RocksCursor>(db_->NewIterator(rocksdb::ReadOptions(), Handle(column)));
  }

  Result<void> Write(const WriteBatch& batch, Durability durability) override {
    rocksdb::WriteBatch out(batch.bytes() + 64);
    for (size_t slot = 0; slot < kColumnCount; ++slot) {
      if (const auto status = Fill(static_cast<Column>(slot), batch, out); !status.ok()) {
        return Translate(status);
      }
    }
    rocksdb::WriteOptions options;
    options.sync = durability == Durability::kSynced;
    const rocksdb::Status status = db_->Write(options, &out);
    if (!status.ok()) return Translate(status);
    return {};
  }

  [[nodiscard]] std::unique_ptr<ReadView> TakeView() const override {
    return std::make_unique<RocksView>(*db_, handles_);
  }

  [[nodiscard]] uint64_t SizeBytes() const override {
    uint64_t total = 0;
    for (rocksdb::ColumnFamilyHandle* handle : handles_) {
      uint64_t size = 0;
      if (db_->GetIntProperty(handle, rocksdb::DB::Properties::kTotalSstFilesSize, &size)) {
        total += size;
      }
    }
    // What is in the memtables is in these as well.
    rocksdb::VectorLogPtr logs;
    if (db_->GetSortedWalFiles(logs).ok()) {
      for (const auto& log : logs) total += log->SizeFileBytes();
    }
    return total;
  }

 private:
  [[nodiscard]] rocksdb::ColumnFamilyHandle* Handle(Column column) const {
    return handles_[static_cast<size_t>(column)];
  }

  rocksdb::Status Fill(Column column, const WriteBatch& batch, rocksdb::WriteBatch& out) const {
    for (const auto& [begin, end] : batch.deleted_ranges(column)) {
      if (auto s = out.DeleteRange(Handle(column), begin, end); !s.ok()) return s;
    }
    for (const auto& [key, value] : batch.writes(column)) {
      const rocksdb::Status status =
          value ? out.Put(Handle(column), key, *value) : out.Delete(Handle(column), key);
      if (!status.ok()) return status;
    }
    return rocksdb::Status::OK();
  }

  std::unique_ptr<rocksdb::DB> db_;
  rocksdb::ColumnFamilyHandle* unused_;
  Handles handles_;
};

rocksdb::ColumnFamilyOptions ColumnOptions(Column column) {
  rocksdb::ColumnFamilyOptions options;
  rocksdb::BlockBasedTableOptions table;
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
  table.format_version = 5;
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  // The region table and the log take nearly all bytes; the rest is small.
  const bool large = column == Column::kRegions || column == Column::kRaftLog;
  options.write_buffer_size = large ? (32U << 20U) : (8U << 20U);
  options.compression = rocksdb::kNoCompression;  // Values are small and mostly packed numbers.
  return options;
}

}  // namespace

Result<std::unique_ptr<Database>> OpenRocksDatabase(const std::string& path) {
  rocksdb::DBOptions options;
  options.create_if_missing = true;
  options.create_missing_column_families = true;
  options.max_background_jobs = 2;
  options.keep_log_file_num = 4;
  options.max_log_file_size = 4U << 20U;
  options.max_total_wal_size = 128U << 20U;
  options.recycle_log_file_num = 0;
  // A write cut short by a crash at the very end is forgotten (it was not acknowledged); any other
  // damage is an error, not silently less data.
  options.wal_recovery_mode = rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords;

  std::vector<rocksdb::ColumnFamilyDescriptor> columns;
  columns.emplace_back(rocksdb::kDefaultColumnFamilyName, rocksdb::ColumnFamilyOptions());
  for (size_t slot = 0; slot < kColumnCount; ++slot) {
    columns.emplace_back(kColumnNames[slot], ColumnOptions(static_cast<Column>(slot)));
  }
  std::vector<rocksdb::ColumnFamilyHandle*> opened;
  rocksdb::DB* db = nullptr;
  const rocksdb::Status status = rocksdb::DB::Open(options, path, columns, &opened, &db);
  if (!status.ok()) return Translate(status);
  PD_ASSERT(opened.size() == kColumnCount + 1);
  Handles handles{};
  for (size_t slot = 0; slot < kColumnCount; ++slot) handles[slot] = opened[slot + 1];
  return std::unique_ptr<Database>(
      std::make_unique<RocksDatabase>(std::unique_ptr<rocksdb::DB>(db), opened[0], handles));
}

}  // namespace pd
