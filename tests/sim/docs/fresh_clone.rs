//! A folder like a fresh clone, with a program called `fencepost`, in which a page's commands are run.

use std::fs;
use std::os::unix::fs::symlink;
use std::process::Command;

use crate::docs::page::Printed;
use crate::docs::workspace;

pub struct FreshClone(tempfile::TempDir);

impl FreshClone {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        for name in ["regressions", "sim/scopes", ".cargo", "bin"] {
            fs::create_dir_all(at(name)).unwrap();
        }
        for name in ["regressions", "sim/scopes"] {
            for entry in fs::read_dir(workspace().join(name)).unwrap() {
                let path = entry.unwrap().path();
                fs::copy(&path, at(name).join(path.file_name().unwrap())).unwrap();
            }
        }
        for name in [".cargo/config.toml", "Cargo.toml", "rust-toolchain.toml"] {
            fs::copy(workspace().join(name), at(name)).unwrap();
        }
        symlink(env!("CARGO_BIN_EXE_fencepost"), at("bin/fencepost")).unwrap();
        Self(folder)
    }

    /// Runs the command in a shell. A reader is shown standard output, and of bad input the complaint.
    pub fn run(&self, command: &str) -> Printed {
        let folder = self.0.path();
        let path = format!("{}:{}", folder.join("bin").display(), std::env::var("PATH").unwrap());
        let mut bash = Command::new("bash");
        bash.args(["-c", command]).current_dir(folder).env("PATH", path).env_remove("GITHUB_STEP_SUMMARY");
        for flag in ["RUSTFLAGS", "RUSTDOCFLAGS", "CARGO_ENCODED_RUSTFLAGS", "CARGO_BUILD_RUSTFLAGS"] {
            bash.env_remove(flag);
        }
        let output = bash.output().unwrap();
        let code = output.status.code().unwrap_or_else(|| panic!("`{command}` was killed"));
        let printed = if code == 4 { output.stderr } else { output.stdout };
        let printed = String::from_utf8(printed).unwrap();
        Printed { lines: printed.lines().map(str::to_owned).collect(), code }
    }
}
