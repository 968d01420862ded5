//! Colours for reports on a terminal. Whether they are shown is decided where they are printed.

use anstyle::{AnsiColor, Style};

use crate::report::human::NEXT_STEPS;

const BAD: Style = AnsiColor::Red.on_default().bold();
const GOOD: Style = AnsiColor::Green.on_default().bold();
const DOUBTFUL: Style = AnsiColor::Yellow.on_default().bold();
const LABEL: Style = AnsiColor::Cyan.on_default();

/// The report of a broken law: its name and the event that broke it in red, the labels of commands in cyan.
pub fn of_failure(report: &str) -> String {
    let mut painted = String::new();
    for (number, line) in report.lines().enumerate() {
        let line = match line.split_once(':') {
            Some((law, sentence)) if number == 0 => format!("{BAD}{law}{BAD:#}:{sentence}"),
            Some((label, rest))
                if ["  here", "  at fault"].contains(&label)
                    || NEXT_STEPS.iter().any(|next| line.starts_with(next)) =>
            {
                format!("{LABEL}{label}:{LABEL:#}{rest}")
            }
            _ if line.starts_with("x ") => format!("{BAD}{line}{BAD:#}"),
            _ => line.to_owned(),
        };
        painted.push_str(&line);
        painted.push('\n');
    }
    painted
}

/// The last lines of a search: its verdict is green, red, or yellow if it is neither.
pub fn of_verdict(verdict: &str) -> String {
    let mut painted = String::new();
    for line in verdict.lines() {
        let style = match line.split(':').next() {
            Some("HOLDS") => GOOD,
            Some("BROKEN" | "NOT DETERMINISTIC" | "NO VERDICT") => BAD,
            Some("INCONCLUSIVE") => DOUBTFUL,
            _ => Style::new(),
        };
        painted.push_str(&format!("{style}{line}{style:#}\n"));
    }
    painted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_change_no_letter() {
        let report =
            "a-law: it holds\n  here: it does not\nx  1  claim\nreplay it:  fencepost replay 1\n\nplain: 1\n";
        let painted = of_failure(report);
        assert_eq!(anstream::adapter::strip_str(&painted).to_string(), report);
        assert!(painted.starts_with("\x1b[1m\x1b[31ma-law\x1b[0m: it holds\n"), "{painted:?}");
        assert!(painted.ends_with("\nplain: 1\n"), "{painted:?}");
        let verdict = of_verdict("1 seed broke a law: a (seed 1)\nBROKEN: a law is broken\n");
        assert_eq!(
            verdict,
            "1 seed broke a law: a (seed 1)\n\x1b[1m\x1b[31mBROKEN: a law is broken\x1b[0m\n"
        );
        assert!(of_verdict("HOLDS: no law is broken\n").contains("\x1b[32mHOLDS"));
    }
}
