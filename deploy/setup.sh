#!/usr/bin/env bash
# Installs what a Debian bookworm machine needs to build and test Quartermaster. Idempotent: a second run finds all in
# place and touches nothing. Runs as root, or through sudo.
set -euo pipefail

packages=(
  build-essential git python3 curl
  cmake ninja-build ccache mold pkg-config
  libgrpc++-dev libprotobuf-dev protobuf-compiler protobuf-compiler-grpc libre2-dev
  libboost-dev libboost-system-dev
  libcpp-httplib-dev nlohmann-json3-dev libtomlplusplus-dev
  librocksdb-dev libexpected-dev libfmt-dev libssl-dev
  catch2 librapidcheck-dev libbenchmark-dev
  clang-16 clang-tidy-16 clang-format-16 libclang-rt-16-dev
  chromium iproute2 jq
)
# Vite needs Node 18, which is bookworm's; a newer one that is there already does as well.
node_major=$(node --version 2>/dev/null | sed -nE 's/^v([0-9]+)\..*/\1/p' || true)
[ "${node_major:-0}" -ge 18 ] || packages+=(nodejs)
command -v npm >/dev/null 2>&1 || packages+=(npm)

as_root() {
  if [ "$(id -u)" -eq 0 ]; then
    "$@"
  elif command -v sudo >/dev/null 2>&1; then
    sudo "$@"
  else
    echo "setup: run as root or install sudo (for: $*)" >&2
    return 1
  fi
}

# Installs those of the named packages that are missing.
install_packages() {
  local missing=() package
  for package in "$@"; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
  done
  [ "${#missing[@]}" -gt 0 ] || return 0
  echo "setup: installing ${missing[*]}"
  as_root env DEBIAN_FRONTEND=noninteractive apt-get update -qq
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}"
}

install_packages "${packages[@]}"

# The tests in Go want a newer Go than bookworm's 1.19. Toolchains are modules, too: an old Go can fetch a new one. What
# cannot be had is no failure: the tests in Go are skipped by name then, and nothing else. Tried again after a day.
. "$(dirname "$0")/../tests/find_go.sh"
go_version=1.25.0
cache=${XDG_CACHE_HOME:-$HOME/.cache}/quartermaster

fetch_go() {
  local bootstrap work module
  command -v go >/dev/null 2>&1 || install_packages golang-go || return 1
  bootstrap=$(command -v go) || return 1
  work=$(mktemp -d)
  module=golang.org/toolchain@v0.0.1-go$go_version.linux-$(dpkg --print-architecture)
  echo "setup: fetching Go $go_version"
  (
    cd "$work"
    echo 'module fetch' >go.mod
    GOTOOLCHAIN=local GOFLAGS=-mod=mod GOPATH=$work/path timeout 600 "$bootstrap" mod download "$module"
  ) >"$work/log" 2>&1 || { tail -3 "$work/log" >&2; chmod -R u+w "$work"; rm -rf "$work"; return 1; }
  chmod -R u+w "$work"
  # A module holds no further go.mod and no modes: the toolchain's are restored as the go command does it.
  find "$work/path/pkg/mod/golang.org" -name _go.mod -execdir mv {} go.mod \;
  find "$work/path/pkg/mod/golang.org" \( -path '*/bin/*' -o -path '*/pkg/tool/*' \) -type f -exec chmod +x {} +
  mkdir -p "$cache"
  rm -rf "$cache/go"
  mv "$work/path/pkg/mod/golang.org/toolchain@"* "$cache/go"
  rm -rf "$work"
}

if ! find_go && [ -z "$(find "$cache/no-go" -mmin -1440 2>/dev/null)" ]; then
  if fetch_go && find_go; then
    rm -f "$cache/no-go"
  else
    echo "setup: no Go $go_version to be had; the tests in Go will be skipped" >&2
    mkdir -p "$cache"
    touch "$cache/no-go"
  fi
fi
