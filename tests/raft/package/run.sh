#!/usr/bin/env bash
# The library alone: its folder is copied under another name, built, installed and used by a program outside. Usage:
# run.sh FOLDER_OF_RAFT WORK
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
raft=$1
work=$2
rm -rf "$work"
mkdir -p "$work"
cp -r "$raft" "$work/consensus"
flags=(-G Ninja -DCMAKE_BUILD_TYPE=Release)
if command -v ccache >/dev/null; then
  export CCACHE_BASEDIR=$work CCACHE_NOHASHDIR=1
  flags+=(-DCMAKE_CXX_COMPILER_LAUNCHER=ccache)
fi

cmake -S "$work/consensus" -B "$work/build" "${flags[@]}" >"$work/log"
cmake --build "$work/build" -j 2 >>"$work/log" || { tail -40 "$work/log"; exit 1; }
cmake --install "$work/build" --prefix "$work/prefix" >>"$work/log"

cmake -S "$here" -B "$work/consumer" "${flags[@]}" -DCMAKE_PREFIX_PATH="$work/prefix" >>"$work/log"
cmake --build "$work/consumer" >>"$work/log" || { tail -40 "$work/log"; exit 1; }
"$work/consumer/consumer"

"$work/build/examples/counter_in_memory"
# What one run has added, the next one finds.
for expected in 10 20; do
  "$work/build/examples/counter_on_rocksdb" "$work/counter" | tee "$work/said"
  grep -qx "each of the 3 nodes counts $expected" "$work/said"
done
