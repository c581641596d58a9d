#include "pd/cluster/region_table.h"

#include <algorithm>

#include <catch2/catch.hpp>

#include "pd/codec/cluster_codec.h"

namespace pd {
namespace {

using scheduler::Region;
using scheduler::RegionId;

Region Make(uint64_t id, const std::string& start, const std::string& end, uint64_t version) {
  Region region;
  region.id = RegionId{id};
  region.start_key = start;
  region.end_key = end;
  region.epoch = {1, version};
  region.peers = {{scheduler::PeerId{id * 10}, scheduler::StoreId{1}},
                  {scheduler::PeerId{id * 10 + 1}, scheduler::StoreId{2}}};
  region.leader = region.peers[0];
  region.size_mib = 10;
  region.source = scheduler::RegionSource::kHeartbeat;
  return region;
}

std::vector<uint64_t> IdsOf(const PutRegions& batch) {
  std::vector<uint64_t> ids;
  for (const RegionRecord& record : batch.regions) ids.push_back(record.id);
  std::ranges::sort(ids);
  return ids;
}

TEST_CASE("only what must last is marked for saving", "[region_table]") {
  RegionTable table;
  REQUIRE(table.Report(Make(1, "", "", 1), {})->change.save);
  CHECK(IdsOf(*table.TakeUnsaved(100)) == std::vector<uint64_t>{1});
  CHECK_FALSE(table.TakeUnsaved(100));

  Region moved = Make(1, "", "", 1);
  moved.leader = moved.peers[1];
  const auto outcome = table.Report(moved, {});
  REQUIRE(outcome);
  CHECK(outcome->change.notify);
  CHECK_FALSE(table.TakeUnsaved(100));
  CHECK(table.Find(RegionId{1})->leader == moved.peers[1]);
}

TEST_CASE("a batch deletes what its regions have pushed aside", "[region_table]") {
  RegionTable table;
  REQUIRE(table.Report(Make(1, "", "m", 1), {}));
  REQUIRE(table.Report(Make(2, "m", "", 1), {}));
  REQUIRE(table.TakeUnsaved(100));
  // A merge: 2 takes over the whole range.
  const auto merged = table.Report(Make(2, "", "", 3), {});
  REQUIRE(merged);
  REQUIRE(merged->removed.size() == 1);
  const auto batch = table.TakeUnsaved(100);
  CHECK(IdsOf(*batch) == std::vector<uint64_t>{2});
  CHECK(batch->deleted_ids == std::vector<uint64_t>{1});
}

TEST_CASE("a region that comes back is not deleted", "[region_table]") {
  RegionTable table;
  REQUIRE(table.Report(Make(1, "", "", 1), {}));
  REQUIRE(table.TakeUnsaved(100));
  // A split whose new half reports first: 1 goes, and comes back with the other half.
  REQUIRE(table.Report(Make(2, "", "m", 2), {}));
  REQUIRE(table.Report(Make(1, "m", "", 2), {}));
  const auto batch = table.TakeUnsaved(100);
  CHECK(IdsOf(*batch) == std::vector<uint64_t>{1, 2});
  CHECK(batch->deleted_ids.empty());
}

TEST_CASE("a failed write is tried again with what is known then", "[region_table]") {
  RegionTable table;
  REQUIRE(table.Report(Make(1, "", "m", 1), {}));
  REQUIRE(table.Report(Make(2, "m", "", 1), {}));
  const auto batch = table.TakeUnsaved(1);
  REQUIRE(IdsOf(*batch) == std::vector<uint64_t>{1});
  REQUIRE(table.Report(Make(1, "", "k", 2), {}));
  table.Unsaved(*batch);
  const auto again = table.TakeUnsaved(100);
  CHECK(IdsOf(*again) == std::vector<uint64_t>{1, 2});
  CHECK(std::ranges::find(again->regions, uint64_t{1}, &RegionRecord::id)->end_key == "k");
  CHECK_FALSE(table.TakeUnsaved(100));
}

TEST_CASE("a record is deleted only of a region that was there", "[region_table]") {
  RegionTable table;
  CHECK_FALSE(table.Remove(RegionId{7}, RegionTable::Forget::kMemoryAndDisk));
  CHECK_FALSE(table.TakeUnsaved(100));
  REQUIRE(table.Report(Make(1, "", "", 1), {}));
  CHECK(table.Remove(RegionId{1}, RegionTable::Forget::kMemoryAndDisk));
  CHECK(table.TakeUnsaved(100)->deleted_ids == std::vector<uint64_t>{1});
}

TEST_CASE("a follower's queue of marks does not grow with what the leader writes",
          "[region_table]") {
  RegionTable table;
  for (uint64_t version = 1; version <= 5000; ++version) {
    table.PutSynced(Make(1, "", "", version));
    CHECK(table.unsaved() == 1);
    table.PutReplicated({{ToRecord(Make(1, "", "", version))}, {}});
    CHECK(table.unsaved() == 0);
    CHECK(table.queued_marks() <= 1100);
  }
  // What is not known to be written survives the tidying, once.
  for (uint64_t id = 2; id <= 5000; ++id) table.PutSynced(Make(id, "a", "b", 6000 + id));
  table.PutSynced(Make(1, "b", "", 9000));
  CHECK(IdsOf(*table.TakeUnsaved(10'000)) == std::vector<uint64_t>{1, 5000});
}

TEST_CASE("followers hear of changes in the table's order", "[region_table]") {
  RegionFeed feed;
  RegionTable table(&feed);
  REQUIRE(table.Report(Make(1, "", "", 1), {}));
  Region moved = Make(1, "", "", 1);
  moved.leader = moved.peers[1];
  REQUIRE(table.Report(moved, {}));
  REQUIRE(table.Report(moved, {}));  // No news.
  const auto records = feed.From(1, 100);
  REQUIRE(records);
  REQUIRE(records->size() == 2);
  CHECK((*records)[0].leader == moved.peers[0]);
  CHECK((*records)[1].leader == moved.peers[1]);
}

TEST_CASE("stale reports name both regions", "[region_table]") {
  RegionTable table;
  REQUIRE(table.Report(Make(1, "a\"\xff", "", 5), {}));
  const auto stale = table.Report(Make(1, "", "", 4), {});
  REQUIRE_FALSE(stale);
  CHECK(stale.error().code == ErrorCode::kStaleEpoch);
  CHECK(
      stale.error().context ==
      "region is stale: region id:1 region_epoch:<conf_ver:1 version:4 > peers:<id:10 store_id:1 > "
      "peers:<id:11 store_id:2 >  origin id:1 start_key:\"a\\\"\\377\" region_epoch:<conf_ver:1 "
      "version:5 > peers:<id:10 store_id:1 > peers:<id:11 store_id:2 > ");
}

TEST_CASE("the replicated table fills what is not known better", "[region_table]") {
  RegionTable table;
  table.PutReplicated({{ToRecord(Make(1, "", "m", 1)), ToRecord(Make(2, "m", "", 1))}, {}});
  CHECK(table.size() == 2);
  CHECK(table.refreshed() == 0);
  CHECK_FALSE(table.Find(RegionId{1})->HasLeader());

  // Reported with a newer epoch, then an older record is applied: the report stays, and its mark too.
  REQUIRE(table.Report(Make(1, "", "m", 2), {}));
  table.PutReplicated({{ToRecord(Make(1, "", "m", 1))}, {}});
  CHECK(table.Find(RegionId{1})->epoch.version == 2);
  CHECK(table.unsaved() == 1);
  // The record of just that epoch takes the mark off, and nothing else.
  table.PutReplicated({{ToRecord(Make(1, "", "m", 2))}, {}});
  CHECK(table.unsaved() == 0);
  CHECK(table.Find(RegionId{1})->HasLeader());
}

TEST_CASE("deleted records take along only what is known from disk", "[region_table]") {
  RegionTable table;
  table.PutReplicated({{ToRecord(Make(1, "", "m", 1)), ToRecord(Make(2, "m", "", 1))}, {}});
  REQUIRE(table.Report(Make(2, "m", "", 1), {}));
  table.PutReplicated({{}, {1, 2}});
  CHECK_FALSE(table.Find(RegionId{1}));
  CHECK(table.Find(RegionId{2}));
}

TEST_CASE("a region that another leader wrote again is not deleted", "[region_table]") {
  RegionTable table;
  REQUIRE(table.Report(Make(1, "", "m", 1), {}));
  REQUIRE(table.Report(Make(2, "m", "", 1), {}));
  REQUIRE(table.TakeUnsaved(100));
  REQUIRE(table.Report(Make(2, "", "", 3), {}));  // The merge marks 1, and is not saved here.
  PutRegions written;
  SECTION("as a record") {
    written.regions = {ToRecord(Make(2, "m", "", 4)), ToRecord(Make(1, "", "m", 4))};
    table.PutReplicated(written);
  }
  SECTION("by the feed") {
    table.PutSynced(Make(2, "m", "", 4));
    table.PutSynced(Make(1, "", "m", 4));
  }
  const auto batch = table.TakeUnsaved(100);
  CHECK((!batch || batch->deleted_ids.empty()));
}

TEST_CASE("reports that are forgotten count again when they come again", "[region_table]") {
  RegionTable table;
  Region marked = Make(2, "m", "", 1);
  marked.term = 7;
  marked.pending_peers = {marked.peers[1]};  // Not a plain record.
  REQUIRE(table.Report(Make(1, "", "m", 1), {}));
  REQUIRE(table.Report(marked, {}));
  CHECK(table.refreshed() == 2);
  REQUIRE(table.TakeUnsaved(100));
  table.ForgetReports();
  CHECK(table.refreshed() == 0);
  CHECK(table.size() == 2);
  CHECK(table.total_size_mib() == 20);
  const scheduler::RegionIndex::StoreSums sums = table.SumsOf(scheduler::StoreId{2});
  CHECK(sums.refreshed == 0);
  CHECK(sums.counts.followers == 2);
  CHECK(sums.counts.pending == 1);
  SECTION("by their stores, though nothing is new") {
    for (const Region& region : {Make(1, "", "m", 1), marked}) {
      CHECK_FALSE(table.Report(region, {})->change.save);
    }
    CHECK(table.refreshed() == 2);
    CHECK(table.SumsOf(scheduler::StoreId{1}).refreshed == 2);
    CHECK(table.SumsOf(scheduler::StoreId{2}).refreshed == 2);
  }
  SECTION("by the feed of the next leader, as received") {
    Region synced = Make(2, "m", "", 1);
    synced.leader = synced.peers[1];
    synced.source = scheduler::RegionSource::kSync;
    table.PutSynced(synced);
    CHECK(table.Find(RegionId{2})->leader == synced.peers[1]);
    CHECK(table.refreshed() == 0);
    REQUIRE(table.Report(synced, {}));
  }
  SECTION("and are newer than the records of another leader") {
    table.PutReplicated({{}, {1}});
    CHECK(table.Find(RegionId{1}));
  }
}

TEST_CASE("an epoch that only the feed brought is saved by whoever leads next", "[region_table]") {
  RegionTable table;
  table.PutReplicated({{ToRecord(Make(1, "", "", 1))}, {}});
  Region synced = Make(1, "", "", 1);
  synced.source = scheduler::RegionSource::kSync;
  table.PutSynced(synced);
  CHECK(table.unsaved() == 0);
  synced.epoch.version = 2;
  table.PutSynced(synced);
  CHECK(table.unsaved() == 1);
  // An older one changes nothing.
  synced.epoch.version = 1;
  table.PutSynced(synced);
  CHECK(table.Find(RegionId{1})->epoch.version == 2);
}

TEST_CASE("walks in chunks see every region once", "[region_table]") {
  RegionTable table;
  std::vector<uint64_t> expected;
  for (uint64_t i = 0; i < 2000; ++i) {
    const auto key = [](uint64_t n) { return "k" + std::to_string(10000 + n); };
    REQUIRE(table.Report(Make(i + 1, i == 0 ? "" : key(i), i == 1999 ? "" : key(i + 1), 1), {}));
    expected.push_back(i + 1);
  }
  std::vector<uint64_t> seen;
  const auto note = [&](const Region& region) {
    seen.push_back(region.id.value);
    return true;
  };
  table.Visit({}, note);
  CHECK(seen == expected);
  seen.clear();
  table.VisitStore(scheduler::StoreId{1}, scheduler::HeldAs::kLeader, note);
  CHECK(seen == expected);
  // A scan goes in chunks as well.
  const auto scanned = [&](const scheduler::KeyRange& range, size_t limit) {
    std::vector<uint64_t> ids;
    for (const Region& region : table.Scan(range, limit)) ids.push_back(region.id.value);
    return ids;
  };
  for (const size_t limit : {0U, 1U, 511U, 512U, 513U, 1024U, 1234U}) {
    CHECK(scanned({}, limit) ==
          std::vector(expected.begin(), expected.begin() + static_cast<ptrdiff_t>(limit)));
  }
  CHECK(scanned({}, 1'000'000) == expected);
  const std::string from = table.Find(RegionId{601})->start_key;
  const std::string to = table.Find(RegionId{1301})->start_key;
  CHECK(scanned({from, to}, 1'000'000) ==
        std::vector(expected.begin() + 600, expected.begin() + 1300));
}

TEST_CASE("buckets are replaced by newer ones only", "[region_table]") {
  RegionTable table;
  REQUIRE(table.Report(Make(1, "", "", 1), {}));
  scheduler::Buckets buckets;
  buckets.version = 3;
  CHECK(table.PutBuckets(RegionId{1}, buckets));
  CHECK_FALSE(table.PutBuckets(RegionId{1}, buckets));
  CHECK_FALSE(table.PutBuckets(RegionId{9}, buckets));
  CHECK(table.Find(RegionId{1})->buckets.version == 3);
}

Region Bootstrapped() {
  Region region = Make(1, "", "", 1);
  region.leader = {};
  region.size_mib = 0;
  region.source = scheduler::RegionSource::kStorage;
  return region;
}

TEST_CASE("a bootstrapped region is saved with its first report, and counted by then at the latest",
          "[region_table]") {
  const auto held = [](const RegionTable& table) {
    return table.SumsOf(scheduler::StoreId{1}).counts.regions();
  };
  RegionTable table;
  table.PutBootstrapped(Bootstrapped());
  CHECK(table.Find(RegionId{1}) == Bootstrapped());
  CHECK_FALSE(table.TakeUnsaved(100));
  CHECK(held(table) == 0);
  CHECK(table.only_bootstrapped());
  SECTION("counted by the job") {
    table.CountBootstrapped();
    CHECK(held(table) == 1);
    CHECK_FALSE(table.TakeUnsaved(100));
  }
  SECTION("reported with the epoch it was made with") {
    REQUIRE(table.Report(Make(1, "", "", 1), {})->change.save);
    CHECK(held(table) == 1);
    CHECK_FALSE(table.only_bootstrapped());
    CHECK(IdsOf(*table.TakeUnsaved(100)) == std::vector<uint64_t>{1});
    CHECK_FALSE(table.Report(Make(1, "", "", 1), {})->change.save);
  }
  SECTION("reported to another leader, which fed it on") {
    table.PutSynced(Make(1, "", "", 1));
    CHECK(held(table) == 1);
    CHECK(IdsOf(*table.TakeUnsaved(100)) == std::vector<uint64_t>{1});
  }
  SECTION("reported to another leader, which saved it") {
    table.PutReplicated({{ToRecord(Make(1, "", "", 1))}, {}});
    CHECK(held(table) == 1);
    CHECK_FALSE(table.Report(Make(1, "", "", 1), {})->change.save);
  }
  SECTION("never in the way of what is known already") {
    REQUIRE(table.Report(Make(2, "", "", 4), {}));
    table.PutBootstrapped(Bootstrapped());
    CHECK(table.FindByKey("x")->id == RegionId{2});
  }
}

TEST_CASE("the first region of an earlier leader is found by key until any other is known",
          "[region_table]") {
  RegionTable table;
  table.PutFirst(Bootstrapped());
  CHECK(table.FindByKey("x") == Bootstrapped());
  CHECK_FALSE(table.Find(RegionId{1}));
  CHECK(table.Scan({}, 10).empty());
  REQUIRE(table.Report(Make(2, "", "m", 2), {}));
  CHECK_FALSE(table.FindByKey("x"));
  REQUIRE(table.Remove(RegionId{2}, RegionTable::Forget::kMemory));
  CHECK_FALSE(table.FindByKey("x"));
}

}  // namespace
}  // namespace pd
