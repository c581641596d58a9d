#!/usr/bin/env bash
# Runs the tests on the real Go client against the servers of a build tree. Usage: run.sh BUILD_TREE [go test flags]
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../../find_go.sh"
require_go
build=$(cd "$1" && pwd)
shift
cd "$here"
PD_SERVER=$build/bin/pd-server exec "$GO" test -count=1 -timeout 10m "$@" ./...
