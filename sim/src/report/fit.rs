//! Lines that fit a terminal: longer ones are broken at a space and go on indented. A command that a report offers is broken
//! with a backslash, so that it can still be pasted into a shell.

use crate::report::human::NEXT_STEPS;

/// How far a line goes on behind its own indentation.
const INDENT: usize = 4;

/// The text with no line wider than this. A word that is wider than a line is cut.
pub fn fitted(text: &str, width: usize) -> String {
    let mut fitted = String::with_capacity(text.len());
    for line in text.lines() {
        let is_command = NEXT_STEPS.iter().any(|label| line.starts_with(label));
        fit(line, width.max(2 * INDENT), if is_command { " \\" } else { "" }, &mut fitted);
    }
    fitted
}

fn fit(line: &str, width: usize, tail: &str, fitted: &mut String) {
    let own_indent = line.chars().take_while(|letter| *letter == ' ').count();
    let indent = (own_indent + INDENT).min(width / 2);
    let mut rest: Vec<char> = line.chars().collect();
    if rest.len() > width && own_indent > width / 2 {
        // Far to the right there is no room for words.
        rest.drain(..own_indent - width / 2);
    }
    while rest.len() > width {
        let room = width - tail.len();
        // Not within the indentation: a line of spaces would come first.
        let from = rest.iter().take_while(|letter| **letter == ' ').count() + 1;
        let space = (from..=room).rev().find(|at| rest.get(*at) == Some(&' '));
        let (at, tail) = space.map_or((room.max(1), ""), |at| (at, tail));
        let next = rest.split_off(at);
        fitted.extend(rest);
        fitted.push_str(tail);
        fitted.push('\n');
        let told = next.into_iter().skip_while(|letter| *letter == ' ');
        rest = std::iter::repeat_n(' ', indent).chain(told).collect();
    }
    fitted.extend(rest);
    fitted.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_line_is_wider_than_the_terminal_and_no_word_is_lost() {
        let text =
            format!("short\n  {}\n{}\n\n{:>50}\n", "word ".repeat(40).trim_end(), "x".repeat(90), "far");
        for width in [20, 33, 80, 300] {
            let told = fitted(&text, width);
            assert!(told.lines().all(|line| line.chars().count() <= width), "{width}: {told}");
            let letters = |text: &str| text.split_whitespace().collect::<String>();
            assert_eq!(letters(&told), letters(&text), "{width}");
        }
        assert_eq!(fitted(&text, 300), text);
        assert_eq!(fitted(&format!("{:>50}\n", "far"), 20), format!("{:10}far\n", ""));
    }

    #[test]
    fn a_command_that_is_broken_can_still_be_pasted() {
        let told =
            fitted("keep it:    fencepost keep found/a-long-name.toml --subject renew-then-write\n", 52);
        assert_eq!(
            told,
            "keep it:    fencepost keep found/a-long-name.toml \\\n    --subject renew-then-write\n"
        );
    }
}
