//! The law of durability. Whatever the store shows when it is opened again is compared with what it had acknowledged, and
//! shown, before: all of that must be there, and what was not acknowledged, whole or not at all.

use crate::history::event::{Event, GrantNo, Kind, Wrote, status, survived, turned_out};
use crate::laws::{ByProcess, Case, Law};

/// See its sentence.
#[derive(Default)]
pub struct AcknowledgedSurvives {
    rows: ByProcess<Acknowledged>,
    case: Case,
}

#[derive(Default)]
struct Acknowledged {
    is_known: bool,
    ended: Option<(u64, u64)>,
    lease: Option<(GrantNo, u64)>,
    is_started: bool,
    is_waiting: bool,
    abandon_requested: bool,
    sequence: u64,
}

impl Acknowledged {
    fn follow(&mut self, event: &Event) {
        match event.kind {
            Kind::Registered => self.is_known = true,
            Kind::Granted | Kind::Reclaimed | Kind::Reentered | Kind::Renewed => {
                self.lease = Some((event.grant, event.a));
            }
            Kind::Released if self.lease.is_some_and(|(held, _)| held == event.grant) => self.lease = None,
            Kind::Wrote if event.a == Wrote::FirstStart as u64 => self.is_started = true,
            Kind::Wrote if event.a == Wrote::Wait as u64 => self.is_waiting = true,
            Kind::Wrote if event.a == Wrote::WaitCleared as u64 => self.is_waiting = false,
            Kind::Asked if event.a == Wrote::AbandonRequest as u64 => self.abandon_requested = true,
            Kind::Appended | Kind::LogShown => self.sequence = self.sequence.max(event.a),
            Kind::Ended => {
                self.ended = Some((event.a, event.b));
                self.lease = None;
                self.is_waiting = false;
            }
            Kind::Pruned => *self = Self::default(),
            _ => {}
        }
    }

    /// What is missing of the row, or was never said to be there.
    fn differs(&self, shown: u64, sequence: u64) -> Option<&'static str> {
        let has = |bit: u64| shown & bit != 0;
        if has(survived::IS_UNREADABLE) {
            return Some("rows that cannot be read, on a disk that is sound");
        }
        if has(survived::IS_TORN) {
            return Some("an end, but the lease or the wait that it takes away is still there");
        }
        if has(survived::IS_KNOWN) != self.is_known {
            return Some(if self.is_known { "no such process" } else { "a process that was pruned" });
        }
        let ended = self.ended.map_or(status::RUNNING, |(status, _)| status);
        if self.is_known && shown & 0xff != ended {
            return Some(if self.ended.is_some() {
                "no end, or another"
            } else {
                "an end that nobody knew of"
            });
        }
        let facts = [
            (survived::IS_STARTED, self.is_started, "the first start is not as it was"),
            (survived::IS_WAITING, self.is_waiting, "the wait is not as it was"),
            (survived::ABANDON_REQUESTED, self.abandon_requested, "the abandon request is not as it was"),
        ];
        let differs = facts.into_iter().find(|(bit, expected, _)| self.is_known && has(*bit) != *expected);
        match differs {
            Some((_, _, what)) => Some(what),
            None if self.is_known && sequence < self.sequence => Some("events are missing"),
            None => None,
        }
    }
}

impl Law for AcknowledgedSurvives {
    fn name(&self) -> &'static str {
        "acknowledged-survives"
    }

    fn sentence(&self) -> &'static str {
        "what a durable registry acknowledged, or showed in an answered read, is there after every crash; what it did not \
         is there whole or not at all"
    }

    fn see(&mut self, number: u64, event: &Event) {
        let row = self.rows.of(event.process);
        match event.kind {
            Kind::TurnedOut if event.b == turned_out::PARTLY => {
                self.case.breach(number, || "a call that was never acknowledged is there in part".to_owned());
            }
            Kind::Survived => {
                self.case.meet();
                if let Some(what) = row.differs(event.a, event.b) {
                    self.case.breach(number, || format!("the store was opened again and showed: {what}"));
                }
            }
            Kind::SurvivedLease => {
                let shown = event.grant.is_some().then_some((event.grant, event.a));
                if shown != row.lease {
                    self.case.breach(number, || {
                        let what = match (shown, row.lease) {
                            (None, _) => "the lease it had granted is gone",
                            (Some(_), None) => "a lease that was given up is there again",
                            _ => "the lease is not the one it had granted, or not as long",
                        };
                        format!("the store was opened again, and {what}")
                    });
                }
                if let Some((_, output)) = row.ended
                    && output != event.b
                {
                    self.case.breach(number, || "the outcome is another one after the opening".to_owned());
                }
            }
            _ => row.follow(event),
        }
    }

    fn case(&self) -> &Case {
        &self.case
    }
}
