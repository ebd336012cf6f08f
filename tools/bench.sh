#!/bin/sh
# bench.sh — runs every script of bench/ that measures: bench.sh BUILD. Prints ratios to other programs on the same machine.
set -eu
build=$1
found=0
for script in bench/*.py bench/*.sh; do
    [ -f "$script" ] || continue
    found=1
    printf '\n== %s\n' "$script"
    case $script in
    *.py) python3 "$script" "$build/src/cmd/galena" ;;
    *.sh) sh "$script" "$build/src/cmd/galena" ;;
    esac
done
[ "$found" = 1 ] || echo "bench.sh: nothing to measure in bench/"
