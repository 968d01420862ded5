//! Everything that happened in a run, in one order: decisions, lines of journals, and what was done to processes.

use std::collections::BTreeMap;

use crate::live::fleet::{FleetChange, FleetEvent};
use crate::live::journal::{JournalEntry, JournalLine};
use crate::live::merge::decisions::LiveDecision;
use crate::live::merge::node_journal::NodeJournal;
use crate::live::merge::run_record::RunRecord;

/// One thing that happened.
pub enum Moment<'a> {
    Decided(u64, usize),
    Noted(&'a NodeJournal, &'a JournalLine),
    Done(&'a FleetEvent),
    StepTaken(u64, u64),
    ServerDown(u64, u64),
    ServerUp(u64, u64),
    Calm(u64, u64),
}

impl Moment<'_> {
    pub fn at_ns(&self) -> u64 {
        match self {
            Self::Decided(at_ns, _)
            | Self::StepTaken(at_ns, _)
            | Self::ServerDown(at_ns, _)
            | Self::ServerUp(at_ns, _)
            | Self::Calm(at_ns, _) => *at_ns,
            Self::Noted(_, line) => line.at_ns,
            Self::Done(event) => event.at_ns,
        }
    }
}

pub fn in_order<'a>(
    journals: &'a [NodeJournal],
    decisions: &[LiveDecision],
    record: &'a RunRecord<'_>,
) -> Vec<Moment<'a>> {
    let decided =
        decisions.iter().enumerate().map(|(place, decision)| Moment::Decided(decision.at_ns(), place));
    let mut moments: Vec<Moment<'a>> = decided.collect();
    for journal in journals {
        let is_told = |line: &&JournalLine| {
            !matches!(
                line.entry,
                JournalEntry::Began { .. }
                    | JournalEntry::Arrived { .. }
                    | JournalEntry::Decided { .. }
                    | JournalEntry::Answered { .. }
            )
        };
        moments.extend(journal.lines.iter().filter(is_told).map(|line| Moment::Noted(journal, line)));
    }
    moments.extend(record.fleet_events.iter().map(Moment::Done));
    let steps = (0..).zip(&record.plan.steps);
    moments.extend(
        steps.map(|(number, step)| Moment::StepTaken(record.base_ns + step.at_ms * 1_000_000, number)),
    );
    for (life, crash) in (2..).zip(&record.server_crashes) {
        moments.push(Moment::ServerDown(crash.down_ns, life));
        moments.extend(crash.up_ns.map(|up_ns| Moment::ServerUp(up_ns, life)));
    }
    moments.extend(record.calm.map(|(at_ns, bound_us)| Moment::Calm(at_ns, bound_us)));
    // Nobody acts before time zero.
    moments.sort_by_key(|moment| moment.at_ns().max(record.base_ns));
    moments
}

/// When each process of the run, by its number in the operating system, was killed.
pub fn deaths(events: &[FleetEvent]) -> BTreeMap<u32, u64> {
    let mut pids: BTreeMap<(u8, u64), u32> = BTreeMap::new();
    let mut deaths = BTreeMap::new();
    for event in events {
        match event.what {
            FleetChange::Started { life, pid } => {
                pids.insert((event.node.code(), life), pid);
                deaths.remove(&pid);
            }
            FleetChange::IsKilled { life } => {
                let pid = pids.get(&(event.node.code(), life));
                deaths.extend(pid.map(|pid| (*pid, event.at_ns)));
            }
            FleetChange::Died { .. } | FleetChange::Paused | FleetChange::Resumed => {}
        }
    }
    deaths
}
