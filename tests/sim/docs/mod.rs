//! README and the pages of docs/: their commands are run in a folder like a fresh clone, in order, and what they print is
//! compared; their tables are generated. With UPDATE_DOCS=1 what differs is written anew.

mod formats;
mod fresh_clone;
mod generated;
mod links;
mod packaging;
mod page;

use std::fs;
use std::path::{Path, PathBuf};

use fresh_clone::FreshClone;

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The text of a file, by its path from the root of the workspace.
fn read(file: &Path) -> String {
    fs::read_to_string(workspace().join(file)).unwrap_or_else(|why| panic!("{}: {why}", file.display()))
}

/// README and every page of docs/, as paths from the root of the workspace.
fn pages() -> Vec<PathBuf> {
    let mut pages: Vec<PathBuf> = fs::read_dir(workspace().join("docs"))
        .unwrap()
        .map(|entry| Path::new("docs").join(entry.unwrap().file_name()))
        .filter(|page| page.extension().is_some_and(|end| end == "md"))
        .collect();
    pages.sort();
    pages.insert(0, "README.md".into());
    pages
}

/// Compares a page with what it must be, or writes it.
fn settle(page: &Path, wanted: &str, found: &str) {
    if std::env::var_os("UPDATE_DOCS").is_some() {
        if wanted != found {
            fs::write(workspace().join(page), wanted).unwrap();
        }
        return;
    }
    let page = page.display();
    for (number, (wanted, found)) in (1..).zip(wanted.lines().zip(found.lines())) {
        assert_eq!(
            found, wanted,
            "{page}, line {number}: write it anew with UPDATE_DOCS=1 cargo test docs::"
        );
    }
    assert_eq!(wanted.len(), found.len(), "{page} ends too early or too late");
}

/// One test: two that write would write over each other.
#[test]
fn commands_print_what_their_page_shows_and_tables_are_up_to_date() {
    let mut commands = 0;
    for page in pages() {
        let found = read(&page);
        let clone = FreshClone::new();
        let mut run = |command: &str| {
            commands += 1;
            clone.run(command)
        };
        let wanted = page::rewrite(&found, &mut run, &generated::section);
        settle(&page, &wanted, &found);
    }
    assert!(commands >= 20, "only {commands} commands were found");
}
