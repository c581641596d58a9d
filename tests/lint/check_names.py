#!/usr/bin/env python3
"""The names that ARCHITECTURE.md speaks of exist: types and functions in the sources, paths in the tree."""

import pathlib
import re
import sys

from sources import strip_cpp, tracked_files

DOCUMENT = "ARCHITECTURE.md"
QUOTED = re.compile(r"`([^`\n]+)`")
NAME = re.compile(r"[A-Z][A-Za-z]*[a-z][A-Za-z]*(?:::[A-Za-z_]+)*|[a-z]+::[A-Z][A-Za-z]*")
PATH = re.compile(r"[a-z_0-9]+(?:/[a-z_0-9.]*)+")


def words_of(root, files):
    words = set()
    for name in files:
        if name.endswith((".h", ".cc")):
            words |= set(re.findall(r"\w+", strip_cpp((root / name).read_text())))
        elif name.endswith(".proto"):
            words |= set(re.findall(r"\w+", (root / name).read_text()))
    return words


def check(root):
    root = pathlib.Path(root)
    files = tracked_files(root)
    if DOCUMENT not in files:
        return
    rooms = {str(parent) for name in files for parent in pathlib.PurePosixPath(name).parents}
    words = words_of(root, files)
    for number, line in enumerate((root / DOCUMENT).read_text().split("\n"), 1):
        for text in QUOTED.findall(line):
            if NAME.fullmatch(text):
                missing = [part for part in text.split("::") if part not in words]
                if missing:
                    yield DOCUMENT, number, f"no source has the name {missing[-1]}"
            elif PATH.fullmatch(text):
                # In the list of pd's rooms the folder is said once, in front.
                places = [text.rstrip("/"), "pd/" + text.rstrip("/")]
                if not any(place in rooms or place in files for place in places):
                    yield DOCUMENT, number, f"there is no {text}"


def main():
    root = sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).resolve().parents[2]
    found = sorted(check(root))
    for name, line, what in found:
        print(f"{name}:{line}: {what}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
