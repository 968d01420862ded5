//! The law abandonment-is-licensed: a process is given up only by somebody who may, for a reason that holds.

use fencepost::model::process::AbandonWriter;

use crate::history::event::{
    CallKind, CallResult, Event, EventKind, GrantNo, Licence, Status, TurnedOut, What, Write,
};
use crate::laws::case::Case;
use crate::laws::explain::{Evidence, Explanation, is_first_start};
use crate::laws::law::{Assumption, Law, LawCard, Side, unheard};
use crate::laws::state::by_process::ByProcess;
use crate::laws::state::stored_lease::Lease;

#[derive(Default)]
pub struct AbandonmentIsLicensed {
    rows: ByProcess<AbandonedRow>,
}

#[derive(Default)]
struct AbandonedRow {
    was_requested: bool,
    last_granted: Option<Lease>,
    /// Those that are being decided. Decisions that take time overlap, so each waits for the answer to its own caller.
    abandonments: Vec<Abandonment>,
}

#[derive(Clone, Copy)]
struct Abandonment {
    node: u8,
    writer: AbandonWriter,
    licence: Licence,
    grant: GrantNo,
}

impl Law for AbandonmentIsLicensed {
    const SIDE: Side = Side::Worker;
    const CARD: LawCard = LawCard {
        name: "abandonment-is-licensed",
        sentence: "a process is abandoned only by a sweep after the worker that started it died, by a drain of the life that \
                   started it, or because that was requested and no other grant is live; time alone abandons nothing",
        hears: &[
            EventKind::Granted,
            EventKind::Reclaimed,
            EventKind::Reentered,
            EventKind::Asked,
            EventKind::GivesUp,
            EventKind::Ended,
            EventKind::Refused,
            EventKind::TurnedOut,
            EventKind::Pruned,
        ],
        needs: &[Assumption::DiskSyncs],
        judges_unordered: false,
        is_about_panics: false,
        catches: &["death-of-the-last-holder"],
        explain,
    };

    fn see(&mut self, event: &Event, what: What, case: &mut Case) {
        let row = self.rows.of(event.process);
        match what {
            What::Pruned => *row = AbandonedRow::default(),
            What::Granted { expires_ms, .. }
            | What::Reclaimed { expires_ms, .. }
            | What::Reentered { expires_ms, .. } => {
                row.last_granted = Some(Lease { grant: event.grant, expires_ms });
            }
            What::Asked { write: Write::AbandonRequest } => row.was_requested = true,
            What::GivesUp { writer, licence } => {
                row.abandonments.push(Abandonment { node: event.node, writer, licence, grant: event.grant });
            }
            What::Ended { status, .. } => {
                let abandonment = row.take_abandonment_of(event);
                if status != Status::Abandoned {
                    return;
                }
                case.meet();
                let fault = match abandonment {
                    None => Some("the process was abandoned by nobody who may; right: it runs on"),
                    Some(abandonment) => row.fault(abandonment, event.clock),
                };
                if let Some(fault) = fault {
                    case.breach(|| fault.to_owned());
                }
            }
            // It may have been done all the same, and if so its end comes later.
            What::Refused { why: CallResult::OutcomeUnknown, .. }
            | What::TurnedOut { fate: TurnedOut::Applied, .. } => {}
            What::Refused { call: CallKind::Complete | CallKind::UnfencedComplete, .. }
            | What::TurnedOut { call: CallKind::Complete | CallKind::UnfencedComplete, .. } => {
                row.take_abandonment_of(event);
            }
            What::Refused { .. } | What::TurnedOut { .. } | What::Asked { .. } => {}
            _ => unheard(what),
        }
    }
}

impl AbandonedRow {
    /// Takes the abandonment that the caller of this completion announced before, if it announced one.
    fn take_abandonment_of(&mut self, decided: &Event) -> Option<Abandonment> {
        let is_its = |by: &Abandonment| (by.node, by.grant) == (decided.node, decided.grant);
        let place = self.abandonments.iter().rposition(is_its)?;
        Some(self.abandonments.remove(place))
    }

    fn fault(&self, by: Abandonment, now_ms: u64) -> Option<&'static str> {
        let Licence { is_starter_dead, do_probes_lie, is_by_starter } = by.licence;
        match by.writer {
            // A probe that lies breaks an assumption.
            AbandonWriter::Sweep => (!is_starter_dead && !do_probes_lie)
                .then_some("a sweep abandoned it while its starter was alive; right: it runs on"),
            AbandonWriter::OwnerDrain => (!is_by_starter)
                .then_some("a drain abandoned what another life had started; right: it runs on"),
            AbandonWriter::ReconciledRequest if !self.was_requested => {
                Some("it was abandoned on a request that nobody had made; right: it runs on")
            }
            AbandonWriter::ReconciledRequest => {
                let is_other_live =
                    self.last_granted.is_some_and(|held| held.grant != by.grant && now_ms < held.expires_ms);
                is_other_live.then_some(
                    "it was abandoned on request while another's grant was live; right: not before that is over",
                )
            }
        }
    }
}

fn explain(evidence: &Evidence<'_>) -> Option<Explanation> {
    evidence
        .latest("it was started", is_first_start)
        .or_else(|| evidence.latest("it was given up", |event| event.kind() == EventKind::GivesUp))
}
