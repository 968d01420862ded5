//! Marks of crashes of the registry: with calls in flight, with pages that its disk was not told to sync, and of its machine
//! after it had answered from a log that it had recovered.

use std::collections::BTreeSet;

use crate::coverage::{CoverageCounts, Mark};
use crate::history::event::{CrashDamage, Event};
use crate::plan::Node;

#[derive(Default)]
pub struct RegistryCrashObserver {
    /// Calls that were sent and not answered, by node and number.
    calls_in_flight: BTreeSet<(u8, u64)>,
    /// Set when the registry's process died with unsynced pages. The value is true once it has answered again.
    has_answered_since: Option<bool>,
}

impl RegistryCrashObserver {
    pub fn sent(&mut self, event: &Event, number: u64) {
        self.calls_in_flight.insert((event.node, number));
    }

    pub fn heard(&mut self, event: &Event, number: u64) {
        self.calls_in_flight.remove(&(event.node, number));
    }

    #[inline]
    pub fn decision(&mut self, event: &Event) {
        if let Some(has_answered) = &mut self.has_answered_since {
            *has_answered |= event.node != Node::Registry.code();
        }
    }

    pub fn registry_crashed(&mut self, damage: CrashDamage, counts: &mut CoverageCounts) {
        if !self.calls_in_flight.is_empty() {
            counts.hit(Mark::RegistryCrashWithCalls);
        }
        if damage.had_unsynced_pages {
            counts.hit(Mark::CrashWithUnsyncedPages);
        }
        if !damage.is_of_machine {
            self.has_answered_since = damage.had_unsynced_pages.then_some(false);
        } else if self.has_answered_since.take() == Some(true) {
            counts.hit(Mark::AnsweredFromRecoveredLog);
        }
    }

    pub fn node_crashed(&mut self, node: u8) {
        self.calls_in_flight.retain(|(sender, _)| *sender != node);
    }
}
