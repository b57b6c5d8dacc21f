#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# examples/quickstart on what Meson has built: that it passes, that it can fail, and that nothing stays behind.
set -eu
quickstart=$1 build=$2

tmp=$(mktemp -d /tmp/ivflat-test.XXXXXX)
trap 'rm -rf "$tmp"' EXIT
mkdir "$tmp/tmp" "$tmp/elsewhere" "$tmp/bin"
export TMPDIR="$tmp/tmp"
cd "$tmp/elsewhere"

fail() {
    echo "FAIL: $*" >&2
    cat "$tmp/out" >&2
    exit 1
}

# expect STATUS TEXT quickstart's arguments...: so it ends, and so it says; no file and no process is left
expect() {
    status=$1 text=$2
    shift 2
    got=0
    timeout 90 "$quickstart" "$@" >"$tmp/out" 2>&1 || got=$?
    [ "$got" = "$status" ] || fail "quickstart $*: exit status $got instead of $status"
    grep -q -- "$text" "$tmp/out" || fail "quickstart $*: does not say '$text'"
    nothing_left "$*"
    echo "ok: quickstart $*: $text"
}

# A process of ours would have our folder in its arguments.
nothing_left() {
    [ -z "$(ls -A "$TMPDIR")" ] || fail "quickstart $1: left $(ls -A "$TMPDIR")"
    printf %s "$TMPDIR/ivflat-quickstart" >"$tmp/pattern"
    left=$(grep -lsaF -f "$tmp/pattern" /proc/[0-9]*/cmdline) || true
    [ -z "$left" ] || fail "quickstart $1: left $(tr '\0' ' ' <"${left%%
*}")"
}

expect 0 '^ok: 6000 messages, 3 peers$' -n -b "$build"
[ "$(tail -n 1 "$tmp/out")" = 'ok: 6000 messages, 3 peers' ] || fail "ok is not the last line"
[ "$(grep -c 'got the first from peer [0-2]: hello, this is peer [0-2]$' "$tmp/out")" = 6 ] ||
    fail "not each of three had a greeting from each of the two others"

expect 1 'a guest got a message that was not what it should be' -n -b "$build" -x message
! grep -q '^ok:' "$tmp/out" || fail "it says ok all the same"
expect 1 'the others did not finish in time' -n -b "$build" -x guest
expect 1 'cannot connect' -n -b "$build" -x server
expect 2 '^usage: ' -x nonsense
expect 2 '^usage: ' nonsense
expect 0 '^usage: ' -h

# Ended from outside while it runs: its programs are ended with it.
mkfifo "$tmp/said"
"$quickstart" -n -b "$build" >"$tmp/said" 2>"$tmp/out" &
exec 3<"$tmp/said"
read -r line <&3
kill -s TERM $!
cat <&3 >>"$tmp/out"
got=0
wait $! || got=$?
[ "$got" = 143 ] || fail "quickstart after SIGTERM: exit status $got instead of 143"
nothing_left "(ended by SIGTERM after '$line')"
echo "ok: nothing is left after SIGTERM"

# A folder for temporary files whose path is too long for a socket in it.
long=$tmp/$(printf %0100d 0)
mkdir "$long"
short=$TMPDIR
TMPDIR=$long
expect 0 '^ok: 6000 messages, 3 peers$' -n -b "$build"
TMPDIR=$short

# Where a tool is missing and it may not install: which one, and the command that brings it.
for tool in sh cat cc dirname tail tr wc id mktemp rm meson ninja pkg-config timeout; do
    ln -s "$(command -v $tool)" "$tmp/bin/$tool"
done
# expect_missing TEXT COMMAND...: run so, it says TEXT, what is missing, and what brings it
expect_missing() {
    text=$1 got=0
    shift
    timeout 60 "$@" env PATH="$tmp/bin" "$quickstart" >"$tmp/out" 2>&1 || got=$?
    [ "$got" = 1 ] || fail "with no arm-none-eabi-gcc: exit status $got instead of 1"
    grep -q "^missing: .*gcc-arm-none-eabi" "$tmp/out" || fail "does not say what is missing"
    grep -q "apt-get install --no-install-recommends .*gcc-arm-none-eabi" "$tmp/out" ||
        fail "does not say what brings it"
    grep -q "$text" "$tmp/out" || fail "with no arm-none-eabi-gcc: does not say '$text'"
    nothing_left "with no arm-none-eabi-gcc"
    echo "ok: without the cross compiler: $text"
}
chmod 755 "$tmp"
chmod 777 "$TMPDIR"
expect_missing 'this machine has no apt-get' env
printf '#!/bin/sh\necho E: no network >&2\nexit 100\n' >"$tmp/bin/apt-get"
chmod +x "$tmp/bin/apt-get"
if [ "$(id -u)" != 0 ]; then
    expect_missing 'only root may install' env
elif setpriv --reuid 65534 --regid 65534 --clear-groups test -r "$quickstart"; then
    expect_missing 'only root may install' setpriv --reuid 65534 --regid 65534 --clear-groups
    expect_missing 'they could not be installed' env
fi
