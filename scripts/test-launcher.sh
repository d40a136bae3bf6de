#!/usr/bin/env bash
# Checks of ./quern itself. The first call may build.
set -eu
cd "$(dirname "$0")/.."

fail() {
  echo "test-launcher: $*" >&2
  exit 1
}

./quern --version >/dev/null
out=$(mktemp)
err=$(mktemp)
trap 'rm -f "$out" "$err"' EXIT

./quern --version >"$out" 2>"$err"
grep -q '^quern [0-9]' "$out" || fail "--version must print the version but printed: $(cat "$out")"
[ "$(wc -l <"$out")" -eq 1 ] || fail "--version must print one line but printed: $(cat "$out")"

status=0
./quern --no-such-option >"$out" 2>"$err" || status=$?
[ "$status" -eq 2 ] || fail "wrong usage must exit with 2 but exited with $status"
[ ! -s "$out" ] || fail "wrong usage must leave stdout empty but printed: $(cat "$out")"

(cd / && "$OLDPWD/quern" --version >/dev/null) || fail "must run from any directory"
