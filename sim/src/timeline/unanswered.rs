//! Calls that their senders got no answer to: those that were lost or never decided, and those whose answer was lost. Either
//! way the sender knows only that it asked.

use std::collections::{BTreeMap, BTreeSet};

use crate::history::History;
use crate::history::event::{CallKind, CallResult, Event, What};
use crate::plan::method::Method;
use crate::plan::span::Span;
use crate::plan::step_kind::HeldBack;
use crate::plan::{Link, Node};
use crate::timeline::calls::CallTrace;

pub struct UnansweredCalls {
    /// The outcome of each call that was not decided, by the place at which it was sent.
    outcomes: BTreeMap<usize, String>,
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
            let outcome = match holding_step(history, sent) {
                _ if is_lost => "lost".to_owned(),
                Some(number) => format!("held by step {number}"),
                None if call.decided.is_some() => "in flight at the end".to_owned(),
                None if has_registry_crashed(&history.events[sent..]) => "lost in the crash".to_owned(),
                None => "never arrived".to_owned(),
            };
            Some((sent, outcome))
        });
        let decided: BTreeSet<usize> = calls.iter().filter_map(|call| call.decided).collect();
        let lost =
            (0..end).filter(|place| matches!(history.events[*place].what(), What::Lost { is_answer: true }));
        let lost_answers = lost.filter_map(|place| answered_at(&history.events, &decided, place)).collect();
        Self { outcomes: outcomes.collect(), lost_answers }
    }

    /// The outcome of the call that was sent at this place; none, if it was decided.
    pub fn outcome(&self, sent: usize) -> Option<&str> {
        self.outcomes.get(&sent).map(String::as_str)
    }

    pub fn is_answer_lost(&self, decided: usize) -> bool {
        self.lost_answers.contains(&decided)
    }
}

/// An answer that says neither yes nor no.
pub fn is_in_doubt(heard: &Event) -> bool {
    matches!(heard.what(), What::Heard { result: CallResult::Failed | CallResult::OutcomeUnknown, .. })
}

/// The number of the plan's step, counted from 1, that holds back the call that was sent at this place.
fn holding_step(history: &History, sent: usize) -> Option<usize> {
    let event = &history.events[sent];
    let What::Sent { call, .. } = event.what() else { return None };
    let has_begun = |at_ms: u64| at_ms * 1_000 <= event.at_us;
    let holds = |at_ms: u64, held: HeldBack| match held {
        HeldBack::Calls { method, process } => {
            let is_next = |kind| method_of(kind) == Some(method);
            let was_begun = |earlier: &Event| {
                earlier.process == process.0
                    && earlier.at_us >= at_ms * 1_000
                    && matches!(earlier.what(), What::Sent { call, .. } if is_next(call))
            };
            let is_renewal = call == CallKind::Renew && history.events[..sent].iter().any(was_begun);
            event.process == process.0 && (is_next(call) || is_renewal)
        }
        HeldBack::Messages { link, span } => {
            let is_over = matches!(span, Span::Ms(ms) if (at_ms + ms) * 1_000 <= event.at_us);
            link == Link { from: Node::from_code(event.node), to: Node::Registry } && !is_over
        }
    };
    let steps = (1..).zip(&history.plan.steps);
    let mut holding = steps.filter(|(_, step)| {
        has_begun(step.at_ms) && step.action.holds_back().is_some_and(|held| holds(step.at_ms, held))
    });
    holding.next().map(|(number, _)| number)
}

/// The method by which a step speaks of such calls.
fn method_of(call: CallKind) -> Option<Method> {
    match call {
        CallKind::Claim => Some(Method::Claim),
        CallKind::Renew => Some(Method::Renew),
        CallKind::Start => Some(Method::Start),
        CallKind::Emit | CallKind::UnfencedEmit => Some(Method::Emit),
        CallKind::SetWait => Some(Method::Wait),
        CallKind::Complete | CallKind::UnfencedComplete => Some(Method::Complete),
        CallKind::Release => Some(Method::Release),
        CallKind::Reclaim
        | CallKind::ClearWait
        | CallKind::UnfencedStart
        | CallKind::UnfencedSetWait
        | CallKind::UnfencedClearWait
        | CallKind::Register
        | CallKind::Abandon
        | CallKind::Prune
        | CallKind::Read
        | CallKind::GrantHandle
        | CallKind::Transfer
        | CallKind::Ack
        | CallKind::Other => None,
    }
}

fn has_registry_crashed(events: &[Event]) -> bool {
    let is_crash =
        |event: &Event| event.node == Node::Registry.code() && matches!(event.what(), What::Crashed { .. });
    events.iter().any(is_crash)
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
    use crate::history::event::{GrantNo, NO_PROCESS};
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
        assert_eq!((at(6).outcome(2), at(2).outcome(0)), (Some("in flight at the end"), Some("lost")));
        assert!(at(8).is_answer_lost(4) && !at(8).is_answer_lost(6) && !at(5).is_answer_lost(4));
    }

    #[test]
    fn a_call_that_a_step_holds_back_names_the_step() {
        let event = |at_us, process, what| test_events::event(at_us, 1, process, GrantNo(0), what);
        let sent = |call, number| What::Sent { call, number };
        let mut history = history(vec![
            event(1_000, 1, sent(CallKind::Renew, 1)),
            event(3_000, 1, sent(CallKind::Complete, 2)),
            event(3_000, 2, sent(CallKind::Complete, 3)),
            event(4_000, 1, sent(CallKind::Renew, 4)),
            event(6_000, 2, sent(CallKind::Renew, 5)),
            event(9_000, 2, sent(CallKind::Renew, 6)),
        ]);
        history.plan.steps = [
            "0ms register p1 rerunnable 1 steps of 0ms",
            "2ms hold complete p1 until expiry +0ms",
            "5ms delay worker-1>registry by 1s for 3ms",
        ]
        .map(|line| line.parse().unwrap())
        .to_vec();
        let unanswered = UnansweredCalls::of(&history, &calls(&history), history.events.len());
        let outcomes: Vec<_> = (0..6).map(|sent| unanswered.outcome(sent).unwrap_or_default()).collect();
        let (held, never) = ("held by step 2", "never arrived");
        assert_eq!(outcomes, [never, held, never, held, "held by step 3", never]);
    }
}
