#!/usr/bin/env bash
# Puts published crates that hold leases under the harness: those that elect leaders by Kubernetes leases, and dlock on DynamoDB. It
# compiles three releases of kube and the AWS SDK, so it is run at night and by hand.
set -euo pipefail
cd "$(dirname "$0")/.."
unset RUSTFLAGS RUSTDOCFLAGS

target=${CARGO_TARGET_DIR:-$PWD/target}
for example in kubernetes-leases dlock; do
    # Each has a flag of its own in .cargo/config.toml, which cargo reads from the folder it runs in.
    pushd "examples/$example" >/dev/null
    cargo clippy --locked --target-dir "$target" --all-targets -- -D warnings
    cargo test --locked --target-dir "$target"
    popd >/dev/null
done
