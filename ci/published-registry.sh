#!/usr/bin/env bash
# Puts a published release of another registry under the harness, and upstream's own suite on our registry. It compiles two hundred
# crates, so it is run at night and by hand: ci/published-registry.sh [alpha-86 | alpha-89 | alpha-113].
set -euo pipefail
cd "$(dirname "$0")/.."
unset RUSTFLAGS RUSTDOCFLAGS

release=examples/lash-registry/${1:-alpha-89}/Cargo.toml
cargo clippy --locked --manifest-path "$release" --target-dir target --all-targets -- -D warnings
cargo test --locked --manifest-path "$release" --target-dir target
