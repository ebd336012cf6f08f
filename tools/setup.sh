#!/bin/sh
# setup.sh — installs the Debian packages that are missing: setup.sh GROUP... (build, test, check, bench).
# Asks nothing, uses sudo only when not root, says what it installs; does nothing when all is there.
set -eu

build="meson ninja-build gcc g++ pkg-config python3 libc6-dev zlib1g-dev libfyaml-dev libsodium-dev libxgboost-dev
    libmicrohttpd-dev libcurl4-openssl-dev libssl-dev libsqlite3-dev libpq-dev libzstd-dev libhiredis-dev libjq-dev
    libidn2-dev libpsl-dev libphonenumber-dev libprotobuf-dev libhyperscan-dev libpcre2-dev"
test="libcmocka-dev libjansson-dev postgresql sqlite3 redis-server util-linux mount"
check="clang clang-tidy clang-format libclang-rt-dev"
bench="python3-numpy python3-pandas python3-sklearn python3-xgboost"

wanted=""
for group in "${@:-build}"; do
    case $group in
    build) wanted="$wanted $build" ;;
    test) wanted="$wanted $test" ;;
    check) wanted="$wanted $check" ;;
    bench) wanted="$wanted $bench" ;;
    *) echo "setup.sh: no group of packages is called $group" >&2; exit 1 ;;
    esac
done

if ! command -v dpkg-query >/dev/null 2>&1; then
    missing=""
    for tool in meson ninja cc c++ pkg-config python3; do
        command -v "$tool" >/dev/null 2>&1 || missing="$missing $tool"
    done
    if [ -n "$missing" ]; then
        echo "galena: this is not a Debian system; please install:$missing, and the libraries named in README.md" >&2
        exit 1
    fi
    exit 0
fi

# A package may be there under another name that provides it.
installed=" $(dpkg-query -W -f '${db:Status-Abbrev}|${Package} ${Provides}\n' 2>/dev/null |
    sed -n 's/^ii *|//p' | sed 's/([^)]*)//g; s/,/ /g' | tr -s ' \n' '  ') "
missing=""
for package in $wanted; do
    case $installed in *" $package "*) ;; *) missing="$missing $package" ;; esac
done
[ -n "$missing" ] || exit 0

echo "galena: installing with apt-get:$missing"
sudo=""
if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo >/dev/null 2>&1; then
        echo "galena: not root and no sudo; please install these packages as root, then repeat" >&2
        exit 1
    fi
    sudo="sudo"
fi
log=$(mktemp)
trap 'rm -f "$log"' EXIT
run() {
    if ! $sudo env DEBIAN_FRONTEND=noninteractive "$@" >"$log" 2>&1; then
        tail -n 30 "$log" >&2
        echo "galena: \"$*\" failed" >&2
        exit 1
    fi
}
apt_options="-y --no-install-recommends -o Dpkg::Use-Pty=0 -o Dpkg::Options::=--force-confold"
# shellcheck disable=SC2086
if ! $sudo env DEBIAN_FRONTEND=noninteractive apt-get install $apt_options $missing >"$log" 2>&1; then
    echo "galena: refreshing the list of packages first"
    run apt-get update
    # shellcheck disable=SC2086
    run apt-get install $apt_options $missing
fi
