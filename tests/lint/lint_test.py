#!/usr/bin/env python3
"""The lints themselves: bad samples are found, good ones are not."""

import pathlib
import tempfile
import unittest

import check_layers
import check_names
import tidy


def findings(lint, files):
    with tempfile.TemporaryDirectory() as folder:
        for name, text in files.items():
            path = pathlib.Path(folder) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return [f"{name}:{line}: {what}" for name, line, what in lint.check(folder)]


def listed(name, text):
    """A source together with the list that names it."""
    path = pathlib.PurePosixPath(name)
    return {name: text, f"{path.parent}/CMakeLists.txt": f"target_sources(x PRIVATE {path.name})\n"}


class Tidy(unittest.TestCase):
    def assert_found(self, what, name, text):
        found = findings(tidy, listed(name, text))
        self.assertTrue(any(what in f for f in found), f"{what!r} not found in {name}: {text!r} gives {found}")

    def assert_clean(self, name, text):
        self.assertEqual(findings(tidy, listed(name, text)), [])

    def test_bans(self):
        for what, text in [
                ("clock", "auto t = std::chrono::steady_clock::now();\n"),
                ("clock", "#include <ctime>\n"),
                ("randomness", "std::mt19937 rng;\n"),
                ("randomness", "int x = rand();\n"),
                ("thread", "#include <thread>\n"),
                ("thread", "std::async(f);\n"),
                ("mutex", "std::lock_guard guard(m);\n"),
                ("mutex", '#include "pd/runtime/mutex.h"\n'),
                ("log sink", "std::cerr << 1;\n"),
                ("log sink", 'fprintf(stderr, "x");\n'),
                ("unordered container", "std::unordered_map<int, int> m;\n"),
                ("protobuf", '#include "proto/pdpb.pb.h"\n'),
        ]:
            for folder in ("raft/src", "scheduler/model", "pd/fsm"):
                with self.subTest(text=text, folder=folder):
                    self.assert_found(what, f"{folder}/a.cc", text)
        self.assert_found("floating point", "pd/fsm/a.cc", "double x = 0;\n")
        self.assert_found("protobuf", "pd/meta/a.cc", '#include "proto/pdpb.pb.h"\n')

    def test_bans_stay_in_their_rooms(self):
        self.assert_clean("pd/codec/a.cc", '#include "proto/pdpb.pb.h"\n')
        self.assert_clean("pd/runtime/a.cc", "std::mutex m; std::chrono::steady_clock c; double d;\n")
        self.assert_clean("scheduler/model/a.cc", "double score = 0;\n")

    def test_comments_and_strings_are_free(self):
        self.assert_clean("raft/src/a.cc", '// std::mutex\n/* rand() */ const char* s = "steady_clock";\n')
        self.assert_clean("raft/src/a.cc", 'const char* s = R"(std::thread\n"std::mutex)";\n')
        self.assert_found("mutex", "raft/src/a.cc", "const int n = 1'000; std::mutex m; // '\n")

    def test_sizes(self):
        self.assert_found("file has 1001 lines", "pd/a.cc", "\n" * 1001)
        self.assert_clean("pd/a.cc", "\n" * 1000)
        self.assert_found("101 columns", "pd/a.cc", "int x" + " " * 95 + ";\n")
        self.assert_clean("pd/a.cc", 'f("' + "x" * 200 + '");\n')
        self.assert_clean("pd/a.cc", "int x" + " " * 94 + "; // 18 columns more\n")
        self.assert_clean("pd/a.cc", "//" + "x" * 118 + "\n")
        self.assert_found("121 columns", "pd/README.md", "x" * 121 + "\n")
        self.assert_clean("pd/README.md", "| " + "x" * 200 + " |\n")

    def test_notes_need_an_owner(self):
        self.assert_found("without an owner", "pd/a.cc", "// TODO: later\n")
        self.assert_found("without an owner", "pd/a.cc", "// FIXME\n")
        self.assert_clean("pd/a.cc", "// TODO(ann): when gRPC 1.60 is there.\n")

    def test_machine_paths(self):
        self.assert_found("path of one machine", "pd/README.md", "see /home/ann/notes\n")
        self.assert_found("path of one machine", "pd/a.cc", 'open("/root/x");\n')
        self.assert_clean("pd/a.cc", "// build/work/x, ./root/x\n")

    def test_dead_sources(self):
        self.assertEqual(len(findings(tidy, {"pd/a/x.cc": "\n", "pd/CMakeLists.txt": "y.cc other_x.cc\n"})), 1)
        self.assertEqual(findings(tidy, {"pd/a/x.cc": "\n", "pd/CMakeLists.txt": "  a/x.cc\n"}), [])
        scripts = {"web/src/main.ts": 'import { b } from "./b";\n', "web/src/b.ts": "\n", "web/src/c.ts": "\n",
                   "web/index.html": '<script src="/src/main.ts">\n'}
        self.assertEqual(findings(tidy, scripts), ["web/src/c.ts:1: nothing imports this script"])

    def test_lock_file_hosts(self):
        self.assertEqual(len(findings(tidy, {"web/package-lock.json": '"resolved": "https://mirror.local/x.tgz"\n'})), 1)
        self.assertEqual(
            findings(tidy, {"web/package-lock.json": '"resolved": "https://registry.npmjs.org/x.tgz"\n'}), [])


class Layers(unittest.TestCase):
    def test_arrows_that_turn_back(self):
        for name, include in [
                ("raft/src/a.cc", '"scheduler/model/ids.h"'),
                ("raft/src/a.cc", '"pd/result.h"'),
                ("raft/src/a.cc", "<rocksdb/db.h>"),
                ("raft/src/a.cc", "<unistd.h>"),
                ("raft/src/a.cc", '"log.h"'),
                ("scheduler/model/a.h", '"raft/types.h"'),
                ("scheduler/model/a.h", "<fmt/chrono.h>"),
                ("pd/meta/a.cc", '"proto/pdpb.pb.h"'),
                ("pd/meta/a.cc", '"api/error_map.h"'),
                ("pd/meta/a.cc", "<grpcpp/grpcpp.h>"),
                ("pd/meta/a.cc", "<rocksdb/db.h>"),
                ("api/grpc/a.cc", '"raft/types.h"'),
                ("api/grpc/a.cc", '"scheduler/checkers/x.h"'),
                ("api/grpc/a.cc", '"tests/x.h"'),
                ("api/grpc/a.cc", "<spdlog/spdlog.h>"),
        ]:
            with self.subTest(name=name, include=include):
                self.assertEqual(len(findings(check_layers, {name: f"#include {include}\n"})), 1)

    def test_arrows_that_stand(self):
        for name, include in [
                ("raft/src/a.cc", '"raft/types.h"'),
                ("raft/src/a.cc", "<vector>"),
                ("raft/src/a.cc", "<tl/expected.hpp>"),
                ("pd/storage/a.cc", "<rocksdb/db.h>"),
                ("pd/codec/a.cc", '"proto/pdpb.pb.h"'),
                ("pd/meta/a.cc", '"raft/types.h"'),
                ("api/grpc/a.cc", '"scheduler/model/ids.h"'),
                ("tests/pd/a.cc", '"raft/types.h"'),
        ]:
            with self.subTest(name=name, include=include):
                self.assertEqual(findings(check_layers, {name: f"#include {include}\n"}), [])

    def test_comments_are_free(self):
        self.assertEqual(findings(check_layers, {"raft/a.h": '// #include "pd/result.h"\n'}), [])


class Names(unittest.TestCase):
    FILES = {"pd/id/id.h": "class IdTable { void Take(); };\n"}

    def test_names_that_stand(self):
        text = "`IdTable::Take` in `pd/id/id.h`, `id/` and `--flag` of `x`.\n"
        self.assertEqual(findings(check_names, {**self.FILES, "ARCHITECTURE.md": text}), [])

    def test_names_that_are_gone(self):
        for text in ["`OldTable`", "`IdTable::Give`", "`pd/old/id.h`", "`old/`"]:
            with self.subTest(text=text):
                self.assertEqual(len(findings(check_names, {**self.FILES, "ARCHITECTURE.md": text + "\n"})), 1)


if __name__ == "__main__":
    unittest.main()
