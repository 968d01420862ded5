//! The harness: it will run the real registry and worker on a simulated runtime and judge what they did.
//! It has no parts yet; what stands is the guard below, because every later part relies on it.

#[cfg(not(madsim))]
compile_error!(
    "fencepost-sim must be built with `--cfg madsim`, which .cargo/config.toml sets. It is lost when RUSTFLAGS or \
     RUSTDOCFLAGS is set (even to nothing) and when cargo runs outside this workspace: unset both, and run cargo \
     from inside the workspace."
);
