//! The events that lead to a breach. A law names the event that broke it; for people that event is half of it, since what
//! it breaks was made by an earlier one: the grant that took its place, the first end, the body that was still at work.
//! This finds it, and with it the grant the breach stands on and the sending of its call.

use crate::history::History;
use crate::history::event::{CallKind, Event, GrantNo, Kind, Wrote, refusal};
use crate::judge::Breach;
use crate::timeline::calls::Call;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Link {
    pub place: usize,
    pub role: &'static str,
    /// Of the two events that break the law together.
    pub is_key: bool,
}

/// In order; the breach itself is the last. Empty only if the breach is no event of the history.
pub fn chain(history: &History, calls: &[Call], broken: &Breach) -> Vec<Link> {
    let Some(place) = usize::try_from(broken.at).ok().filter(|place| *place < history.events.len()) else {
        return Vec::new();
    };
    let look = Look { events: &history.events[..place], breach: &history.events[place], calls, place };
    let mut links = vec![Link { place, role: "the law is broken here", is_key: true }];
    let mut add = |found: Option<(usize, &'static str)>, is_key| {
        if let Some((place, role)) = found
            && !links.iter().any(|link| link.place == place)
        {
            links.push(Link { place, role, is_key });
        }
    };
    add(look.other_half(broken.law), true);
    add(look.own_body(), false);
    add(look.own_grant(), false);
    add(look.sending(), false);
    links.sort_by_key(|link| link.place);
    links
}

struct Look<'a> {
    /// Before the breach.
    events: &'a [Event],
    breach: &'a Event,
    calls: &'a [Call],
    place: usize,
}

type Found = Option<(usize, &'static str)>;

impl Look<'_> {
    /// The earlier event that, with the breach, breaks the law.
    fn other_half(&self, law: &str) -> Found {
        let breach = self.breach;
        match law {
            "fences-only-grow" => self
                .latest("this fence, or a higher one, had been granted before", |event| {
                    is_new_grant(event) && event.b >= breach.b
                }),
            "tokens-are-drawn" => self.latest("an earlier grant had the same token", |event| {
                event.kind == Kind::TokenDrawn && event.a == breach.a
            }),
            "nothing-after-the-end" | "ends-once" => self
                .earliest("it had ended", |event| event.kind == Kind::Ended)
                .or_else(|| self.registration()),
            "externally-owned-never-runs" => self.registration(),
            "starts-are-first" => self.earliest("the first start was recorded", is_first_start),
            "abandonment-is-licensed" => self
                .latest("it was started", is_first_start)
                .or_else(|| self.latest("it was given up", |event| event.kind == Kind::GivesUp)),
            "outcomes-are-not-dropped" => self.latest("its body gave an outcome", |event| {
                event.kind == Kind::BodyEnded && event.grant == breach.grant
            }),
            "log-is-dense" => self.latest("the log had been read", |event| event.kind == Kind::LogShown),
            "replay-key-is-one-event" => self.earliest("the same replay key had been stored", |event| {
                event.kind == Kind::Appended && event.b == breach.b
            }),
            "owner-bound-starts-once" => self
                .latest("a body of it had begun", |event| event.kind == Kind::BodyBegan)
                .or_else(|| self.latest("the first start was recorded", is_first_start)),
            "lost-means-silent" => self.loss(),
            "outside-sees-fences-in-order" => self.latest("a higher fence had been seen", |event| {
                let higher = event.a > breach.a || breach.kind == Kind::EffectRefused;
                event.kind == Kind::EffectTaken && higher
            }),
            "bodies-overlap-within-bound" => self.latest("another body of it had begun", |event| {
                event.kind == Kind::BodyBegan && event.grant != breach.grant
            }),
            "waits-tell-the-truth" => {
                self.latest("the wait began", |event| event.kind == Kind::WaitBegan && event.b == breach.b)
            }
            "refusal-changes-nothing" => {
                self.latest("the call was refused", |event| event.kind == Kind::Refused)
            }
            "calm-ends-everything" => {
                self.anywhere("faults were over", |event| event.kind == Kind::LivenessBegan)
            }
            "nobody-panics" => None,
            _ => self.stored(),
        }
    }

    /// What stood in the store: another's grant, the last extension of its own, or the end of that.
    fn stored(&self) -> Found {
        let mut held: Option<(GrantNo, usize, usize)> = None;
        let mut gone = None;
        for (place, event) in self.events.iter().enumerate() {
            if event.process != self.breach.process {
                continue;
            }
            match (event.kind, held) {
                (Kind::Granted | Kind::Reclaimed, _) => held = Some((event.grant, place, place)),
                (Kind::Reentered | Kind::Renewed, Some((grant, made, _))) if grant == event.grant => {
                    held = Some((grant, made, place));
                }
                (Kind::Released, Some((grant, ..))) if grant == event.grant => {
                    (held, gone) = (None, Some((place, "the lease was given back")));
                }
                (Kind::Ended, _) => (held, gone) = (None, Some((place, "the process had ended"))),
                (Kind::Pruned, _) => (held, gone) = (None, Some((place, "the process had been pruned"))),
                _ => {}
            }
        }
        match held {
            None => gone,
            Some((grant, _, extended)) if grant == self.breach.grant => {
                Some((extended, "its lease was extended for the last time"))
            }
            Some((_, made, _)) if is_new_grant(self.breach) => Some((made, "this grant was still stored")),
            Some((_, made, _)) => Some((made, "another grant took its place")),
        }
    }

    /// What told the worker that its grant is gone; or the last call that extended it, a ttl after which it must know.
    fn loss(&self) -> Found {
        let breach = self.breach;
        let of_grant = |event: &Event| event.node == breach.node && event.grant == breach.grant;
        let told = self.latest("the worker was told that its grant is gone", |event| {
            event.kind == Kind::Heard && of_grant(event) && refusal::is_loss(event.a & 0xff)
        });
        told.or_else(|| {
            let extended = self.calls.iter().filter(|call| {
                call.heard.filter(|heard| *heard < self.place).is_some_and(|heard| {
                    let event = &self.events[heard];
                    let kind = CallKind::from_code(event.a >> 8);
                    let extends = matches!(kind, CallKind::Claim | CallKind::Reclaim | CallKind::Renew);
                    extends && of_grant(event) && event.a & 0xff == refusal::NONE
                })
            });
            let sent = extended.filter_map(|call| call.sent).max();
            sent.map(|place| {
                (place, "the last call that extended its lease was sent: a ttl later it must be silent")
            })
        })
    }

    fn own_grant(&self) -> Found {
        if !self.breach.grant.is_some() {
            return None;
        }
        self.latest("the grant it stands on was made", |event| {
            is_new_grant(event) && event.grant == self.breach.grant
        })
    }

    fn own_body(&self) -> Found {
        if self.breach.kind != Kind::BodyEnded {
            return None;
        }
        self.latest("this body began beside it", |event| {
            event.kind == Kind::BodyBegan && event.grant == self.breach.grant
        })
    }

    fn sending(&self) -> Found {
        let call = self.calls.iter().find(|call| call.decided == Some(self.place))?;
        call.sent.map(|place| (place, "the call was sent"))
    }

    fn registration(&self) -> Found {
        self.latest("it was registered", |event| event.kind == Kind::Registered && event.b == 1)
    }

    fn latest(&self, role: &'static str, wanted: impl Fn(&Event) -> bool) -> Found {
        let of_process = |event: &Event| event.process == self.breach.process && wanted(event);
        self.events.iter().rposition(of_process).map(|place| (place, role))
    }

    fn earliest(&self, role: &'static str, wanted: impl Fn(&Event) -> bool) -> Found {
        let life = self.latest("", |event| event.kind == Kind::Pruned).map_or(0, |(place, _)| place);
        let of_process = |event: &Event| event.process == self.breach.process && wanted(event);
        let found = self.events[life..].iter().position(of_process);
        found.map(|place| (life + place, role))
    }

    fn anywhere(&self, role: &'static str, wanted: impl Fn(&Event) -> bool) -> Found {
        self.events.iter().rposition(wanted).map(|place| (place, role))
    }
}

fn is_new_grant(event: &Event) -> bool {
    matches!(event.kind, Kind::Granted | Kind::Reclaimed)
}

fn is_first_start(event: &Event) -> bool {
    event.kind == Kind::Wrote && event.a == Wrote::FirstStart as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Plan;
    use crate::timeline::calls::calls;

    fn event(node: u8, kind: Kind, grant: GrantNo, a: u64, b: u64) -> Event {
        Event { at_us: 0, clock: 0, a, b, grant, process: 1, node, kind }
    }

    fn led(law: &'static str, events: Vec<Event>) -> Vec<(usize, bool)> {
        let at = events.len() as u64 - 1;
        let history = History { plan: Plan::quiet(1), grants: Vec::new(), events };
        let broken = Breach { law, sentence: "", at, because: String::new() };
        let chain = chain(&history, &calls(&history), &broken);
        chain.iter().map(|link| (link.place, link.is_key)).collect()
    }

    const ANN: GrantNo = GrantNo(0);
    const BOB: GrantNo = GrantNo(1);

    #[test]
    fn a_stale_write_is_joined_to_the_grant_that_had_taken_its_place() {
        let told = vec![
            event(1, Kind::Granted, ANN, 0, 1),
            event(1, Kind::Renewed, ANN, 0, 0),
            event(1, Kind::Sent, GrantNo::NONE, CallKind::UnfencedComplete as u64, 1),
            event(2, Kind::Granted, BOB, 0, 2),
            event(2, Kind::Renewed, BOB, 0, 0),
            event(1, Kind::Ended, ANN, 1, 0),
        ];
        assert_eq!(led("stale-writer-refused", told), [(0, false), (2, false), (3, true), (5, true)]);
    }

    #[test]
    fn a_late_write_is_joined_to_the_last_extension_of_its_own_lease() {
        let told = vec![
            event(1, Kind::Granted, ANN, 0, 1),
            event(1, Kind::Renewed, ANN, 0, 0),
            event(1, Kind::Wrote, ANN, 4, 0),
        ];
        assert_eq!(led("stale-writer-refused", told), [(0, false), (1, true), (2, true)]);
    }

    #[test]
    fn a_call_after_the_deadline_is_joined_to_the_last_call_that_was_known_to_extend_the_lease() {
        let renew = CallKind::Renew as u64;
        let told = vec![
            event(1, Kind::Granted, ANN, 0, 1),
            event(1, Kind::Sent, ANN, renew, 1),
            event(1, Kind::Heard, ANN, renew << 8, 1),
            event(1, Kind::Sent, ANN, renew, 2),
            event(1, Kind::EffectStarted, ANN, 1, 0),
        ];
        assert_eq!(led("lost-means-silent", told), [(0, false), (1, true), (4, true)]);
    }

    #[test]
    fn a_second_end_is_joined_to_the_first_of_the_same_life() {
        let told = vec![
            event(1, Kind::Ended, ANN, 1, 0),
            event(1, Kind::Pruned, GrantNo::NONE, 0, 0),
            event(1, Kind::Ended, BOB, 1, 0),
            event(1, Kind::Ended, BOB, 2, 0),
        ];
        assert_eq!(led("ends-once", told), [(2, true), (3, true)]);
    }
}
