//! Every method is called in the worlds, and every part of its answer is judged: a wrong one is noticed, whatever it is.

mod script;
mod spoil;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use fencepost::registry::calls::Call;
use fencepost::testing::reference_model::AnswerPart;
use fencepost_sim::generate::generate;
use fencepost_sim::laws::answers_match_the_model::AnswersMatchTheModel;
use fencepost_sim::laws::judged_answers::{self, ANSWERS};
use fencepost_sim::laws::{Laws, law::Law};
use fencepost_sim::plan::Store;
use fencepost_sim::plan::chance::Seed;
use fencepost_sim::subject::Subject;
use fencepost_sim::world;

use script::{Stage, script};
use spoil::spoil;

#[test]
fn every_method_is_called_in_generated_worlds_and_answered_with_success_and_with_refusals() {
    let mut calls: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
    for seed in 0..1_000 {
        let plan = Arc::new(generate(Seed(seed), Store::Memory));
        let (_, decided) = world::run_with_calls(&plan, &Subject::fencepost());
        for decided in decided {
            let (accepted, all) = calls.entry(decided.call.method()).or_default();
            *accepted += u64::from(decided.was_ok);
            *all += 1;
        }
    }
    let rarely: Vec<_> = Call::METHODS
        .iter()
        .map(|method| (*method, calls.get(method).copied().unwrap_or_default()))
        .filter(|(_, (accepted, _))| *accepted < 10)
        .collect();
    assert!(rarely.is_empty(), "hardly ever accepted (accepted, called): {rarely:?}, of {calls:?}");
}

#[test]
fn every_method_has_a_line_that_names_laws_which_there_are() {
    let methods: BTreeSet<&str> = Call::METHODS.iter().copied().collect();
    let lines: Vec<&str> = ANSWERS.iter().map(|answer| answer.method).collect();
    assert_eq!(lines.len(), methods.len());
    assert_eq!(lines.into_iter().collect::<BTreeSet<_>>(), methods);
    let laws: BTreeSet<&str> = Laws::names().into_iter().collect();
    for answer in ANSWERS {
        for part in answer.parts() {
            assert!(answer.law_of(part).is_some_and(|law| laws.contains(law)), "{}: {part:?}", answer.method);
        }
    }
    let judged: BTreeSet<AnswerPart> = ANSWERS.iter().flat_map(|answer| answer.parts()).collect();
    assert_eq!(judged, AnswerPart::ALL.iter().copied().collect());
}

#[test]
fn a_wrong_answer_is_noticed_in_every_part_of_every_methods_answer() {
    let mut spoiled = BTreeSet::new();
    let mut stage = Stage::new();
    for call in script(&mut stage) {
        let before = stage.model.clone();
        let (answer, inputs) = stage.call(&call);
        let line = judged_answers::of(call.method()).unwrap();
        for part in line.parts() {
            let mut wrong = answer.clone();
            if !spoil(part, &mut wrong) {
                continue;
            }
            let judged = before.clone().judge(&call, wrong.as_ref(), &inputs);
            let is_here = line.law_of(part) == Some(AnswersMatchTheModel::CARD.name);
            let is_seen = judged == Err(part);
            // The first hash of a content may be any: it is held against those that follow.
            let is_free = part == AnswerPart::RegistrationHash;
            assert!(is_seen || !is_here || is_free, "{}: {part:?} is {judged:?} in {wrong:?}", call.method());
            if is_seen || !is_here {
                spoiled.insert((call.method(), part));
            }
        }
    }
    let mut untried = Vec::new();
    for answer in ANSWERS {
        let parts = answer.parts().filter(|part| !spoiled.contains(&(answer.method, *part)));
        untried.extend(parts.map(|part| (answer.method, part)));
    }
    assert!(untried.is_empty(), "never tried: {untried:?}");
}
