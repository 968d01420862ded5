//! The laws of a life's course: it ends once, owner-bound work begins once, nothing panics, and a calm ends everything.

use crate::history::event::{Event, GrantNo, Kind, Left, NO_PROCESS, Wrote, disposition, refusal, status};
use crate::laws::{ByProcess, Case, Law};

/// See its sentence.
#[derive(Default)]
pub struct EndsOnce {
    ended: ByProcess<Option<(u64, u64)>>,
    case: Case,
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
                self.case.meet();
                match *ended {
                    None => *ended = Some((event.a, event.b)),
                    Some(first) if first == (event.a, event.b) => {}
                    Some((first, _)) => self.case.breach(number, || {
                        format!(
                            "it had ended {} and was ended again, {}",
                            status::name(first),
                            status::name(event.a)
                        )
                    }),
                }
            }
            Kind::Refused if event.b == refusal::TERMINAL && ended.is_none() => {
                self.case.breach(number, || "a call was told that it had ended, and it had not".to_owned());
            }
            Kind::Showed => {
                self.case.meet();
                let expected = ended.unwrap_or((status::RUNNING, 0));
                if (event.a, event.b) != expected {
                    self.case.breach(number, || {
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

    fn case(&self) -> &Case {
        &self.case
    }
}

/// See its sentence.
#[derive(Default)]
pub struct OwnerBoundStartsOnce {
    rows: ByProcess<Start>,
    /// How many lives there were when each grant was made.
    granted_in: Vec<usize>,
    case: Case,
}

#[derive(Default)]
struct Start {
    /// A life each, the present one last.
    lives: Vec<Life>,
}

#[derive(Default)]
struct Life {
    is_owner_bound: bool,
    /// The first that was recorded; what a registry records over it does not count.
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
        let present = row.lives.len();
        match event.kind {
            Kind::Registered if event.b == 1 => {
                let is_owner_bound = event.a == disposition::OWNER_BOUND;
                row.lives.push(Life { is_owner_bound, ..Life::default() });
            }
            Kind::Granted | Kind::Reclaimed => {
                let place = event.grant.0 as usize;
                if self.granted_in.len() <= place {
                    self.granted_in.resize(place + 1, 0);
                }
                self.granted_in[place] = present;
            }
            Kind::Wrote if event.a == Wrote::FirstStart as u64 => {
                if let Some(life) = row.lives.last_mut() {
                    life.started_by.get_or_insert(event.grant);
                }
            }
            Kind::BodyBegan => {
                // A body belongs to the life its grant was made in: an old one may begin when the next has begun.
                let granted_in = self.granted_in.get(event.grant.0 as usize).copied().unwrap_or(present);
                let Some(life) = granted_in.checked_sub(1).and_then(|place| row.lives.get_mut(place)) else {
                    return;
                };
                if !life.is_owner_bound {
                    return;
                }
                self.case.meet();
                life.begun += 1;
                let (begun, started_by) = (life.begun, life.started_by);
                if begun > 1 {
                    self.case.breach(number, || format!("body number {begun} of this life began"));
                } else if started_by != Some(event.grant) {
                    self.case.breach(number, || {
                        "its body began under a grant that had not recorded the first start".to_owned()
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
pub struct NobodyPanics {
    case: Case,
}

impl Law for NobodyPanics {
    fn name(&self) -> &'static str {
        "nobody-panics"
    }

    fn sentence(&self) -> &'static str {
        "no code under test panics (a body may: its process ends Failed)"
    }

    fn see(&mut self, number: u64, event: &Event) {
        self.case.meet();
        if event.kind == Kind::Panicked {
            self.case.breach(number, || "a task of the system panicked".to_owned());
        }
    }

    fn case(&self) -> &Case {
        &self.case
    }
}

/// See its sentence.
#[derive(Default)]
pub struct CalmEndsEverything {
    case: Case,
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
            Kind::LivenessBegan => self.case.meet(),
            Kind::Exhausted => self.case.breach(number, || {
                "the run was cut short: one simulated second took more turns than any may (a livelock, or a runaway plan)"
                    .to_owned()
            }),
            Kind::Remained => self.case.breach(number, || {
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

    fn case(&self) -> &Case {
        &self.case
    }
}
