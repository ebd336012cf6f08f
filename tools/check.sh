#!/bin/sh
# check.sh — the long check: check.sh [STEP...]. Without a step all of them, in the order of the table at the end; stops at the
# first fault. Builds stay in build-clang, build-asan and build-tsan, and clang-tidy looks at what changed, so that a second run is short.
set -eu
jobs=${JOBS:-$(nproc)}

# suite FOLDER OPTION...: configures, builds and runs all tests there.
suite() {
    folder=$1
    shift
    [ -f "$folder/build.ninja" ] || meson setup "$folder" --buildtype=debugoptimized "$@" >/dev/null
    ninja -C "$folder" -j "$jobs"
    meson test -C "$folder" --no-rebuild --print-errorlogs --timeout-multiplier "${TIMEOUT_MULTIPLIER:-6}"
}

step_style() {
    python3 tools/check_layers.py
    python3 tools/check_style.py
    git ls-files "*.c" "*.h" "*.cpp" | xargs -P "$jobs" -n 50 clang-format --dry-run --Werror
}

step_clang() { CC=clang CXX=clang++ suite build-clang; }

step_tidy() {
    [ -f build-clang/build.ninja ] || CC=clang CXX=clang++ meson setup build-clang --buildtype=debugoptimized >/dev/null
    ninja -C build-clang -j "$jobs"
    python3 tools/tidy.py build-clang "$jobs"
}

# Sanitizers slow programs down: tests that measure time give them more of it.
slow() { export GALENA_TEST_SLOW="${GALENA_TEST_SLOW:-5}"; }

step_asan() {
    slow
    suite build-asan -Db_sanitize=address,undefined
}

# What it says goes to files: also what a program says that a test starts and does not listen to.
step_tsan() {
    slow
    rm -f build-tsan/report.*
    export TSAN_OPTIONS="log_path=$PWD/build-tsan/report suppressions=$PWD/tools/tsan.supp"
    suite build-tsan -Db_sanitize=thread
    if cat build-tsan/report.* 2>/dev/null; then
        echo "check.sh: the thread sanitizer found something" >&2
        exit 1
    fi
}

# step | what it is
steps='style|layers, style, format
clang|all tests, built with clang
tidy|clang-tidy
asan|all tests under the address and undefined behaviour sanitizers
tsan|all tests under the thread sanitizer'

names=$(printf '%s\n' "$steps" | cut -d '|' -f 1)
for step in "$@"; do
    printf '%s\n' "$names" | grep -qx "$step" || {
        printf 'check.sh: there is no step %s; they are\n%s\n' "$step" "$steps" >&2
        exit 1
    }
done
for step in ${*:-$names}; do
    printf '\n== %s\n' "$(printf '%s\n' "$steps" | sed -n "s/^$step|//p")"
    start=$(date +%s)
    "step_$step"
    printf '== clean, in %d s\n' $(($(date +%s) - start))
done
printf '\n== all clean\n'
