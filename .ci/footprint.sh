#!/usr/bin/env bash
# Prints how long a start takes until the first answer, and the memory of an
# idle server: footprint.sh BINARY
set -euo pipefail
binary=$1
folder=$(mktemp -d)
trap 'kill "$pid" 2>/dev/null || true; rm -rf "$folder"' EXIT

start() {
	before=$(date +%s%N)
	"$binary" serve --listen 127.0.0.1:18317 --data "$folder/data" >/dev/null 2>&1 &
	pid=$!
	until (exec 3<>/dev/tcp/127.0.0.1/18317 && printf 'GET /readyz HTTP/1.0\r\nHost: localhost\r\n\r\n' >&3 && grep -q '"success":true' <&3) 2>/dev/null; do
		kill -0 "$pid" || exit 1
	done
	printf '%-26s %d ms\n' "$1" $((($(date +%s%N) - before) / 1000000))
}

stop() { kill "$pid" && wait "$pid"; }

start 'first start'
stop
start 'cold start'
"$binary" healthcheck --url http://127.0.0.1:18317
awk '/^VmRSS/ { printf "%-26s %.1f MB\n", "idle memory", $2 / 1000 }' "/proc/$pid/status"
stop
