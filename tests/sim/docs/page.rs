//! A page with commands and generated sections, written anew. Commands are the lines of `console` blocks that begin with
//! `$ fencepost`; what stands below one is what it prints. A page marks what it does not show:
//!
//! - `<!-- shown: first 3, 2 from "refused", last 5 -->` before a block: only these lines, with `...` for those left out;
//! - `[..]` in a line of output: text that differs from machine to machine;
//! - `# ends with 1` after a command: its exit code, if that is not 0.

use std::ops::Range;

const ENDS: &str = "  # ends with ";

/// The output of a command, and its exit code.
pub struct Printed {
    pub lines: Vec<String>,
    pub code: i32,
}

/// Lines of output that a page shows.
enum Part {
    First(usize),
    Last(usize),
    /// So many lines from the first on that contains the text.
    From(usize, String),
}

/// The parts of output that a page shows; all of it, if there are none.
#[derive(Default)]
struct Window(Vec<Part>);

impl Window {
    fn of_comment(line: &str) -> Option<Self> {
        let inside = line.strip_prefix("<!-- shown: ")?.strip_suffix(" -->")?;
        let part = |text: &str| Part::parse(text).unwrap_or_else(|| panic!("{line}: `{text}` is no part"));
        Some(Self(inside.split(", ").map(part).collect()))
    }

    fn shown(&self, printed: Vec<String>) -> Vec<String> {
        if self.0.is_empty() {
            return printed;
        }
        let mut is_shown = vec![false; printed.len()];
        for part in &self.0 {
            is_shown[part.lines(&printed)].fill(true);
        }
        let mut shown: Vec<String> = Vec::new();
        for (line, is_shown) in printed.into_iter().zip(is_shown) {
            if is_shown {
                shown.push(line);
            } else if shown.last().is_none_or(|last| last != "...") {
                shown.push("...".to_owned());
            }
        }
        shown
    }
}

impl Part {
    fn parse(text: &str) -> Option<Self> {
        if let Some((count, from)) = text.split_once(" from ") {
            let from = from.strip_prefix('"')?.strip_suffix('"')?;
            return Some(Self::From(count.parse().ok()?, from.to_owned()));
        }
        match text.split_once(' ')? {
            ("first", count) => Some(Self::First(count.parse().ok()?)),
            ("last", count) => Some(Self::Last(count.parse().ok()?)),
            _ => None,
        }
    }

    fn lines(&self, printed: &[String]) -> Range<usize> {
        let whole = printed.len();
        match self {
            Self::First(count) => 0..whole.min(*count),
            Self::Last(count) => whole.saturating_sub(*count)..whole,
            Self::From(count, text) => {
                let start = printed.iter().position(|line| line.contains(text));
                let start = start.unwrap_or_else(|| panic!("no line of the output contains `{text}`"));
                start..whole.min(start + count)
            }
        }
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
    let mut window = Window::default();
    let mut is_console = false;
    while let Some(line) = rest.next() {
        if let Some(section) = line.strip_prefix("<!-- generated: ").and_then(|end| end.strip_suffix(" -->"))
        {
            write(line);
            write(generate(section).trim_end());
            while rest.next_if(|line| *line != "<!-- end -->").is_some() {}
            assert!(rest.peek().is_some(), "`{line}` has no `<!-- end -->`");
        } else if line.starts_with("```") {
            write(line);
            is_console = line == "```console";
            if !is_console {
                window = Window::default();
            }
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

/// True, if a line of a page with `[..]` in it matches the line that was printed.
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

#[cfg(test)]
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
    fn a_window_may_begin_at_a_line_that_contains_a_text() {
        let page = "<!-- shown: 2 from \"c\", last 1 -->\n```console\n$ fencepost a b c d e f\n```\n";
        let wanted = "<!-- shown: 2 from \"c\", last 1 -->\n```console\n$ fencepost a b c d e f\n...\nc\nd\n...\nf\n```\n";
        assert_eq!(rewritten(page), wanted);
    }

    #[test]
    #[should_panic(expected = "no line of the output contains `x`")]
    fn a_text_that_is_printed_no_more_is_noticed() {
        rewritten("<!-- shown: 2 from \"x\" -->\n```console\n$ fencepost a b\n```\n");
    }

    #[test]
    fn a_line_with_a_hole_stays_only_while_it_fits() {
        let page = "```console\n$ fencepost 12ms 12s\n[..]ms\n```\n";
        let wanted = "```console\n$ fencepost 12ms 12s\n[..]ms\n12s\n```\n";
        assert_eq!(rewritten(page), wanted);
        assert!(matches("took [..] ms of [..]", "took 12 ms of 40"));
        assert!(!matches("took [..] ms of [..] s", "took 12 ms of 40"));
        assert!(!matches("took [..] ms", "took 12 ms of 40"), "nothing may follow the last piece");
        assert!(!matches("took 12", "took 12"), "a line without a hole is compared as it is");
    }

    #[test]
    fn a_generated_section_is_filled() {
        let page = "<!-- generated: laws -->\nold\n<!-- end -->\nrest\n";
        assert_eq!(rewritten(page), "<!-- generated: laws -->\na table of laws\n<!-- end -->\nrest\n");
    }
}
