#!/usr/bin/env bash
# Takes the pictures of docs/screens/mini anew, from the flows in tests/e2e:
#   make build && scripts/with-demo.sh web/miniprogram/scripts/screens.sh [TEST FILE…]
# With files only their screens are replaced. Needs pngquant (apt-get install pngquant).
set -euo pipefail
cd "$(dirname "$0")/.."
command -v pngquant >/dev/null || { echo "screens: pngquant is missing: apt-get install pngquant" >&2; exit 1; }
into=../../docs/screens/mini
taken=$(mktemp -d)
trap 'rm -rf "$taken"' EXIT

JMK_SCREENS=$taken npm run --silent e2e -- "$@"

# All as most people see them; in large text and in the dark those where it shows most.
mkdir -p "$into"
for picture in "$taken"/*.png; do
  name=$(basename "$picture" .png)
  case $name in
  *-large | *-dark) echo "$name" | grep -qE "^(home|earn|earn-activities|earn-report-detail|earn-quiz|market|me|code|wallet|welcome)-(large|dark)$" || continue ;;
  esac
  pngquant --force --strip --speed 3 --quality 60-90 128 --output "$into/$name.png" "$picture"
done
du -ch "$into"/*.png | tail -1
