//! The law leases-last-as-asked: a lease lasts as long as was asked for, to the millisecond. One that lasts longer keeps a dead
//! worker's process from everybody; one that is shorter than its worker believes has two owners.

use crate::history::event::{Event, EventKind, What};
use crate::laws::case::Case;
use crate::laws::explain::stored_lease;
use crate::laws::law::{Assumption, Law, LawCard, unheard};
use crate::laws::state::by_process::ByProcess;
use crate::laws::state::stored_lease::Lease;

#[derive(Default)]
pub struct LeasesLastAsAsked {
    rows: ByProcess<AskedRow>,
}

#[derive(Default)]
struct AskedRow {
    /// The last grant, and when it ends.
    held: Option<Lease>,
    asking: Vec<(u8, Asking)>,
}

/// The lease time that a node asks for.
#[derive(Default)]
struct Asking {
    /// The duration its claim asks for; 0 in a history that does not say.
    claim_ms: u64,
    /// The instant of a decision whose reading nobody knows.
    unclear_at_us: Option<u64>,
    /// The first reading that was taken by the decision of this instant, where it took time.
    first_read_ms: Option<(u64, u64)>,
}

/// A lease that a call made or extended.
struct AnsweredLease {
    expires_ms: u64,
    asked_ms: u64,
    /// It may last longer than was asked for, because of what the grant had before.
    extends: bool,
}

impl Law for LeasesLastAsAsked {
    const CARD: LawCard = LawCard {
        name: "leases-last-as-asked",
        sentence: "a new grant lasts exactly as long as was asked for; a renewal or a re-entry does, too, unless the grant \
                   already had a later expiry, which it then keeps",
        hears: &[
            EventKind::Granted,
            EventKind::Reclaimed,
            EventKind::Reentered,
            EventKind::Renewed,
            EventKind::Claims,
            EventKind::Spanned,
            EventKind::TurnedOut,
            EventKind::SurvivedLease,
        ],
        needs: &[Assumption::DiskSyncs],
        judges_unordered: false,
        is_about_panics: false,
        catches: &["renewals-add-up", "reentry-shortens"],
        explain: stored_lease,
    };

    fn see(&mut self, event: &Event, what: What, case: &mut Case) {
        let row = self.rows.of(event.process);
        let asking = row.asking(event.node);
        let answer = match what {
            What::Claims { asked_ms } => {
                asking.claim_ms = asked_ms;
                return;
            }
            What::SpanBegan { .. } => return,
            // A lease begins with the only reading that was taken.
            What::SpanEnded { first_ms, .. } => {
                asking.first_read_ms = Some((event.at_us, first_ms));
                return;
            }
            // The decision was found out later, so nobody knows the reading that it was made on.
            What::TurnedOut { .. } => {
                asking.unclear_at_us = Some(event.at_us);
                return;
            }
            What::SurvivedLease { expires_ms, .. } => {
                row.held = event.grant.is_some().then_some(Lease { grant: event.grant, expires_ms });
                return;
            }
            What::Renewed { expires_ms, asked_ms } => AnsweredLease { expires_ms, asked_ms, extends: true },
            What::Reentered { expires_ms, .. } => {
                AnsweredLease { expires_ms, asked_ms: asking.claim_ms, extends: true }
            }
            What::Granted { expires_ms, .. } | What::Reclaimed { expires_ms, .. } => {
                AnsweredLease { expires_ms, asked_ms: asking.claim_ms, extends: false }
            }
            _ => unheard(what),
        };
        row.answered(event, &answer, case);
    }
}

impl AskedRow {
    fn asking(&mut self, node: u8) -> &mut Asking {
        let place = self.asking.iter().position(|(of, _)| *of == node).unwrap_or_else(|| {
            self.asking.push((node, Asking::default()));
            self.asking.len() - 1
        });
        &mut self.asking[place].1
    }

    fn answered(&mut self, event: &Event, answer: &AnsweredLease, case: &mut Case) {
        let AnsweredLease { expires_ms, asked_ms, extends } = *answer;
        let Asking { unclear_at_us, first_read_ms, .. } = self.asking(event.node);
        let is_found_out = unclear_at_us.take() == Some(event.at_us);
        let first_ms = first_read_ms.take().filter(|(at_us, _)| *at_us == event.at_us).map(|(_, ms)| ms);
        let is_unclear = is_found_out || first_ms.is_some_and(|first_ms| first_ms != event.clock);
        let before_ms = self.held.filter(|held| held.grant == event.grant).map(|held| held.expires_ms);
        self.held = Some(Lease { grant: event.grant, expires_ms });
        // How long a grant lasted that nobody saw made is not known; and an old history does not say what was asked.
        if is_unclear || asked_ms == 0 || (extends && before_ms.is_none()) {
            return;
        }
        case.meet();
        let asked_for_ms = event.clock.saturating_add(asked_ms);
        let expected_ms = if extends { before_ms.unwrap_or(0).max(asked_for_ms) } else { asked_for_ms };
        if expires_ms != expected_ms {
            case.breach(|| {
                let apart_ms = expires_ms.abs_diff(expected_ms);
                let side = if expires_ms > expected_ms { "late" } else { "early" };
                let right = match expected_ms == asked_for_ms {
                    true => format!("{asked_ms} ms after the reading of the call"),
                    false => "the later expiry that the grant already had".to_owned(),
                };
                format!(
                    "{asked_ms} ms were asked for, and the answered lease ends {apart_ms} ms too \
                     {side}; right: {right}"
                )
            });
        }
    }
}
