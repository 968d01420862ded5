//! The law log-is-dense: reads of the log show every event in order, and never another one in its place.

use std::collections::BTreeMap;

use crate::history::event::{Event, EventKind, What};
use crate::laws::case::Case;
use crate::laws::explain::{Evidence, Explanation};
use crate::laws::law::{Assumption, Law, LawCard, unheard};
use crate::laws::state::by_process::ByProcess;

#[derive(Default)]
pub struct LogIsDense {
    rows: ByProcess<ShownLog>,
}

#[derive(Default)]
struct ShownLog {
    /// Hashes of the events of this life that were shown, by sequence.
    shown: BTreeMap<u64, u64>,
    /// The sequence before the life's first, once a read showed it.
    before_first: Option<u64>,
    /// The event that the present read must show next.
    next: Option<u64>,
    /// The cursor of the read that is being shown.
    after: u64,
}

impl Law for LogIsDense {
    const CARD: LawCard = LawCard {
        name: "log-is-dense",
        sentence: "within a life sequences are dense and in order, and an event never changes once read",
        hears: &[EventKind::LogRead, EventKind::LogShown, EventKind::Pruned],
        needs: &[Assumption::DiskSyncs],
        judges_unordered: false,
        is_about_panics: false,
        catches: &["sequence-with-holes"],
        explain,
    };

    fn see(&mut self, event: &Event, what: What, case: &mut Case) {
        let log = self.rows.of(event.process);
        match what {
            What::Pruned => *log = ShownLog::default(),
            What::LogRead { after, .. } => {
                log.after = after;
                log.next = log.before_first.map(|before| before.max(after).saturating_add(1));
            }
            What::LogShown { sequence, event: shown } => {
                case.meet();
                log.shows(sequence, shown, case);
            }
            _ => unheard(what),
        }
    }
}

impl ShownLog {
    fn shows(&mut self, sequence: u64, event: u64, case: &mut Case) {
        // A life's first event follows what earlier lives had. The first event of a read shows where, unless the read's cursor
        // is beyond.
        let begins_a_read = self.next.is_none();
        if begins_a_read
            && self.before_first.is_none()
            && (self.after == 0 || sequence > self.after.saturating_add(1))
        {
            self.before_first = Some(sequence.saturating_sub(1));
        }
        let next = self.next.unwrap_or(sequence);
        if sequence != next {
            case.breach(|| format!("a read of the log showed event {sequence} next; right: event {next}"));
        }
        self.next = Some(sequence.saturating_add(1));
        let known = *self.shown.entry(sequence).or_insert(event);
        if known != event {
            case.breach(|| {
                format!(
                    "a read of the log showed event {sequence} with other content than before; \
                     right: an event never changes"
                )
            });
        }
    }
}

fn explain(evidence: &Evidence<'_>) -> Option<Explanation> {
    evidence.latest("the log had been read", |event| event.kind() == EventKind::LogShown)
}
