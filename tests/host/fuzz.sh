#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# fuzz.sh - a few seconds of each fuzz target; `make fuzz` runs them for ten minutes.
cd "$(dirname "$0")/../.." || exit 99
unset MAKEFLAGS MAKELEVEL MFLAGS
make -s -j"$(nproc)" fuzz-targets BUILD="${BUILD:-build}" || exit 1
FUZZ_TIME=${FUZZ_TIME:-4} tests/fuzz/run
