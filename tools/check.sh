#!/bin/sh
# check.sh — the long check: layers, style, format, clang, clang-tidy, sanitizers. Stops at the first fault.
set -eu
jobs=${JOBS:-$(nproc)}

say() { printf '\n== %s\n' "$*"; }

# suite FOLDER OPTION...: configures, builds and runs all tests there.
suite() {
    folder=$1
    shift
    [ -f "$folder/build.ninja" ] || meson setup "$folder" "$@" >/dev/null
    ninja -C "$folder" -j "$jobs"
    meson test -C "$folder" --no-rebuild --print-errorlogs --timeout-multiplier "${TIMEOUT_MULTIPLIER:-4}"
}

say "layers, style, format"
python3 tools/check_layers.py
python3 tools/check_style.py
git ls-files '*.c' '*.h' '*.cpp' | xargs clang-format --dry-run --Werror

say "clang"
CC=clang CXX=clang++ suite build-clang --buildtype=debugoptimized

say "clang-tidy"
git ls-files 'src/*.c' | xargs -P "$jobs" -n 4 clang-tidy --quiet -p build-clang --warnings-as-errors='*' 2>/dev/null

say "address and undefined behaviour sanitizers"
suite build-asan --buildtype=debugoptimized -Db_sanitize=address,undefined

say "thread sanitizer"
suite build-tsan --buildtype=debugoptimized -Db_sanitize=thread

say "all clean"
