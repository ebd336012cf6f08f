#!/bin/sh
# fuzz.sh — runs one libFuzzer target: fuzz.sh TARGET SECONDS. "list" names the targets. Findings are kept in fuzz/corpus/TARGET.
set -eu
target=$1
seconds=$2
[ -f build-fuzz/build.ninja ] ||
    CC=clang CXX=clang++ meson setup build-fuzz -Dfuzz=true -Dtests=false -Db_sanitize=address,undefined \
        --buildtype=debugoptimized >/dev/null
ninja -C build-fuzz
if [ "$target" = list ]; then
    find build-fuzz/fuzz -maxdepth 1 -type f -name 'fuzz_*' -perm -u+x | sed 's/.*fuzz_//' | sort
    exit 0
fi
program=build-fuzz/fuzz/fuzz_$target
if [ ! -x "$program" ]; then
    echo "fuzz.sh: there is no target $target; \"make fuzz T=list\" names them" >&2
    exit 1
fi
mkdir -p "fuzz/corpus/$target" build-fuzz/findings
"$program" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=4096 -artifact_prefix="build-fuzz/findings/$target-" "fuzz/corpus/$target"
