//! The law acknowledged-survives: a store that is opened again shows everything it had acknowledged or shown before, and of
//! what it had not acknowledged, each call's work whole or not at all.

use crate::history::event::{Event, EventKind, Status, SurvivingRow, TurnedOut, What, Write};
use crate::laws::case::Case;
use crate::laws::explain::stored_lease;
use crate::laws::law::{Assumption, Law, LawCard, unheard};
use crate::laws::state::by_process::ByProcess;
use crate::laws::state::stored_lease::{Lease, StoredLease};

#[derive(Default)]
pub struct AcknowledgedSurvives {
    rows: ByProcess<AcknowledgedRow>,
}

/// The row that a store must show after it was opened again.
const RIGHT: &str = "all that it had acknowledged, and nothing else";

#[derive(Default)]
struct AcknowledgedRow {
    is_known: bool,
    /// Status and output.
    end: Option<(Status, u64)>,
    lease: StoredLease,
    is_started: bool,
    is_waiting: bool,
    is_abandon_requested: bool,
    last_sequence: u64,
}

impl Law for AcknowledgedSurvives {
    const CARD: LawCard = LawCard {
        name: "acknowledged-survives",
        sentence: "what a durable registry acknowledged, or showed in an answered read, is there after every crash; what it did \
                   not is there whole or not at all",
        hears: &[
            EventKind::Registered,
            EventKind::Granted,
            EventKind::Reclaimed,
            EventKind::Reentered,
            EventKind::Renewed,
            EventKind::Released,
            EventKind::Wrote,
            EventKind::Asked,
            EventKind::Appended,
            EventKind::LogShown,
            EventKind::Ended,
            EventKind::Pruned,
            EventKind::TurnedOut,
            EventKind::Survived,
            EventKind::SurvivedLease,
        ],
        needs: &[Assumption::DiskSyncs],
        judges_unordered: false,
        is_about_panics: false,
        catches: &["synchronous-normal", "answers-before-it-has-synced"],
        explain: stored_lease,
    };

    fn see(&mut self, event: &Event, what: What, case: &mut Case) {
        let row = self.rows.of(event.process);
        match what {
            What::TurnedOut { fate: TurnedOut::Partly, .. } => {
                case.breach(|| {
                    "a call that was never acknowledged is stored in part; right: all of it, or nothing"
                        .to_owned()
                });
            }
            What::TurnedOut { fate: TurnedOut::Applied | TurnedOut::NotApplied, .. } => {}
            What::Survived { row: shown, last_sequence } => {
                case.meet();
                if let Some(wrong) = row.difference(shown, last_sequence) {
                    case.breach(|| format!("the store was opened again and showed {wrong}; right: {RIGHT}"));
                }
            }
            What::SurvivedLease { expires_ms, output } => {
                let shown = event.grant.is_some().then_some(Lease { grant: event.grant, expires_ms });
                if let Some(wrong) = row.lease_difference(shown) {
                    case.breach(|| format!("the store was opened again, and {wrong}; right: {RIGHT}"));
                }
                if row.end.is_some_and(|(_, ended)| ended != output) {
                    case.breach(|| {
                        format!("the store was opened again and showed another outcome; right: {RIGHT}")
                    });
                }
            }
            What::Registered { .. }
            | What::Granted { .. }
            | What::Reclaimed { .. }
            | What::Reentered { .. }
            | What::Renewed { .. }
            | What::Released
            | What::Wrote { .. }
            | What::Asked { .. }
            | What::Appended { .. }
            | What::LogShown { .. }
            | What::Ended { .. }
            | What::Pruned => row.follow(event, what),
            _ => unheard(what),
        }
    }
}

impl AcknowledgedRow {
    fn follow(&mut self, event: &Event, what: What) {
        match what {
            What::Registered { .. } => self.is_known = true,
            What::Granted { expires_ms, .. }
            | What::Reclaimed { expires_ms, .. }
            | What::Reentered { expires_ms, .. }
            | What::Renewed { expires_ms, .. } => self.lease.store(event.grant, expires_ms),
            What::Released => self.lease.follow(event, what),
            What::Wrote { write: Write::FirstStart } => self.is_started = true,
            What::Wrote { write: Write::Wait } => self.is_waiting = true,
            What::Wrote { write: Write::WaitCleared } => self.is_waiting = false,
            What::Asked { write: Write::AbandonRequest } => self.is_abandon_requested = true,
            What::Wrote { .. } | What::Asked { .. } => {}
            What::Appended { sequence, .. } | What::LogShown { sequence, .. } => {
                self.last_sequence = self.last_sequence.max(sequence);
            }
            What::Ended { status, output } => {
                self.end = Some((status, output));
                self.lease = StoredLease(None);
                self.is_waiting = false;
            }
            What::Pruned => *self = Self::default(),
            _ => unheard(what),
        }
    }

    /// Names the first fact that is missing from the row, or that is there and was never acknowledged.
    fn difference(&self, shown: SurvivingRow, last_sequence: u64) -> Option<&'static str> {
        let (status, facts) = match shown {
            SurvivingRow::Unreadable => return Some("rows that cannot be read, on a sound disk"),
            SurvivingRow::Known { is_torn: true, .. } => {
                return Some("an ended process that still has its lease or its wait");
            }
            SurvivingRow::Gone => return self.is_known.then_some("no such process"),
            SurvivingRow::Known { .. } if !self.is_known => return Some("a process that had been pruned"),
            SurvivingRow::Known { status, is_started, is_waiting, is_abandon_requested, is_torn: false } => {
                (status, [is_started, is_waiting, is_abandon_requested])
            }
        };
        if status != self.end.map_or(Status::Running, |(status, _)| status) {
            return Some(match self.end {
                Some(_) => "the process without its end, or with another end",
                None => "an end that it had never answered",
            });
        }
        let expected = [
            (self.is_started, "another first start"),
            (self.is_waiting, "another wait, or none"),
            (self.is_abandon_requested, "another state of the abandon request"),
        ];
        let wrong = facts.into_iter().zip(expected).find(|(shown, (expected, _))| shown != expected);
        match wrong {
            Some((_, (_, wrong))) => Some(wrong),
            None => (last_sequence < self.last_sequence).then_some("the log without its last events"),
        }
    }

    fn lease_difference(&self, shown: Option<Lease>) -> Option<&'static str> {
        if shown == self.lease.0 {
            return None;
        }
        Some(match (shown, self.lease.0) {
            (None, _) => "the lease it had granted is gone",
            (Some(_), None) => "a lease that was over is stored again",
            (Some(_), Some(_)) => "the stored lease is another one, or ends at another time",
        })
    }
}
