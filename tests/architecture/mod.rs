//! Holds a crate's sources to a table of its parts: who imports whom, no circles, and a Markdown table that is
//! generated from the same source. It reads text, not syntax trees, so it asks for two habits: other files are named by
//! paths that begin with `crate::`, `super::` or `self::`, and a `mod.rs` without code only declares and re-exports.

mod imports;
pub mod type_names;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use imports::Sources;

/// A file or folder directly below the source folder.
pub struct Part {
    pub name: &'static str,
    /// One plain sentence.
    pub idea: &'static str,
    /// The parts it may import. Each of them must really be imported.
    pub imports: &'static [&'static str],
    /// The rest of the sentence "it must never know ...".
    pub never_knows: &'static str,
}

pub struct Architecture {
    parts: &'static [Part],
    folder: PathBuf,
    sources: Sources,
}

impl Architecture {
    pub fn read(folder: &Path, parts: &'static [Part]) -> Self {
        Self { parts, folder: folder.to_owned(), sources: Sources::read(folder) }
    }

    /// Imports that the table does not allow, rows that it lacks, and allowances that nobody uses.
    pub fn wrong_imports(&self) -> Vec<String> {
        let mut wrong = Vec::new();
        let mut used: BTreeSet<(String, String)> = BTreeSet::new();
        for (from, targets) in &self.sources.edges {
            let (file, part) = (from.display(), part_of(from));
            let Some(row) = self.parts.iter().find(|row| row.name == part) else {
                wrong.push(format!("{file}: the table has no row for the part `{part}`"));
                continue;
            };
            for target in targets.iter().filter(|target| part_of(target) != part) {
                let named = part_of(target);
                if !row.imports.contains(&named.as_str()) {
                    wrong.push(format!(
                        "{file} imports {}: `{part}` may not import `{named}`",
                        target.display()
                    ));
                }
                used.insert((part.clone(), named));
            }
        }
        for row in self.parts {
            if !self.sources.edges.keys().any(|file| part_of(file) == row.name) {
                wrong.push(format!("the table has a row for `{}`, and there is no such part", row.name));
            }
            for import in row.imports {
                if !used.contains(&(row.name.to_owned(), (*import).to_owned())) {
                    wrong.push(format!("the table lets `{}` import `{import}`, and no file does", row.name));
                }
            }
        }
        wrong
    }

    /// One circle of parts that import each other, if there is any.
    pub fn circle_of_parts(&self) -> Option<String> {
        let mut graph: BTreeMap<PathBuf, BTreeSet<PathBuf>> = BTreeMap::new();
        for (from, targets) in &self.sources.edges {
            let part = part_of(from);
            let targets = targets.iter().map(|target| part_of(target)).filter(|target| *target != part);
            graph.entry(part.clone().into()).or_default().extend(targets.map(PathBuf::from));
        }
        circle(&graph)
    }

    /// One circle of files that import each other, if there is any.
    pub fn circle_of_files(&self) -> Option<String> {
        circle(&self.sources.edges)
    }

    /// Files whose first line does not say what they are about.
    pub fn files_without_an_idea(&self) -> Vec<String> {
        let files = self.sources.files.iter().filter(|(_, text)| !text.starts_with("//! "));
        files.map(|(path, _)| path.display().to_string()).collect()
    }

    /// Occurrences of forbidden words in the files that `applies_to`.
    pub fn forbidden(&self, words: &[&str], applies_to: impl Fn(&Path) -> bool) -> Vec<String> {
        let files = self.sources.files.iter().filter(|(path, _)| applies_to(path));
        files
            .flat_map(|(path, text)| {
                let found = words.iter().filter(|word| text.contains(**word));
                found.map(move |word| format!("{} names {word}", path.display()))
            })
            .collect()
    }

    /// The Markdown table, in the order of the rows.
    pub fn markdown(&self) -> String {
        let mut table = "| part | idea | imports | must never know |\n|---|---|---|---|\n".to_owned();
        for Part { name, idea, imports, never_knows } in self.parts {
            let is_folder = self.folder.join(name).is_dir();
            let slash = if is_folder { "/" } else { "" };
            let imports: Vec<_> = imports.iter().map(|import| format!("`{import}`")).collect();
            let imports = if imports.is_empty() { "nothing".to_owned() } else { imports.join(", ") };
            table.push_str(&format!("| `{name}{slash}` | {idea} | {imports} | {never_knows} |\n"));
        }
        table
    }

    /// Compares the table with the text between `<!-- parts of NAME: begin -->` and `<!-- parts of NAME: end -->`. With
    /// UPDATE_ARCHITECTURE=1 in the environment it writes the table there instead.
    pub fn check_document(&self, document: &Path, name: &str) -> Result<(), String> {
        let is_update = std::env::var_os("UPDATE_ARCHITECTURE").is_some_and(|value| value == "1");
        self.compare_document(document, name, is_update)
    }

    fn compare_document(&self, document: &Path, name: &str, is_update: bool) -> Result<(), String> {
        let text = std::fs::read_to_string(document)
            .map_err(|cause| format!("{} cannot be read: {cause}", document.display()))?;
        let (begin, end) =
            (format!("<!-- parts of {name}: begin -->\n"), format!("<!-- parts of {name}: end -->"));
        let (Some((before, rest)), true) = (text.split_once(&begin), text.contains(&end)) else {
            return Err(format!(
                "{} lacks the two lines between which the table of `{name}` stands:\n{begin}{end}",
                document.display()
            ));
        };
        let Some((written, after)) = rest.split_once(&end) else {
            return Err(format!("{}: `{end}` must come after `{}`", document.display(), begin.trim()));
        };
        let wanted = format!("\n{}\n", self.markdown());
        if written == wanted {
            return Ok(());
        }
        if is_update {
            return std::fs::write(document, format!("{before}{begin}{wanted}{end}{after}"))
                .map_err(|cause| format!("{} cannot be written: {cause}", document.display()));
        }
        Err(format!(
            "the table of `{name}` in {} is out of date. Run the test again with UPDATE_ARCHITECTURE=1 in the \
             environment, or put this between its markers:\n{wanted}",
            document.display()
        ))
    }
}

/// The first component of a path inside the source folder, without its ending.
pub fn part_of(path: &Path) -> String {
    let first = path.components().next().map(|first| first.as_os_str().to_string_lossy().into_owned());
    first.unwrap_or_default().trim_end_matches(".rs").to_owned()
}

/// Depth first: a node that is met again on the way from itself closes a circle.
fn circle(graph: &BTreeMap<PathBuf, BTreeSet<PathBuf>>) -> Option<String> {
    fn visit(
        node: &PathBuf,
        graph: &BTreeMap<PathBuf, BTreeSet<PathBuf>>,
        way: &mut Vec<PathBuf>,
        done: &mut BTreeSet<PathBuf>,
    ) -> Option<String> {
        if let Some(start) = way.iter().position(|earlier| earlier == node) {
            let names = way[start..].iter().chain([node]).map(|path| path.display().to_string());
            return Some(names.collect::<Vec<_>>().join(" -> "));
        }
        if !done.insert(node.clone()) {
            return None;
        }
        way.push(node.clone());
        let found = graph.get(node).into_iter().flatten().find_map(|next| visit(next, graph, way, done));
        way.pop();
        found
    }
    let mut done = BTreeSet::new();
    graph.keys().find_map(|node| visit(node, graph, &mut Vec::new(), &mut done))
}

#[test]
fn circles_through_reexports_and_wrong_rows_are_found() {
    const PARTS: &[Part] = &[
        Part { name: "a", idea: "one", imports: &["b", "c"], never_knows: "two" },
        Part { name: "b", idea: "two", imports: &[], never_knows: "one" },
    ];
    let folder = tempfile::tempdir().unwrap();
    let write = |path: &str, text: &str| {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    write("lib.rs", "mod a;\nmod b;\npub use b::inner::B;\n");
    write("a.rs", "//! A.\nuse crate::B;\npub struct A;\n");
    write("b/mod.rs", "//! B.\npub mod inner;\n");
    write("b/inner.rs", "use crate::a::A;\npub struct B;\n");
    let architecture = Architecture::read(folder.path(), PARTS);
    assert_eq!(architecture.circle_of_files().unwrap(), "a.rs -> b/inner.rs -> a.rs");
    assert_eq!(architecture.circle_of_parts().unwrap(), "a -> b -> a");
    assert_eq!(
        architecture.wrong_imports(),
        [
            "b/inner.rs imports a.rs: `b` may not import `a`",
            "the table lets `a` import `c`, and no file does"
        ]
    );
    assert_eq!(architecture.files_without_an_idea(), ["b/inner.rs", "lib.rs"]);
    assert!(
        architecture.markdown().ends_with("| `a` | one | `b`, `c` | two |\n| `b/` | two | nothing | one |\n")
    );
    let document = folder.path().join("MAP.md");
    std::fs::write(&document, "# Map\n").unwrap();
    assert!(
        architecture
            .compare_document(&document, "x", false)
            .unwrap_err()
            .contains("<!-- parts of x: begin -->")
    );
    std::fs::write(&document, "# Map\n<!-- parts of x: begin -->\n<!-- parts of x: end -->\nend\n").unwrap();
    assert!(
        architecture.compare_document(&document, "x", false).unwrap_err().contains("UPDATE_ARCHITECTURE=1")
    );
    architecture.compare_document(&document, "x", true).unwrap();
    assert_eq!(architecture.compare_document(&document, "x", false), Ok(()));
}
