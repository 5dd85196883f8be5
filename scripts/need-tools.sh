#!/usr/bin/env bash
# The race detector needs cgo, so gcc; the test of the README's walk needs curl;
# the tests of the clients need Chromium and a Chinese font: installs them on
# Debian when they are missing, says so elsewhere. Node.js 20 must be there:
# Debian 12's own is too old for the clients' build.
set -euo pipefail

missing=()
command -v "${CC:-gcc}" >/dev/null || missing+=(gcc libc6-dev)
command -v curl >/dev/null || missing+=(curl)
command -v chromium >/dev/null || missing+=(chromium)
fc-list :lang=zh 2>/dev/null | grep -q . || missing+=(fonts-noto-cjk fontconfig)
if ! node --version 2>/dev/null | grep -qE '^v(2[0-9]|[3-9][0-9])\.'; then
  echo "need-tools: install Node.js 20 or newer: the clients are built with it" >&2
  exit 1
fi
[ ${#missing[@]} -gt 0 ] || exit 0

if ! command -v apt-get >/dev/null; then
  echo "need-tools: install ${missing[*]}: the tests need them" >&2
  exit 1
fi
echo "need-tools: installing ${missing[*]}" >&2
as_root=""
[ "$(id -u)" = 0 ] || as_root=sudo
$as_root apt-get update -q >&2
DEBIAN_FRONTEND=noninteractive $as_root apt-get install -qy --no-install-recommends "${missing[@]}" >&2
