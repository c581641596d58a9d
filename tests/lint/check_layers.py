#!/usr/bin/env python3
"""Includes follow the arrows between the rooms. Usage: check_layers.py [ROOT]; exits 1 if one turns back.

    raft, scheduler    leaves: the standard library, tl::expected, fmt's formatting
    pd      -> raft, scheduler; proto only in pd/codec
    api     -> pd, scheduler/model, proto; never raft
    tests   anything; nothing includes tests
"""

import pathlib
import re
import sys

from sources import strip_cpp, tracked_files

# Room -> what its quoted includes may begin with. The longest matching room counts.
ARROWS = {
    "raft/": ("raft/",),
    "scheduler/": ("scheduler/",),
    "pd/": ("pd/", "raft/", "scheduler/"),
    "pd/codec/": ("pd/", "raft/", "scheduler/", "proto/"),
    "api/": ("api/", "pd/", "scheduler/model/", "proto/"),
    "tests/": ("",),
}

# Third-party header -> rooms that may see it. Headers of the standard library have neither slash nor dot.
THIRD_PARTY = [
    (r"tl/expected\.hpp", ("raft/", "scheduler/", "pd/", "api/")),
    (r"fmt/format\.h", ("raft/", "scheduler/", "pd/", "api/")),
    (r"fmt/.*", ("pd/", "api/")),
    (r"rocksdb/.*", ("pd/storage/", "raft/examples/")),
    (r"toml\+\+/.*|toml\.hpp", ("pd/config/", "api/cmd/")),
    (r"nlohmann/.*", ("pd/", "api/")),
    (r"google/protobuf/.*", ("pd/codec/", "api/")),
    (r"(grpc|grpcpp)/.*|httplib\.h|boost/.*|openssl/.*|re2/re2\.h", ("api/",)),
    (r"(sys|arpa|net|netinet|linux)/\w+\.h", ("pd/", "api/")),
    (r"(dirent|errno|fcntl|ifaddrs|netdb|poll|pthread|sched|signal|spawn|termios|time|unistd)\.h", ("pd/", "api/")),
]
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', re.MULTILINE)


def room_of(name):
    return max((r for r in ARROWS if name.startswith(r)), key=len, default=None)


def complaint(name, kind, header):
    room = room_of(name)
    if room is None or room == "tests/":
        return None
    if header.startswith("tests/"):
        return "nothing includes tests/"
    if kind == '"':
        first = header.split("/")[0] + "/"
        if first not in ("raft/", "scheduler/", "pd/", "api/", "proto/"):
            return f'"{header}" does not start at the repository root'
        if header.startswith(ARROWS[room]):
            return None
        return f"{room} may not include {header}"
    if re.fullmatch(r"[a-z_0-9]+", header):
        return None
    for pattern, rooms in THIRD_PARTY:
        if re.fullmatch(pattern, header):
            return None if name.startswith(rooms) else f"{room} may not include <{header}>"
    return f"<{header}> is no known dependency"


def check(root):
    root = pathlib.Path(root)
    for name in tracked_files(root):
        if not name.endswith((".h", ".cc")) or room_of(name) is None:
            continue
        text = strip_cpp((root / name).read_text())
        for hit in INCLUDE.finditer(text):
            what = complaint(name, hit.group(1), hit.group(2))
            if what:
                yield name, text.count("\n", 0, hit.start(2)) + 1, what


def main():
    root = sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).resolve().parents[2]
    found = sorted(check(root))
    for name, line, what in found:
        print(f"{name}:{line}: {what}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
