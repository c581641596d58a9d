#!/usr/bin/env python3
"""The simulation finds mistakes that are made on purpose.

Each mutation changes one place of the library; a simulation that still passes would not find that mistake either. The
library as it is must pass. Exits with 1 if a mutation is not caught, or its place is not there any more.
"""

import argparse
import pathlib
import subprocess
import sys

RUNS = "120"
PATIENCE_S = 300

# (what goes wrong, file, what is there, what is put there)
MUTATIONS = [
    ("a node votes twice in a term", "core_election.cc",
     "const bool free = vote_ == message.from || (vote_ == kNoNode && leader_ == kNoNode) ||",
     "const bool free = true ||"),
    ("a node votes for a candidate that lacks entries", "log.cc",
     "return id.term > last.term || (id.term == last.term && id.index >= last.index);", "return true;"),
    ("half of an even group elects", "quorum/quorum.cc",
     "const size_t quorum = voters / 2 + 1;", "const size_t quorum = (voters + 1) / 2;"),
    ("half of an even group commits", "quorum/quorum.cc",
     "acked.size() - (acked.size() / 2 + 1)", "acked.size() - std::max<size_t>(1, acked.size() / 2)"),
    ("an entry of an older term is committed by counting", "log.cc",
     "if (id.term == 0 || id.index <= committed_ || !Matches(id)) return false;",
     "if (id.term == 0 || id.index == kNoLimit || id.index <= committed_) return false;"),
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
    ("entries are handed out twice", "log.cc", "applying_ = index;\n", "\n"),
]


def run(command, **more):
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **more)


def simulate(binary):
    """The first line that tells of a broken promise; nothing if the simulation passed."""
    try:
        done = run([binary], env={"QM_SIM_RUNS": RUNS, "QM_SIM_FRESH_SECONDS": "0"}, timeout=PATIENCE_S)
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
    for what, name, there, instead in MUTATIONS:
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
        caught = simulate(binary)
        missed += not caught
        print(f"{'caught' if caught else 'MISSED'}: {what}: {caught[:100]}", flush=True)
    print(f"{len(MUTATIONS) - missed} of {len(MUTATIONS)} mutations caught")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
