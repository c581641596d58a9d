#!/usr/bin/env bash
# House rules. Usage: check.sh [format|lints|headers|tidy|tidy-all|all]; all is format, lints, headers and tidy.
# tidy looks at the sources that differ from the main branch (or from the last commit, on main itself), tidy-all at all.
set -euo pipefail
cd "$(dirname "$0")/../.."
jobs=${JOBS:-$(nproc)}

format() {
  git ls-files -co --exclude-standard '*.h' '*.cc' | while read -r file; do [ ! -f "$file" ] || echo "$file"; done |
    xargs -r -P "$jobs" -n 32 clang-format-16 --dry-run -Werror
}

lints() {
  python3 tests/lint/lint_test.py
  python3 tests/lint/tidy.py
  python3 tests/lint/check_layers.py
  python3 tests/lint/check_names.py
}

configured() { [ -f "build/$1/build.ninja" ] || cmake --preset "$1" >/dev/null; }

headers() {
  configured release
  cmake --build build/release -j "$jobs" --target check-headers
}

changed_sources() {
  local base
  base=$(git merge-base HEAD main 2>/dev/null || git rev-parse HEAD)
  [ "$base" != "$(git rev-parse HEAD)" ] || base=HEAD~1
  { git diff --name-only --diff-filter=d "$base" 2>/dev/null || true; git ls-files -o --exclude-standard; } |
    grep -E '^(raft|scheduler|pd|api)/.*\.cc$' | sort -u || true
}

# clang-tidy reads the flags of the clang tree; of that tree only the generated headers are built.
tidy() {
  configured clang
  cmake --build build/clang -j "$jobs" --target proto/proto/pdpb.pb.h
  # A crash fails like a hit: xargs would drop all that is left.
  xargs -r -P "$jobs" -n 1 sh -c 'clang-tidy-16 --quiet -p build/clang "$1" || exit 1' tidy \
    2> >(grep -v 'warnings generated' >&2 || true)
}

case ${1:-all} in
  format) format ;;
  lints) lints ;;
  headers) headers ;;
  tidy) changed_sources | tidy ;;
  tidy-all) git ls-files 'raft/*.cc' 'scheduler/*.cc' 'pd/*.cc' 'api/*.cc' | tidy ;;
  all)
    format
    lints
    headers
    changed_sources | tidy
    ;;
  *) sed -n '2,3p' "$0" >&2; exit 2 ;;
esac
