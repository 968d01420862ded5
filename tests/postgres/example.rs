//! The example for newcomers on a Postgres server, run as they run it.

use std::process::Command;

#[test]
fn two_processes_share_a_server_and_the_survivor_finishes_everything_once() {
    let Some(server) = crate::server() else { return };
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let run = || {
        Command::new(&cargo)
            .args(["run", "--quiet", "--locked", "--package", "fencepost", "--features", "postgres"])
            .args(["--example", "two_workers", "--", "--store", &server.url("postgres")])
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .output()
            .unwrap()
    };
    // Twice: the second run finds the outcomes of the first, and goes on above its fences.
    for _ in 0..2 {
        let output = run();
        let told = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{told}\n{}", String::from_utf8_lossy(&output.stderr));
        assert!(told.contains("ann is killed with SIGKILL"), "{told}");
        assert!(told.contains("every process ended exactly once"), "{told}");
        assert!(told.contains("deposit  abandoned: ann started it"), "{told}");
    }
}
