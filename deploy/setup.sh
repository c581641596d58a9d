#!/usr/bin/env bash
# Installs what a Debian bookworm machine needs to build and test Quartermaster. Idempotent: a second run finds all in
# place and touches nothing. Runs as root, or through sudo.
set -euo pipefail

packages=(
  build-essential git python3 curl
  cmake ninja-build ccache mold pkg-config
  libgrpc++-dev libprotobuf-dev protobuf-compiler
  libboost-dev libboost-system-dev
  libcpp-httplib-dev nlohmann-json3-dev libtomlplusplus-dev
  librocksdb-dev libexpected-dev libfmt-dev libssl-dev
  catch2 librapidcheck-dev libbenchmark-dev
  clang-16 clang-tidy-16 clang-format-16
  chromium iproute2
)
command -v node >/dev/null 2>&1 || packages+=(nodejs)
command -v npm >/dev/null 2>&1 || packages+=(npm)

missing=()
for package in "${packages[@]}"; do
  dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
done

if [ "${#missing[@]}" -gt 0 ]; then
  as_root=()
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null 2>&1 || {
      echo "setup: missing packages (${missing[*]}); run as root or install sudo" >&2
      exit 1
    }
    as_root=(sudo)
  fi
  echo "setup: installing ${missing[*]}"
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get update -qq
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}"
fi
