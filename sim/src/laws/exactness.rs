//! Laws of the single call: a refusal changes nothing, a release frees its own, a reclaim takes what was observed, an
//! expiry is one instant, a token is drawn. Most stand on evidence that was gathered right beside the decision.

use std::collections::BTreeSet;

use crate::history::event::{CallKind, Event, GrantNo, Kind, refusal};
use crate::laws::{ByProcess, Case, Law};

/// See its sentence.
#[derive(Default)]
pub struct RefusalChangesNothing {
    case: Case,
}

impl Law for RefusalChangesNothing {
    fn name(&self) -> &'static str {
        "refusal-changes-nothing"
    }

    fn sentence(&self) -> &'static str {
        "after a refused call the stored state is what it was before"
    }

    fn see(&mut self, number: u64, event: &Event) {
        self.case.meet();
        if event.a != event.b {
            self.case.breach(number, || {
                "row, lease or log were read before and after a refused call, and differ".to_owned()
            });
        }
    }

    fn case(&self) -> &Case {
        &self.case
    }
}

/// See its sentence.
#[derive(Default)]
pub struct ReleaseFreesOwn {
    rows: ByProcess<Held>,
    case: Case,
}

#[derive(Default, Clone, Copy)]
struct Held {
    holder: Option<GrantNo>,
    expires_ms: u64,
    released: Option<GrantNo>,
}

impl Held {
    fn follow(&mut self, event: &Event) {
        match event.kind {
            Kind::Granted | Kind::Reclaimed | Kind::Reentered => {
                self.holder = Some(event.grant);
                self.expires_ms = event.a;
            }
            Kind::Renewed if self.holder == Some(event.grant) => self.expires_ms = event.a,
            Kind::Ended | Kind::Pruned => self.holder = None,
            _ => {}
        }
    }
}

impl Law for ReleaseFreesOwn {
    fn name(&self) -> &'static str {
        "release-frees-own"
    }

    fn sentence(&self) -> &'static str {
        "a release ends the grant it names and no other"
    }

    fn see(&mut self, number: u64, event: &Event) {
        let row = self.rows.of(event.process);
        match event.kind {
            Kind::Released => row.released = Some(event.grant),
            Kind::LeaseAfter => {
                self.case.meet();
                let is_own = row.released.take() == row.holder;
                if is_own {
                    row.holder = None;
                }
                let expected = row.holder.unwrap_or(GrantNo::NONE);
                if event.grant != expected {
                    self.case.breach(number, || {
                        let what = if is_own { "its own grant" } else { "another's" };
                        let left = if event.grant.is_some() { "a lease was stored" } else { "none was" };
                        format!("a release that named {what} was answered, and afterwards {left}")
                    });
                }
            }
            _ => row.follow(event),
        }
    }

    fn case(&self) -> &Case {
        &self.case
    }
}

/// See its sentence.
#[derive(Default)]
pub struct ReclaimTakesTheObservedDead {
    rows: ByProcess<Reclaiming>,
    case: Case,
}

#[derive(Default)]
struct Reclaiming {
    held: Held,
    observed: Option<(GrantNo, bool)>,
}

impl Law for ReclaimTakesTheObservedDead {
    fn name(&self) -> &'static str {
        "reclaim-takes-the-observed-dead"
    }

    fn sentence(&self) -> &'static str {
        "a live grant is taken over only if it is the one observed and its holder is dead"
    }

    fn see(&mut self, number: u64, event: &Event) {
        let row = self.rows.of(event.process);
        match event.kind {
            // A probe that lies breaks an assumption: what follows from the lie is not the registry's fault.
            Kind::Observed => row.observed = Some((event.grant, event.a == 1 || event.b == 1)),
            Kind::Reclaimed => {
                self.case.meet();
                let was_live = row.held.holder.is_some() && event.clock < row.held.expires_ms;
                if was_live {
                    let observed = row.observed.take();
                    let holder = row.held.holder;
                    match observed {
                        Some((grant, _)) if Some(grant) != holder => self.case.breach(number, || {
                            "a live grant was taken over that was not the one observed".to_owned()
                        }),
                        Some((_, true)) => {}
                        _ => self.case.breach(number, || {
                            "a live grant was taken over although its holder was alive".to_owned()
                        }),
                    }
                }
                row.held.follow(event);
            }
            Kind::Released if row.held.holder == Some(event.grant) => row.held.holder = None,
            _ => row.held.follow(event),
        }
    }

    fn case(&self) -> &Case {
        &self.case
    }
}

/// See its sentence.
#[derive(Default)]
pub struct ExpiryIsExact {
    rows: ByProcess<Held>,
    case: Case,
}

impl Law for ExpiryIsExact {
    fn name(&self) -> &'static str {
        "expiry-is-exact"
    }

    fn sentence(&self) -> &'static str {
        "at `expires_at` the grant is gone, one millisecond earlier it is not, for every method alike"
    }

    fn see(&mut self, number: u64, event: &Event) {
        let row = self.rows.of(event.process);
        let is_holders = row.holder == Some(event.grant);
        let is_over = event.clock >= row.expires_ms;
        let (by, what) = match event.kind {
            Kind::Renewed if is_holders => (is_over, "was renewed"),
            Kind::Wrote if is_holders => (is_over, "wrote"),
            Kind::Ended if is_holders => (is_over, "ended its process"),
            Kind::Reentered if is_holders => (is_over, "was entered again"),
            Kind::Busy if is_holders => (is_over, "kept others out"),
            Kind::Granted if row.holder.is_some() => (!is_over, "made place for another"),
            Kind::Refused if is_holders && event.b == refusal::EXPIRED => (!is_over, "was called expired"),
            _ => (false, ""),
        };
        if !what.is_empty() {
            self.case.meet();
        }
        if by {
            let expires_ms = row.expires_ms;
            self.case.breach(number, || {
                let (apart, side) = if event.clock >= expires_ms {
                    (event.clock - expires_ms, "after")
                } else {
                    (expires_ms - event.clock, "before")
                };
                format!("{apart} ms {side} its expiry a grant {what}")
            });
        }
        if event.kind == Kind::Released && is_holders {
            row.holder = None;
        }
        row.follow(event);
    }

    fn case(&self) -> &Case {
        &self.case
    }
}

/// See its sentence.
#[derive(Default)]
pub struct TokensAreDrawn {
    seen: BTreeSet<u64>,
    case: Case,
}

/// 128 bits.
const TOKEN_BYTES: u64 = 16;

impl Law for TokensAreDrawn {
    fn name(&self) -> &'static str {
        "tokens-are-drawn"
    }

    fn sentence(&self) -> &'static str {
        "no token repeats in a run, and each new grant draws at least 16 bytes of entropy"
    }

    fn see(&mut self, number: u64, event: &Event) {
        self.case.meet();
        if !self.seen.insert(event.a) {
            self.case.breach(number, || "a new grant has a token that an earlier one had".to_owned());
        }
        if event.b < TOKEN_BYTES {
            self.case.breach(number, || format!("a new grant drew {} bytes of entropy", event.b));
        }
    }

    fn case(&self) -> &Case {
        &self.case
    }
}

/// See its sentence.
#[derive(Default)]
pub struct LivesDoNotMix {
    lives: ByProcess<u64>,
    granted_in: Vec<u64>,
    case: Case,
}

impl Law for LivesDoNotMix {
    fn name(&self) -> &'static str {
        "lives-do-not-mix"
    }

    fn sentence(&self) -> &'static str {
        "no call that presents a lease of a pruned life acts on the next"
    }

    fn see(&mut self, number: u64, event: &Event) {
        let life = *self.lives.of(event.process);
        match event.kind {
            Kind::Pruned => *self.lives.of(event.process) += 1,
            Kind::Granted | Kind::Reclaimed => {
                let place = event.grant.0 as usize;
                if self.granted_in.len() <= place {
                    self.granted_in.resize(place + 1, u64::MAX);
                }
                self.granted_in[place] = life;
            }
            Kind::Renewed | Kind::Wrote | Kind::Ended | Kind::Reentered if event.grant.is_some() => {
                self.case.meet();
                let granted_in = self.granted_in.get(event.grant.0 as usize).copied().unwrap_or(u64::MAX);
                if granted_in != life {
                    self.case.breach(number, || {
                        format!("a grant of an earlier life acted: `{}`", call_name(event))
                    });
                }
            }
            _ => {}
        }
    }

    fn case(&self) -> &Case {
        &self.case
    }
}

fn call_name(event: &Event) -> &'static str {
    match event.kind {
        Kind::Renewed => CallKind::Renew.name(),
        Kind::Ended => CallKind::Complete.name(),
        Kind::Reentered => CallKind::Claim.name(),
        _ => "write",
    }
}
