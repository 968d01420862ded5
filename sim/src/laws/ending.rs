//! The laws of a life's course: it ends once, owner-bound work begins once, nothing panics, and a calm ends everything.

use super::{Breach, ByProcess, Finding, Law};
use crate::event::{Event, GrantNo, Kind, Left, NO_PROCESS, Wrote, disposition, status};

/// See its sentence.
#[derive(Default)]
pub struct EndsOnce {
    ended: ByProcess<Option<(u64, u64)>>,
    checked: u64,
    breach: Breach,
}

impl Law for EndsOnce {
    fn name(&self) -> &'static str {
        "ends-once"
    }

    fn sentence(&self) -> &'static str {
        "a life has one terminal outcome; status and output agree and never change"
    }

    fn see(&mut self, number: u64, event: &Event) {
        let ended = self.ended.of(event.process);
        match event.kind {
            Kind::Pruned => *ended = None,
            Kind::Registered if event.b == 1 => *ended = None,
            Kind::Ended => {
                self.checked += 1;
                match *ended {
                    None => *ended = Some((event.a, event.b)),
                    Some(first) if first == (event.a, event.b) => {}
                    Some((first, _)) => self.breach.note(number, || {
                        format!(
                            "it had ended {} and was ended again, {}",
                            status::name(first),
                            status::name(event.a)
                        )
                    }),
                }
            }
            Kind::Showed => {
                self.checked += 1;
                let expected = ended.unwrap_or((status::RUNNING, 0));
                if (event.a, event.b) != expected {
                    self.breach.note(number, || {
                        format!(
                            "a read showed it {} when it was {}",
                            status::name(event.a),
                            status::name(expected.0)
                        )
                    });
                }
            }
            _ => {}
        }
    }

    fn finding(&self) -> Finding {
        self.breach.finding()
    }

    fn checked(&self) -> u64 {
        self.checked
    }
}

/// See its sentence.
#[derive(Default)]
pub struct OwnerBoundStartsOnce {
    rows: ByProcess<Start>,
    checked: u64,
    breach: Breach,
}

#[derive(Default)]
struct Start {
    is_owner_bound: bool,
    started_by: Option<GrantNo>,
    begun: u64,
}

impl Law for OwnerBoundStartsOnce {
    fn name(&self) -> &'static str {
        "owner-bound-starts-once"
    }

    fn sentence(&self) -> &'static str {
        "an owner-bound process has at most one body per life, begun only after the first start was recorded under that \
         same grant"
    }

    fn see(&mut self, number: u64, event: &Event) {
        let row = self.rows.of(event.process);
        match event.kind {
            Kind::Registered if event.b == 1 => {
                *row = Start { is_owner_bound: event.a == disposition::OWNER_BOUND, ..Start::default() };
            }
            Kind::Wrote if event.a == Wrote::FirstStart as u64 => row.started_by = Some(event.grant),
            Kind::BodyBegan if row.is_owner_bound => {
                self.checked += 1;
                row.begun += 1;
                let (begun, started_by) = (row.begun, row.started_by);
                if begun > 1 {
                    self.breach.note(number, || format!("body number {begun} of this life began"));
                } else if started_by != Some(event.grant) {
                    self.breach.note(number, || {
                        "its body began under a grant that had not recorded the first start".to_owned()
                    });
                }
            }
            _ => {}
        }
    }

    fn finding(&self) -> Finding {
        self.breach.finding()
    }

    fn checked(&self) -> u64 {
        self.checked
    }
}

/// See its sentence.
#[derive(Default)]
pub struct NobodyPanics {
    checked: u64,
    breach: Breach,
}

impl Law for NobodyPanics {
    fn name(&self) -> &'static str {
        "nobody-panics"
    }

    fn sentence(&self) -> &'static str {
        "no code under test panics (a body may: its process ends Failed)"
    }

    fn see(&mut self, number: u64, event: &Event) {
        self.checked += 1;
        if event.kind == Kind::Panicked {
            self.breach.note(number, || "a task of the system panicked".to_owned());
        }
    }

    fn finding(&self) -> Finding {
        self.breach.finding()
    }

    fn checked(&self) -> u64 {
        self.checked
    }
}

/// See its sentence.
#[derive(Default)]
pub struct CalmEndsEverything {
    checked: u64,
    breach: Breach,
}

impl Law for CalmEndsEverything {
    fn name(&self) -> &'static str {
        "calm-ends-everything"
    }

    fn sentence(&self) -> &'static str {
        "once faults are over every row that can end by itself does, and every other once it is asked to; no lease stays \
         stored and every waiter returns, within a bound"
    }

    fn see(&mut self, number: u64, event: &Event) {
        match event.kind {
            Kind::CalmBegan => self.checked += 1,
            Kind::Exhausted => self.breach.note(number, || {
                "the run was cut short: one simulated second took more turns than any may (a livelock, or a runaway plan)"
                    .to_owned()
            }),
            Kind::Remained => self.breach.note(number, || {
                let what = match event.a {
                    left if left == Left::Row as u64 => "had not ended, although nothing kept it",
                    left if left == Left::RowAsked as u64 => "had not ended, although it was asked to",
                    left if left == Left::Lease as u64 => "still had a lease",
                    _ => "a waiter had not returned",
                };
                match event.process {
                    NO_PROCESS => format!("at the end of the calm {what}"),
                    process => format!("at the end of the calm p{process} {what}"),
                }
            }),
            _ => {}
        }
    }

    fn finding(&self) -> Finding {
        self.breach.finding()
    }

    fn checked(&self) -> u64 {
        self.checked
    }
}
