#!/usr/bin/env bash
# Runs a command beside a private MariaDB server: scripts/with-mariadb.sh CMD…
#
# Finds mariadbd (or installs it on Debian), starts it on a free port in a
# temporary folder, sets JMK_TEST_MYSQL_DSN, runs the command, and stops the
# server whatever happens. Takes nothing from and leaves nothing to a MariaDB
# that the machine may run already.
set -euo pipefail

find_server() { command -v mariadbd || ls /usr/sbin/mariadbd 2>/dev/null; }

if [ -z "$(find_server || true)" ]; then
  echo "with-mariadb: mariadbd not found, installing it" >&2
  if ! command -v apt-get >/dev/null; then
    echo "with-mariadb: install MariaDB 10.6 or newer and put mariadbd on the PATH" >&2
    exit 1
  fi
  as_root=""
  [ "$(id -u)" = 0 ] || as_root=sudo
  $as_root apt-get update -q >&2
  DEBIAN_FRONTEND=noninteractive $as_root apt-get install -qy --no-install-recommends mariadb-server >&2
fi
server=$(find_server)

dir=$(mktemp -d "${TMPDIR:-/tmp}/jmk-mariadb.XXXXXX")
pid=""
stop() {
  [ -z "$pid" ] || { kill "$pid" 2>/dev/null && wait "$pid" 2>/dev/null; } || true
  rm -rf "$dir"
}
trap stop EXIT
trap 'exit 130' INT TERM

user=()
[ "$(id -u)" != 0 ] || user=(--user=root)
# A tmpdir of its own: a server that starts empties it of the temporary tables
# of every other server that uses the same one.
mkdir "$dir/tmp"
mariadb-install-db --no-defaults "${user[@]}" --datadir="$dir/data" --auth-root-authentication-method=normal \
  --skip-test-db >"$dir/install.log" 2>&1 || { cat "$dir/install.log" >&2; exit 1; }

# Ask the kernel for a free port; the loop covers the case that somebody else
# takes it between the asking and the starting.
for _ in 1 2 3 4 5; do
  port=$((20000 + RANDOM % 20000))
  "$server" --no-defaults "${user[@]}" --datadir="$dir/data" --tmpdir="$dir/tmp" --socket="$dir/s" --pid-file="$dir/pid" \
    --bind-address=127.0.0.1 --port="$port" --max-connections=600 --innodb-buffer-pool-size="${JMK_TEST_BUFFER_POOL:-512M}" \
    --innodb-flush-log-at-trx-commit="${JMK_TEST_FLUSH_LOG:-2}" --innodb-log-file-size=256M --skip-log-bin \
    >"$dir/server.log" 2>&1 &
  pid=$!
  for _ in $(seq 1 100); do
    kill -0 "$pid" 2>/dev/null || break
    if mariadb-admin --no-defaults --socket="$dir/s" -uroot ping >/dev/null 2>&1; then break 2; fi
    sleep 0.1
  done
  kill "$pid" 2>/dev/null || true
  wait "$pid" 2>/dev/null || true
  pid=""
done
[ -n "$pid" ] || { echo "with-mariadb: the server did not start" >&2; cat "$dir/server.log" >&2; exit 1; }

JMK_TEST_MYSQL_DSN="root@tcp(127.0.0.1:$port)/" "$@"
