//! Which call is which decision's: a worker's call is an event where it begins, one where the registry decides it and one
//! where its answer is heard. The first and the last carry the call's number; the decision is found by who asked for what.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::history::History;
use crate::history::event::{CallKind, Event, GrantNo, Kind, Wrote};

/// Places in the history. A host's call is known by its decision alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Call {
    pub sent: Option<usize>,
    pub decided: Option<usize>,
    pub heard: Option<usize>,
}

pub fn calls(history: &History) -> Vec<Call> {
    let mut told = Told::default();
    for (place, event) in history.events.iter().enumerate() {
        match event.kind {
            Kind::Sent => told.sent(place, event),
            Kind::Heard => {
                if let Some(number) = told.under_way.remove(&(event.node, event.b)) {
                    told.calls[number].heard = Some(place);
                }
            }
            // Numbers of calls begin anew in a new life.
            Kind::Crashed => told.under_way.retain(|(node, _), _| *node != event.node),
            _ => told.decided(place, event),
        }
    }
    told.calls
}

#[derive(Default)]
struct Told {
    calls: Vec<Call>,
    /// Whose answer is awaited, by node and the call's number.
    under_way: BTreeMap<(u8, u64), usize>,
    /// What is not decided yet, by who asks about what.
    open: BTreeMap<(u8, u16), Vec<Asked>>,
}

#[derive(Clone, Copy)]
struct Asked {
    kind: CallKind,
    grant: GrantNo,
    name: (u8, u64),
    call: usize,
}

impl Told {
    fn sent(&mut self, place: usize, event: &Event) {
        let (name, call) = ((event.node, event.b), self.calls.len());
        let asked = Asked { kind: CallKind::from_code(event.a), grant: event.grant, name, call };
        self.under_way.insert(name, call);
        self.open.entry((event.node, event.process)).or_default().push(asked);
        self.calls.push(Call { sent: Some(place), decided: None, heard: None });
    }

    fn decided(&mut self, place: usize, event: &Event) {
        let kinds = decides(event);
        if kinds.is_empty() {
            return;
        }
        let open = self.open.entry((event.node, event.process)).or_default();
        let is_under_way = |asked: &Asked| self.under_way.get(&asked.name) == Some(&asked.call);
        let best = open.iter().enumerate().filter(|(_, asked)| kinds.contains(&asked.kind)).min_by_key(
            // Of those that are still awaited the first; a late one that nobody awaits any more is the last resort.
            |(_, asked)| (asked.grant != event.grant, !is_under_way(asked)),
        );
        match best.map(|(found, _)| found) {
            Some(found) => self.calls[open.remove(found).call].decided = Some(place),
            None => self.calls.push(Call { sent: None, decided: Some(place), heard: None }),
        }
    }
}

/// Of which calls this event can be the decision.
fn decides(event: &Event) -> &'static [CallKind] {
    use CallKind::*;
    match event.kind {
        Kind::Granted => &[Claim],
        Kind::Reclaimed => &[Reclaim],
        Kind::Reentered | Kind::Busy => &[Claim, Reclaim],
        Kind::Renewed => &[Renew],
        Kind::Released => &[Release],
        Kind::Wrote => match event.a {
            code if code == Wrote::FirstStart as u64
                || code == Wrote::StartedBefore as u64
                || code == Wrote::StartedByItself as u64 =>
            {
                &[Start, UnfencedStart]
            }
            code if code == Wrote::Wait as u64 => &[SetWait, UnfencedSetWait],
            code if code == Wrote::WaitCleared as u64 => &[ClearWait, UnfencedClearWait],
            _ => &[Emit, UnfencedEmit],
        },
        Kind::Ended => &[Complete, UnfencedComplete],
        Kind::Registered => &[Register],
        Kind::Asked => match event.a {
            code if code == Wrote::WakeAcked as u64 => &[Ack],
            code if code == Wrote::HandleGranted as u64 => &[GrantHandle],
            code if code == Wrote::HandlesMoved as u64 => &[Transfer],
            _ => &[Abandon, UnfencedEmit, Emit],
        },
        Kind::Showed | Kind::LogRead => &[Read],
        Kind::Refused | Kind::Failed => match CallKind::from_code(event.a) {
            Claim => &[Claim],
            Reclaim => &[Reclaim],
            Renew => &[Renew],
            Release => &[Release],
            Start | UnfencedStart => &[Start, UnfencedStart],
            Emit | UnfencedEmit => &[Emit, UnfencedEmit],
            SetWait | UnfencedSetWait => &[SetWait, UnfencedSetWait],
            ClearWait | UnfencedClearWait => &[ClearWait, UnfencedClearWait],
            Complete | UnfencedComplete => &[Complete, UnfencedComplete],
            Register => &[Register],
            Abandon => &[Abandon],
            Prune => &[Prune],
            Read => &[Read],
            GrantHandle => &[GrantHandle],
            Transfer => &[Transfer],
            Ack => &[Ack],
            Other => &[Other],
        },
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Plan;

    fn event(node: u8, kind: Kind, grant: GrantNo, a: u64, b: u64) -> Event {
        Event { at_us: 0, clock: 0, a, b, grant, process: 1, node, kind }
    }

    #[test]
    fn a_decision_belongs_to_the_call_that_asked_for_it_under_its_grant() {
        let (ann, bob, none) = (GrantNo(0), GrantNo(1), GrantNo::NONE);
        let events = vec![
            event(1, Kind::Sent, ann, CallKind::Renew as u64, 1),
            event(1, Kind::Sent, bob, CallKind::Renew as u64, 2),
            event(2, Kind::Sent, none, CallKind::UnfencedComplete as u64, 1),
            event(1, Kind::Renewed, bob, 0, 0),
            event(1, Kind::Heard, bob, (CallKind::Renew as u64) << 8, 2),
            event(101, Kind::Registered, none, 0, 1),
            event(2, Kind::Ended, ann, 1, 0),
        ];
        let history = History { plan: Plan::quiet(1), grants: Vec::new(), events };
        let seen: Vec<_> = calls(&history).iter().map(|call| (call.sent, call.decided, call.heard)).collect();
        assert_eq!(
            seen,
            [
                (Some(0), None, None),
                (Some(1), Some(3), Some(4)),
                (Some(2), Some(6), None),
                (None, Some(5), None)
            ]
        );
    }

    #[test]
    fn a_call_that_was_lost_does_not_take_a_later_ones_decision() {
        let ann = GrantNo(0);
        let events = vec![
            event(1, Kind::Sent, ann, CallKind::Renew as u64, 1),
            event(1, Kind::Heard, ann, (CallKind::Renew as u64) << 8 | 10, 1),
            event(1, Kind::Sent, ann, CallKind::Renew as u64, 2),
            event(1, Kind::Renewed, ann, 0, 0),
            // Late, and nobody awaits it.
            event(1, Kind::Renewed, ann, 0, 0),
        ];
        let history = History { plan: Plan::quiet(1), grants: Vec::new(), events };
        let decided: Vec<_> = calls(&history).iter().map(|call| call.decided).collect();
        assert_eq!(decided, [Some(4), Some(3)]);
    }
}
