//! The law of waits: what a waiter is told was true at some instant of its wait.

use std::collections::{BTreeMap, BTreeSet};

use super::{ByProcess, Case, Law};
use crate::event::{Event, Kind};

/// See its sentence.
#[derive(Default)]
pub struct WaitsTellTheTruth {
    rows: ByProcess<Known>,
    began_us: BTreeMap<u64, u64>,
    case: Case,
}

#[derive(Default)]
struct Known {
    is_known: bool,
    /// The last instant at which the id was unknown, if it is known now.
    unknown_until_us: u64,
    /// Outcomes of any life.
    outcomes: BTreeSet<u64>,
}

impl Law for WaitsTellTheTruth {
    fn name(&self) -> &'static str {
        "waits-tell-the-truth"
    }

    fn sentence(&self) -> &'static str {
        "a wait is answered with an outcome the id had, and with unknown only if the id was unknown at some instant of it"
    }

    fn see(&mut self, number: u64, event: &Event) {
        let row = self.rows.of(event.process);
        match event.kind {
            Kind::Registered if !row.is_known => {
                row.is_known = true;
                row.unknown_until_us = event.at_us;
            }
            Kind::Pruned => row.is_known = false,
            Kind::Ended => {
                row.outcomes.insert(event.b);
            }
            Kind::WaitBegan => {
                self.began_us.insert(event.b, event.at_us);
            }
            Kind::WaitEnded => {
                self.case.meet();
                let began_us = self.began_us.remove(&event.b).unwrap_or(0);
                // It took a moment to come: what was true when it was asked may be over.
                let was_unknown = !row.is_known || row.unknown_until_us >= began_us;
                match event.a {
                    0 if !was_unknown => self.case.breach(number, || {
                        "a waiter was told that the id is unknown, and it was known all the while".to_owned()
                    }),
                    0 => {}
                    outcome if !row.outcomes.contains(&outcome) => self.case.breach(number, || {
                        "a waiter was told an outcome that the process never had".to_owned()
                    }),
                    _ => {}
                }
            }
            _ => {}
        }
    }

    fn case(&self) -> &Case {
        &self.case
    }
}
