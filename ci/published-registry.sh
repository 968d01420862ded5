#!/usr/bin/env bash
# Puts the published releases of another registry under the harness, and upstream's own suite on our registry:
# ci/published-registry.sh [alpha-86] [alpha-89] [alpha-113]; all three, unless you say.
set -euo pipefail
cd "$(dirname "$0")/.."
unset RUSTFLAGS RUSTDOCFLAGS

[ $# -gt 0 ] || set -- alpha-86 alpha-89 alpha-113
for release in "$@"; do
    manifest=examples/lash-registry/$release/Cargo.toml
    cargo fmt --manifest-path "$manifest" -- --check
    cargo test --locked --manifest-path "$manifest" --target-dir target
done
