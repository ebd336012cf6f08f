#!/bin/sh
# fuzz.sh — runs one libFuzzer target: fuzz.sh TARGET SECONDS; "list" names the targets.
# Inputs that reach new code are kept in build-fuzz/corpus, findings in build-fuzz/findings: a finding, once understood, belongs into
# fuzz/corpus/TARGET, which every test run replays.
set -eu
target=$1
seconds=${2:-60}
if [ "$target" = list ]; then
    ls fuzz/fuzz_*.c | sed 's/.*fuzz_//; s/\.c$//'
    exit 0
fi
if [ ! -f "fuzz/fuzz_$target.c" ]; then
    echo "fuzz.sh: there is no target $target; \"make fuzz T=list\" names them" >&2
    exit 1
fi
if [ ! -f build-fuzz/build.ninja ]; then
    guide=-fsanitize=fuzzer-no-link # without it libFuzzer would not see which code an input reaches
    CC=clang CXX=clang++ meson setup build-fuzz -Dfuzz=true -Dtests=true -Db_sanitize=address,undefined --buildtype=debugoptimized \
        -Dc_args=$guide -Dcpp_args=$guide -Dc_link_args=$guide -Dcpp_link_args=$guide >/dev/null
fi
ninja -C build-fuzz "fuzz/fuzz_$target"
mkdir -p "build-fuzz/corpus/$target" build-fuzz/findings
"build-fuzz/fuzz/fuzz_$target" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=4096 \
    -artifact_prefix="build-fuzz/findings/$target-" "build-fuzz/corpus/$target" "fuzz/corpus/$target"
