//! Reports for GitHub Actions: annotations, which are lines of standard output, and a job summary in Markdown.

use std::fmt::{self, Write};

use crate::report::junit::{CaseResult, JunitCase, Suite};
use crate::report::summary::Summary;
use crate::search::Conclusion;
use crate::support::plural::counted;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    Error,
    Warning,
}

/// One line that GitHub shows on the job's page.
pub fn annotation(level: Level, title: &str, message: &str) -> String {
    let level = match level {
        Level::Error => "error",
        Level::Warning => "warning",
    };
    format!("::{level} title={}::{}", Property(title), EscapedMessage(message))
}

/// An error that GitHub shows at a file of the repository.
pub fn error_in(file: &str, title: &str, message: &str) -> String {
    format!("::error file={},title={}::{}", Property(file), Property(title), EscapedMessage(message))
}

/// The annotations of a search.
pub fn annotations(summary: &Summary) -> Vec<String> {
    let broken = |law: &str, report: &str| annotation(Level::Error, &format!("{law} is broken"), report);
    let mut lines: Vec<String> = summary
        .laws_broken
        .iter()
        .map(|first| match summary.failure_of(first.breach.law) {
            Some(failure) => broken(failure.breach.law, &failure.report),
            None => broken(first.breach.law, &first.to_string()),
        })
        .collect();
    if let Some(panicked) = &summary.panicked {
        let said = format!("seed {}: {}", panicked.seed, panicked.said);
        lines.push(annotation(Level::Error, "the harness itself failed", &said));
    }
    match summary.verdict {
        Conclusion::Inconclusive => {
            lines.push(annotation(Level::Warning, "inconclusive", &summary.why.join("\n")))
        }
        Conclusion::NotDeterministic => {
            lines.push(annotation(Level::Error, "not deterministic", &summary.why.join("\n")));
        }
        // Broken laws and panics have their lines already.
        Conclusion::Holds | Conclusion::Broken | Conclusion::Failed => {}
    }
    lines
}

/// The annotations of a suite: an error for each case that failed.
pub fn suite_annotations(suite: &Suite) -> Vec<String> {
    let error = |case: &JunitCase| match &case.result {
        CaseResult::Held | CaseResult::Skipped(_) => None,
        CaseResult::Failed(why, _) | CaseResult::Errored(why) => {
            Some(annotation(Level::Error, &format!("{}: {}", suite.name, case.name), why))
        }
    };
    suite.cases.iter().filter_map(error).collect()
}

/// The page that GitHub shows for a suite.
pub fn suite_summary(suite: &Suite) -> String {
    let mut page = format!("## {}\n\n", suite.name);
    for case in &suite.cases {
        let result = match &case.result {
            CaseResult::Held => "passed".to_owned(),
            CaseResult::Skipped(why) => format!("skipped: {why}"),
            CaseResult::Failed(why, _) => format!("failed: {why}"),
            CaseResult::Errored(why) => format!("error: {why}"),
        };
        // Writing to a string cannot fail.
        let _ = writeln!(page, "- {}: {result}", case.name);
    }
    page
}

/// The page that GitHub shows for the job.
pub fn job_summary(summary: &Summary) -> String {
    let mut page = format!("## fencepost: {} {}\n\n", summary.subject, summary.verdict);
    for why in &summary.why {
        let _ = writeln!(page, "{why}\n");
    }
    for failure in &summary.failures {
        let _ = writeln!(page, "{}", fenced(&failure.report));
    }
    let _ = writeln!(
        page,
        "| law | checked | held | broken | undecided | not reached |\n|---|--:|--:|--:|--:|--:|"
    );
    for law in &summary.laws {
        let _ = if !law.is_claimed {
            writeln!(page, "| {} | not claimed | | | | |", law.law)
        } else if law.is_not_reached() {
            writeln!(page, "| {} | not reached | | | | |", law.law)
        } else {
            writeln!(
                page,
                "| {} | {} | {} | {} | {} | {} |",
                law.law, law.checked, law.held, law.broken, law.undecided, law.not_reached
            )
        };
    }
    let reached = summary.marks.iter().filter(|mark| mark.hit > 0).count();
    let _ = writeln!(
        page,
        "\n{} (shard {}), {}, {} of {} marks reached.\n",
        counted(summary.seeds, "seed"),
        summary.shard,
        counted(summary.events, "event"),
        reached,
        summary.marks.len()
    );
    page
}

/// A fenced block whose fence is longer than any in the text.
pub fn fenced(text: &str) -> String {
    let mut fence = "```".to_owned();
    while text.contains(&fence) {
        fence.push('`');
    }
    format!("{fence}text\n{}\n{fence}\n", text.trim_end())
}

struct EscapedMessage<'a>(&'a str);
struct Property<'a>(&'a str);

impl fmt::Display for EscapedMessage<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.trim_end().chars().try_for_each(|letter| match letter {
            '%' => f.write_str("%25"),
            '\r' => f.write_str("%0D"),
            '\n' => f.write_str("%0A"),
            letter => f.write_char(letter),
        })
    }
}

impl fmt::Display for Property<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        EscapedMessage(self.0).to_string().chars().try_for_each(|letter| match letter {
            ':' => f.write_str("%3A"),
            ',' => f.write_str("%2C"),
            letter => f.write_char(letter),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_annotation_is_one_line_whatever_it_says() {
        assert_eq!(
            annotation(Level::Error, "a: b, c", "100%\nand more: x,y\n"),
            "::error title=a%3A b%2C c::100%25%0Aand more: x,y"
        );
        assert_eq!(annotation(Level::Warning, "t", "m"), "::warning title=t::m");
        assert_eq!(error_in("a,b.toml", "t", "m"), "::error file=a%2Cb.toml,title=t::m");
    }

    #[test]
    fn a_block_ends_where_it_should() {
        assert_eq!(fenced("a\n"), "```text\na\n```\n");
        assert_eq!(fenced("a ``` b"), "````text\na ``` b\n````\n");
    }
}
