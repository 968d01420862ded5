//! Laws of a process's course: what may still happen to it, who may run it, who may give it up, and that what its body
//! produced is what is kept.

use crate::history::event::{
    Abandons, BodyEnded, CallKind, Event, GrantNo, Kind, Wrote, disposition, licence, refusal, status,
};
use crate::laws::{ByProcess, Case, Law};

/// See its sentence.
#[derive(Default)]
pub struct NothingAfterTheEnd {
    has_ended: ByProcess<bool>,
    case: Case,
}

impl Law for NothingAfterTheEnd {
    fn name(&self) -> &'static str {
        "nothing-after-the-end"
    }

    fn sentence(&self) -> &'static str {
        "no event, wait, start or lease is added to a terminal process"
    }

    fn see(&mut self, number: u64, event: &Event) {
        let has_ended = self.has_ended.of(event.process);
        let what = match event.kind {
            Kind::Ended => {
                *has_ended = true;
                return;
            }
            Kind::Pruned => {
                *has_ended = false;
                return;
            }
            Kind::Granted | Kind::Reclaimed | Kind::Reentered | Kind::Renewed => "a lease",
            Kind::Wrote if event.a == Wrote::StartedBefore as u64 => return,
            Kind::Wrote if event.a == Wrote::StartedByItself as u64 => return,
            Kind::Wrote => "a write of its execution",
            // Wakes may be acked and handles given after the end, too.
            Kind::Asked if event.a == Wrote::Signal as u64 || event.a == Wrote::CancelRequest as u64 => {
                "an event"
            }
            _ => return,
        };
        self.case.meet();
        if *has_ended {
            self.case.breach(number, || format!("{what} was added after the end"));
        }
    }

    fn case(&self) -> &Case {
        &self.case
    }
}

/// See its sentence.
#[derive(Default)]
pub struct ExternallyOwnedNeverRuns {
    is_external: ByProcess<bool>,
    case: Case,
}

impl Law for ExternallyOwnedNeverRuns {
    fn name(&self) -> &'static str {
        "externally-owned-never-runs"
    }

    fn sentence(&self) -> &'static str {
        "no worker runs the body of an externally owned process"
    }

    fn see(&mut self, number: u64, event: &Event) {
        let is_external = self.is_external.of(event.process);
        match event.kind {
            Kind::Registered if event.b == 1 => {
                *is_external = event.a == disposition::EXTERNALLY_OWNED;
                if *is_external {
                    self.case.meet();
                }
            }
            Kind::BodyBegan if *is_external => {
                self.case.breach(number, || "its body began".to_owned());
            }
            _ => {}
        }
    }

    fn case(&self) -> &Case {
        &self.case
    }
}

/// See its sentence.
#[derive(Default)]
pub struct AbandonmentIsLicensed {
    rows: ByProcess<Row>,
    case: Case,
}

#[derive(Default)]
struct Row {
    was_requested: bool,
    holder: Option<(GrantNo, u64)>,
    /// Who gives it up, with what licence, under which grant; decided by the next event of the row.
    gives_up: Option<(u64, u64, GrantNo)>,
}

impl Law for AbandonmentIsLicensed {
    fn name(&self) -> &'static str {
        "abandonment-is-licensed"
    }

    fn sentence(&self) -> &'static str {
        "a sweep gives up only what a dead worker started, a drain only what its own life started, a request is carried out \
         only if it was made and no other grant was live; time alone ends nothing"
    }

    fn see(&mut self, number: u64, event: &Event) {
        let row = self.rows.of(event.process);
        match event.kind {
            Kind::Pruned => *row = Row::default(),
            Kind::Asked if event.a == Wrote::AbandonRequest as u64 => row.was_requested = true,
            Kind::Granted | Kind::Reclaimed | Kind::Reentered => row.holder = Some((event.grant, event.a)),
            Kind::GivesUp => row.gives_up = Some((event.a, event.b, event.grant)),
            Kind::Ended => {
                let gives_up = row.gives_up.take();
                if event.a != status::ABANDONED {
                    return;
                }
                self.case.meet();
                let Some((writer, bits, grant)) = gives_up else {
                    return self.case.breach(number, || "it was given up by nobody who may".to_owned());
                };
                let has = |bit: u64| bits & bit != 0;
                let others_live =
                    row.holder.is_some_and(|(held, until_ms)| held != grant && event.clock < until_ms);
                let fault = match writer {
                    by if by == Abandons::Sweep as u64 => {
                        // A probe that lies breaks an assumption.
                        (!has(licence::STARTER_IS_DEAD) && !has(licence::PROBES_LIE))
                            .then_some("a sweep gave it up while its starter was alive")
                    }
                    by if by == Abandons::OwnerDrain as u64 => (!has(licence::IS_STARTER))
                        .then_some("a drain gave up what its own life had not started"),
                    _ if !row.was_requested => {
                        Some("it was given up as requested, and nobody had requested it")
                    }
                    _ => others_live.then_some("it was given up as requested while another's grant was live"),
                };
                if let Some(fault) = fault {
                    self.case.breach(number, || fault.to_owned());
                }
            }
            // It may have been done all the same.
            Kind::Refused if event.b == refusal::UNKNOWN_OUTCOME => {}
            _ => row.gives_up = None,
        }
    }

    fn case(&self) -> &Case {
        &self.case
    }
}

/// See its sentence.
#[derive(Default)]
pub struct OutcomesAreNotDropped {
    /// Of each grant: the hash of what its body gave.
    given: Vec<Option<u64>>,
    case: Case,
}

impl Law for OutcomesAreNotDropped {
    fn name(&self) -> &'static str {
        "outcomes-are-not-dropped"
    }

    fn sentence(&self) -> &'static str {
        "a worker whose body produced an outcome sends no release for that grant, and the recorded outcome is the one the \
         winning grant's body gave"
    }

    fn see(&mut self, number: u64, event: &Event) {
        if !event.grant.is_some() {
            return;
        }
        let place = event.grant.0 as usize;
        if self.given.len() <= place {
            self.given.resize(place + 1, None);
        }
        match event.kind {
            Kind::BodyEnded if event.a == BodyEnded::Output as u64 => self.given[place] = Some(event.b),
            Kind::Sent if event.a == CallKind::Release as u64 && self.given[place].is_some() => {
                self.case.breach(number, || {
                    "a release was sent although the body had given an outcome".to_owned()
                });
            }
            Kind::Ended => {
                self.case.meet();
                if let Some(given) = self.given[place]
                    && given != event.b
                {
                    self.case.breach(number, || {
                        "the recorded outcome is not the one that the body of this grant gave".to_owned()
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

/// See its sentence.
#[derive(Default)]
pub struct StartsAreFirst {
    was_started: ByProcess<bool>,
    case: Case,
}

impl Law for StartsAreFirst {
    fn name(&self) -> &'static str {
        "starts-are-first"
    }

    fn sentence(&self) -> &'static str {
        "a life's first start is recorded once, and no later start takes its place"
    }

    fn see(&mut self, number: u64, event: &Event) {
        let was_started = self.was_started.of(event.process);
        match event.kind {
            Kind::Pruned => *was_started = false,
            Kind::Wrote if event.a == Wrote::FirstStart as u64 => {
                self.case.meet();
                if std::mem::replace(was_started, true) {
                    self.case.breach(number, || "a first start was recorded again".to_owned());
                }
            }
            _ => {}
        }
    }

    fn case(&self) -> &Case {
        &self.case
    }
}
