#!/usr/bin/env bash
# The checks themselves, on a machine that has what they need: Go, Chromium, Firefox, curl, nginx, Caddy, strace, PostgreSQL and Redis,
# and the frameworks of host applications.
set -euo pipefail
cd "$(dirname "$0")/.."

step() { printf '\n== %s (%ds)\n' "$*" "$SECONDS"; }
die() { printf 'FAILED: %s\n' "$*" >&2; exit 1; }

step 'format'
unformatted=$(gofmt -l .)
[ -z "$unformatted" ] || die "gofmt would change: $unformatted"

step 'top level'
extra=$(git ls-files | cut -d/ -f1 | sort -u | grep -vxE '\..*|main\.go|server|store|ui|schema\.sql|go\.mod|go\.sum|README\.md|LICENSE' || true)
[ -z "$extra" ] || die "there is more at the top than agreed: $extra"

step 'modules'
go mod verify
go mod tidy -diff
pinned=$(sed -n 's/^\tmodernc.org\/libc \(v[^ ]*\).*/\1/p' "$(go list -m -f '{{.Dir}}' modernc.org/sqlite)/go.mod")
ours=$(go list -m -f '{{.Version}}' modernc.org/libc)
[ "$pinned" = "$ours" ] || die "modernc.org/sqlite wants libc $pinned, go.mod has $ours"

step 'vet and staticcheck'
go vet ./...
go vet -tags postgres ./...
go run honnef.co/go/tools/cmd/staticcheck@v0.8.2 ./...
go run honnef.co/go/tools/cmd/staticcheck@v0.8.2 -tags postgres ./...

# Of SQLite, which is C in the words of Go, the memory is not Go's: the detector finds nothing there, and takes its time.
unwatched='-race=false -d=checkptr=0'
race=(-race "-gcflags=modernc.org/sqlite/lib=$unwatched" "-gcflags=modernc.org/libc=$unwatched" -timeout 20m)

step 'the README'"'"'s tests, with the race detector'
test_command='go test ./...'
grep -qxF "$test_command" README.md || die "the README does not say: $test_command"
if strace -qq -o /dev/null true; then
	export TEST_STRACE=required
else
	echo 'NOT RUN: failures of the disk, because no process may trace another on this machine'
fi
CI=true TEST_BROWSER=required TEST_PROXY=required go test "${race[@]}" ${test_command#go test}

step 'the files for host applications, in their frameworks'
test_command='go test ./ui -run Hosts -timeout 20m'
grep -qxF "TEST_HOSTS=required $test_command" README.md || die "the README does not say: $test_command"
CI=true TEST_BROWSER=required TEST_HOSTS=required $test_command

step 'the tests on PostgreSQL, with the race detector'
test_command='go test -tags postgres ./store/... ./server/...'
grep -qxF "$test_command" README.md || die "the README does not say: $test_command"
# In the step before: they use SQLite whatever the build knows. Whole names come first: a pattern that may go on below
# a name ends the search.
ran='Kills$|KilledLeaves|DiskThatFails|/^sqlite$|//^sqlite$'
CI=true go test "${race[@]}" -skip "$ran" ${test_command#go test}

step 'builds without C'
export CGO_ENABLED=0
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
for target in linux/amd64 linux/arm64 windows/amd64 darwin/arm64; do
	GOOS=${target%/*} GOARCH=${target#*/} go build -trimpath -ldflags '-s -w' -o "$out/rollcall-${target/\//-}" .
done
GOOS=windows go vet ./...
go build -trimpath -ldflags '-s -w' -tags postgres -o "$out/rollcall-with-postgres" .
if go version -m "$out/rollcall-linux-amd64" | grep -q jackc; then die 'the program without PostgreSQL has a part of it'; fi
(cd "$out" && stat -c '%n %s' rollcall-* | awk '{ printf "%-26s %.1f MB\n", $1, $2 / 1e6 }')

step 'idle memory and cold start'
bash .ci/footprint.sh "$out/rollcall-linux-amd64"

step 'done'
