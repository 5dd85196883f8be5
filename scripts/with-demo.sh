#!/usr/bin/env bash
# Runs a command beside a server with a fresh demo county:
# scripts/with-demo.sh CMD…
#
# Starts bin/jiamenkou on a free port with an embedded database in a temporary
# folder, sets JMK_TEST_URL and JMK_TEST_SQLITE, runs the command, and stops the
# server whatever happens. Logins are not rationed: a test logs in more often than a person.
set -euo pipefail
program=$(cd "$(dirname "$0")/.." && pwd)/bin/jiamenkou

dir=$(mktemp -d "${TMPDIR:-/tmp}/jmk-demo.XXXXXX")
pid=""
: >"$dir/out" # it is read before the server may have begun
stop() {
  [ -z "$pid" ] || { kill "$pid" 2>/dev/null && wait "$pid" 2>/dev/null; } || true
  rm -rf "$dir"
}
trap stop EXIT
trap 'exit 130' INT TERM

JMK_HTTP_ADDR=127.0.0.1:0 JMK_DATABASE_DRIVER=sqlite JMK_DATABASE_SQLITE_PATH="$dir/demo.sqlite" JMK_FILES_PATH="$dir/files" \
  JMK_LIMITS_LOGIN_PER_MINUTE=60000 JMK_LIMITS_LOGIN_BURST=10000 "$program" serve >"$dir/out" 2>"$dir/log" &
pid=$!
address=""
for _ in $(seq 1 1800); do # three minutes: the demo county takes a quarter of one on an idle machine
  kill -0 "$pid" 2>/dev/null || break
  address=$(sed -n 's|.*家门口 is running: \(http://[0-9.:]*\).*|\1|p' "$dir/out")
  [ -z "$address" ] || break
  sleep 0.1
done
[ -n "$address" ] || { echo "with-demo: the server did not start" >&2; cat "$dir/out" "$dir/log" >&2; exit 1; }

status=0
JMK_TEST_URL=$address JMK_TEST_SQLITE=$dir/demo.sqlite "$@" || status=$?
# What the server only reports would push the command's own last words, which say what failed, out of sight.
[ "$status" = 0 ] || { echo "with-demo: the server's last warnings:" >&2; grep -v level=INFO "$dir/log" | tail -n 5 >&2 || true; }
exit "$status"
