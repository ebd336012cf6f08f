#!/bin/sh
# campaign.sh — builds with crash points and runs a long test of the pipeline: campaign.sh crash_matrix|soak.
set -eu
build=build-campaign
[ -f "$build/build.ninja" ] || meson setup "$build" --buildtype=release -Dtests=false -Dcrash_points=true >/dev/null
ninja -C "$build" src/cmd/galena
GALENA="$PWD/$build/src/cmd/galena" PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 python3 "tests/flow/$1.py" | {
    status=0
    while IFS= read -r line; do
        echo "$line"
        case $line in "not ok"*) status=1 ;; esac
    done
    exit "$status"
}
