#!/usr/bin/env bash
# Builds the clients into web/dist, from where the program embeds them:
# scripts/build-web.sh [--optional] CLIENT…
#
# A client is built only when its sources, the OpenAPI files that it is typed
# from or this script have changed. With --optional a machine without Node.js
# is told what is missing and goes on: the program then serves the APIs alone.
set -euo pipefail
cd "$(dirname "$0")/.."

optional=""
if [ "${1:-}" = --optional ]; then
  optional=yes
  shift
fi

# Where each client's build tool leaves its files.
declare -A output=([miniprogram]=dist/build/h5 [console]=dist)

fingerprint() {
  git ls-files -co --exclude-standard -- "web/$1" docs/openapi scripts/build-web.sh |
    LC_ALL=C sort | while read -r f; do [ ! -f "$f" ] || sha256sum "$f"; done | sha256sum | cut -d' ' -f1
}

for client in "$@"; do
  want=$(fingerprint "$client")
  target=web/dist/$client
  [ "$(cat "$target/.fingerprint" 2>/dev/null)" != "$want" ] || continue
  if ! command -v npm >/dev/null; then
    echo "build-web: Node.js 20 with npm is missing, so $client is not built; install it and run make again" >&2
    [ -n "$optional" ] && continue
    exit 1
  fi
  echo "build-web: building $client (only when it has changed)" >&2
  (cd "web/$client" && ../../scripts/npm-ci.sh && npm run --silent build >&2)
  new=$(mktemp -d web/dist/.new.XXXXXX)
  cp -R "web/$client/${output[$client]}/." "$new"
  # Text goes in packed: the server sends it as it is to nearly everybody.
  find "$new" -type f \( -name '*.html' -o -name '*.js' -o -name '*.css' -o -name '*.svg' -o -name '*.json' \) -exec gzip -9 -n {} +
  echo "$want" >"$new/.fingerprint"
  chmod 755 "$new"
  rm -rf "$target"
  mv "$new" "$target"
done
