#!/bin/sh
# test.sh — builds with tests and runs them all; the last line counts them: test.sh BUILD.
set -eu
build=$1
[ -f "$build/build.ninja" ] || meson setup "$build" --buildtype=release
meson configure "$build" -Dtests=true >/dev/null
ninja -C "$build"
status=0
meson test -C "$build" --no-rebuild --print-errorlogs || status=$?
python3 tools/count_tests.py "$build/meson-logs/testlog.json" || status=1
exit "$status"
