//! The law of waits: what a waiter is told was true at some instant of its wait.

use std::collections::{BTreeMap, BTreeSet};

use crate::history::event::{Event, Kind, NO_PROCESS};
use crate::laws::{ByProcess, Case, Law};
use crate::plan::{Node, Plan, Store};

/// See its sentence.
#[derive(Default)]
pub struct WaitsTellTheTruth {
    rows: ByProcess<Known>,
    began_us: BTreeMap<u64, u64>,
    /// On the registry's own node.
    reads_take_no_time: bool,
    case: Case,
}

#[derive(Default)]
struct Known {
    is_known: bool,
    /// The last instant at which the id was unknown, if it is known now.
    unknown_until_us: u64,
    /// Outcomes of any life.
    outcomes: BTreeSet<u64>,
    /// Waits on the registry's own node: which, and the instant of the end they must answer in.
    at_home: Vec<(u64, Option<u64>)>,
}

impl WaitsTellTheTruth {
    pub fn new(plan: &Plan) -> Self {
        Self { reads_take_no_time: plan.store == Store::Memory, ..Self::default() }
    }

    /// Whoever waits on a node that stands still or dies hears nothing in time; and at the end of the run everybody has.
    fn seen_of_the_node(&mut self, number: u64, event: &Event) {
        let is_registry = event.node == Node::Registry.code();
        if event.kind == Kind::Finished {
            let is_left =
                self.rows.all().any(|row| row.at_home.iter().any(|(_, ended_us)| ended_us.is_some()));
            if is_left {
                self.case.breach(number, || {
                    "a waiter beside the registry was never told of an end that was decided".to_owned()
                });
            }
        } else if is_registry && matches!(event.kind, Kind::Paused | Kind::Crashed) {
            self.rows.all().for_each(|row| row.at_home.clear());
        }
    }
}

impl Law for WaitsTellTheTruth {
    fn name(&self) -> &'static str {
        "waits-tell-the-truth"
    }

    fn sentence(&self) -> &'static str {
        "a wait is answered with an outcome the id had, and with unknown only if the id was unknown at some instant of it; \
         beside the registry it is answered in the millisecond of the end"
    }

    fn see(&mut self, number: u64, event: &Event) {
        if event.process == NO_PROCESS {
            return self.seen_of_the_node(number, event);
        }
        let row = self.rows.of(event.process);
        match event.kind {
            Kind::Registered if !row.is_known => {
                row.is_known = true;
                row.unknown_until_us = event.at_us;
            }
            Kind::Pruned => row.is_known = false,
            Kind::Ended => {
                row.outcomes.insert(event.b);
                row.at_home.iter_mut().for_each(|(_, ended_us)| *ended_us = ended_us.or(Some(event.at_us)));
            }
            Kind::WaitBegan => {
                if event.node == Node::Registry.code() && self.reads_take_no_time {
                    row.at_home.push((event.b, None));
                }
                self.began_us.insert(event.b, event.at_us);
            }
            Kind::WaitEnded => {
                self.case.meet();
                if let Some(place) = row.at_home.iter().position(|(wait, _)| *wait == event.b)
                    && let (_, Some(ended_us)) = row.at_home.swap_remove(place)
                    && event.at_us / 1_000 > ended_us / 1_000
                {
                    let late_ms = event.at_us / 1_000 - ended_us / 1_000;
                    self.case.breach(number, || {
                        format!(
                            "a waiter beside the registry was told {late_ms} ms after the end was decided"
                        )
                    });
                }
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
