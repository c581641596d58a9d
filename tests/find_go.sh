# Sourced by scripts: sets GO to a Go that is new enough for the tests in Go, or exits with 77, which ctest shows as
# "Skipped". deploy/setup.sh puts one under the cache directory where the system has none.
go_minimum=25 # Go 1.25: what the modules of the tests ask for.

go_is_enough() {
  local minor
  minor=$("$1" env GOVERSION 2>/dev/null | sed -nE 's/^go1\.([0-9]+).*/\1/p')
  [ -n "$minor" ] && [ "$minor" -ge "$go_minimum" ]
}

find_go() {
  local candidate
  for candidate in go /usr/local/go/bin/go "${XDG_CACHE_HOME:-$HOME/.cache}/quartermaster/go/bin/go"; do
    if command -v "$candidate" >/dev/null 2>&1 && go_is_enough "$candidate"; then
      GO=$candidate
      return 0
    fi
  done
  return 1
}

require_go() {
  find_go && return 0
  echo "skipped: needs Go 1.$go_minimum or newer"
  exit 77
}
