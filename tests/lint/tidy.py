#!/usr/bin/env python3
"""House rules that no compiler checks. Usage: tidy.py [ROOT]; prints FILE:LINE: what, exits 1 if anything was found.

The pure rooms know no clock, chance, thread, lock, log, hash order or protobuf; apply is deterministic, so it knows no
float either. Files stay short, lines narrow, every source is listed in a CMakeLists.txt, and nothing names one machine.
"""

import pathlib
import re
import sys

from sources import fold_literals, strip_cpp, tracked_files

LEAVES = ("raft/", "scheduler/")
PURE = LEAVES + ("pd/fsm/",)
# Programs that embed a leaf.
HOSTS = ("raft/examples/",)

BANS = [  # (what, pattern, folders, files where it is allowed)
    ("clock", r"\b(system_clock|steady_clock|high_resolution_clock|clock_gettime|gettimeofday|std::time\b|::time\s*\(|"
              r"localtime|gmtime)|#include <(ctime|time\.h|sys/time\.h)>", PURE, ()),
    ("randomness", r"\b(random_device|mt19937|default_random_engine|uniform_int_distribution|srand|rand_r|drand48|"
                   r"getrandom)\b|\b(std::)?rand\s*\(\s*\)|#include <random>", PURE, ()),
    ("thread", r"\b(jthread|std::thread|std::async|pthread_\w+|this_thread|std::future|std::promise|thread_local)\b|"
               r"#include <(thread|future|pthread\.h|condition_variable|stop_token)>", PURE, ()),
    ("mutex", r"\b(std::(recursive_|shared_|timed_)?mutex|lock_guard|unique_lock|scoped_lock|shared_lock)\b|"
              r"#include (<(mutex|shared_mutex)>|\"pd/runtime/mutex\.h\")", PURE, ()),
    ("log sink", r"\b(std::(cout|cerr|clog)|printf|fprintf|puts|fputs|syslog)\b|\bfmt::print|"
                 r"#include (<(iostream|syslog\.h)>|\"pd/log/)", PURE,
     ("scheduler/model/assert.h", "raft/src/assert.h")),
    ("unordered container", r"\b(unordered_(multi)?(map|set)|flat_hash_(map|set)|robin_map)\b", PURE, ()),
    ("protobuf", r"google::protobuf|#include [<\"](google/protobuf|proto/)|\.pb\.h", LEAVES + ("pd/",), ("pd/codec/",)),
    ("floating point", r"\b(float|double)\b", ("pd/fsm/",), ()),
]

LINES_MAX = 1000
COUNTED = (".h", ".cc", ".ts", ".tsx", ".py", ".go")
CODE_COLUMNS_MAX = 100
CODE = (".h", ".cc", ".ts", ".tsx")
PROSE_COLUMNS_MAX = 120
PROSE = (".md", ".py", ".sh", ".cmake", ".proto", "CMakeLists.txt", "Makefile")

# Recordings are kept as they were made.
RECORDED = ("tests/golden/README.md",)
GENERATED = ("package-lock.json", "go.sum", ".jsonl")

MACHINE_PATH = re.compile(r"(?<![\w.~}/-])/(home|root|work|workspace|Users)/\w")
UNOWNED = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b(?!\(\w+\))")
LOCK_HOST = re.compile(r'"resolved": "https?://(?!registry\.npmjs\.org/)')
BUILT = ("raft", "scheduler", "pd", "api", "tests")


def in_any(name, prefixes):
    return any(name == p or name.startswith(p) for p in prefixes)


def line_of(text, offset):
    return text.count("\n", 0, offset) + 1


def banned(name, text):
    if not name.endswith((".h", ".cc")) or name.startswith(HOSTS):
        return
    bare = None
    for what, pattern, folders, allowed in BANS:
        if not in_any(name, folders) or in_any(name, allowed):
            continue
        bare = strip_cpp(text) if bare is None else bare
        for hit in re.finditer(pattern, bare):
            yield line_of(bare, hit.start()), f"{what} ({hit.group(0).strip()}) does not belong in this room"


def too_large(name, text):
    lines = text.split("\n")
    if name.endswith(COUNTED) and len(lines) - 1 > LINES_MAX:
        yield len(lines) - 1, f"file has {len(lines) - 1} lines, the stop is {LINES_MAX}"
    if name in RECORDED or name.endswith(GENERATED):
        return
    if name.endswith(CODE):
        # A literal cannot be broken, and a comment beside code is prose.
        yield from too_wide(fold_literals(text, comments=False), CODE_COLUMNS_MAX)
        yield from too_wide(fold_literals(text, comments=True), PROSE_COLUMNS_MAX)
    elif name.endswith(PROSE):
        yield from too_wide(text, PROSE_COLUMNS_MAX, table=name.endswith(".md"))


def too_wide(text, most, table=False):
    for number, line in enumerate(text.split("\n"), 1):
        columns = len(line.rstrip())
        if columns > most and not (table and line.startswith("|")) and "://" not in line:
            yield number, f"line has {columns} columns, the most is {most}"


def unowned_notes(name, text):
    if not name.endswith(CODE + PROSE + (".go",)):
        return
    for hit in UNOWNED.finditer(text):
        yield line_of(text, hit.start()), f"{hit.group(0)} without an owner"


def machine_paths(name, text):
    if name.endswith(".jsonl"):
        return
    for hit in MACHINE_PATH.finditer(text):
        yield line_of(text, hit.start()), f"path of one machine: {hit.group(0)}"
    if name.endswith("package-lock.json"):
        for hit in LOCK_HOST.finditer(text):
            yield line_of(text, hit.start()), "package from a host that others may not reach"


def unlisted_sources(root, names):
    """C++ sources that no CMakeLists.txt above them names, and TypeScript that nothing imports."""
    lists = {str(pathlib.PurePosixPath(n).parent): (root / n).read_text()
             for n in names if n.endswith("CMakeLists.txt")}
    for name in names:
        path = pathlib.PurePosixPath(name)
        if path.suffix != ".cc" or path.parts[0] not in BUILT:
            continue
        folders = [p for p in path.parents if str(p) in lists]
        if not any(re.search(rf"(?<![\w/.-]){re.escape(str(path.relative_to(p)))}(?![\w-])", lists[str(p)])
                   for p in folders):
            yield name, 1, "no CMakeLists.txt lists this source"
    scripts = [n for n in names if n.startswith("web/src/") and n.endswith((".ts", ".tsx"))]
    roots = scripts + [n for n in names if n.startswith("web/") and n.endswith((".html", "vite.config.ts"))]
    imported = "\n".join((root / n).read_text() for n in roots)
    for name in scripts:
        stem = pathlib.PurePosixPath(name).name.rsplit(".", 1)[0]
        if not name.endswith(".d.ts") and not re.search(rf"[\"'/]{re.escape(stem)}(\.tsx?|\.js)?[\"']", imported):
            yield name, 1, "nothing imports this script"


def check(root):
    root = pathlib.Path(root)
    names = [n for n in tracked_files(root) if "/testdata/" not in n]
    for name in names:
        try:
            text = (root / name).read_text()
        except UnicodeDecodeError:
            continue
        for rule in (banned, too_large, unowned_notes, machine_paths):
            for line, what in rule(name, text):
                if not name.startswith("tests/lint/") or rule is too_large:
                    yield name, line, what
    yield from unlisted_sources(root, names)


def main():
    root = sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).resolve().parents[2]
    found = sorted(check(root))
    for name, line, what in found:
        print(f"{name}:{line}: {what}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
