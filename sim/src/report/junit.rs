//! Reports for CI servers: JUnit's XML, a suite of cases. A search has a case for each law and one for the search as a whole;
//! `regressions` has a case for each file, `prove` one for each scope. A broken law is a failure; a law that is undecided, not
//! reached or not claimed is skipped.

use std::time::Duration;

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use crate::report::format::JUNIT;
use crate::report::summary::{Summary, Timings};
use crate::search::Conclusion;
use crate::support::plural::counted;

pub struct Suite {
    pub name: String,
    pub cases: Vec<JunitCase>,
    pub wall_us: u64,
}

pub struct JunitCase {
    pub name: String,
    pub result: CaseResult,
}

impl JunitCase {
    /// The case of a command that was interrupted when so many of all its things were done. It fails: nobody may take a report
    /// of a part for one of the whole.
    pub fn interrupted(done: usize, all: usize, thing: &str) -> Self {
        let said = format!("interrupted: {done} of {} done", counted(all, thing));
        Self { name: "the run as a whole".to_owned(), result: CaseResult::Failed(said.clone(), said) }
    }
}

pub enum CaseResult {
    Held,
    Skipped(String),
    /// A sentence, and the whole report.
    Failed(String, String),
    /// The harness failed, or its input is unreadable.
    Errored(String),
}

pub fn of_search(summary: &Summary, timings: &Timings) -> Suite {
    let mut cases = Vec::new();
    for law in &summary.laws {
        let failure = summary.failure_of(law.law);
        let first = summary.laws_broken.iter().find(|first| first.breach.law == law.law);
        let result = match (failure, first) {
            (Some(failure), _) => CaseResult::Failed(failure.breach.because.clone(), failure.report.clone()),
            (None, Some(first)) => CaseResult::Failed(first.breach.because.clone(), first.to_string()),
            (None, None) if !law.is_claimed => CaseResult::Skipped("not claimed".to_owned()),
            (None, None) if law.undecided > 0 => {
                CaseResult::Skipped(format!("it could not be told in {}", counted(law.undecided, "run")))
            }
            (None, None) if law.is_not_reached() => CaseResult::Skipped("not reached".to_owned()),
            (None, None) => CaseResult::Held,
        };
        cases.push(JunitCase { name: law.law.to_owned(), result });
    }
    let verdict = match summary.verdict {
        Conclusion::Inconclusive | Conclusion::NotDeterministic => {
            CaseResult::Failed(summary.verdict.to_string(), summary.why.join("\n"))
        }
        // Broken laws and panics have cases of their own.
        Conclusion::Holds | Conclusion::Broken | Conclusion::Failed => CaseResult::Held,
    };
    cases.push(JunitCase { name: "the search as a whole".to_owned(), result: verdict });
    if let Some(panicked) = &summary.panicked {
        let said = format!("seed {}: {}", panicked.seed, panicked.said);
        cases.push(JunitCase { name: "the harness".to_owned(), result: CaseResult::Errored(said) });
    }
    Suite { name: format!("fencepost run of {}", summary.subject), cases, wall_us: timings.wall_us }
}

impl Suite {
    /// The report as XML. Writing to memory cannot fail.
    pub fn xml(&self) -> String {
        let mut suite = TestSuite::new(sayable(&self.name));
        suite.set_time(Duration::from_millis(self.wall_us / 1_000));
        suite.add_property(("fencepost.format", JUNIT.to_string().as_str()));
        suite.add_test_cases(self.cases.iter().map(|case| {
            let mut written = TestCase::new(sayable(&case.name), status(&case.result));
            written.set_classname(sayable(&self.name));
            written
        }));
        let skipped = self.cases.iter().filter(|case| matches!(case.result, CaseResult::Skipped(_))).count();
        suite.extra.insert("skipped".into(), skipped.to_string().into());
        let mut report = Report::new(sayable(&self.name));
        report.add_test_suite(suite);
        report.to_string().unwrap_or_default()
    }
}

fn status(result: &CaseResult) -> TestCaseStatus {
    let non_success = |kind, why: &str, all: Option<&str>| {
        let mut status = TestCaseStatus::non_success(kind);
        status.set_message(sayable(why));
        if let Some(all) = all {
            status.set_description(sayable(all));
        }
        status
    };
    match result {
        CaseResult::Held => TestCaseStatus::success(),
        CaseResult::Skipped(why) => {
            let mut skipped = TestCaseStatus::skipped();
            skipped.set_message(sayable(why));
            skipped
        }
        CaseResult::Failed(why, all) => non_success(NonSuccessKind::Failure, why, Some(all)),
        CaseResult::Errored(why) => non_success(NonSuccessKind::Error, why, None),
    }
}

/// XML has no way to say most control characters: they are replaced.
fn sayable(text: &str) -> String {
    let replaced = |letter: char| match letter {
        '\n' | '\t' => letter,
        '\u{fffe}' | '\u{ffff}' => '\u{fffd}',
        letter if letter.is_control() => '\u{fffd}',
        letter => letter,
    };
    text.chars().map(replaced).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_text_reads_back_as_it_was_but_for_what_xml_cannot_say() {
        let said = "a <b> & \"c\" 'd' ]]> \u{1}\u{fffe}\u{e9}";
        let suite = Suite {
            name: said.to_owned(),
            cases: vec![
                JunitCase {
                    name: "one".into(),
                    result: CaseResult::Failed(said.to_owned(), format!("{said}\nmore")),
                },
                JunitCase { name: "two".into(), result: CaseResult::Held },
                JunitCase { name: "three".into(), result: CaseResult::Skipped(said.to_owned()) },
                JunitCase { name: "four".into(), result: CaseResult::Errored(said.to_owned()) },
            ],
            wall_us: 1_234_567,
        };
        let xml = suite.xml();
        let document = roxmltree::Document::parse(&xml).unwrap();
        let wanted = "a <b> & \"c\" 'd' ]]> \u{fffd}\u{fffd}\u{e9}";
        let found = |name: &str| document.descendants().find(|node| node.has_tag_name(name)).unwrap();
        let suite = found("testsuite");
        assert_eq!(suite.attribute("name"), Some(wanted));
        assert_eq!((suite.attribute("tests"), suite.attribute("time")), (Some("4"), Some("1.234")));
        assert_eq!(found("failure").attribute("message"), Some(wanted));
        assert_eq!(found("failure").text(), Some(format!("{wanted}\nmore").as_str()));
        assert_eq!(found("skipped").attribute("message"), Some(wanted));
        assert_eq!(found("error").attribute("message"), Some(wanted));
    }
}
