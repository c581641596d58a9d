// Whatever messages come in, in whatever order and between whatever calls of the host, a node neither breaks nor loses
// an invariant. The input is a program: first how the node begins, then what is done with it.
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <vector>

#include "tests/fuzz/seeds.h"
#include "tests/raft/fuzz/host.h"
#include "tests/raft/fuzz/input.h"

namespace raft::fuzz {
namespace {

/// Programs that get a node deep, for the fuzzer to vary.
class Seed {
 public:
  /// See Host::Host for what the bytes mean; limits are wide.
  Seed(uint8_t flags, uint8_t group) { Add({flags, group, 0, 200, 100, 60, 3, 0}); }

  Seed& Do(Op op, std::initializer_list<uint8_t> choices = {}) {
    bytes_.push_back(static_cast<char>(op));
    return Add(choices);
  }

  /// Readies until nothing is left, with all the work of the storage threads; in parts, where that is the mode.
  Seed& Settle() {
    for (int i = 0; i < 2; ++i) {
      Do(Op::kReadyWritten).Do(Op::kWrite).Do(Op::kApply).Do(Op::kPersist);
      Do(Op::kReadyDurable).Do(Op::kWrite).Do(Op::kApply).Do(Op::kTellApplied);
    }
    return *this;
  }

  /// The newest messages are answered, the oldest of them first.
  Seed& AnswerAll(uint8_t count) {
    for (uint8_t i = count; i > 0; --i) Do(Op::kAnswer, {static_cast<uint8_t>(i - 1), 0});
    return Settle();
  }

  /// A group in which others vote needs their answers: to a question first, with pre-votes.
  Seed& Elect() {
    Do(Op::kCampaign).Settle().AnswerAll(4);
    AnswerAll(4);
    return AnswerAll(4);
  }

  Seed& Propose() { return Do(Op::kPropose, {3, 'a', 'b', 'c'}); }

  const std::string& bytes() const { return bytes_; }

 private:
  Seed& Add(std::initializer_list<uint8_t> more) {
    for (const uint8_t byte : more) bytes_.push_back(static_cast<char>(byte));
    return *this;
  }

  std::string bytes_;
};

/// The node is elected, and leads.
void AddLeading(uint8_t flags, uint8_t group, std::vector<std::string>& seeds) {
  Seed elected(flags, static_cast<uint8_t>(group + 16));
  // With leases a node campaigns only when what it promised before its start has run out.
  for (int i = 0; i < 3; ++i) elected.Do(Op::kTick);
  elected.Settle().Elect();
  const auto start = [&elected] { return elected; };
  seeds.push_back(start().Propose().Settle().AnswerAll(4).Do(Op::kTick).AnswerAll(4).bytes());
  // Entries that must be fetched, members in two commit groups, and a rest.
  seeds.push_back(start()
                      .Propose()
                      .AnswerAll(2)
                      .Do(Op::kSlowDisk)
                      .Do(Op::kReportUnreachable, {3})
                      .Do(Op::kTick)
                      .AnswerAll(4)
                      .Do(Op::kFetched)
                      .Do(Op::kGroupCommit, {0, 1})
                      .Do(Op::kGroupCommit, {2, 1, 1})
                      .Do(Op::kGroupCommit, {2, 2, 2})
                      .Propose()
                      .AnswerAll(4)
                      .Do(Op::kSetOption, {1, 5, 2})
                      .Do(Op::kTickQuiesced)
                      .Do(Op::kPing)
                      .AnswerAll(4)
                      .bytes());
  seeds.push_back(start()
                      .Do(Op::kReadIndex, {1, 'r'})
                      .AnswerAll(4)
                      .Do(Op::kTransferLeader, {2})
                      .AnswerAll(4)
                      .bytes());
  // A membership change, joint and left by itself.
  seeds.push_back(start()
                      .Do(Op::kProposeConfChangeV2, {1, 2, 0, 5, 3, 6})
                      .AnswerAll(6)
                      .AnswerAll(6)
                      .AnswerAll(6)
                      .bytes());
  // A member that needs a snapshot, and a restart.
  seeds.push_back(start()
                      .Propose()
                      .AnswerAll(2)
                      .Do(Op::kCompact)
                      .Do(Op::kReportUnreachable, {3})
                      .Do(Op::kAnswer, {0, 1})
                      .Do(Op::kTick)
                      .AnswerAll(4)
                      .Do(Op::kReportSnapshot, {3, 0})
                      .Do(Op::kRestart)
                      .Elect()
                      .bytes());
}

/// Another leads.
void AddFollowing(uint8_t flags, uint8_t group, std::vector<std::string>& seeds) {
  // Appends, a commit index, a snapshot, and the request to take over.
  seeds.push_back(Seed(flags, group)
                      .Do(Op::kLead, {0, 1, 0, 0, 3, 2, 0, 0, 1, 'x', 0, 0, 1, 'y'})
                      .Settle()
                      .Do(Op::kLead, {0, 0, 0, 0, 0})
                      .Settle()
                      .Do(Op::kLead, {1, 1, 0, 0, 1, 3})
                      .Settle()
                      .Do(Op::kLead, {1, 0, 0, 0, 2})
                      .AnswerAll(4)
                      .bytes());
  // A snapshot that was asked for.
  seeds.push_back(Seed(flags, group)
                      .Do(Op::kLead, {0, 1, 0, 0, 3, 2, 0, 0, 1, 'x', 0, 0, 1, 'y'})
                      .Settle()
                      .Do(Op::kRequestSnapshot)
                      .Do(Op::kLead, {0, 0, 0, 0, 0})
                      .Settle()
                      .Do(Op::kLead, {0, 0, 0, 0, 1, 0})
                      .Settle()
                      .bytes());
  // An entry is overwritten and comes back before any of it is written; then it is committed.
  seeds.push_back(Seed(flags, group)
                      .Do(Op::kLead, {0, 1, 0, 0, 3, 1, 0, 0, 1, 'x'})
                      .Do(Op::kReady)
                      .Do(Op::kLead, {0, 1, 0, 0, 3, 1, 0, 0, 1, 'y'})
                      .Do(Op::kReady)
                      .Do(Op::kLead, {0, 1, 0, 0, 3, 1, 2, 0, 1, 'x'})
                      .Do(Op::kWrite)
                      .Do(Op::kLead, {0, 0, 0, 0, 0})
                      .Do(Op::kWrite)
                      .Settle()
                      .bytes());
}

std::vector<std::string> Seeds() {
  std::vector<std::string> seeds;
  for (const uint8_t flags : std::initializer_list<uint8_t>{0, 3, 4, 7, 8 + 32, 64 + 1, 64 + 7}) {
    // With the options of TiKV's Raft, and without.
    for (const uint8_t options : std::initializer_list<uint8_t>{0, 32 + 64 + 128}) {
      for (uint8_t group = 0; group < 8; ++group) {
        AddLeading(flags, static_cast<uint8_t>(group + options), seeds);
        AddFollowing(flags, static_cast<uint8_t>(group + options), seeds);
      }
    }
  }
  return seeds;
}

}  // namespace
}  // namespace raft::fuzz

extern "C" int LLVMFuzzerInitialize(int* argc, char*** argv) {
  fuzz::WriteSeeds(*argc, *argv, raft::fuzz::Seeds());
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  raft::fuzz::Input in(data, size);
  raft::fuzz::Host host(in);
  while (!in.empty()) host.Run(in);
  return 0;
}
