#!/usr/bin/env bash
# Builds the harness with profile-guided optimisation, for long searches and for CI that runs them: target/guided/release/fencepost.
# It is built twice: once to see which code runs, and again with what was seen. Histories are the same; only the speed differs.
set -euo pipefail
cd "$(dirname "$0")/.."
unset RUSTFLAGS RUSTDOCFLAGS

tools=$(rustc --print sysroot)/lib/rustlib/$(rustc -vV | sed -n 's/^host: //p')/bin
if [ ! -x "$tools/llvm-profdata" ]; then
    rustup component add llvm-tools
fi

profiles=$PWD/target/guided/profiles
rm -rf "$profiles"
# Flags given here are added to those of .cargo/config.toml.
build() { cargo build --release --locked -p fencepost-sim --target-dir target/guided --config "build.rustflags=['$1']"; }

build "-Cprofile-generate=$profiles"
target/guided/release/fencepost run --quiet --store memory --seeds 1000000..1002000
target/guided/release/fencepost run --quiet --store sqlite --seeds 1000000..1000100
"$tools/llvm-profdata" merge -o "$profiles/merged.profdata" "$profiles"
build "-Cprofile-use=$profiles/merged.profdata"
