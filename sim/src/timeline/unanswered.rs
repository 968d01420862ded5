//! Calls that their senders got no answer to: those that were lost or never decided, and those whose answer was lost. Either
//! way the sender knows only that it asked.

use std::collections::{BTreeMap, BTreeSet};

use crate::history::History;
use crate::history::event::{CallResult, Event, What};
use crate::timeline::calls::CallTrace;

pub struct UnansweredCalls {
    /// The outcome of each call that was not decided, by the place at which it was sent.
    outcomes: BTreeMap<usize, &'static str>,
    /// The places of decisions whose answer was lost.
    lost_answers: BTreeSet<usize>,
}

impl UnansweredCalls {
    /// By the events before `end`: what is decided later was not decided then.
    pub fn of(history: &History, calls: &[CallTrace], end: usize) -> Self {
        let undecided = calls.iter().filter(|call| call.decided.is_none_or(|decided| decided >= end));
        let outcomes = undecided.filter_map(|call| {
            let sent = call.sent.filter(|sent| *sent < end)?;
            if call.heard.is_some_and(|heard| heard < end && !is_in_doubt(&history.events[heard])) {
                return None;
            }
            let until = call.heard.map_or(end, |heard| heard.min(end));
            let is_lost = call.decided.is_none() && is_request_lost(&history.events, sent, until);
            Some((sent, if is_lost { "lost" } else { "not decided" }))
        });
        let decided: BTreeSet<usize> = calls.iter().filter_map(|call| call.decided).collect();
        let lost =
            (0..end).filter(|place| matches!(history.events[*place].what(), What::Lost { is_answer: true }));
        let lost_answers = lost.filter_map(|place| answered_at(&history.events, &decided, place)).collect();
        Self { outcomes: outcomes.collect(), lost_answers }
    }

    /// The outcome of the call that was sent at this place; none, if it was decided.
    pub fn outcome(&self, sent: usize) -> Option<&'static str> {
        self.outcomes.get(&sent).copied()
    }

    pub fn is_answer_lost(&self, decided: usize) -> bool {
        self.lost_answers.contains(&decided)
    }
}

/// An answer that says neither yes nor no.
pub fn is_in_doubt(heard: &Event) -> bool {
    matches!(heard.what(), What::Heard { result: CallResult::Failed | CallResult::OutcomeUnknown, .. })
}

fn is_request_lost(events: &[Event], sent: usize, until: usize) -> bool {
    let of_call = |event: &&Event| event.node == events[sent].node && event.process == events[sent].process;
    events[sent..until].iter().filter(of_call).any(|event| event.what() == What::Lost { is_answer: false })
}

/// The decision whose answer was lost. An answer leaves in the instant of its decision; the event of its loss names only the
/// node that it was for.
fn answered_at(events: &[Event], decided: &BTreeSet<usize>, lost: usize) -> Option<usize> {
    let at_once = |place: &usize| events[*place].at_us == events[lost].at_us;
    (0..lost)
        .rev()
        .take_while(at_once)
        .find(|place| events[*place].node == events[lost].node && decided.contains(place))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::event::{CallKind, GrantNo, NO_PROCESS};
    use crate::timeline::calls::calls;
    use crate::timeline::test_events::{self, history};

    #[test]
    fn a_call_that_was_lost_is_told_from_one_that_is_late_and_from_one_whose_answer_was_lost() {
        let event = |at_us, process, what| test_events::event(at_us, 1, process, GrantNo(0), what);
        let sent = |number| What::Sent { call: CallKind::Renew, number };
        let renewed = What::Renewed { expires_ms: 0, asked_ms: 0 };
        let history = history(vec![
            event(1, 1, sent(1)),
            event(1, 1, What::Lost { is_answer: false }),
            event(2, 2, sent(2)),
            event(3, 3, sent(3)),
            event(4, 3, renewed),
            event(4, NO_PROCESS, What::Lost { is_answer: true }),
            event(5, 2, renewed),
            // The answer was given before this instant: it cannot be told to which call.
            event(6, NO_PROCESS, What::Lost { is_answer: true }),
        ]);
        let calls = calls(&history);
        let at = |end| UnansweredCalls::of(&history, &calls, end);
        assert_eq!((at(8).outcome(0), at(8).outcome(2), at(8).outcome(3)), (Some("lost"), None, None));
        assert_eq!(at(6).outcome(2), Some("not decided"));
        assert!(at(8).is_answer_lost(4) && !at(8).is_answer_lost(6) && !at(5).is_answer_lost(4));
    }
}
