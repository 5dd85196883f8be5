#!/usr/bin/env bash
# The race detector needs cgo, so gcc, and the test of the README's walk needs
# curl: installs them on Debian when they are missing, says so elsewhere.
set -euo pipefail

missing=()
command -v "${CC:-gcc}" >/dev/null || missing+=(gcc libc6-dev)
command -v curl >/dev/null || missing+=(curl)
[ ${#missing[@]} -gt 0 ] || exit 0

if ! command -v apt-get >/dev/null; then
  echo "need-tools: install ${missing[*]}: the tests run with the race detector (cgo) and walk the README with curl" >&2
  exit 1
fi
echo "need-tools: installing ${missing[*]}" >&2
as_root=""
[ "$(id -u)" = 0 ] || as_root=sudo
$as_root apt-get update -q >&2
DEBIAN_FRONTEND=noninteractive $as_root apt-get install -qy --no-install-recommends "${missing[@]}" >&2
