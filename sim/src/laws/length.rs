//! How long a lease lasts: as long as was asked for, to the millisecond. One that lasts longer keeps a dead worker's work from
//! everybody; one that is shorter than its worker believes has two owners.

use crate::history::event::{Event, GrantNo, Kind};
use crate::laws::{ByProcess, Case, Law};

/// See its sentence.
#[derive(Default)]
pub struct LeasesLastAsAsked {
    rows: ByProcess<Row>,
    case: Case,
}

#[derive(Default)]
struct Row {
    /// The last grant, and when it ends.
    held: Option<(GrantNo, u64)>,
    /// By node: how long a claim asks for, and the instant of a decision whose reading nobody knows.
    asking: Vec<(u8, Asking)>,
}

#[derive(Default)]
struct Asking {
    claim_ms: u64,
    unclear_at_us: Option<u64>,
}

impl Row {
    fn asking(&mut self, node: u8) -> &mut Asking {
        let place = self.asking.iter().position(|(of, _)| *of == node).unwrap_or_else(|| {
            self.asking.push((node, Asking::default()));
            self.asking.len() - 1
        });
        &mut self.asking[place].1
    }
}

impl Law for LeasesLastAsAsked {
    fn name(&self) -> &'static str {
        "leases-last-as-asked"
    }

    fn sentence(&self) -> &'static str {
        "a new grant lasts exactly as long as was asked for; a renewal or a re-entry, until the later of that and what it had"
    }

    fn see(&mut self, number: u64, event: &Event) {
        let row = self.rows.of(event.process);
        let asking = row.asking(event.node);
        let asked_ms = match event.kind {
            Kind::Claims => {
                asking.claim_ms = event.a;
                return;
            }
            // Decided at some instant of a span, or found out later: which reading counted is not known.
            Kind::Spanned | Kind::TurnedOut => {
                asking.unclear_at_us = Some(event.at_us);
                return;
            }
            Kind::SurvivedLease => {
                row.held = event.grant.is_some().then_some((event.grant, event.a));
                return;
            }
            Kind::Renewed => event.b,
            _ => asking.claim_ms,
        };
        let is_unclear = asking.unclear_at_us.take() == Some(event.at_us);
        let before = row.held.filter(|(grant, _)| *grant == event.grant).map(|(_, until_ms)| until_ms);
        let is_longer = matches!(event.kind, Kind::Renewed | Kind::Reentered);
        row.held = Some((event.grant, event.a));
        // Of a grant that nobody saw made it is not known what it had; and an old history does not say what was asked.
        if is_unclear || asked_ms == 0 || (is_longer && before.is_none()) {
            return;
        }
        self.case.meet();
        let asked_for_ms = event.clock.saturating_add(asked_ms);
        let until_ms = if is_longer { before.unwrap_or(0).max(asked_for_ms) } else { asked_for_ms };
        if event.a != until_ms {
            self.case.breach(number, || {
                let (apart_ms, side) =
                    (event.a.abs_diff(until_ms), if event.a > until_ms { "longer" } else { "less" });
                format!("{asked_ms} ms were asked for, and the lease lasts {apart_ms} ms {side}")
            });
        }
    }

    fn case(&self) -> &Case {
        &self.case
    }
}
