//! Reports for CI servers: JUnit's XML, a suite of cases. A search has a case for each law and one for the search as a whole;
//! `regressions` has a case for each file.

use std::fmt::Write;

use crate::report::summary::{Summary, Timings};
use crate::search::Conclusion;
use crate::support::markup::Escaped;
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
    pub fn xml(&self) -> String {
        let count =
            |wanted: fn(&CaseResult) -> bool| self.cases.iter().filter(|case| wanted(&case.result)).count();
        let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n");
        let _ = writeln!(
            xml,
            "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"{}\" time=\"{}.{:03}\">",
            Escaped(&self.name),
            self.cases.len(),
            count(|result| matches!(result, CaseResult::Failed(..))),
            count(|result| matches!(result, CaseResult::Errored(_))),
            count(|result| matches!(result, CaseResult::Skipped(_))),
            self.wall_us / 1_000_000,
            self.wall_us / 1_000 % 1_000
        );
        for case in &self.cases {
            let (class, name) = (Escaped(&self.name), Escaped(&case.name));
            let _ = write!(xml, "    <testcase classname=\"{class}\" name=\"{name}\"");
            let _ = match &case.result {
                CaseResult::Held => writeln!(xml, "/>"),
                CaseResult::Skipped(why) => {
                    writeln!(xml, "><skipped message=\"{}\"/></testcase>", Escaped(why))
                }
                CaseResult::Failed(why, all) => writeln!(
                    xml,
                    "><failure message=\"{}\">{}</failure></testcase>",
                    Escaped(why),
                    Escaped(all)
                ),
                CaseResult::Errored(why) => {
                    writeln!(xml, "><error message=\"{}\"/></testcase>", Escaped(why))
                }
            };
        }
        xml.push_str("  </testsuite>\n</testsuites>\n");
        xml
    }
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
