//! Searches for the earlier event that explains a breach. A law names the event that broke it. To a reader that is half of the
//! story, because that event conflicts with an earlier one: the grant that took its place, the first end, the other body.

use crate::history::event::{CallKind, CallResult, Event, EventKind, GrantNo, What, Write};
use crate::laws::state::stored_lease::LeaseChange;

/// The history up to and with the breach.
pub struct Evidence<'a> {
    /// All events before the breach.
    pub earlier: &'a [Event],
    pub breach: &'a Event,
}

/// An event before the breach, and what it has to do with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Explanation {
    /// Its place in the history.
    pub place: usize,
    pub role: &'static str,
}

/// For laws whose breach stands for itself.
pub fn nothing_earlier(_: &Evidence<'_>) -> Option<Explanation> {
    None
}

impl Evidence<'_> {
    /// The latest earlier event of the breach's process that is wanted.
    pub fn latest(&self, role: &'static str, is_wanted: impl Fn(&Event) -> bool) -> Option<Explanation> {
        let of_process = |event: &Event| event.process == self.breach.process && is_wanted(event);
        self.earlier.iter().rposition(of_process).map(|place| Explanation { place, role })
    }

    /// The first event of the breach's process that is wanted, in the life that the breach is in.
    pub fn earliest_of_life(
        &self,
        role: &'static str,
        is_wanted: impl Fn(&Event) -> bool,
    ) -> Option<Explanation> {
        let pruned = self.latest("", |event| event.kind() == EventKind::Pruned);
        let life = pruned.map_or(0, |pruned| pruned.place);
        let of_process = |event: &Event| event.process == self.breach.process && is_wanted(event);
        let found = self.earlier[life..].iter().position(of_process);
        found.map(|place| Explanation { place: life + place, role })
    }

    /// The latest earlier event of any process that is wanted.
    pub fn latest_of_any_process(
        &self,
        role: &'static str,
        is_wanted: impl Fn(&Event) -> bool,
    ) -> Option<Explanation> {
        self.earlier.iter().rposition(is_wanted).map(|place| Explanation { place, role })
    }
}

pub fn registration(evidence: &Evidence<'_>) -> Option<Explanation> {
    evidence
        .latest("it was registered", |event| matches!(event.what(), What::Registered { is_new: true, .. }))
}

/// The event that decided which lease is stored: the grant of another, the last extension of the breach's own grant, or the
/// end of that.
pub fn stored_lease(evidence: &Evidence<'_>) -> Option<Explanation> {
    let mut held: Option<(GrantNo, usize, usize)> = None;
    let mut gone = None;
    let of_process = |(_, event): &(usize, &Event)| event.process == evidence.breach.process;
    for (place, event) in evidence.earlier.iter().enumerate().filter(of_process) {
        let is_held = held.is_some_and(|(grant, ..)| grant == event.grant);
        let role = match LeaseChange::of(event.what()) {
            LeaseChange::Made { .. } => {
                held = Some((event.grant, place, place));
                continue;
            }
            LeaseChange::Extended { .. } => {
                held = held.map(|(grant, made, last)| (grant, made, if is_held { place } else { last }));
                continue;
            }
            LeaseChange::GivenBack if is_held => "the lease was given back",
            LeaseChange::Ended => "the process had ended",
            LeaseChange::Pruned => "the process had been pruned",
            LeaseChange::GivenBack | LeaseChange::Unchanged => continue,
        };
        (held, gone) = (None, Some(Explanation { place, role }));
    }
    let (place, role) = match held {
        None => return gone,
        Some((grant, _, extended)) if grant == evidence.breach.grant => {
            (extended, "its lease was extended for the last time")
        }
        Some((_, made, _)) if is_new_grant(evidence.breach) => (made, "this grant was still stored"),
        Some((_, made, _)) => (made, "another grant took its place"),
    };
    Some(Explanation { place, role })
}

/// The answer that told the worker that its grant is gone; or the last call that extended the lease, a ttl after which the
/// worker must know.
pub fn loss(evidence: &Evidence<'_>) -> Option<Explanation> {
    let breach = evidence.breach;
    let of_grant = |event: &Event| event.node == breach.node && event.grant == breach.grant;
    let told = evidence.latest("the worker was told that its grant is gone", |event| {
        of_grant(event) && matches!(event.what(), What::Heard { result, .. } if result.is_loss())
    });
    let role = "the last call that extended its lease was sent: a ttl later it must be silent";
    told.or_else(|| last_extension_sent(evidence, of_grant).map(|place| Explanation { place, role }))
}

fn last_extension_sent(evidence: &Evidence<'_>, of_grant: impl Fn(&Event) -> bool) -> Option<usize> {
    let extends = |call| matches!(call, CallKind::Claim | CallKind::Reclaim | CallKind::Renew);
    let heard = evidence.earlier.iter().enumerate().filter(|(_, event)| of_grant(event));
    let sent = heard.filter_map(|(place, event)| {
        let What::Heard { call, result: CallResult::Done, number } = event.what() else { return None };
        if extends(call) { sending(evidence, place, event.node, number) } else { None }
    });
    sent.max()
}

/// The place at which the node sent the call of this number, whose answer was heard at `heard`.
fn sending(evidence: &Evidence<'_>, heard: usize, node: u8, of_number: u64) -> Option<usize> {
    let is_sending = |event: &Event| {
        event.node == node && matches!(event.what(), What::Sent { number, .. } if number == of_number)
    };
    evidence.earlier[..heard].iter().rposition(is_sending)
}

pub fn is_new_grant(event: &Event) -> bool {
    matches!(event.kind(), EventKind::Granted | EventKind::Reclaimed)
}

pub fn is_first_start(event: &Event) -> bool {
    matches!(event.what(), What::Wrote { write: Write::FirstStart })
}
