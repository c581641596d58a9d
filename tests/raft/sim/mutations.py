#!/usr/bin/env python3
"""The simulation finds mistakes that are made on purpose.

Each mutation changes one place of the library; a simulation that still passes would not find that mistake either. The
library as it is must pass. Exits with 1 if a mutation is not caught, or its place is not there any more.
"""

import argparse
import os
import pathlib
import subprocess
import sys

RUNS = "200"
SEED = os.environ.get("QM_SIM_SEED", "1")
PATIENCE_S = 300

# (what goes wrong, file, what is there, what is put there, and what the runs are about if chance is not enough)
MUTATIONS = [
    ("a node votes twice in a term", "core_election.cc",
     "const bool free = vote_ == message.from || (vote_ == kNoNode && leader_ == kNoNode) ||",
     "const bool free = true ||"),
    ("a node votes for a candidate that lacks entries", "log.cc",
     "return id.term > last.term || (id.term == last.term && id.index >= last.index);", "return true;"),
    ("half of an even group elects", "quorum/quorum.cc",
     "const size_t quorum = voters / 2 + 1;", "const size_t quorum = (voters + 1) / 2;"),
    ("half of an even group commits", "quorum/quorum.cc",
     "HighestReached(acked, acked.size() / 2 + 1)", "HighestReached(acked, (acked.size() + 1) / 2)"),
    ("an entry of an older term is committed by counting", "log.cc",
     "if (id.term == 0 || id.index <= committed_ || !Matches(id)) return false;",
     "if (id.term == 0 || id.index == kNoLimit || id.index <= committed_) return false;", "overwrites"),
    ("a new leader reads before it has committed", "core_reads.cc",
     "if (!CommittedInOwnTerm()) {\n    postponed", "if (false) {\n    postponed"),
    ("heartbeats name what the follower may lack", "core_replication.cc",
     "std::min(progress.match(), log_.committed())", "log_.committed()"),
    ("a vote need not be durable", "core_ready.cc",
     "ready_.must_sync = !ready_.entries.empty() || vote_ != previous_hard_state_.vote ||\n"
     "                     term_ != previous_hard_state_.term;",
     "ready_.must_sync = !ready_.entries.empty();"),
    ("entries need not be durable", "core_ready.cc",
     "ready_.must_sync = !ready_.entries.empty() ||", "ready_.must_sync ="),
    ("promises go out before the write", "core.cc",
     "messages_after_append_.push_back(std::move(message));\n    return;",
     "(message.to == id() ? messages_after_append_ : messages_).push_back(std::move(message));\n    return;"),
    ("the term before an append is not compared", "log.cc",
     "if (!Matches(previous)) return std::nullopt;", "if (previous.index > LastIndex()) return std::nullopt;"),
    ("a conflict in the log is not seen", "log.cc",
     "if (Matches({entry.term, entry.index})) continue;", "if (entry.index <= LastIndex()) continue;"),
    ("appends of an older term are taken", "core_step.cc",
     "} else if (message.term != 0 && message.term < term_) {",
     "} else if (message.term != 0 && message.term < term_ && message.type != MessageType::kApp) {"),
    ("a probe that was lost is not sent again", "core_replication.cc", "progress.ResumeFlow();", "(void)0;"),
    ("entries are handed out twice", "log.cc", "applying_ = index;\n  applying_bytes_ += bytes;",
     "applying_bytes_ += bytes;"),
    ("a joint commit needs the incoming half only", "tracker/tracker.cc",
     "return QuorumOf([this, &at](", "return HalfReached(membership_.voters, [this, &at](", "members"),
    ("a joint commit needs the outgoing half only", "tracker/tracker.cc",
     "return QuorumOf([this, &at](",
     "return HalfReached(joint() ? membership_.voters_outgoing : membership_.voters, [this, &at](", "members"),
    ("a joint election needs the incoming half only", "tracker/tracker.cc",
     "return JointVote(half(membership_.voters), half(membership_.voters_outgoing));",
     "return half(membership_.voters);", "members"),
    ("a joint election needs the outgoing half only", "tracker/tracker.cc",
     "return JointVote(half(membership_.voters), half(membership_.voters_outgoing));",
     "return half(joint() ? membership_.voters_outgoing : membership_.voters);", "members"),
    ("two changes are in the log at once", "core_leader.cc",
     "if (pending_conf_index_ > log_.applied()) {", "if (false) {", "members"),
    ("a new leader does not look out for a change in its log", "core.cc",
     "pending_conf_index_ = log_.LastIndex();", "pending_conf_index_ = 0;", "members"),
    ("a node campaigns though a change is committed and not applied", "core_election.cc",
     "if (HasUnappliedConfChange()) {", "if (false) {", "members"),
    ("a snapshot leaves the membership as it was", "core_follower.cc",
     "SwitchTo(std::move(membership->membership), std::move(membership->progress));", "(void)0;", "members"),
    ("a joint change is never left", "core_membership.cc",
     "if (leads() && tracker_.membership().auto_leave && applied >= pending_conf_index_) {", "if (false) {",
     "members"),
    ("a write of an older term is taken for entries", "core_step.cc",
     "if (message.index != 0) {\n      journal_.Info(",
     "if (message.index != 0) {\n      log_.unstable().StableTo(message.index, message.log_term);\n"
     "      journal_.Info(", "overwrites"),
    ("a follower commits what an append does not vouch for", "log.cc",
     "CommitTo(std::min(leader_commit, last_new));", "CommitTo(std::min(leader_commit, LastIndex()));", "overwrites"),
    ("any answer confirms a read", "read_queue.cc",
     "const uint64_t until = std::min(quorum, newest());",
     "uint64_t any = quorum;\n  for (auto& each : acknowledged_) any = std::max(any, each.second);\n"
     "  const uint64_t until = std::min(any, newest());", "reads"),
    ("half of a joint membership confirms a read", "read_queue.cc",
     "const uint64_t quorum = tracker.QuorumOf(",
     "Tracker half(1, 0);\n  ConfState incoming = tracker.membership();\n  incoming.voters_outgoing.clear();\n"
     "  half.Replace(incoming, {});\n  const uint64_t quorum = half.QuorumOf(", "members"),
    ("answers of an older term confirm a read", "core_step.cc",
     "} else if (message.term != 0 && message.term < term_) {",
     "} else if (message.term != 0 && message.term < term_ && message.type != MessageType::kHeartbeatResp) {",
     "reads"),
    ("reads outlive the leadership", "core.cc", "reads_.Clear();", "(void)0;", "reads"),
    ("the lease is taken for granted", "core_reads.cc", "if (lease_given_up_) return false;", "return true;",
     "reads"),
    ("a refused append is sent again as it was", "tracker/progress.cc",
     "next_ = std::max(behind_hint, match_ + 1);", "(void)behind_hint;"),
    ("a leader that hears nobody leads on", "core_leader.cc",
     "if (!tracker_.QuorumActive()) {", "if (false) {"),
    ("what is only written counts as durable", "core_ready.cc",
     "writes_.push_back(std::exchange(write_, {}));",
     "Write done = std::exchange(write_, {});\n  OnDurable(done);", "overwrites"),
    ("votes are asked for before the term is durable", "core.cc",
     "return config_.hold_votes;", "return false;", "overwrites"),
    ("commit by vote does not compare terms", "core_election.cc",
     "log_.MaybeCommit({message.commit_term, common})",
     "log_.MaybeCommit({log_.TermAt(common).value_or(0), common})"),
    ("an append that is joined need not follow", "core_replication.cc",
     "append.index + append.entries.size() != previous", "append.index > previous"),
]


def run(command, **more):
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **more)


def simulate(binary, focus=""):
    """The first line that tells of a broken promise; nothing if the simulation passed."""
    environment = {"QM_SIM_RUNS": RUNS, "QM_SIM_FRESH_SECONDS": "0", "QM_SIM_FOCUS": focus, "QM_SIM_SEED": SEED}
    try:
        done = run([binary], env=environment, timeout=PATIENCE_S)
    except subprocess.TimeoutExpired:
        return "it does not end"
    if done.returncode == 0:
        return ""
    return next((line.strip() for line in done.stdout.splitlines() if "seed" in line), done.stdout[-200:])


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cxx", required=True)
    parser.add_argument("--raft", required=True, help="the library's folder")
    parser.add_argument("--work", required=True)
    parser.add_argument("--link", required=True, help="objects and libraries, separated by semicolons")
    options = parser.parse_args()
    raft = pathlib.Path(options.raft)
    work = pathlib.Path(options.work)
    work.mkdir(parents=True, exist_ok=True)
    root = work / "root"
    root.mkdir(exist_ok=True)
    if not (root / "raft").exists():
        (root / "raft").symlink_to(raft)
    link = options.link.split(";") + ["-lfmt"]
    binary = work / "sim"

    def build(extra):
        linked = run([options.cxx, *extra, *link, "-o", binary])
        if linked.returncode != 0:
            sys.exit(linked.stdout)

    build([])
    if broken := simulate(binary):
        sys.exit(f"the library as it is: {broken}")
    missed = 0
    for what, name, there, instead, *focus in MUTATIONS:
        text = (raft / "src" / name).read_text()
        if text.count(there) != 1:
            sys.exit(f"{what}: its place in {name} is not there any more")
        source = work / "mutated.cc"
        source.write_text(text.replace(there, instead))
        compiled = run([options.cxx, "-std=c++20", "-O1", "-w", "-fno-exceptions", f"-I{root}", f"-I{raft}/include",
                        "-c", source, "-o", work / "mutated.o"])
        if compiled.returncode != 0:
            sys.exit(f"{what}: {compiled.stdout}")
        build([work / "mutated.o"])
        caught = simulate(binary, *focus)
        missed += not caught
        print(f"{'caught' if caught else 'MISSED'}: {what}: {caught[:100]}", flush=True)
    print(f"{len(MUTATIONS) - missed} of {len(MUTATIONS)} mutations caught")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
