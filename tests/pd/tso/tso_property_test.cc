#include <deque>
#include <memory>
#include <random>
#include <vector>

#include <catch2/catch.hpp>

#include "pd/tso/tso_oracle.h"
#include "tests/pd/tso/fake_clock.h"

// Leaders come and go, saves are late or lost, and every member's clock jumps as it likes. What a client is answered
// must rise all the same. The twin of the replicated state is one number and a term: a save counts only in the term
// that proposed it and only when it is higher, but for the end that a hand-over writes.

namespace pd {
namespace {

struct Cluster {
  struct Proposal {
    uint64_t term;
    int64_t end_ms;
    TsoOracle::SaveDone done;
  };
  struct MemberState {
    explicit MemberState(Cluster& cluster, size_t index)
        : clock(1'700'000'000'000),
          oracle(
              {Millis(300), Millis(50)}, clock,
              [&cluster, index](int64_t end_ms, TsoOracle::SaveDone done) {
                cluster.proposals.push_back(
                    {cluster.members[index]->term, end_ms, std::move(done)});
              },
              [&cluster, index] {
                return cluster.leader == index && cluster.members[index]->lease;
              }) {}
    FakeClock clock;
    TsoOracle oracle;
    uint64_t term = 0;
    bool lease = false;
  };

  explicit Cluster(uint64_t seed) : random(seed) {
    for (size_t i = 0; i < 3; ++i) members.push_back(std::make_unique<MemberState>(*this, i));
  }

  int64_t Below(int64_t bound) {
    return std::uniform_int_distribution<int64_t>(0, bound - 1)(random);
  }
  MemberState& Leading() { return *members[leader]; }

  void Elect(size_t next, bool old_knows) {
    // A leader that was cut off does not know: its oracle goes on, but its lease is over.
    Leading().lease = false;
    if (old_knows) Leading().oracle.Stop();
    leader = next;
    Leading().term = ++term;
    Leading().oracle.Stop();
    const TsoOracle::Window window = Leading().oracle.Plan(saved_end_ms);
    saved_end_ms = window.end_ms;
    Leading().lease = true;
    Leading().oracle.Start(window);
  }

  void HandOver(size_t next) {
    const int64_t end_ms = Leading().oracle.Stop();
    if (end_ms == 0) return;
    saved_end_ms = end_ms;  // The last write of the term.
    Elect(next, true);
  }

  void ApplyOne() {
    if (proposals.empty()) return;
    Proposal proposal = std::move(proposals.front());
    proposals.pop_front();
    if (Below(10) == 0) return proposal.done(Fail(ErrorCode::kTimeout, ""));
    if (proposal.term != term || proposal.end_ms <= saved_end_ms) {
      return proposal.done(Fail(ErrorCode::kConflict, ""));
    }
    saved_end_ms = proposal.end_ms;
    proposal.done({});
  }

  void Ask(MemberState& member) {
    const auto count = static_cast<uint32_t>(Below(4) == 0 ? Below(262'143) + 1 : Below(50) + 1);
    const auto granted = member.oracle.TryGenerate(count);
    if (!granted) return;
    ++grants;
    const uint64_t last = granted->Composed();
    REQUIRE(granted->logical >= count);
    REQUIRE(last - count >= newest);
    REQUIRE(granted->physical_ms < saved_end_ms);
    newest = last;
  }

  void Step() {
    MemberState& any = *members[static_cast<size_t>(Below(3))];
    switch (Below(12)) {
      case 0:
        return any.clock.Add(Below(200'000) - 100'000);
      case 1:
        return any.clock.Add(Below(600));
      case 2:
        return Below(20) == 0 ? Elect(static_cast<size_t>(Below(3)), Below(2) == 0)
                              : any.oracle.Tick();
      case 3:
        return Below(10) == 0 ? HandOver(static_cast<size_t>(Below(3))) : ApplyOne();
      case 4:
        return ApplyOne();
      case 5:
        return Leading().oracle.Tick();
      case 6:
        return Ask(any);
      default:
        return Ask(Leading());
    }
  }

  std::mt19937_64 random;
  std::vector<std::unique_ptr<MemberState>> members;
  std::deque<Proposal> proposals;
  size_t leader = 0;
  uint64_t term = 0;
  int64_t saved_end_ms = 0;
  uint64_t newest = 0;
  uint64_t grants = 0;
};

TEST_CASE("timestamps rise through failovers, hand-overs, lost saves and clock jumps",
          "[tso][property]") {
  uint64_t grants = 0;
  for (uint64_t seed = 1; seed <= 400; ++seed) {
    INFO("seed " << seed);
    Cluster cluster(seed);
    cluster.Elect(0, true);
    for (int step = 0; step < 1500; ++step) cluster.Step();
    grants += cluster.grants;
  }
  CHECK(grants > 100'000);
}

}  // namespace
}  // namespace pd
