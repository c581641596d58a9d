#include "pd/storage/database.h"

#include <filesystem>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "tests/pd/storage/fake_database.h"
#include "tests/pd/temporary_folder.h"

namespace pd {
namespace {

std::vector<std::string> Keys(const ReadView& view, Column column, const std::string& from) {
  std::vector<std::string> keys;
  const auto cursor = view.NewCursor(column);
  for (cursor->Seek(from); cursor->Valid(); cursor->Next()) {
    keys.push_back(std::string(cursor->key()) + "=" + std::string(cursor->value()));
  }
  REQUIRE(cursor->Check().has_value());
  return keys;
}

using Strings = std::vector<std::string>;

/// What every database must do.
void CheckContract(Database& database) {
  WriteBatch batch;
  batch.Put(Column::kKeys, "a", "1");
  batch.Put(Column::kKeys, "b", "2");
  batch.Put(Column::kKeys, "c", "3");
  batch.Put(Column::kRegions, "a", "region");
  REQUIRE(database.Write(batch, Durability::kSynced).has_value());
  CHECK(Keys(database, Column::kKeys, "") == Strings{"a=1", "b=2", "c=3"});
  CHECK(Keys(database, Column::kKeys, "aa") == Strings{"b=2", "c=3"});
  CHECK(database.Get(Column::kRegions, "a").value() == "region");
  CHECK_FALSE(database.Get(Column::kRegions, "b").value().has_value());

  const auto frozen = database.TakeView();
  WriteBatch second;
  second.Put(Column::kKeys, "a", "9");
  second.DeleteRange(Column::kKeys, "a",
                     "c");  // Before all puts of the batch, but drops earlier ones in it.
  second.Put(Column::kKeys, "b", "8");
  second.Delete(Column::kKeys, "c");
  REQUIRE(database.Write(second, Durability::kBuffered).has_value());
  CHECK(Keys(database, Column::kKeys, "") == Strings{"b=8"});
  CHECK(Keys(*frozen, Column::kKeys, "") == Strings{"a=1", "b=2", "c=3"});
  CHECK(frozen->Get(Column::kKeys, "c").value() == "3");

  const std::string zeros("\0\0", 2);
  WriteBatch third;
  third.Put(Column::kHistory, zeros, std::string("\0x\0", 3));
  REQUIRE(database.Write(third, Durability::kBuffered).has_value());
  CHECK(database.Get(Column::kHistory, zeros).value() == std::string("\0x\0", 3));
}

TEST_CASE("a RocksDB database keeps the contract and outlives a reopening") {
  const test::TemporaryFolder folder;
  {
    auto database = OpenRocksDatabase(folder.path());
    REQUIRE(database.has_value());
    CheckContract(**database);
    // The folder belongs to one process and one handle at a time.
    CHECK(OpenRocksDatabase(folder.path()).error().code == ErrorCode::kIo);
  }
  const auto database = OpenRocksDatabase(folder.path());
  REQUIRE(database.has_value());
  CHECK(Keys(**database, Column::kKeys, "") == Strings{"b=8"});
}

TEST_CASE("a path that cannot be a folder is a clear error") {
  const auto database = OpenRocksDatabase("/dev/null/x");
  REQUIRE_FALSE(database.has_value());
  CHECK(database.error().code == ErrorCode::kIo);
  CHECK(database.error().context.find("/dev/null/x") != std::string::npos);
}

TEST_CASE("a database that was written to takes space, flushed or not") {
  const test::TemporaryFolder folder;
  auto database = OpenRocksDatabase(folder.path() + "/db");
  REQUIRE(database.has_value());
  WriteBatch small;
  small.Put(Column::kKeys, "key", "value");
  REQUIRE((*database)->Write(small, Durability::kSynced).has_value());
  const uint64_t before = (*database)->SizeBytes();
  CHECK(before >= 8);
  WriteBatch large;
  large.Put(Column::kRegions, "key", std::string(1 << 20, 'x'));
  REQUIRE((*database)->Write(large, Durability::kBuffered).has_value());
  CHECK((*database)->SizeBytes() >= before + (1 << 20));
}

TEST_CASE("the fake database keeps the contract") {
  test::FakeDatabase database;
  CheckContract(database);
}

TEST_CASE("the fake database forgets what was not synced") {
  test::FakeDatabase database;
  const auto write = [&](const char* key, Durability durability) {
    WriteBatch batch;
    batch.Put(Column::kKeys, key, "");
    REQUIRE(database.Write(batch, durability).has_value());
  };
  write("a", Durability::kBuffered);
  write("b", Durability::kSynced);  // Takes the earlier ones with it.
  write("c", Durability::kBuffered);
  write("d", Durability::kBuffered);
  CHECK(database.unsynced() == 2);
  database.Crash(1);
  CHECK(Keys(database, Column::kKeys, "") == Strings{"a=", "b=", "c="});
  database.FailWrites(true);
  CHECK(database.Write(WriteBatch(), Durability::kSynced).error().code == ErrorCode::kIo);
  database.Crash(9);
  CHECK(Keys(database, Column::kKeys, "") == Strings{"a=", "b=", "c="});
}

}  // namespace
}  // namespace pd
