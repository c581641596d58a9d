#include <algorithm>
#include <memory>
#include <optional>
#include <vector>

#include <catch2/catch.hpp>
#include <rapidcheck.h>

#include "raft/src/unstable.h"
#include "tests/raft/unit/program.h"

namespace raft {
namespace {

using testing::Program;

const Journal kSilent(nullptr, [](std::string_view text) { RC_FAIL(std::string(text)); });

/// The dumb twin: each entry knows whether it has been handed out.
struct FlatTail {
  struct Item {
    Entry entry;
    bool handed_out = false;
  };

  LogIndex end() const { return offset + items.size(); }

  std::optional<Term> TermAt(LogIndex index) const {
    for (const Item& item : items) {
      if (item.entry.index == index) return item.entry.term;
    }
    if (snapshot != nullptr && snapshot->metadata.index == index) return snapshot->metadata.term;
    return std::nullopt;
  }

  void TruncateAndAppend(const std::vector<Entry>& entries) {
    const LogIndex from = entries.front().index;
    std::erase_if(items, [from](const Item& item) { return item.entry.index >= from; });
    if (items.empty()) offset = from;
    for (const Entry& entry : entries) items.push_back({entry});
  }

  void StableTo(LogIndex index, Term term) {
    const auto names = [index, term](const Item& item) {
      return item.entry.index == index && item.entry.term == term;
    };
    if (std::none_of(items.begin(), items.end(), names)) return;
    std::erase_if(items, [index](const Item& item) { return item.entry.index <= index; });
    offset = index + 1;
  }

  void HandOut() {
    for (Item& item : items) item.handed_out = true;
    snapshot_handed_out = snapshot != nullptr;
  }

  void Restore(SnapshotPtr restored) {
    items.clear();
    offset = restored->metadata.index + 1;
    snapshot = std::move(restored);
    snapshot_handed_out = false;
  }

  LogIndex offset;
  std::vector<Item> items;
  SnapshotPtr snapshot;
  bool snapshot_handed_out = false;
};

void Compare(const Unstable& tail, const FlatTail& twin) {
  RC_ASSERT(tail.offset() == twin.offset);
  RC_ASSERT(tail.size() == twin.items.size());
  RC_ASSERT(tail.end() == twin.end());
  std::vector<Entry> all;
  std::vector<Entry> next;
  for (const FlatTail::Item& item : twin.items) {
    all.push_back(item.entry);
    if (!item.handed_out) next.push_back(item.entry);
  }
  const auto held = tail.Slice(tail.offset(), tail.end());
  RC_ASSERT(std::vector<Entry>(held.begin(), held.end()) == all);
  const auto to_write = tail.NextEntries();
  RC_ASSERT(std::vector<Entry>(to_write.begin(), to_write.end()) == next);
  RC_ASSERT(tail.offset_in_progress() == tail.end() - next.size());
  RC_ASSERT(tail.snapshot() == twin.snapshot);
  RC_ASSERT(tail.NextSnapshot() == (twin.snapshot_handed_out ? nullptr : twin.snapshot));

  std::optional<LogIndex> first;
  std::optional<LogIndex> last;
  if (twin.snapshot != nullptr) {
    last = twin.snapshot->metadata.index;
    first = *last + 1;
  }
  if (!all.empty()) last = all.back().index;
  RC_ASSERT(tail.FirstIndex() == first);
  RC_ASSERT(tail.LastIndex() == last);
  for (LogIndex index = 0; index <= twin.end() + 1; ++index) {
    RC_ASSERT(tail.TermAt(index) == twin.TermAt(index));
  }
}

std::vector<Entry> SomeEntries(Program& program, LogIndex from) {
  std::vector<Entry> entries;
  for (uint64_t count = program.Between(1, 4); count > 0; --count) {
    entries.push_back({EntryType::kNormal, program.Between(1, 4), from + entries.size(), {}});
  }
  return entries;
}

SnapshotPtr SomeSnapshot(Program& program, LogIndex from) {
  auto snapshot = std::make_shared<Snapshot>();
  snapshot->metadata.index = from + program.Below(6);
  snapshot->metadata.term = program.Between(1, 4);
  return snapshot;
}

TEST_CASE("the unstable tail is a list in which each entry is handed out once") {
  CHECK(rc::check([] {
    Program program = Program::Draw();
    const LogIndex start = program.Between(1, 9);
    Unstable tail(start, kSilent);
    FlatTail twin{start, {}, nullptr, false};
    while (!program.done()) {
      const LogIndex lowest = twin.snapshot != nullptr ? twin.snapshot->metadata.index + 1 : 1;
      switch (program.Below(8)) {
        case 0:
        default: {
          const auto entries = SomeEntries(program, twin.end());
          tail.TruncateAndAppend(entries);
          twin.TruncateAndAppend(entries);
          break;
        }
        case 1:
          tail.AcceptInProgress();
          twin.HandOut();
          break;
        case 2: {
          const LogIndex from = std::max(lowest, twin.offset - std::min<LogIndex>(2, twin.offset));
          const auto entries = SomeEntries(program, program.Between(from, twin.end()));
          tail.TruncateAndAppend(entries);
          twin.TruncateAndAppend(entries);
          break;
        }
        case 3:
        case 4: {
          const LogIndex index =
              program.Between(twin.offset - std::min<LogIndex>(3, twin.offset), twin.end());
          const Term term = program.Flag() ? program.Between(1, 4) : twin.TermAt(index).value_or(1);
          tail.StableTo(index, term);
          twin.StableTo(index, term);
          break;
        }
        case 5: {
          const SnapshotPtr snapshot = SomeSnapshot(program, lowest);
          tail.Restore(snapshot);
          twin.Restore(snapshot);
          break;
        }
        case 6: {
          const LogIndex index = lowest - 1 + program.Below(2);
          tail.StableSnapshotTo(index);
          if (twin.snapshot != nullptr && twin.snapshot->metadata.index == index) {
            twin.snapshot = nullptr;
            twin.snapshot_handed_out = false;
          }
          break;
        }
      }
      Compare(tail, twin);
    }
  }));
}

}  // namespace
}  // namespace raft
