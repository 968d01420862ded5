//! Every decision of the worker, made wrongly: for each wrong decision a story fails that was written without it in
//! mind. One file a group of decisions; each case is a sentence, the decision it replaces, and the story that notices.

mod body;
mod claim;
mod completion;
mod read;
mod renewal;
mod start;
mod sweep;

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};

use fencepost::rules::worker::WorkerRules;

use crate::stage::under;

pub struct WrongDecision {
    /// The bug, as a sentence about the worker.
    bug: &'static str,
    /// The field of [`WorkerRules`] that is replaced.
    decision: &'static str,
    rules: WorkerRules,
    noticed_by: fn(),
}

/// `wrong!(bug, decision, rule, story)`: the lawful rules but for one decision.
macro_rules! wrong {
    ($bug:literal, $decision:ident, $rule:expr, $story:path $(,)?) => {
        WrongDecision {
            bug: $bug,
            decision: stringify!($decision),
            rules: fencepost::rules::worker::WorkerRules {
                $decision: $rule,
                ..fencepost::rules::worker::WorkerRules::LAWFUL
            },
            noticed_by: $story,
        }
    };
}
use wrong;

fn wrong_decisions() -> impl Iterator<Item = WrongDecision> {
    let groups = [
        sweep::incarnation(),
        sweep::after_list(),
        claim::after_claim(),
        read::after_read(),
        start::after_start(),
        renewal::first_renewal_in_ms(),
        renewal::after_renewal(),
        renewal::may_act(),
        body::gives_permit_back_while_waiting(),
        body::after_body(),
        completion::after_completion(),
    ];
    groups.into_iter().flatten()
}

#[test]
fn every_wrong_decision_fails_a_story() {
    let fails = |wrong: &WrongDecision| {
        catch_unwind(AssertUnwindSafe(|| under(wrong.rules, wrong.noticed_by))).is_err()
    };
    let unnoticed: Vec<_> = wrong_decisions().filter(|wrong| !fails(wrong)).map(|wrong| wrong.bug).collect();
    assert!(unnoticed.is_empty(), "no story noticed: {unnoticed:#?}");
}

#[test]
fn every_decision_is_made_wrongly_at_least_once() {
    let source = include_str!("../../../src/rules/worker.rs");
    let fields = source.split("pub struct WorkerRules {").nth(1).and_then(|rest| rest.split("\n}").next());
    let decisions: BTreeSet<&str> = fields
        .expect("the table of decisions is there")
        .lines()
        .filter_map(|line| line.trim().strip_prefix("pub ")?.split(':').next())
        .collect();
    let made_wrongly: BTreeSet<&str> = wrong_decisions().map(|wrong| wrong.decision).collect();
    assert_eq!(decisions, made_wrongly);
}
