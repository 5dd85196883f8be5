#!/usr/bin/env bash
# Makes sure that there is a C compiler: the race detector needs cgo, the
# program itself does not. Installs gcc on Debian, says so elsewhere.
set -euo pipefail

if command -v "${CC:-gcc}" >/dev/null; then exit 0; fi

if ! command -v apt-get >/dev/null; then
  echo "need-gcc: go test -race needs a C compiler: install gcc, or set CC" >&2
  exit 1
fi
echo "need-gcc: no C compiler found, installing gcc for go test -race" >&2
as_root=""
[ "$(id -u)" = 0 ] || as_root=sudo
$as_root apt-get update -q >&2
$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends gcc libc6-dev >&2
