#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# examples/minimal.c has at most 60 lines, and README.md prints it as it is, in a block of C of its own.
set -eu
src=$1
program=$src/examples/minimal.c

lines=$(wc -l <"$program")
[ "$lines" -le 60 ] || { echo "$program has $lines lines: 60 are the most" >&2; exit 1; }

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
awk -v folder="$tmp" '
    /^```c$/ { file = folder "/block" ++blocks; printf "" > file; next }
    /^```$/ { file = "" }
    file { print > file }' "$src/README.md"
for block in "$tmp"/block*; do
    cmp -s "$block" "$program" && exit 0
done
echo "README.md has no block of C (\`\`\`c) that is examples/minimal.c as it is; put the file there:" >&2
for block in "$tmp"/block*; do
    [ ! -e "$block" ] || diff "$block" "$program" >&2 || true
done
exit 1
