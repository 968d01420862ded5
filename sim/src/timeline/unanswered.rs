//! What became of calls that were sent and did not go as calls go: those that nobody decided, and those whose answer was
//! lost. The sender of either knows no more than that it asked.

use std::collections::{BTreeMap, BTreeSet};

use crate::history::History;
use crate::history::event::{Event, Kind, refusal};
use crate::timeline::calls::Call;

pub struct Astray {
    fates: BTreeMap<usize, &'static str>,
    lost_answers: BTreeSet<usize>,
}

impl Astray {
    /// By the events before `end`: what is decided later was not decided then.
    pub fn of(history: &History, calls: &[Call], end: usize) -> Self {
        let undecided = calls.iter().filter(|call| call.decided.is_none_or(|decided| decided >= end));
        let fates = undecided.filter_map(|call| {
            let sent = call.sent.filter(|sent| *sent < end)?;
            if call.heard.is_some_and(|heard| heard < end && !is_in_doubt(&history.events[heard])) {
                return None;
            }
            let until = call.heard.map_or(end, |heard| heard.min(end));
            let is_lost = call.decided.is_none() && is_request_lost(&history.events, sent, until);
            Some((sent, if is_lost { "lost" } else { "not decided" }))
        });
        let decided: BTreeSet<usize> = calls.iter().filter_map(|call| call.decided).collect();
        let lost = (0..end).filter(|place| {
            let event = &history.events[*place];
            event.kind == Kind::Lost && event.a == 1
        });
        let lost_answers = lost.filter_map(|place| answered_at(&history.events, &decided, place)).collect();
        Self { fates: fates.collect(), lost_answers }
    }

    /// Of the call that was sent at this place.
    pub fn fate(&self, sent: usize) -> Option<&'static str> {
        self.fates.get(&sent).copied()
    }

    pub fn is_answer_lost(&self, decided: usize) -> bool {
        self.lost_answers.contains(&decided)
    }
}

/// Whether it answers nothing: neither yes nor no was said.
pub fn is_in_doubt(heard: &Event) -> bool {
    matches!(heard.a & 0xff, refusal::FAILED | refusal::UNKNOWN_OUTCOME)
}

fn is_request_lost(events: &[Event], sent: usize, until: usize) -> bool {
    let of_call = |event: &&Event| event.node == events[sent].node && event.process == events[sent].process;
    events[sent..until].iter().filter(of_call).any(|event| event.kind == Kind::Lost && event.a == 0)
}

/// An answer leaves in the instant of its decision, and an event of its loss names nobody but whom it was for.
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
    use crate::plan::Plan;
    use crate::timeline::calls::calls;

    #[test]
    fn a_call_that_was_lost_is_told_from_one_that_is_late_and_from_one_whose_answer_was_lost() {
        let event = |at_us, process, kind, a, b| Event {
            at_us,
            clock: 0,
            a,
            b,
            grant: GrantNo(0),
            process,
            node: 1,
            kind,
        };
        let renew = CallKind::Renew as u64;
        let events = vec![
            event(1, 1, Kind::Sent, renew, 1),
            event(1, 1, Kind::Lost, 0, 0),
            event(2, 2, Kind::Sent, renew, 2),
            event(3, 3, Kind::Sent, renew, 3),
            event(4, 3, Kind::Renewed, 0, 0),
            event(4, NO_PROCESS, Kind::Lost, 1, 0),
            event(5, 2, Kind::Renewed, 0, 0),
            // Of an answer that was given before: whose it is, nobody knows.
            event(6, NO_PROCESS, Kind::Lost, 1, 0),
        ];
        let history = History { plan: Plan::quiet(1), grants: Vec::new(), events };
        let calls = calls(&history);
        let at = |end| Astray::of(&history, &calls, end);
        assert_eq!((at(8).fate(0), at(8).fate(2), at(8).fate(3)), (Some("lost"), None, None));
        assert_eq!(at(6).fate(2), Some("not decided"));
        assert!(at(8).is_answer_lost(4) && !at(8).is_answer_lost(6) && !at(5).is_answer_lost(4));
    }
}
