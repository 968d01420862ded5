//! The leases that the store held, each from the grant that made it to whatever ended it, by the registry's own answers; and
//! the lives of processes. A stored lease is live while the registry's wall clock stands before its expiry.

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};

use crate::history::History;
use crate::history::event::{Event, EventKind, GrantNo, Status, What};
use crate::plan::Node;
use crate::timeline::clocks::NodeClocks;

/// One stored lease. `from`, `to` and the first parts of extensions are places in the history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LeaseSpan {
    pub process: u16,
    pub grant: GrantNo,
    pub from: usize,
    pub to: Option<usize>,
    pub why: &'static str,
    /// Where its expiry was set, and to what reading of the registry's clock.
    pub extensions: Vec<(usize, u64)>,
    /// The parts of true time in which it was live.
    pub live_us: Vec<(u64, u64)>,
}

/// One life of a process, from its registration to its prune. `from`, `ended` and `to` are places in the history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ProcessLife {
    pub process: u16,
    pub from: usize,
    pub ended: Option<usize>,
    #[serde(serialize_with = "as_number")]
    pub status: Status,
    pub to: Option<usize>,
}

/// Every status, at the number by which the page knows it.
pub const STATUSES: [Status; 5] =
    [Status::Running, Status::Completed, Status::Failed, Status::Cancelled, Status::Abandoned];

fn as_number<S: Serializer>(status: &Status, serializer: S) -> Result<S::Ok, S::Error> {
    STATUSES.iter().position(|known| known == status).serialize(serializer)
}

pub fn leases(history: &History, clocks: &NodeClocks) -> Vec<LeaseSpan> {
    let mut leases: Vec<LeaseSpan> = Vec::new();
    let mut stored: BTreeMap<u16, usize> = BTreeMap::new();
    for (place, event) in history.events.iter().enumerate() {
        let held = stored.get(&event.process).copied();
        let is_holders = held.is_some_and(|number| leases[number].grant == event.grant);
        let mut ends = |leases: &mut Vec<LeaseSpan>, why| {
            if let Some(number) = stored.remove(&event.process) {
                leases[number].to = Some(place);
                leases[number].why = why;
            }
        };
        match lease_change(event) {
            BarChange::Made { expires_ms } => {
                ends(&mut leases, "another grant took its place");
                stored.insert(event.process, leases.len());
                leases.push(begun(place, event, expires_ms));
            }
            BarChange::Extended { expires_ms } => {
                if let Some(number) = held.filter(|_| is_holders) {
                    leases[number].extensions.push((place, expires_ms));
                }
            }
            BarChange::Released if is_holders => ends(&mut leases, "released"),
            BarChange::Seen if held.is_some() && !is_holders => ends(&mut leases, "gone after a release"),
            BarChange::Gone { why } => ends(&mut leases, why),
            BarChange::Released | BarChange::Seen | BarChange::None => {}
        }
    }
    for lease in &mut leases {
        lease.live_us = live(lease, history, clocks);
        lease.check(history);
    }
    leases
}

pub fn lives(history: &History) -> Vec<ProcessLife> {
    let mut lives: Vec<ProcessLife> = Vec::new();
    let mut present: BTreeMap<u16, usize> = BTreeMap::new();
    for (place, event) in history.events.iter().enumerate() {
        // A life changes when its process is registered, ends or is pruned, and with nothing else.
        let process = event.process;
        let Some(number) = present.get(&process).copied() else {
            if event.kind() == EventKind::Registered {
                present.insert(process, lives.len());
                lives.push(ProcessLife {
                    process,
                    from: place,
                    ended: None,
                    status: Status::Running,
                    to: None,
                });
            }
            continue;
        };
        if let What::Ended { status, .. } = event.what() {
            if lives[number].ended.is_none() {
                lives[number].ended = Some(place);
                lives[number].status = status;
            }
        } else if event.kind() == EventKind::Pruned {
            lives[number].to = Some(place);
            present.remove(&process);
        }
    }
    lives
}

/// The change that an event makes to the stored lease of its process.
enum BarChange {
    Made {
        expires_ms: u64,
    },
    /// By its holder; a call under another grant extends nothing.
    Extended {
        expires_ms: u64,
    },
    /// By its holder; a call under another grant releases nothing.
    Released,
    /// The event names the grant that is stored after a release, or none.
    Seen,
    Gone {
        why: &'static str,
    },
    None,
}

fn lease_change(event: &Event) -> BarChange {
    match event.what() {
        What::Granted { expires_ms, .. } | What::Reclaimed { expires_ms, .. } => {
            BarChange::Made { expires_ms }
        }
        What::Reentered { expires_ms, .. } | What::Renewed { expires_ms, .. } => {
            BarChange::Extended { expires_ms }
        }
        What::Released => BarChange::Released,
        What::LeaseAfter => BarChange::Seen,
        What::Ended { .. } => BarChange::Gone { why: "the process ended" },
        What::Pruned => BarChange::Gone { why: "pruned" },
        What::Registered { .. }
        | What::Busy
        | What::Wrote { .. }
        | What::Refused { .. }
        | What::Failed { .. }
        | What::Showed { .. }
        | What::Asked { .. }
        | What::ReadBack { .. }
        | What::Observed { .. }
        | What::TokenDrawn { .. }
        | What::GivesUp { .. }
        | What::Appended { .. }
        | What::Replayed { .. }
        | What::StoreWaited { .. }
        | What::LogRead { .. }
        | What::LogShown { .. }
        | What::TransferIsPartial { .. }
        | What::TurnedOut { .. }
        | What::Survived { .. }
        | What::SurvivedLease { .. }
        | What::Claims { .. }
        | What::Completes { .. }
        | What::Unfenced { .. }
        | What::Answered { .. }
        | What::AnswerDiffers { .. }
        | What::AppliedAgain { .. }
        | What::AnswersJudged { .. }
        | What::SpanBegan { .. }
        | What::SpanEnded { .. }
        | What::LeaseShown { .. }
        | What::Sent { .. }
        | What::Heard { .. }
        | What::BodyBegan { .. }
        | What::BodyEnded { .. }
        | What::EffectStarted { .. }
        | What::EffectTaken { .. }
        | What::EffectRefused { .. }
        | What::WaitBegan { .. }
        | What::WaitEnded { .. }
        | What::Drained { .. }
        | What::StepTaken { .. }
        | What::Crashed { .. }
        | What::Restarted { .. }
        | What::Paused
        | What::Resumed
        | What::Panicked
        | What::Repeated { .. }
        | What::FromEarlierLife { .. }
        | What::Lost { .. }
        | What::LivenessBegan { .. }
        | What::LivenessAsked
        | What::Remained { .. }
        | What::Exhausted
        | What::Finished
        | What::Believed { .. } => BarChange::None,
    }
}

impl LeaseSpan {
    /// The events must say what the span says: it begins with its own grant, is extended under that, and is live only while
    /// it is stored.
    fn check(&self, history: &History) {
        let event = |place: usize| &history.events[place];
        let is_own = |place: usize| event(place).grant == self.grant && event(place).process == self.process;
        assert!(
            self.extensions.iter().all(|(place, _)| is_own(*place)),
            "a lease is extended by another grant"
        );
        assert!(
            self.extensions.first().is_some_and(|(place, _)| *place == self.from),
            "a lease is made twice"
        );
        assert!(self.to.is_none_or(|to| to > self.from), "a lease ends before it is made");
        let (from_us, to_us) = (event(self.from).at_us, self.to.map_or(u64::MAX, |to| event(to).at_us));
        let is_stored = |part: &(u64, u64)| from_us <= part.0 && part.0 < part.1 && part.1 <= to_us;
        assert!(self.live_us.iter().all(is_stored), "a lease is live and not stored");
        assert!(
            self.live_us.windows(2).all(|parts| parts[0].1 <= parts[1].0),
            "a lease is live twice at once"
        );
    }
}

fn begun(place: usize, event: &Event, expires_ms: u64) -> LeaseSpan {
    LeaseSpan {
        process: event.process,
        grant: event.grant,
        from: place,
        to: None,
        why: "",
        extensions: vec![(place, expires_ms)],
        live_us: Vec::new(),
    }
}

fn live(lease: &LeaseSpan, history: &History, clocks: &NodeClocks) -> Vec<(u64, u64)> {
    let at_us = |place: usize| history.events[place].at_us;
    let end_us = lease.to.map_or_else(|| history.events.last().map_or(0, |last| last.at_us), at_us);
    let mut parts: Vec<(u64, u64)> = Vec::new();
    for (number, (place, expires_ms)) in lease.extensions.iter().enumerate() {
        let next_us = lease.extensions.get(number + 1).map_or(end_us, |(next, _)| at_us(*next));
        for part in clocks.before_wall(Node::Registry, at_us(*place), next_us, *expires_ms) {
            match parts.last_mut() {
                Some(last) if last.1 == part.0 => last.1 = part.1,
                _ => parts.push(part),
            }
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;
    use fencepost::model::process::RecoveryDisposition;

    use crate::timeline::clocks::EPOCH_MS;
    use crate::timeline::test_events::{NO_GRANT, event, history};

    fn at(at_ms: u64, grant: GrantNo, what: What) -> Event {
        event(at_ms * 1_000, 1, 1, grant, what).with_clock(EPOCH_MS.unsigned_abs() + at_ms)
    }

    fn stored(events: Vec<Event>) -> Vec<LeaseSpan> {
        let history = history(events);
        leases(&history, &NodeClocks::of(&history))
    }

    #[test]
    fn a_lease_is_live_to_its_last_expiry_and_stored_until_another_takes_its_place() {
        let until = |ms: u64| EPOCH_MS.unsigned_abs() + ms;
        let granted = |ms: u64, fence| What::Granted { expires_ms: until(ms), fence };
        let renewed = |ms: u64| What::Renewed { expires_ms: until(ms), asked_ms: 1_000 };
        let leases = stored(vec![
            at(100, GrantNo(1), granted(1_100, 1)),
            at(400, GrantNo(1), renewed(1_400)),
            // A renewal under another grant than the holder's stores nothing.
            at(500, GrantNo(7), renewed(9_000)),
            at(2_000, GrantNo(2), granted(3_000, 2)),
            at(2_100, GrantNo(2), What::Released),
            at(9_000, NO_GRANT, What::Finished),
        ]);
        let seen: Vec<_> =
            leases.iter().map(|lease| (lease.from, lease.to, lease.live_us.as_slice())).collect();
        assert_eq!(
            seen,
            [
                (0, Some(3), [(100_000, 1_400_000)].as_slice()),
                (3, Some(4), [(2_000_000, 2_100_000)].as_slice())
            ]
        );
    }

    #[test]
    fn a_life_goes_from_registration_to_prune() {
        let registered = What::Registered { disposition: RecoveryDisposition::Rerunnable, is_new: true };
        let ended = |status| What::Ended { status, output: 0 };
        let lives = lives(&history(vec![
            at(1, NO_GRANT, registered),
            at(2, NO_GRANT, registered),
            at(3, GrantNo(1), ended(Status::Failed)),
            at(4, GrantNo(1), ended(Status::Completed)),
            at(5, NO_GRANT, What::Pruned),
            at(6, NO_GRANT, registered),
        ]));
        let seen: Vec<_> = lives.iter().map(|life| (life.from, life.ended, life.status, life.to)).collect();
        assert_eq!(seen, [(0, Some(2), Status::Failed, Some(4)), (5, None, Status::Running, None)]);
    }
}
