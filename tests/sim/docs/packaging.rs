//! The manifests hold everything that a registry of packages and docs.rs need.

use std::path::Path;

use crate::docs::{read, workspace};

fn manifest(name: &str) -> toml::Table {
    read(Path::new(name)).parse().unwrap_or_else(|why| panic!("{name}: {why}"))
}

fn texts(package: &toml::Table, key: &str) -> Vec<String> {
    let list = package.get(key).and_then(toml::Value::as_array).unwrap_or_else(|| panic!("no {key}"));
    list.iter().map(|word| word.as_str().unwrap().to_owned()).collect()
}

#[test]
fn both_packages_describe_themselves() {
    for name in ["Cargo.toml", "sim/Cargo.toml"] {
        let manifest = manifest(name);
        let package = manifest["package"].as_table().unwrap();
        let keywords = texts(package, "keywords");
        assert!((1..=5).contains(&keywords.len()), "{name}: a package has at most five keywords");
        assert!(keywords.iter().all(|word| word.len() <= 20), "{name}: {keywords:?}");
        assert!((1..=5).contains(&texts(package, "categories").len()), "{name}");
        assert!(package["description"].as_str().is_some_and(|text| !text.ends_with('.')), "{name}");
        let readme = package["readme"].as_str().unwrap();
        assert!(workspace().join(name).with_file_name("").join(readme).exists(), "{name}: no {readme}");
    }
}

/// docs.rs does not read .cargo/config.toml, and without the cfg the harness refuses to build.
#[test]
fn docs_rs_builds_the_harness_with_the_flag_that_it_needs() {
    let manifest = manifest("sim/Cargo.toml");
    let docs_rs = manifest["package"]["metadata"]["docs"]["rs"].as_table().unwrap();
    for key in ["rustc-args", "rustdoc-args"] {
        assert_eq!(texts(docs_rs, key), ["--cfg", "madsim"], "{key}");
    }
}

/// A package in a registry names its dependencies by version, also those that stand beside it.
#[test]
fn the_harness_names_the_version_of_the_library() {
    let library = &manifest("sim/Cargo.toml")["dependencies"]["fencepost"];
    assert_eq!(library["version"], manifest("Cargo.toml")["workspace"]["package"]["version"]);
}

/// A newcomer and the check before a merge run the same tests.
#[test]
fn readme_names_the_test_command_that_is_run_before_a_merge() {
    let readme = read(Path::new("README.md"));
    let (_, section) = readme.split_once("## Run the tests\n").unwrap();
    let command = section.lines().find(|line| line.starts_with("cargo ")).unwrap();
    assert_eq!(command, "cargo test");
    let checked = read(Path::new(".ci/run"));
    assert!(checked.lines().any(|line| line == format!("step {command} --locked")), "{checked}");
}

/// A package holds every file that its sources include.
#[test]
fn no_source_of_the_harness_includes_a_file_outside_its_package() {
    fn sources(folder: &Path, found: &mut Vec<std::path::PathBuf>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                sources(&path, found);
            } else if path.extension().is_some_and(|end| end == "rs") {
                found.push(path);
            }
        }
    }
    let root = workspace().join("sim");
    let mut found = Vec::new();
    sources(&root.join("src"), &mut found);
    for path in found {
        let text = std::fs::read_to_string(&path).unwrap();
        let depth = path.strip_prefix(&root).unwrap().components().count() - 1;
        let outside = "../".repeat(depth + 1);
        for line in text.lines().filter(|line| line.contains("include_str!(")) {
            assert!(!line.contains(&outside), "{}: {line}", path.display());
        }
    }
    assert!(root.join("scopes").is_dir());
}
