//! One history from the journals of all processes. Decisions stand in the order of the instants that were read under the
//! store's locks; what happened at nodes stands among them by the same clock.

mod decisions;
mod fates;
mod historian;
mod moments;
mod node_journal;
mod run_record;

use crate::history::History;
use crate::live::live_error::LiveError;

use fates::{Fates, LockOfDecision};
use historian::Historian;

pub use run_record::{RunEnd, RunRecord};

/// The history of a run, and how much of it is known.
pub struct MergedRun {
    pub history: History,
    /// Calls that were decided.
    pub decided: u64,
    /// Calls whose outcome their caller never heard, and that were applied all the same, or were not.
    pub unheard_applied: u64,
    pub unheard_not_applied: u64,
    /// Calls of which nobody can tell: nothing that came after shows it.
    pub doubtful: u64,
    /// Reads that overlapped a write about the same process: their place is not known, and they are left out.
    pub unplaced_reads: u64,
}

pub fn merge(record: RunRecord<'_>) -> Result<MergedRun, LiveError> {
    let journals = node_journal::read_journals(record.folder, &record.fleet_events)?;
    let mut decisions = decisions::of_journals(&journals);
    let lock = LockOfDecision {
        is_a_servers: record.is_on_a_server,
        base_ns: record.base_ns,
        wall_base_ms: record.wall_base_ms,
    };
    let fates = Fates::settle(&mut decisions, &record.looks, lock);
    let moments = moments::in_order(&journals, &decisions, &record);
    let mut historian = Historian::new(&record);
    for moment in &moments {
        historian.tell(moment, &decisions);
    }
    let (grants, events) = historian.end(&record);
    let history = History { plan: record.plan, grants, events, notes: Vec::new() };
    let Fates { unheard_applied, unheard_not_applied, doubtful, unplaced_reads } = fates;
    let decided = decisions.iter().filter(|decision| decision.facts.is_some()).count() as u64;
    Ok(MergedRun { history, decided, unheard_applied, unheard_not_applied, doubtful, unplaced_reads })
}
