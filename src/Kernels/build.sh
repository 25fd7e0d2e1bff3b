#!/usr/bin/env bash
# Compiles libcnnspec_kernels.so: build.sh OUTPUT [LEVELS] [JOBS]. It needs a C++17 compiler (CXX, else c++) with OpenMP.
# Each loop is compiled once for each level of vector instructions; the library picks the machine's when it loads.
# LEVELS is "all", or "native" for the best that this machine has, which is all that a set-up for itself needs.
set -euo pipefail
output="$1"
levels="${2:-all}"
jobs="${3:-$(nproc)}"
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
cxx="${CXX:-c++}"
objects="$(mktemp -d)"
trap 'rm -rf "$objects"' EXIT

warnings=""
[ -z "${CNNSPEC_STRICT:-}" ] || warnings="-Wall -Wextra -Werror"
# GCC 12 takes the undefined lanes of its own intrinsics for a mistake (GCC bug 105593). Square roots that may set errno
# would be taken one by one.
common="-std=c++17 -O3 -fPIC -fvisibility=hidden -fno-math-errno $warnings"
loops="$common -Wno-maybe-uninitialized -Wno-uninitialized"

# Those that take longest come first, so that no core waits for the last.
kernels="NormaliseGradient Normalise MaxPoolGradient MaxPool Optimize Table"
# Written for registers of 16 floats and products of bfloat16.
convolutions="Images Winograd WinogradGradient Direct FilterGradient"
door="BatchNorm Convolution Dispatch Library Optimizers Pool"

has() {
    local flag
    for flag in "$@"; do grep -qw "$flag" /proc/cpuinfo || return 1; done
}

if [ "$(uname -m)" != x86_64 ]; then
    wanted="base"
elif [ "$levels" = all ]; then
    wanted="base avx2 avx512"
elif has avx512f avx512bw avx512dq avx512vl avx512_bf16; then
    wanted="avx512"
elif has avx2 fma; then
    wanted="avx2"
else
    wanted="base"
fi

options_of() {
    case "$1" in
    base) echo "" ;;
    avx2) echo "-mavx2 -mfma" ;;
    avx512) echo "-mavx512f -mavx512bw -mavx512dq -mavx512vl -mavx512bf16 -mfma" ;;
    esac
}

tasks() {
    local level source defines=""
    for level in $wanted; do defines="$defines -DCNNSPEC_HAS_$level"; done
    for source in $kernels; do
        for level in $wanted; do echo "$source $level $loops $(options_of "$level") -DCNNSPEC_LEVEL=$level"; done
    done
    case "$wanted" in
    *avx512*)
        for source in $convolutions; do
            echo "$source avx512 $loops $(options_of avx512) -DCNNSPEC_LEVEL=avx512"
        done
        ;;
    esac
    for source in $door; do echo "$source door $common -fopenmp $defines"; done
}

export cxx objects here
tasks | xargs -P "$jobs" -I{} bash -c 'set -- {}; "$cxx" "${@:3}" -c "$here/$1.cpp" -o "$objects/$1.$2.o" || exit 255'
mkdir -p "$(dirname "$output")"
# A new file in its place: programs that run keep the old one.
"$cxx" -shared -fopenmp -o "$output.new" "$objects"/*.o
mv "$output.new" "$output"
