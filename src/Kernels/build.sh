#!/usr/bin/env bash
# Compiles libcnnspec_kernels.so: build.sh OUTPUT [JOBS]. It needs a C++17 compiler (CXX, else c++) with OpenMP.
# Each loop is compiled once for each level of vector instructions; the library picks the machine's when it loads.
set -euo pipefail
output="$1"
jobs="${2:-$(nproc)}"
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

tasks() {
    local avx512="-mavx512f -mavx512bw -mavx512dq -mavx512vl -mavx512bf16 -mfma"
    local levels=""
    [ "$(uname -m)" != x86_64 ] || levels="-DCNNSPEC_X86_LEVELS"
    for source in $kernels; do
        echo "$source base $loops -DCNNSPEC_LEVEL=base"
        if [ -n "$levels" ]; then
            echo "$source avx2 $loops -mavx2 -mfma -DCNNSPEC_LEVEL=avx2"
            echo "$source avx512 $loops $avx512 -DCNNSPEC_LEVEL=avx512"
        fi
    done
    if [ -n "$levels" ]; then
        for source in $convolutions; do echo "$source avx512 $loops $avx512 -DCNNSPEC_LEVEL=avx512"; done
    fi
    for source in $door; do echo "$source door $common -fopenmp $levels"; done
}

export cxx objects here
tasks | xargs -P "$jobs" -I{} bash -c 'set -- {}; "$cxx" "${@:3}" -c "$here/$1.cpp" -o "$objects/$1.$2.o" || exit 255'
mkdir -p "$(dirname "$output")"
# A new file in its place: programs that run keep the old one.
"$cxx" -shared -fopenmp -o "$output.new" "$objects"/*.o
mv "$output.new" "$output"
