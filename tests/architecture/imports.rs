//! Which file imports which, read from the text of the sources. Comments, string literals and `#[cfg(test)]` modules do
//! not count. A name that a `mod.rs` re-exports leads to the file that defines it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Module path, such as `["model", "lease"]`; empty for the crate's root.
type Module = Vec<String>;

pub struct Sources {
    /// Path inside the source folder, and text.
    pub files: BTreeMap<PathBuf, String>,
    /// For each file but the crate's roots, the files it imports.
    pub edges: BTreeMap<PathBuf, BTreeSet<PathBuf>>,
}

impl Sources {
    pub fn read(folder: &Path) -> Self {
        let mut files = BTreeMap::new();
        for path in rust_files(folder) {
            let text =
                std::fs::read_to_string(&path).unwrap_or_else(|cause| panic!("{}: {cause}", path.display()));
            files.insert(path.strip_prefix(folder).expect("it was found below").to_owned(), text);
        }
        let modules: BTreeMap<Module, PathBuf> =
            files.keys().map(|path| (module_of(path), path.clone())).collect();
        let code: BTreeMap<&PathBuf, String> =
            files.iter().map(|(path, text)| (path, code_of(text))).collect();
        let resolver = Resolver { modules: &modules, reexports: reexports(&code, &modules) };
        let edges = code
            .iter()
            .filter(|(path, _)| !is_root(path))
            .map(|(path, text)| {
                let targets =
                    paths_in(text, &module_of(path)).into_iter().filter_map(|named| resolver.file_of(named));
                let targets = targets.filter(|target| target != *path && !is_root(target));
                // A `mod.rs` that only declares and re-exports depends on nothing.
                let targets: BTreeSet<_> =
                    if has_no_code(path, text) { BTreeSet::new() } else { targets.collect() };
                ((*path).clone(), targets)
            })
            .collect();
        Self { files, edges }
    }
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let entries = std::fs::read_dir(folder).unwrap_or_else(|cause| panic!("{}: {cause}", folder.display()));
    for path in entries.map(|entry| entry.expect("the folder can be read").path()) {
        if path.is_dir() {
            found.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}

fn is_root(path: &Path) -> bool {
    path == Path::new("lib.rs") || path == Path::new("main.rs")
}

fn module_of(path: &Path) -> Module {
    if is_root(path) {
        return Vec::new();
    }
    let mut module: Module = path
        .with_extension("")
        .components()
        .map(|part| part.as_os_str().to_string_lossy().into_owned())
        .collect();
    if module.last().is_some_and(|last| last == "mod") {
        module.pop();
    }
    module
}

fn has_no_code(path: &Path, text: &str) -> bool {
    let mut words = text.split(|letter: char| !letter.is_alphanumeric() && letter != '_');
    path.ends_with("mod.rs")
        && !words.any(|word| matches!(word, "fn" | "struct" | "enum" | "impl" | "trait" | "const" | "static"))
}

struct Resolver<'a> {
    modules: &'a BTreeMap<Module, PathBuf>,
    /// A module that is a folder or the root, and a name it re-exports; and the full path of that name.
    reexports: BTreeMap<(Module, String), Module>,
}

impl Resolver<'_> {
    /// The file that a full path leads to, past re-exports.
    fn file_of(&self, path: Module) -> Option<PathBuf> {
        let (mut path, mut hops) = (path, 0);
        loop {
            let depth = (0..=path.len()).rev().find(|depth| self.modules.contains_key(&path[..*depth]))?;
            let module = path[..depth].to_vec();
            let name = path.get(depth).cloned().unwrap_or_default();
            match self.reexports.get(&(module.clone(), name)) {
                Some(target) if hops < 8 => (path, hops) = (target.clone(), hops + 1),
                _ => return self.modules.get(&module).cloned(),
            }
        }
    }
}

/// The `pub use` lines of roots and `mod.rs` files.
fn reexports(
    code: &BTreeMap<&PathBuf, String>,
    modules: &BTreeMap<Module, PathBuf>,
) -> BTreeMap<(Module, String), Module> {
    let mut found = BTreeMap::new();
    for (path, text) in code.iter().filter(|(path, _)| is_root(path) || path.ends_with("mod.rs")) {
        let module = module_of(path);
        for statement in text.split(';').filter_map(|statement| {
            statement.split_once("use ").filter(|(before, _)| {
                let before = before.trim_end();
                before.ends_with("pub") || before.ends_with(')')
            })
        }) {
            for mut named in expand(statement.1) {
                let is_absolute = named.first().is_some_and(|first| first == "crate");
                if is_absolute || named.first().is_some_and(|first| first == "self") {
                    named.remove(0);
                }
                let full = if is_absolute { named } else { [module.clone(), named].concat() };
                let is_ours = (1..=full.len()).any(|depth| modules.contains_key(&full[..depth]));
                if let (true, Some(name)) = (is_ours, full.last().cloned()) {
                    found.insert((module.clone(), name), full);
                }
            }
        }
    }
    found
}

/// Every full path that begins with `crate`, `super` or `self` in this text of a module.
fn paths_in(text: &str, module: &Module) -> Vec<Module> {
    let mut found = Vec::new();
    let mut depth = 0_usize;
    // The depths of braces at which modules written inside this file were opened.
    let mut inline: Vec<usize> = Vec::new();
    let is_word = |letter: char| letter.is_alphanumeric() || letter == '_';
    let mut at = 0;
    while let Some(letter) = text[at..].chars().next() {
        match letter {
            '{' => {
                let mut words = text[..at].split_whitespace().rev();
                let (_, before) = (words.next(), words.next());
                depth += 1;
                if before == Some("mod") {
                    inline.push(depth);
                }
            }
            '}' => {
                if inline.last() == Some(&depth) {
                    inline.pop();
                }
                depth = depth.saturating_sub(1);
            }
            letter if is_word(letter) => {
                let end = text[at..].find(|letter| !is_word(letter)).map_or(text.len(), |length| at + length);
                let word = &text[at..end];
                let is_start = !text[..at].ends_with(':') && !text[..at].ends_with('$');
                if is_start && matches!(word, "crate" | "super" | "self") && text[end..].starts_with("::") {
                    found.extend(
                        expand(&text[at..])
                            .into_iter()
                            .filter_map(|path| absolute(path, module, inline.len())),
                    );
                }
                at = end;
                continue;
            }
            _ => {}
        }
        at += letter.len_utf8();
    }
    found
}

/// `None` for a path that stays inside the file itself.
fn absolute(path: Module, module: &Module, mut inline: usize) -> Option<Module> {
    let mut base = module.clone();
    let mut rest = path.as_slice();
    while let [first, tail @ ..] = rest {
        match first.as_str() {
            "crate" => base.clear(),
            "self" if inline > 0 => return None,
            "self" => {}
            "super" if inline > 0 => inline -= 1,
            "super" => drop(base.pop()),
            _ => break,
        }
        rest = tail;
    }
    Some([base, rest.to_vec()].concat())
}

/// The paths of a tree such as `crate::a::{b, c::{D, E}} ...`, up to where it ends.
fn expand(text: &str) -> Vec<Module> {
    fn tree(text: &str, at: &mut usize, path: Module, found: &mut Vec<Module>) {
        let mut path = path;
        loop {
            *at += text[*at..].len() - text[*at..].trim_start().len();
            if text[*at..].starts_with('{') {
                *at += 1;
                loop {
                    tree(text, at, path.clone(), found);
                    *at += text[*at..].len() - text[*at..].trim_start().len();
                    let is_more = text[*at..].starts_with(',');
                    *at += usize::from(is_more || text[*at..].starts_with('}'));
                    if !is_more {
                        return;
                    }
                }
            }
            let length = text[*at..].find(|letter: char| !letter.is_alphanumeric() && letter != '_');
            let word = &text[*at..*at + length.unwrap_or(text.len() - *at)];
            if !word.is_empty() {
                path.push(word.to_owned());
                *at += word.len();
            }
            if !word.is_empty() && text[*at..].starts_with("::") && !text[*at + 2..].starts_with('<') {
                *at += 2;
                continue;
            }
            *at += usize::from(text[*at..].starts_with('*'));
            if !path.is_empty() {
                found.push(path);
            }
            return;
        }
    }
    let mut found = Vec::new();
    tree(text.trim_start(), &mut 0, Vec::new(), &mut found);
    found
}

/// The text without comments, string literals and `#[cfg(test)]` modules.
fn code_of(text: &str) -> String {
    let code = without_comments_and_strings(text);
    let Some(at) = code.find("#[cfg(test)]\nmod ") else {
        return code;
    };
    let mut depth = 0;
    for (offset, letter) in code[at..].char_indices() {
        match letter {
            '{' => depth += 1,
            '}' if depth == 1 => return format!("{}{}", &code[..at], code_of(&code[at + offset + 1..])),
            '}' => depth -= 1,
            _ => {}
        }
    }
    code[..at].to_owned()
}

fn without_comments_and_strings(text: &str) -> String {
    let mut code = String::new();
    let mut rest = text;
    while let Some(letter) = rest.chars().next() {
        let skipped = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if let Some(after) = rest.strip_prefix("/*") {
            after.find("*/").map_or(rest.len(), |end| end + 4)
        } else if rest.starts_with('"') {
            string_length(rest)
        } else if rest.starts_with("r\"") || rest.starts_with("r#") {
            raw_string_length(rest)
        } else if rest.starts_with("'\\") || rest.chars().nth(2) == Some('\'') && rest.starts_with('\'') {
            let from = if rest.starts_with("'\\") {
                3
            } else {
                1 + rest[1..].chars().next().map_or(1, char::len_utf8)
            };
            rest[from..].find('\'').map_or(rest.len(), |end| from + end + 1)
        } else {
            0
        };
        if skipped == 0 {
            code.push(letter);
            rest = &rest[letter.len_utf8()..];
        } else {
            rest = &rest[skipped..];
        }
    }
    code
}

fn string_length(text: &str) -> usize {
    let mut is_escaped = false;
    for (at, letter) in text.char_indices().skip(1) {
        match letter {
            '"' if !is_escaped => return at + 1,
            '\\' => is_escaped = !is_escaped,
            _ => is_escaped = false,
        }
    }
    text.len()
}

/// 0 when it is no raw string but a raw identifier.
fn raw_string_length(text: &str) -> usize {
    let hashes = text[1..].chars().take_while(|letter| *letter == '#').count();
    if !text[1 + hashes..].starts_with('"') {
        return 0;
    }
    let end = format!("\"{}", "#".repeat(hashes));
    let from = 2 + hashes;
    text[from..].find(&end).map_or(text.len(), |at| from + at + end.len())
}

#[test]
fn imports_are_found_in_groups_through_reexports_and_not_in_comments_strings_or_tests() {
    let text = "use crate::a::{b::C, d};\n// crate::no\nlet x = \"crate::no\"; super::e::f();\n\
                mod inner { use super::own; }\n#[cfg(test)]\nmod tests { use crate::no; }\n";
    let paths = paths_in(&code_of(text), &vec!["here".to_owned(), "file".to_owned()]);
    let paths: Vec<_> = paths.iter().map(|path| path.join("::")).collect();
    assert_eq!(paths, ["a::b::C", "a::d", "here::e::f", "here::file::own"]);
}
