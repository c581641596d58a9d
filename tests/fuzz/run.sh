#!/usr/bin/env bash
# Runs every fuzzer of a tree for some seconds, and every property test with a million cases.
# Usage: run.sh BUILD_TREE SECONDS_EACH. A finding is left in BUILD_TREE/fuzz-findings/.
set -euo pipefail
build=$1
seconds=$2
findings=$build/fuzz-findings
mkdir -p "$findings"
for fuzzer in "$build"/bin/*_fuzz; do
  [ -x "$fuzzer" ] || continue
  name=$(basename "$fuzzer")
  corpus=$build/fuzz-corpus/$name
  mkdir -p "$corpus"
  echo "== $name, $seconds s"
  "$fuzzer" -max_total_time="$seconds" -artifact_prefix="$findings/$name-" -verbosity=0 -print_final_stats=1 "$corpus"
done
cases=${FUZZ_CASES:-1000000}
echo "== property tests, $cases cases each"
RC_PARAMS="max_success=$cases" ctest --test-dir "$build" -R property --output-on-failure
QM_CASES=$cases "$build"/bin/scheduler_planning_test "[property]"
