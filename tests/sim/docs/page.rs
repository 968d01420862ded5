//! A page with commands and generated sections, written anew. Commands are the lines of `console` blocks that begin with
//! `$ fencepost`; what stands below one is what it prints. A page marks what it does not show:
//!
//! - `<!-- shown: first 3, last 5 -->` before a block: of longer output only these lines, with `...` between them;
//! - `[..]` in a line of output: text that differs from machine to machine;
//! - `# ends with 1` after a command: its exit code, if that is not 0.

const ENDS: &str = "  # ends with ";

/// What a command printed, and its exit code.
pub struct Printed {
    pub lines: Vec<String>,
    pub code: i32,
}

/// The lines of output that a page shows: so many at the start and so many at the end.
#[derive(Clone, Copy)]
struct Window {
    first: usize,
    last: usize,
}

impl Window {
    const ALL: Self = Self { first: usize::MAX, last: 0 };

    fn of_comment(line: &str) -> Option<Self> {
        let inside = line.strip_prefix("<!-- shown: ")?.strip_suffix(" -->")?;
        let mut window = Self { first: 0, last: 0 };
        for part in inside.split(", ") {
            let (side, count) = part.split_once(' ').unwrap_or_else(|| panic!("{line}"));
            let count = count.parse().unwrap_or_else(|why| panic!("{line}: {why}"));
            match side {
                "first" => window.first = count,
                "last" => window.last = count,
                _ => panic!("{line}: expected `first` or `last`"),
            }
        }
        Some(window)
    }

    fn shown(self, printed: Vec<String>) -> Vec<String> {
        if printed.len() <= self.first.saturating_add(self.last) {
            return printed;
        }
        let tail = printed[printed.len() - self.last..].to_vec();
        let head = printed.into_iter().take(self.first);
        head.chain(["...".to_owned()]).chain(tail).collect()
    }
}

/// The page as it must be: `run` answers a command, `generate` a section by its name.
pub fn rewrite(
    page: &str,
    run: &mut dyn FnMut(&str) -> Printed,
    generate: &dyn Fn(&str) -> String,
) -> String {
    let mut rest = page.lines().peekable();
    let mut written = String::new();
    let mut write = |line: &str| {
        written.push_str(line);
        written.push('\n');
    };
    let mut window = Window::ALL;
    let mut is_console = false;
    while let Some(line) = rest.next() {
        if let Some(section) = line.strip_prefix("<!-- generated: ").and_then(|end| end.strip_suffix(" -->")) {
            write(line);
            write(generate(section).trim_end());
            while rest.next_if(|line| *line != "<!-- end -->").is_some() {}
            assert!(rest.peek().is_some(), "`{line}` has no `<!-- end -->`");
        } else if line.starts_with("```") {
            write(line);
            is_console = line == "```console";
            window = if is_console { window } else { Window::ALL };
        } else if is_console && line.starts_with("$ fencepost") {
            let command = line.split(ENDS).next().unwrap_or(line);
            let mut old = Vec::new();
            while let Some(line) = rest.next_if(|line| !line.starts_with("$ ") && !line.starts_with("```")) {
                old.push(line);
            }
            let printed = run(&command[2..]);
            let code = if printed.code == 0 { String::new() } else { format!("{ENDS}{}", printed.code) };
            write(&format!("{command}{code}"));
            for line in window.shown(printed.lines) {
                write(old.iter().find(|old| matches(old, &line)).copied().unwrap_or(&line));
            }
        } else {
            window = Window::of_comment(line).unwrap_or(window);
            write(line);
        }
    }
    written
}

/// Whether a line of a page with `[..]` in it stands for the line that was printed.
fn matches(pattern: &str, line: &str) -> bool {
    let mut parts = pattern.split("[..]");
    let Some(mut rest) = parts.next().and_then(|first| line.strip_prefix(first)) else { return false };
    let Some(last) = pattern.rsplit_once("[..]").map(|(_, last)| last) else { return false };
    for part in parts {
        match rest.find(part) {
            Some(place) => rest = &rest[place + part.len()..],
            None => return false,
        }
    }
    line.ends_with(last)
}

mod tests {
    use super::*;

    fn rewritten(page: &str) -> String {
        let mut run = |command: &str| Printed {
            lines: command.split(' ').skip(1).map(str::to_owned).collect(),
            code: i32::from(command.contains("broken")),
        };
        rewrite(page, &mut run, &|name| format!("a table of {name}\n"))
    }

    #[test]
    fn what_a_command_prints_replaces_what_stood_below_it() {
        let page = "```console\n$ fencepost a b\nold\nolder\n$ fencepost c\n```\nend\n";
        let wanted = "```console\n$ fencepost a b\na\nb\n$ fencepost c\nc\n```\nend\n";
        assert_eq!(rewritten(page), wanted);
    }

    #[test]
    fn only_console_blocks_are_run() {
        let page = "$ fencepost a\n```text\n$ fencepost b\n```\n";
        assert_eq!(rewritten(page), page);
    }

    #[test]
    fn an_exit_code_is_written_behind_its_command_and_taken_away_again() {
        let page = "```console\n$ fencepost a  # ends with 3\n$ fencepost broken\n```\n";
        let wanted = "```console\n$ fencepost a\na\n$ fencepost broken  # ends with 1\nbroken\n```\n";
        assert_eq!(rewritten(page), wanted);
    }

    #[test]
    fn a_window_holds_for_its_block_alone_and_short_output_is_whole() {
        let page = "<!-- shown: first 1, last 2 -->\n```console\n$ fencepost a b c d e\n$ fencepost a b c\n```\n\
                    ```console\n$ fencepost a b c d\n```\n";
        let wanted = "<!-- shown: first 1, last 2 -->\n```console\n$ fencepost a b c d e\na\n...\nd\ne\n\
                      $ fencepost a b c\na\nb\nc\n```\n```console\n$ fencepost a b c d\na\nb\nc\nd\n```\n";
        assert_eq!(rewritten(page), wanted);
    }

    #[test]
    fn a_line_with_a_hole_stays_only_while_it_fits() {
        let page = "```console\n$ fencepost 12ms 12s\n[..]ms\n```\n";
        let wanted = "```console\n$ fencepost 12ms 12s\n[..]ms\n12s\n```\n";
        assert_eq!(rewritten(page), wanted);
        assert!(matches("took [..] ms of [..]", "took 12 ms of 40"));
        assert!(!matches("took [..] ms of [..] s", "took 12 ms of 40"));
        assert!(!matches("took 12", "took 12"), "a line without a hole is compared as it is");
    }

    #[test]
    fn a_generated_section_is_filled() {
        let page = "<!-- generated: laws -->\nold\n<!-- end -->\nrest\n";
        assert_eq!(rewritten(page), "<!-- generated: laws -->\na table of laws\n<!-- end -->\nrest\n");
    }
}
