//! Finds type names that are defined more than once. One word for one thing: a reader who searches for a type finds one.

use std::collections::BTreeMap;
use std::path::Path;

use super::imports::Sources;

/// Each name that is defined more than once in these folders, with the files. Tests inside the files do not count.
pub fn defined_twice(folders: &[&Path]) -> BTreeMap<String, Vec<String>> {
    let mut places: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for folder in folders {
        for (path, text) in &Sources::read(folder).files {
            let code = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
            for name in code.lines().filter_map(defined) {
                places.entry(name.to_owned()).or_default().push(path.display().to_string());
            }
        }
    }
    places.retain(|_, files| files.len() > 1);
    places
}

/// The type that a line defines. A type of a trait or an `impl` is indented and does not count.
fn defined(line: &str) -> Option<&str> {
    let words = line.trim_start();
    let words =
        words.strip_prefix("pub(crate) ").or_else(|| words.strip_prefix("pub(super) ")).unwrap_or(words);
    let words = words.strip_prefix("pub ").unwrap_or(words);
    let rest = ["struct ", "enum ", "trait "].into_iter().find_map(|keyword| words.strip_prefix(keyword));
    let alias = || words.strip_prefix("type ").filter(|_| !line.starts_with(' '));
    let rest = rest.or_else(alias)?;
    let end = rest.find(|letter: char| !letter.is_alphanumeric()).unwrap_or(rest.len());
    rest.get(..end).filter(|name| name.starts_with(|letter: char| letter.is_ascii_uppercase()))
}

#[test]
fn a_name_that_two_files_define_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let write = |file: &str, text: &str| std::fs::write(folder.path().join(file), text).unwrap();
    write(
        "lib.rs",
        "//! A.\npub struct Row<'a>(&'a str);\nimpl Iterator for Row {\n    type Item = u8;\n}\n",
    );
    write("other.rs", "//! B.\nfn f() {\n    enum Row {}\n}\ntrait Only {\n    type Item;\n}\n");
    let found = defined_twice(&[folder.path()]);
    assert_eq!(
        found.into_iter().collect::<Vec<_>>(),
        [("Row".into(), vec!["lib.rs".into(), "other.rs".into()])]
    );
}
