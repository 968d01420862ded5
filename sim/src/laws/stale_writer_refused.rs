//! The law stale-writer-refused: a write of an execution takes effect only under the live grant.

use fencepost::model::process::RecoveryDisposition;

use crate::history::event::{Event, EventKind, GrantNo, What, Write};
use crate::laws::case::Case;
use crate::laws::explain::stored_lease;
use crate::laws::law::{Assumption, Law, LawCard, unheard};
use crate::laws::state::by_process::ByProcess;
use crate::laws::state::fence_names::FenceNames;
use crate::laws::state::stored_lease::StoredLease;

#[derive(Default)]
pub struct StaleWriterRefused {
    /// Writes that the subject does not claim to fence, as its claims name them.
    unfenced: Vec<&'static str>,
    rows: ByProcess<WrittenRow>,
    fences: FenceNames,
}

#[derive(Default)]
struct WrittenRow {
    stored: StoredLease,
    is_worker_run: bool,
    ended_by: Option<GrantNo>,
}

impl Law for StaleWriterRefused {
    const CARD: LawCard = LawCard {
        name: "stale-writer-refused",
        sentence: "a write of an execution takes effect only if the grant it presents is the stored one, held and unexpired \
                   by the clock reading that decides the call",
        hears: &[
            EventKind::Registered,
            EventKind::Granted,
            EventKind::Reclaimed,
            EventKind::Reentered,
            EventKind::Renewed,
            EventKind::Released,
            EventKind::Wrote,
            EventKind::Ended,
            EventKind::Pruned,
        ],
        needs: &[Assumption::DiskSyncs],
        judges_unordered: false,
        is_about_panics: false,
        catches: &[
            "renew-at-expiry",
            "renew-the-expired",
            "renew-creates",
            "lease-known-by-its-fence",
            "renewal-by-the-holders-name",
            "clock-read-before-the-lock",
            "renew-then-write",
            "start-unchecked",
            "wait-unchecked",
            "events-unchecked",
        ],
        explain: stored_lease,
    };

    fn see(&mut self, event: &Event, what: What, case: &mut Case) {
        let fences = &self.fences;
        let row = self.rows.of(event.process);
        let is_claimed = named(what).is_none_or(|name| !self.unfenced.contains(&name));
        if let Some(written) = row.written(event, what).filter(|_| is_claimed) {
            case.meet();
            if !row.stored.is_live(event.grant, event.clock) {
                let stored = row.stored;
                case.breach(|| because(written, event, stored, fences));
            }
        }
        row.follow(event, what);
        self.fences.follow(event, what);
    }
}

impl StaleWriterRefused {
    /// Leaves out the writes that the subject does not claim to fence.
    pub fn not_claiming(&mut self, not_claimed: &[impl AsRef<str>]) {
        let is_left_out = |name: &&str| {
            let claim = format!("{}/{name}", Self::CARD.name);
            not_claimed.iter().any(|left_out| left_out.as_ref() == claim)
        };
        self.unfenced = ["starts", "waits", "progress"].into_iter().filter(is_left_out).collect();
    }
}

/// The name by which claims speak of this write.
fn named(what: What) -> Option<&'static str> {
    let What::Wrote { write } = what else { return None };
    match write {
        Write::FirstStart => Some("starts"),
        Write::Wait | Write::WaitCleared => Some("waits"),
        Write::Progress => Some("progress"),
        Write::AbandonRequest
        | Write::Signal
        | Write::CancelRequest
        | Write::StartedByItself
        | Write::WakeAcked
        | Write::HandleGranted
        | Write::HandlesMoved
        | Write::StartedBefore => None,
    }
}

impl WrittenRow {
    /// The write that needs a live grant, if the event is one.
    fn written(&self, event: &Event, what: What) -> Option<&'static str> {
        match what {
            What::Renewed { .. } => Some("a renewal"),
            What::Wrote { write: Write::StartedBefore | Write::StartedByItself } => None,
            What::Wrote { .. } => self.is_worker_run.then_some("a write"),
            // The same grant's own completion again changes nothing.
            What::Ended { .. } if self.ended_by == Some(event.grant) => None,
            What::Ended { .. } => (self.is_worker_run || event.grant.is_some()).then_some("a terminal write"),
            What::Registered { .. }
            | What::Granted { .. }
            | What::Reclaimed { .. }
            | What::Reentered { .. }
            | What::Released
            | What::Pruned => None,
            _ => unheard(what),
        }
    }

    fn follow(&mut self, event: &Event, what: What) {
        if let What::Registered { disposition, .. } = what {
            self.is_worker_run = disposition != RecoveryDisposition::ExternallyOwned;
        } else if let What::Ended { .. } = what {
            self.ended_by = Some(event.grant);
        } else if let What::Pruned = what {
            self.ended_by = None;
        }
        self.stored.follow(event, what);
    }
}

fn because(written: &str, event: &Event, stored: StoredLease, fences: &FenceNames) -> String {
    let presented = match event.grant {
        GrantNo::NONE => "no grant at all".to_owned(),
        grant => fences.name(grant),
    };
    let found = match stored.0 {
        None => "although no lease was stored".to_owned(),
        Some(held) if held.grant == event.grant => match event.clock - held.expires_ms {
            0 => "in the millisecond in which it expired".to_owned(),
            ago_ms => format!("although it had expired {ago_ms} ms before"),
        },
        Some(held) => format!("although {} held the lease", fences.name(held.grant)),
    };
    format!("{written} under {presented} was accepted {found}; right: refused")
}
