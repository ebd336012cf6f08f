#!/bin/sh
# bench.sh — quality, speed, coverage and the durable pipeline beside other programs on this machine: bench.sh BUILD.
# Exit code 1 when a bar is missed.
set -eu
galena=$1/src/cmd/galena
python=/usr/bin/python3 # the one that the distribution's numpy and scikit-learn are installed for
[ -x "$python" ] || python=python3
status=0
for script in quality speed one_lead memory coverage fusion dedupe pipeline; do
    [ -f "bench/$script.py" ] || continue
    printf '\n== bench/%s.py\n' "$script"
    "$python" "bench/$script.py" --galena "$galena" || status=1
done
printf '\n== bench/cold_start.py\n'
"$python" bench/cold_start.py --build "$1" || status=1
printf '\n== bench/plan_worlds.c\n'
ninja -C "$1" bench/plan_worlds >/dev/null && "$1/bench/plan_worlds" || status=1
exit "$status"
