//! The example for authors of other registries, used as they would: a crate of its own, built from its own lock file,
//! whose tests, binaries and README hold what they say. It shares this workspace's target folder, where most of what it
//! depends on is built already; cargo has let go of it by the time tests run.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::LazyLock;

/// Its tests and its binaries, built once.
static BUILT: LazyLock<Output> = LazyLock::new(|| cargo_test(&["--no-run"]));

fn cargo_test(further: &[&str]) -> Output {
    let cargo = Command::new(env!("CARGO"))
        .args(["test", "--locked", "--manifest-path"])
        .arg(example().join("Cargo.toml"))
        .arg("--target-dir")
        .arg(target())
        .args(further)
        // Flags come from the folder that cargo runs in.
        .current_dir(workspace())
        .output();
    cargo.unwrap()
}

#[test]
fn its_tests_pass() {
    assert!(BUILT.status.success(), "{}", said(&BUILT));
    let tested = cargo_test(&["--", "--quiet"]);
    assert!(tested.status.success(), "{}", said(&tested));
    assert!(said(&tested).contains("test result: ok"), "{}", said(&tested));
    assert!(!said(&tested).contains("running 0 tests"), "{}", said(&tested));
}

#[test]
fn a_search_tells_the_honest_registry_from_the_broken_one() {
    let elsewhere = tempfile::tempdir().unwrap();
    let honest = run("your-registry", &["run", "--seeds", "0..200"], elsewhere.path());
    assert_eq!(honest.status.code(), Some(0), "{}", said(&honest));
    assert!(said(&honest).contains("200 seeds"), "{}", said(&honest));
    let broken = run("broken", &["run", "--seeds", "0..200"], elsewhere.path());
    assert_eq!(broken.status.code(), Some(1), "{}", said(&broken));
    assert!(said(&broken).contains("\n\nstale-writer-refused: "), "{}", said(&broken));
    assert!(
        said(&broken).contains("was accepted in the millisecond in which it expired; right: refused"),
        "{}",
        said(&broken)
    );
}

#[test]
fn every_command_of_its_readme_ends_as_it_says() {
    let folder = tempfile::tempdir().unwrap();
    let kept = folder.path().join("regressions");
    fs::create_dir(&kept).unwrap();
    for plan in fencepost_sim::regressions::files(&example().join("regressions")).unwrap() {
        fs::copy(&plan, kept.join(plan.file_name().unwrap())).unwrap();
    }
    let readme = read("README.md");
    let commands: Vec<&str> = readme.lines().filter(|line| line.starts_with("cargo ")).collect();
    assert!(commands.len() >= 8, "{commands:?}");
    for line in commands {
        let (command, code) = line.split_once("# ends with ").unwrap_or_else(|| panic!("{line}"));
        let command = command.trim();
        if command == "cargo test" {
            continue;
        }
        let (cargo, arguments) = command.split_once(" -- ").unwrap_or_else(|| panic!("{line}"));
        let binary = match cargo {
            "cargo run --release" => "your-registry",
            "cargo run --release --bin broken" => "broken",
            _ => panic!("{line}"),
        };
        let mut arguments: Vec<_> = arguments.split_whitespace().collect();
        if arguments == ["run"] {
            // All ten thousand would be most of this workspace's tests.
            arguments.extend(["--seeds", "0..1000"]);
        }
        let output = run(binary, &arguments, folder.path());
        assert_eq!(output.status.code(), code.trim().parse().ok(), "{line}: {}", said(&output));
    }
}

#[test]
fn the_guide_and_the_glue_stay_short() {
    for (file, most) in [("README.md", 60), ("src/main.rs", 30), ("src/bin/broken.rs", 30)] {
        let lines = read(file).lines().count();
        assert!(lines < most, "{file} has {lines} lines");
    }
}

#[test]
fn it_stands_on_its_own_feet() {
    for file in fs::read_dir(example().join("src")).unwrap() {
        let path = file.unwrap().path();
        let Ok(source) = fs::read_to_string(&path) else { continue };
        for ours in
            ["fencepost::rules", "fencepost::store", "fencepost::registry::apply", "fencepost::Registry::"]
        {
            assert!(!source.contains(ours), "{} leans on {ours}", path.display());
        }
    }
}

/// Else the tests above would build and download another version of everything.
#[test]
fn it_is_built_from_what_the_workspace_is_built_from() {
    let flags = |folder: &Path| {
        let text = fs::read_to_string(folder.join(".cargo/config.toml")).unwrap();
        text.parse::<toml::Table>().unwrap()
    };
    assert_eq!(flags(&example()), flags(&workspace()));
    let profiles = |folder: &Path| {
        let text = fs::read_to_string(folder.join("Cargo.toml")).unwrap();
        text.parse::<toml::Table>().unwrap().remove("profile")
    };
    assert_eq!(profiles(&example()), profiles(&workspace()));
    let others: Vec<_> = locked(&example()).difference(&locked(&workspace())).cloned().collect();
    assert_eq!(
        others,
        [("your-registry".to_owned(), "0.1.0".to_owned())],
        "copy the workspace's Cargo.lock over the example's, and build the example: cargo drops what it does not need"
    );
}

fn locked(folder: &Path) -> BTreeSet<(String, String)> {
    let lock: toml::Table = fs::read_to_string(folder.join("Cargo.lock")).unwrap().parse().unwrap();
    let packages = lock["package"].as_array().unwrap();
    let text = |package: &toml::Value, key| package[key].as_str().unwrap().to_owned();
    packages.iter().map(|package| (text(package, "name"), text(package, "version"))).collect()
}

fn run(binary: &str, arguments: &[&str], folder: &Path) -> Output {
    Command::new(built(binary)).args(arguments).current_dir(folder).output().unwrap()
}

fn built(binary: &str) -> PathBuf {
    assert!(BUILT.status.success(), "{}", said(&BUILT));
    target().join("debug").join(binary)
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn read(file: &str) -> String {
    fs::read_to_string(example().join(file)).unwrap()
}

fn example() -> PathBuf {
    workspace().join("examples/your-registry")
}

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The folder that this test itself was built in.
fn target() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap().to_owned()
}
