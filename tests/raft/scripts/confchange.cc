#include <algorithm>
#include <memory>

#include <fmt/format.h>

#include "raft/describe.h"
#include "raft/src/confchange/changer.h"
#include "tests/raft/scripts/interaction.h"

namespace raft::scripts {
namespace {

using datadriven::Stanza;

constexpr uint64_t kInflightMax = 10;

// A membership on which changes are made, one a stanza.
class ConfChangeScript {
 public:
  explicit ConfChangeScript(Dialect dialect) : dialect_(dialect) {}

  std::string Handle(const Stanza& stanza) {
    const std::string output = Change(stanza);
    // Each stanza stands for an entry of the log.
    ++last_index_;
    return output;
  }

 private:
  std::string Change(const Stanza& stanza) {
    Result<std::vector<ConfChangeSingle>> changes = FromTokens(stanza.input);
    if (!changes) return changes.error().context;
    Result<Changer::Outcome> outcome = WorkOut(stanza, *changes);
    if (!outcome) return outcome.error().context;
    membership_ = std::move(outcome->membership);
    progress_ = std::move(outcome->progress);
    std::string text = DescribeMembership(membership_) + "\n";
    for (const Progress& progress : progress_) {
      text += fmt::format("{}: {}\n", progress.id(), Describe(Shown(progress)));
    }
    return text;
  }

  Result<Changer::Outcome> WorkOut(const Stanza& stanza,
                                   const std::vector<ConfChangeSingle>& changes) {
    const LogIndex next =
        dialect_ == Dialect::kEtcd ? std::max<LogIndex>(last_index_, 1) : last_index_;
    Changer changer(membership_, progress_, Inflights(kInflightMax, 0), next);
    if (stanza.command == "simple") return std::move(changer).Simple(changes);
    if (stanza.command == "enter-joint") {
      const bool auto_leave =
          stanza.Find("autoleave") != nullptr && datadriven::ParseBool(stanza.Value("autoleave"));
      return std::move(changer).EnterJoint(auto_leave, changes);
    }
    if (stanza.command != "leave-joint") {
      return Fail(ErrorCode::kInvalidConfChange, "unknown command");
    }
    if (!changes.empty()) {
      return Fail(ErrorCode::kInvalidConfChange, "this command takes no input");
    }
    return std::move(changer).LeaveJoint();
  }

  ProgressStatus Shown(const Progress& progress) const {
    ProgressStatus shown = progress.status();
    if (dialect_ == Dialect::kRaftRs) {
      shown.paused = false;
      shown.recent_active = true;
      shown.pending_snapshot = 0;
      shown.inflight_count = 0;
    }
    return shown;
  }

  Dialect dialect_;
  ConfState membership_;
  ProgressMap progress_;
  LogIndex last_index_ = 0;
};

}  // namespace

datadriven::Handler ConfChangeHandler(Dialect dialect) {
  auto script = std::make_shared<ConfChangeScript>(dialect);
  return [script](const Stanza& stanza) { return script->Handle(stanza); };
}

}  // namespace raft::scripts
