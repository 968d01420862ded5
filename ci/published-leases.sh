#!/usr/bin/env bash
# Puts published crates that elect leaders by Kubernetes leases under the harness. It compiles two releases of kube, so it is run at
# night and by hand.
set -euo pipefail
cd "$(dirname "$0")/.."
unset RUSTFLAGS RUSTDOCFLAGS

# The example has a flag of its own in .cargo/config.toml, which cargo reads from the folder it runs in.
cd examples/kubernetes-leases
cargo clippy --locked --target-dir ../../target --all-targets -- -D warnings
cargo test --locked --target-dir ../../target
