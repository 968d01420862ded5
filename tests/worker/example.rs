//! The example for newcomers, run as they run it.

use std::process::Command;

#[test]
fn two_processes_share_a_file_and_the_survivor_finishes_everything_once() {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["run", "--quiet", "--locked", "--package", "fencepost", "--example", "two_workers"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{told}\n{}", String::from_utf8_lossy(&output.stderr));
    assert!(told.contains("ann is killed with SIGKILL"), "{told}");
    assert!(told.contains("every process ended exactly once"), "{told}");
    assert!(told.lines().any(|line| line.contains("completed") && line.contains("\"by\":\"bob\"")), "{told}");
    assert!(told.contains("deposit  abandoned: ann started it"), "{told}");
}
