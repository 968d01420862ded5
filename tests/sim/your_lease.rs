//! The page for authors of locks, and the crate it leads to: the page shows the crate's own files, and what the broken lock is
//! told is what the page says.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::LazyLock;

/// Its tests and its binaries, built once, in the folder that this test was built in.
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
fn its_test_passes() {
    assert!(BUILT.status.success(), "{}", said(&BUILT));
    let tested = cargo_test(&["--test", "lock", "--", "--quiet"]);
    assert!(tested.status.success() && said(&tested).contains("running 1 test"), "{}", said(&tested));
}

#[test]
fn a_lock_is_put_to_the_test_in_thirty_lines() {
    let lines = read("examples/your-lease/tests/lock.rs").lines().count();
    assert!(lines <= 30, "{lines} lines");
}

#[test]
fn the_page_shows_the_files_of_the_crate() {
    let page = read("docs/your-lease.md");
    let shown = blocks(&page, "rust");
    for file in ["src/lib.rs", "tests/lock.rs", "src/main.rs"] {
        let text = read(&format!("examples/your-lease/{file}"));
        assert!(shown.contains(&text.trim()), "docs/your-lease.md shows another {file}");
    }
    assert_eq!(shown.len(), 3);
    let tables = |text: &str| text.parse::<toml::Table>().unwrap();
    let [flags, manifest] = blocks(&page, "toml").try_into().unwrap();
    assert_eq!(tables(flags), tables(&read("examples/your-lease/.cargo/config.toml")));
    let theirs = tables(&read("examples/your-lease/Cargo.toml"));
    assert_eq!(tables(manifest)["profile"]["dev"], theirs["profile"]["dev"]);
    let dependencies = |manifest: &toml::Table| -> Vec<String> {
        manifest["dependencies"].as_table().unwrap().keys().cloned().collect()
    };
    assert_eq!(dependencies(&tables(manifest)), dependencies(&theirs));
}

#[test]
fn the_broken_lock_is_told_what_the_page_says() {
    let output = run("unguarded", &["run", "--seeds", "0..200", "--jobs", "1"]);
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    let told = said(&output);
    let page = read("docs/your-lease.md");
    let shown = blocks(&page, "text");
    assert_eq!(shown.len(), 2);
    for line in shown.iter().flat_map(|block| block.lines()).filter(|line| !line.is_empty()) {
        assert!(told.lines().any(|told| told == line), "not told: {line}\n{told}");
    }
}

#[test]
fn a_report_says_what_is_claimed_and_the_honest_lock_holds() {
    let output = run("your-lease", &["run", "--seeds", "0..200"]);
    let told = said(&output);
    assert_eq!(output.status.code(), Some(0), "{told}");
    let claimed = "claimed: fences grow; writes are fenced; one holder by the service's clock; the holder is told by \
                   its deadline\n";
    assert!(told.contains(claimed) && !told.contains("not claimed, so not judged"), "{told}");
    assert!(told.contains("\nlongest overlap of two holders: "), "{told}");
    assert!(
        told.lines().any(|line| line.starts_with("log-is-dense") && line.ends_with("not claimed")),
        "{told}"
    );
    assert!(!told.contains("an owner drained"), "{told}");
}

/// A plan outlives changes of the generator, so it is kept; it bites the broken lock and not the honest one.
#[test]
fn a_breach_is_kept_as_a_plan_and_replayed() {
    let folder = tempfile::tempdir().unwrap();
    let ends = |binary: &str, arguments: &[&str]| {
        let output = run_in(folder.path(), binary, arguments);
        (output.status.code(), said(&output))
    };
    for (binary, arguments, code) in [
        ("unguarded", &["shrink", "1", "--out", "mine.toml"][..], 1),
        ("unguarded", &["replay", "mine.toml", "--timeline", "text"], 1),
        ("unguarded", &["replay", "mine.toml", "--timeline", "html", "--out", "mine.html"], 1),
        ("your-lease", &["replay", "mine.toml"], 0),
        ("your-lease", &["determinism", "--seeds", "0..20"], 0),
    ] {
        let (ended, told) = ends(binary, arguments);
        assert_eq!(ended, Some(code), "{binary} {arguments:?}: {told}");
    }
    assert!(folder.path().join("mine.html").exists());
}

/// Else the tests above would build and download another version of everything.
#[test]
fn it_is_built_from_what_the_workspace_is_built_from() {
    let mut others = locked(&example());
    others.retain(|package| !locked(&workspace()).contains(package));
    assert_eq!(others, BTreeSet::from([("your-lease".to_owned(), "0.1.0".to_owned())]));
    let profiles = |folder: &Path| {
        let text = fs::read_to_string(folder.join("Cargo.toml")).unwrap();
        text.parse::<toml::Table>().unwrap().remove("profile").unwrap()
    };
    let mut of_workspace = profiles(&workspace());
    // How SQLite is built is no matter of a lock that does without.
    let packages = of_workspace["dev"].as_table_mut().unwrap().remove("package").unwrap();
    assert_eq!(packages.as_table().unwrap().keys().collect::<Vec<_>>(), ["libsqlite3-sys"]);
    assert_eq!(profiles(&example()), of_workspace);
}

fn locked(folder: &Path) -> BTreeSet<(String, String)> {
    let lock: toml::Table = fs::read_to_string(folder.join("Cargo.lock")).unwrap().parse().unwrap();
    let packages = lock["package"].as_array().unwrap();
    let text = |package: &toml::Value, key| package[key].as_str().unwrap().to_owned();
    packages.iter().map(|package| (text(package, "name"), text(package, "version"))).collect()
}

/// The fenced blocks of this language.
fn blocks<'a>(page: &'a str, language: &str) -> Vec<&'a str> {
    let begins = format!("```{language}\n");
    let found = page.split(&begins).skip(1);
    found.map(|rest| rest.split("\n```").next().unwrap_or_default().trim_end()).collect()
}

fn run(binary: &str, arguments: &[&str]) -> Output {
    run_in(tempfile::tempdir().unwrap().path(), binary, arguments)
}

fn run_in(folder: &Path, binary: &str, arguments: &[&str]) -> Output {
    assert!(BUILT.status.success(), "{}", said(&BUILT));
    let binary = target().join("debug").join(binary);
    Command::new(binary).args(arguments).current_dir(folder).output().unwrap()
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn read(file: &str) -> String {
    fs::read_to_string(workspace().join(file)).unwrap()
}

fn example() -> PathBuf {
    workspace().join("examples/your-lease")
}

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn target() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap().to_owned()
}
