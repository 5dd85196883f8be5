#!/usr/bin/env bash
# Runs every fuzz target for a while: scripts/fuzz.sh [DURATION]
#
# go test fuzzes one target of one package at a time, so this asks the sources
# which there are. A finding is written to the package's testdata/fuzz and fails.
set -euo pipefail
cd "$(dirname "$0")/.."
duration=${1:-10s}

targets=$(grep -rE --include='*_test.go' -o '^func Fuzz[A-Za-z0-9_]*\(f \*testing\.F\)' . |
  sed -E 's|^(.*)/[^/]*:func (Fuzz[A-Za-z0-9_]*).*|\1 \2|' | sort -u)
if [ -z "$targets" ]; then
  echo "fuzz: no fuzz target found" >&2
  exit 1
fi

while read -r package target; do
  echo "fuzz: $package $target for $duration"
  go test -run '^$' -fuzz "^$target\$" -fuzztime "$duration" "$package"
done <<<"$targets"
