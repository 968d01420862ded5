//! Every kind of step there is, and how a line finds its kind. `work/mod.rs` and `fault/mod.rs` hold the lists.

use std::str::FromStr;

use crate::plan::fault::FAULTS;
use crate::plan::kind_entry::Kind;
use crate::plan::step::Step;
use crate::plan::step_kind::Action;
use crate::plan::words::parse_ms;
use crate::plan::work::WORK;

pub fn all() -> impl Iterator<Item = &'static Kind> {
    WORK.iter().chain(FAULTS)
}

/// Lines of every kind.
pub fn examples() -> impl Iterator<Item = &'static str> {
    all().flat_map(|kind| (kind.examples)()).copied()
}

impl FromStr for Step {
    type Err = String;

    fn from_str(line: &str) -> Result<Self, String> {
        let words: Vec<&str> = line.split_whitespace().collect();
        let (at, action) = words.split_first().ok_or("an empty line is no step")?;
        let at_ms = parse_ms(at).map_err(|why| format!("`{line}` is no step: {why}"))?;
        let action = parse(action).map_err(|why| format!("`{line}` is no step: {why}"))?;
        Ok(Self { at_ms, action })
    }
}

fn parse(words: &[&str]) -> Result<Action, String> {
    for kind in all() {
        if let Some(action) = (kind.parse)(words)? {
            return Ok(action);
        }
    }
    Err(expected(words))
}

/// The steps that begin with the same word, or all first words there are.
fn expected(words: &[&str]) -> String {
    let first = words.first().copied().unwrap_or_default();
    let begins = |line: &'static str| line.split_whitespace().nth(1).unwrap_or_default();
    let alike: Vec<String> =
        examples().filter(|line| begins(line) == first).map(|line| format!("`{line}`")).collect();
    if !alike.is_empty() {
        return format!("expected a line like {}", alike.join(", "));
    }
    let mut known: Vec<&str> = Vec::new();
    for line in examples() {
        if !known.contains(&begins(line)) {
            known.push(begins(line));
        }
    }
    format!("unknown step `{first}`; expected one of: {}", known.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::span::Span;
    use crate::plan::step_kind::{Group, Part, Shown};

    fn steps() -> impl Iterator<Item = Step> {
        examples().map(|line| line.parse().unwrap_or_else(|why| panic!("{why}")))
    }

    #[test]
    fn every_kind_of_step_reads_back_as_it_was_written() {
        for (line, step) in examples().zip(steps()) {
            assert_eq!(step.to_string(), line);
        }
    }

    #[test]
    fn a_line_that_is_no_step_is_refused_with_the_reason() {
        let cases = [
            ("", "an empty line"),
            ("350 pause worker-1 for 1s", "`350` is no time"),
            ("1.2345s prune", "`1.2345s` is no time"),
            ("1s pause worker-100 for 1s", "`worker-100` is no node"),
            ("1s pause worker-1", "is no span"),
            ("1s cut worker-1>worker-2 for 1s", "one end is the registry"),
            ("1s lose 101% worker-1>registry for 1s", "`101%` is no share"),
            ("1s register q rerunnable panics", "`q` is no process"),
            ("1s register p1 eternal panics", "`eternal` is no disposition"),
            ("1s register p1 rerunnable dances", "`dances` is no body"),
            ("1s hold prune p1 until expiry +1ms", "unknown call `prune`; expected one of: claim, renew, "),
            ("1s drain host-1", "host-1 is no worker"),
            ("1s stale-call p1 complete at expiry +1ms", "only renew and claim"),
            ("1s stale-call p1 claim", "say `claim at expiry +0ms`"),
            ("1s disk melts for 1s", "unknown disk fault `melts for 1s`; expected one of: fails to read, "),
            ("1s disk fullish for 1s", "unknown disk fault `fullish for 1s`"),
            ("1s disk shakyXYZ", "unknown disk fault `shakyXYZ`"),
            ("+1s prune", "`+1s` is no time"),
            ("01s prune", "`01s` is no time"),
            ("1s pause worker-01 for 1s", "`worker-01` is no node"),
            ("1s register p+1 rerunnable panics", "`p+1` is no process"),
            ("1s lose +30% worker-1>registry for 1s", "`+30%` is no share"),
            ("1s drift worker-1 40ppm", "`40ppm` is no drift"),
            ("1s transfer p1 from x to s2", "`x` is no scope"),
            ("1s crash registry at disk call x for 1s", "is no number of a disk call"),
            ("1s crash registry renamed for 1s", "is no span"),
            ("1s crash worker-1 renamed", "is no span"),
            ("1s explode", "unknown step `explode`; expected one of: register, cancel, signal, "),
            (
                "1s step registry",
                "expected a line like `2s step registry by -1.5s`, `2s step worker-1 by +10ms`",
            ),
        ];
        for (line, why) in cases {
            let error = line.parse::<Step>().expect_err(line);
            assert!(error.contains(why), "{line}: {error}");
        }
    }

    #[test]
    fn every_word_that_names_a_node_or_a_process_is_a_part_of_its_step() {
        for step in steps() {
            let line = step.to_string();
            let nodes: Vec<String> = step.action.nodes().iter().map(ToString::to_string).collect();
            let processes: Vec<String> = step.action.processes().iter().map(ToString::to_string).collect();
            for word in line.split([' ', '>']) {
                let is_fixed = word == "registry" && !nodes.iter().any(|node| node == word);
                if word.parse::<crate::plan::Node>().is_ok() && !is_fixed {
                    assert!(nodes.iter().any(|node| node == word), "{line}");
                }
                if word.parse::<crate::plan::Process>().is_ok() {
                    assert!(processes.iter().any(|process| process == word), "{line}");
                }
            }
        }
    }

    #[test]
    fn a_wait_at_the_registry_goes_with_its_process() {
        let step: Step = "1s await p1 at registry".parse().unwrap();
        assert_eq!(step.action.subjects(), [crate::plan::Process(1)]);
    }

    #[test]
    fn every_step_that_lasts_is_drawn_for_as_long() {
        for mut step in steps() {
            let line = step.to_string();
            let lasts = step.action.parts().iter().any(|part| matches!(part, Part::Span(Span::Ms(_))));
            if lasts {
                assert_ne!(step.action.shown(), Shown::Instant, "{line}");
            }
        }
        let disk: Step = "1s disk full for 3s".parse().unwrap();
        assert_eq!(disk.action.shown(), Shown::Bar(3_000));
    }

    #[test]
    fn simpler_forms_read_back_and_say_less() {
        for step in steps() {
            let size = |step: &Step| (step.action.unusual(), step.action.counted(), step.action.numbers());
            for simpler in step.action.simpler(3_000) {
                let mut plainer = step.clone();
                (simpler.change)(&mut plainer.action);
                assert_eq!(plainer.to_string().parse(), Ok(plainer.clone()));
                let is_less = plainer == step || size(&plainer) < size(&step);
                assert!(is_less, "{} of `{step}`: {:?}", simpler.what, size(&plainer));
            }
        }
    }

    #[test]
    fn clock_faults_are_the_steps_that_bend_a_clock() {
        for step in steps() {
            assert_eq!(step.action.clock_fault().is_some(), step.action.group() == Group::Clock, "{step}");
        }
    }
}
