#include "pd/storage/overlay_view.h"

#include <random>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "tests/pd/storage/fake_database.h"

namespace pd {
namespace {

std::vector<std::string> All(const ReadView& view, const std::string& from) {
  std::vector<std::string> keys;
  const auto cursor = view.NewCursor(Column::kKeys);
  for (cursor->Seek(from); cursor->Valid(); cursor->Next()) {
    keys.push_back(std::string(cursor->key()) + "=" + std::string(cursor->value()));
  }
  return keys;
}

std::string RandomKey(std::mt19937& rng) {
  return std::string(1, static_cast<char>('a' + rng() % 12));
}

void RandomWrites(std::mt19937& rng, WriteBatch& batch) {
  for (uint32_t n = static_cast<uint32_t>(rng() % 8); n > 0; --n) {
    switch (rng() % 5) {
      case 0:
        batch.DeleteRange(Column::kKeys, RandomKey(rng), RandomKey(rng));
        break;
      case 1:
        batch.Delete(Column::kKeys, RandomKey(rng));
        break;
      default:
        batch.Put(Column::kKeys, RandomKey(rng), std::to_string(rng() % 100));
        break;
    }
  }
}

TEST_CASE("an overlay shows what the database shows once the batch is written") {
  std::mt19937 rng(1);
  for (int round = 0; round < 2000; ++round) {
    test::FakeDatabase database;
    WriteBatch before;
    RandomWrites(rng, before);
    REQUIRE(database.Write(before, Durability::kSynced).has_value());
    WriteBatch batch;
    RandomWrites(rng, batch);
    WriteBatch more;
    RandomWrites(rng, more);

    // Two overlays on each other are the same as one of both batches.
    const OverlayView one(database, batch);
    const OverlayView two(one, more);
    const auto stacked = All(two, "");
    WriteBatch both = batch;
    both.Append(WriteBatch(more));
    const OverlayView merged(database, both);
    CHECK(All(merged, "") == stacked);

    const std::string from = RandomKey(rng);
    const auto overlaid = All(merged, from);
    std::vector<std::optional<std::string>> gets;
    for (char key = 'a'; key < 'm'; ++key) {
      gets.push_back(merged.Get(Column::kKeys, std::string(1, key)).value());
    }
    REQUIRE(database.Write(both, Durability::kSynced).has_value());
    CHECK(All(database, from) == overlaid);
    for (char key = 'a'; key < 'm'; ++key) {
      CHECK(database.Get(Column::kKeys, std::string(1, key)).value() ==
            gets[static_cast<size_t>(key - 'a')]);
    }
  }
}

}  // namespace
}  // namespace pd
