#!/usr/bin/env bash
# The measures that the README names. Usage: run.sh BUILD_TREE [REGIONS]
set -euo pipefail
bin=$1/bin
regions=${2:-${REGIONS:-1000000}}
echo "== the region index alone"
QM_BENCH_REGIONS=$regions "$bin/region_index_bench"
echo "== a lost store"
QM_BENCH_REGIONS=$regions "$bin/store_loss_bench" 2>/dev/null | grep -v -e === -e "All tests passed" -e "^$"
echo "== planning"
QM_BENCH_REGIONS=$regions "$bin/planning_bench" 2>/dev/null | grep -v -e === -e "All tests passed" -e "^$"
echo "== pd-server, from outside"
"$bin/pd-bench" --server "$bin/pd-server" --regions "$regions"
