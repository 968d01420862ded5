//! The events that lead to a breach. A law names the event that broke it, and its card finds the earlier event that it conflicts
//! with. Added here are the grant the breach stands on, the beginning of its body and the sending of its call.

use crate::history::History;
use crate::history::event::{Event, EventKind};
use crate::judge::Breach;
use crate::laws;
use crate::laws::explain::{Evidence, Explanation, is_new_grant};
use crate::timeline::calls::CallTrace;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CauseLink {
    pub place: usize,
    pub role: &'static str,
    /// True for the two events that break the law together.
    pub is_key: bool,
}

/// In order; the breach itself is the last. Empty only if the breach is no event of the history.
pub fn chain(history: &History, calls: &[CallTrace], broken: &Breach) -> Vec<CauseLink> {
    let Some(place) = usize::try_from(broken.at).ok().filter(|place| *place < history.events.len()) else {
        return Vec::new();
    };
    let evidence = Evidence { earlier: &history.events[..place], breach: &history.events[place] };
    let mut links = vec![CauseLink { place, role: "the law is broken here", is_key: true }];
    let mut add = |found: Option<Explanation>, is_key| {
        if let Some(Explanation { place, role }) = found
            && !links.iter().any(|link| link.place == place)
        {
            links.push(CauseLink { place, role, is_key });
        }
    };
    add(laws::card(broken.law).and_then(|card| (card.explain)(&evidence)), true);
    add(own_body(&evidence), false);
    add(own_grant(&evidence), false);
    add(sending(calls, place), false);
    links.sort_by_key(|link| link.place);
    links
}

fn own_body(evidence: &Evidence<'_>) -> Option<Explanation> {
    if evidence.breach.kind() != EventKind::BodyEnded {
        return None;
    }
    evidence.latest("this body began beside it", |event| {
        event.kind() == EventKind::BodyBegan && event.grant == evidence.breach.grant
    })
}

fn own_grant(evidence: &Evidence<'_>) -> Option<Explanation> {
    let grant = evidence.breach.grant;
    if !grant.is_some() {
        return None;
    }
    let is_own = |event: &Event| is_new_grant(event) && event.grant == grant;
    evidence.latest("the grant it stands on was made", is_own)
}

fn sending(calls: &[CallTrace], place: usize) -> Option<Explanation> {
    let call = calls.iter().find(|call| call.decided == Some(place))?;
    call.sent.map(|place| Explanation { place, role: "the call was sent" })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::event::{CallKind, CallResult, Context, GrantNo, Status, What, Write};
    use crate::plan::Plan;
    use crate::timeline::calls::calls;

    fn event(node: u8, grant: GrantNo, what: What) -> Event {
        Event::new(Context { at_us: 0, clock: 0, node, process: 1, grant }, what)
    }

    /// The places of the events that lead to a breach at the last event, and which of them are key.
    fn led(law: &'static str, events: Vec<Event>) -> Vec<(usize, bool)> {
        let at = events.len() as u64 - 1;
        let history = History { plan: Plan::quiet(1), grants: Vec::new(), events, notes: Vec::new() };
        let broken = Breach { law, sentence: "", at, because: String::new() };
        let chain = chain(&history, &calls(&history), &broken);
        chain.iter().map(|link| (link.place, link.is_key)).collect()
    }

    const ANN: GrantNo = GrantNo(0);
    const BOB: GrantNo = GrantNo(1);
    const RENEWED: What = What::Renewed { expires_ms: 0, asked_ms: 0 };
    const PROGRESS: What = What::Wrote { write: Write::Progress };

    fn granted(fence: u64) -> What {
        What::Granted { expires_ms: 0, fence }
    }

    fn ended(status: Status) -> What {
        What::Ended { status, output: 0 }
    }

    #[test]
    fn a_stale_write_is_joined_to_the_grant_that_had_taken_its_place() {
        let told = vec![
            event(1, ANN, granted(1)),
            event(1, ANN, RENEWED),
            event(1, GrantNo::NONE, What::Sent { call: CallKind::UnfencedComplete, number: 1 }),
            event(2, BOB, granted(2)),
            event(2, BOB, RENEWED),
            event(1, ANN, ended(Status::Completed)),
        ];
        assert_eq!(led("stale-writer-refused", told), [(0, false), (2, false), (3, true), (5, true)]);
    }

    #[test]
    fn a_late_write_is_joined_to_the_last_extension_of_its_own_lease() {
        let told = vec![event(1, ANN, granted(1)), event(1, ANN, RENEWED), event(1, ANN, PROGRESS)];
        assert_eq!(led("stale-writer-refused", told), [(0, false), (1, true), (2, true)]);
    }

    #[test]
    fn a_call_after_the_deadline_is_joined_to_the_last_call_that_was_known_to_extend_the_lease() {
        let call = CallKind::Renew;
        let told = vec![
            event(1, ANN, granted(1)),
            event(1, ANN, What::Sent { call, number: 1 }),
            event(1, ANN, What::Heard { call, result: CallResult::Done, number: 1 }),
            event(1, ANN, What::Sent { call, number: 2 }),
            event(1, ANN, What::EffectStarted { fence: 1 }),
        ];
        assert_eq!(led("lost-means-silent", told), [(0, false), (1, true), (4, true)]);
    }

    #[test]
    fn a_second_end_is_joined_to_the_first_of_the_same_life() {
        let told = vec![
            event(1, ANN, ended(Status::Completed)),
            event(1, GrantNo::NONE, What::Pruned),
            event(1, BOB, ended(Status::Completed)),
            event(1, BOB, ended(Status::Failed)),
        ];
        assert_eq!(led("ends-once", told), [(2, true), (3, true)]);
    }
}
