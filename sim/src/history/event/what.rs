//! A typed view of an event: every kind with the values it carries. An event stores two numbers for them; how
//! they are packed is known to this file alone.

use fencepost::model::process::{AbandonWriter, RecoveryDisposition};
use fencepost::testing::reference_model::AnswerPart;

use super::answers::{MethodNo, part_code, part_from_code};
use super::codes::{
    BodyOutcome, CallKind, CallResult, Coded, CrashDamage, Leftover, Licence, Status, SurvivingRow,
    TurnedOut, Unjudged, Write,
};
use super::kind::EventKind;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    // Decided by the registry, in the order it decided.
    /// A new life, or the stored registration again.
    Registered {
        disposition: RecoveryDisposition,
        is_new: bool,
    },
    /// A new grant.
    Granted {
        expires_ms: u64,
        fence: u64,
    },
    /// A new grant, taken over from the holder that was observed.
    Reclaimed {
        expires_ms: u64,
        fence: u64,
    },
    /// The same grant again, claimed by its own incarnation.
    Reentered {
        expires_ms: u64,
        fence: u64,
    },
    /// A renewal, and the ttl it asked for.
    Renewed {
        expires_ms: u64,
        asked_ms: u64,
    },
    /// A claim was refused; `grant` is the holder's.
    Busy,
    /// A release was answered Ok. Laws work out whether it released anything.
    Released,
    /// A write of an execution; `grant` is the one it presented.
    Wrote {
        write: Write,
    },
    /// A terminal outcome was answered Ok, with the hash of its output.
    Ended {
        status: Status,
        output: u64,
    },
    Refused {
        call: CallKind,
        why: CallResult,
    },
    /// The plan made the call fail: before its commit, or with an unknown outcome.
    Failed {
        call: CallKind,
        is_unknown: bool,
    },
    /// A read showed the process; the hash of its output, or 0.
    Showed {
        status: Status,
        output: u64,
    },
    Pruned,
    /// A request of a host: abandon, signal, cancel, handle, ack.
    Asked {
        write: Write,
    },

    // Evidence that the recorder gathered beside the decision it belongs to.
    /// After a refused call: hashes of row, lease and log before and after it.
    ReadBack {
        before: u64,
        after: u64,
    },
    /// After a release: `grant` is the lease that is stored now, or none.
    LeaseAfter,
    /// Before a reclaim: `grant` is the observed one; whether its holder is dead, and whether the registry's
    /// probes lie about it.
    Observed {
        is_dead: bool,
        do_probes_lie: bool,
    },
    /// After a new grant: the hash of its token, and how much entropy was drawn for it.
    TokenDrawn {
        token: u64,
        entropy_bytes: u64,
    },
    /// Before a terminal outcome that gives the process up.
    GivesUp {
        writer: AbandonWriter,
        licence: Licence,
    },
    /// After an append: the hash of its replay key, or 0.
    Appended {
        sequence: u64,
        replay_key: u64,
    },
    /// An append found its replay key: its event stands already, and may deliver a wake.
    Replayed {
        sequence: u64,
        is_wake: bool,
    },
    /// Before a decision that waited for the store: the registry's clock when the call arrived, and when its store writes.
    StoreWaited {
        arrived_ms: u64,
        wrote_ms: u64,
    },
    /// After a decision: the same request had been applied before. The number is its client's.
    AppliedAgain {
        call: CallKind,
        number: u64,
    },
    /// A read of the log after a cursor; each of the events it showed follows.
    LogRead {
        after: u64,
        events: u64,
    },
    /// One event that a read of the log showed, by its hash.
    LogShown {
        sequence: u64,
        event: u64,
    },
    /// Before a transfer of handles of which only so many are there.
    TransferIsPartial {
        present: u64,
    },
    /// The fate of a call with an unknown outcome. If it was applied, the decision itself comes next, with
    /// the reading it was made on.
    TurnedOut {
        call: CallKind,
        fate: TurnedOut,
    },
    /// The row that a store shows after it was opened again.
    Survived {
        row: SurvivingRow,
        last_sequence: u64,
    },
    /// The lease beside such a row: `grant` is the stored lease. `output` is the hash of the output, or 0.
    SurvivedLease {
        expires_ms: u64,
        output: u64,
    },
    /// Before a claim: `grant` is the last one this very incarnation was given, if any.
    Claims {
        asked_ms: u64,
    },
    /// Before a completion: the hash of its output.
    Completes {
        output: u64,
    },
    /// Before a write of an execution that presents no lease.
    Unfenced {
        call: CallKind,
    },
    /// A decision that takes time begins: the call with this number. Other calls may come before it ends. The evidence of this
    /// node and process since its last decision belongs to it.
    SpanBegan {
        call: u64,
        kind: CallKind,
    },
    /// It ends, and the next decision of this node and process is its own, by the last reading of the registry's clock that it
    /// took. `first_ms` is the first one. If it took none, they are those at its end and its beginning.
    SpanEnded {
        call: u64,
        first_ms: u64,
    },
    /// A read showed the stored lease: `grant`, and when it expires. None is shown as no grant and 0.
    LeaseShown {
        expires_ms: u64,
    },
    /// The answer to a call of which no other event tells.
    Answered {
        method: MethodNo,
        result: CallResult,
    },
    /// This part of the answer is not what the reference model says. From here on no answer is judged.
    AnswerDiffers {
        method: MethodNo,
        part: AnswerPart,
    },

    // Seen at a node.
    /// A worker's call begins; its number in the node's life.
    Sent {
        call: CallKind,
        number: u64,
    },
    /// The answer to a worker's call arrived.
    Heard {
        call: CallKind,
        result: CallResult,
        number: u64,
    },
    BodyBegan {
        fence: u64,
    },
    /// The hash of the output, if it gave one.
    BodyEnded {
        outcome: BodyOutcome,
        output: u64,
    },
    EffectStarted {
        fence: u64,
    },
    /// At the ledger, with the highest fence it had seen before.
    EffectTaken {
        fence: u64,
        highest: u64,
    },
    /// At the ledger, with the highest fence it had seen before.
    EffectRefused {
        fence: u64,
        highest: u64,
    },
    /// A host begins to wait for the process; the wait's number.
    WaitBegan {
        wait: u64,
    },
    /// The hash of the outcome, or 0 for an error.
    WaitEnded {
        outcome: u64,
        wait: u64,
    },
    /// A drain reported so many rows.
    Drained {
        rows: u64,
    },

    // Done by the plan.
    StepTaken {
        step: u64,
    },
    /// The node's new life.
    Crashed {
        life: u64,
        damage: CrashDamage,
    },
    Restarted {
        life: u64,
    },
    Paused,
    Resumed,
    /// Code under test panicked.
    Panicked,
    /// A second copy of a request arrived, so long after it was sent.
    Repeated {
        age_us: u64,
    },
    /// A request arrived that was first sent to an earlier life of the server.
    FromEarlierLife {
        /// That life had applied it.
        was_applied: bool,
    },
    /// A request or an answer that will never arrive.
    Lost {
        is_answer: bool,
    },
    /// Faults are over; every row must end within this bound.
    LivenessBegan {
        bound_us: u64,
    },
    /// Rows that end by themselves had to have ended by now; the others are asked to.
    LivenessAsked,
    /// Found at the end of the liveness phase.
    Remained {
        what: Leftover,
    },
    /// A simulated second took more polls than any second may.
    Exhausted,
    /// So many answers were held against the reference model, and why others were not.
    AnswersJudged {
        answers: u64,
        unjudged: Unjudged,
    },
    Finished,

    /// A lease service changed its mind about whether `grant` holds its key.
    Believed {
        holds: bool,
    },
}

impl What {
    /// The stored form: the kind and its two numbers.
    #[inline]
    pub(super) fn encode(self) -> (EventKind, u64, u64) {
        match self {
            Self::Registered { disposition, is_new } => {
                (EventKind::Registered, disposition.code(), u64::from(is_new))
            }
            Self::Granted { expires_ms, fence } => (EventKind::Granted, expires_ms, fence),
            Self::Reclaimed { expires_ms, fence } => (EventKind::Reclaimed, expires_ms, fence),
            Self::Reentered { expires_ms, fence } => (EventKind::Reentered, expires_ms, fence),
            Self::Renewed { expires_ms, asked_ms } => (EventKind::Renewed, expires_ms, asked_ms),
            Self::Busy => (EventKind::Busy, 0, 0),
            Self::Released => (EventKind::Released, 0, 0),
            Self::Wrote { write } => (EventKind::Wrote, write.code(), 0),
            Self::Ended { status, output } => (EventKind::Ended, status.code(), output),
            Self::Refused { call, why } => (EventKind::Refused, call.code(), why.code()),
            Self::Failed { call, is_unknown } => (EventKind::Failed, call.code(), u64::from(is_unknown)),
            Self::Showed { status, output } => (EventKind::Showed, status.code(), output),
            Self::Pruned => (EventKind::Pruned, 0, 0),
            Self::Asked { write } => (EventKind::Asked, write.code(), 0),
            Self::ReadBack { before, after } => (EventKind::ReadBack, before, after),
            Self::LeaseAfter => (EventKind::LeaseAfter, 0, 0),
            Self::Observed { is_dead, do_probes_lie } => {
                (EventKind::Observed, u64::from(is_dead), u64::from(do_probes_lie))
            }
            Self::TokenDrawn { token, entropy_bytes } => (EventKind::TokenDrawn, token, entropy_bytes),
            Self::GivesUp { writer, licence } => (EventKind::GivesUp, writer.code(), licence.code()),
            Self::Appended { sequence, replay_key } => (EventKind::Appended, sequence, replay_key),
            Self::Replayed { sequence, is_wake } => (EventKind::Replayed, sequence, u64::from(is_wake)),
            Self::StoreWaited { arrived_ms, wrote_ms } => (EventKind::StoreWaited, arrived_ms, wrote_ms),
            Self::LogRead { after, events } => (EventKind::LogRead, after, events),
            Self::LogShown { sequence, event } => (EventKind::LogShown, sequence, event),
            Self::TransferIsPartial { present } => (EventKind::TransferIsPartial, present, 0),
            Self::TurnedOut { call, fate } => (EventKind::TurnedOut, call.code(), fate.code()),
            Self::Survived { row, last_sequence } => (EventKind::Survived, row.code(), last_sequence),
            Self::SurvivedLease { expires_ms, output } => (EventKind::SurvivedLease, expires_ms, output),
            Self::Claims { asked_ms } => (EventKind::Claims, asked_ms, 0),
            Self::Completes { output } => (EventKind::Completes, output, 0),
            Self::Unfenced { call } => (EventKind::Unfenced, call.code(), 0),
            Self::Answered { method, result } => (EventKind::Answered, method.code(), result.code()),
            Self::AnswerDiffers { method, part } => {
                (EventKind::AnswerDiffers, method.code(), part_code(part))
            }
            Self::SpanBegan { call, kind } => (EventKind::Spanned, call << 1, kind.code()),
            Self::LeaseShown { expires_ms } => (EventKind::LeaseShown, expires_ms, 0),
            Self::SpanEnded { call, first_ms } => (EventKind::Spanned, call << 1 | 1, first_ms),
            Self::AppliedAgain { call, number } => (EventKind::AppliedAgain, call.code(), number),
            Self::Sent { call, number } => (EventKind::Sent, call.code(), number),
            Self::Heard { call, result, number } => {
                (EventKind::Heard, result.code() | call.code() << 8, number)
            }
            Self::BodyBegan { fence } => (EventKind::BodyBegan, fence, 0),
            Self::BodyEnded { outcome, output } => (EventKind::BodyEnded, outcome.code(), output),
            Self::EffectStarted { fence } => (EventKind::EffectStarted, fence, 0),
            Self::EffectTaken { fence, highest } => (EventKind::EffectTaken, fence, highest),
            Self::EffectRefused { fence, highest } => (EventKind::EffectRefused, fence, highest),
            Self::WaitBegan { wait } => (EventKind::WaitBegan, 0, wait),
            Self::WaitEnded { outcome, wait } => (EventKind::WaitEnded, outcome, wait),
            Self::Drained { rows } => (EventKind::Drained, 0, rows),
            Self::StepTaken { step } => (EventKind::StepTaken, step, 0),
            Self::Crashed { life, damage } => (EventKind::Crashed, life, damage.code()),
            Self::Restarted { life } => (EventKind::Restarted, life, 0),
            Self::Paused => (EventKind::Paused, 0, 0),
            Self::Resumed => (EventKind::Resumed, 0, 0),
            Self::Panicked => (EventKind::Panicked, 0, 0),
            Self::Repeated { age_us } => (EventKind::Repeated, 0, age_us),
            Self::FromEarlierLife { was_applied } => (EventKind::FromEarlierLife, was_applied.into(), 0),
            Self::Lost { is_answer } => (EventKind::Lost, u64::from(is_answer), 0),
            Self::LivenessBegan { bound_us } => (EventKind::LivenessBegan, bound_us, 0),
            Self::LivenessAsked => (EventKind::LivenessAsked, 0, 0),
            Self::Remained { what } => (EventKind::Remained, what.code(), 0),
            Self::Exhausted => (EventKind::Exhausted, 0, 0),
            Self::AnswersJudged { answers, unjudged } => (EventKind::AnswersJudged, answers, unjudged.code()),
            Self::Finished => (EventKind::Finished, 0, 0),
            Self::Believed { holds } => (EventKind::Believed, u64::from(holds), 0),
        }
    }

    #[inline]
    pub(super) fn decode(kind: EventKind, a: u64, b: u64) -> Self {
        match kind {
            EventKind::Registered => {
                Self::Registered { disposition: RecoveryDisposition::from_code(a), is_new: b != 0 }
            }
            EventKind::Granted => Self::Granted { expires_ms: a, fence: b },
            EventKind::Reclaimed => Self::Reclaimed { expires_ms: a, fence: b },
            EventKind::Reentered => Self::Reentered { expires_ms: a, fence: b },
            EventKind::Renewed => Self::Renewed { expires_ms: a, asked_ms: b },
            EventKind::Busy => Self::Busy,
            EventKind::Released => Self::Released,
            EventKind::Wrote => Self::Wrote { write: Write::from_code(a) },
            EventKind::Ended => Self::Ended { status: Status::from_code(a), output: b },
            EventKind::Refused => {
                Self::Refused { call: CallKind::from_code(a), why: CallResult::from_code(b) }
            }
            EventKind::Failed => Self::Failed { call: CallKind::from_code(a), is_unknown: b != 0 },
            EventKind::Showed => Self::Showed { status: Status::from_code(a), output: b },
            EventKind::Pruned => Self::Pruned,
            EventKind::Asked => Self::Asked { write: Write::from_code(a) },
            EventKind::ReadBack => Self::ReadBack { before: a, after: b },
            EventKind::LeaseAfter => Self::LeaseAfter,
            EventKind::Observed => Self::Observed { is_dead: a != 0, do_probes_lie: b != 0 },
            EventKind::TokenDrawn => Self::TokenDrawn { token: a, entropy_bytes: b },
            EventKind::GivesUp => {
                Self::GivesUp { writer: AbandonWriter::from_code(a), licence: Licence::from_code(b) }
            }
            EventKind::Appended => Self::Appended { sequence: a, replay_key: b },
            EventKind::Replayed => Self::Replayed { sequence: a, is_wake: b != 0 },
            EventKind::StoreWaited => Self::StoreWaited { arrived_ms: a, wrote_ms: b },
            EventKind::LogRead => Self::LogRead { after: a, events: b },
            EventKind::LogShown => Self::LogShown { sequence: a, event: b },
            EventKind::TransferIsPartial => Self::TransferIsPartial { present: a },
            EventKind::TurnedOut => {
                Self::TurnedOut { call: CallKind::from_code(a), fate: TurnedOut::from_code(b) }
            }
            EventKind::Survived => Self::Survived { row: SurvivingRow::from_code(a), last_sequence: b },
            EventKind::SurvivedLease => Self::SurvivedLease { expires_ms: a, output: b },
            EventKind::Claims => Self::Claims { asked_ms: a },
            EventKind::Completes => Self::Completes { output: a },
            EventKind::Unfenced => Self::Unfenced { call: CallKind::from_code(a) },
            EventKind::Answered => {
                Self::Answered { method: MethodNo::from_code(a), result: CallResult::from_code(b) }
            }
            EventKind::AnswerDiffers => {
                Self::AnswerDiffers { method: MethodNo::from_code(a), part: part_from_code(b) }
            }
            EventKind::LeaseShown => Self::LeaseShown { expires_ms: a },
            EventKind::Spanned if a & 1 == 0 => {
                Self::SpanBegan { call: a >> 1, kind: CallKind::from_code(b) }
            }
            EventKind::Spanned => Self::SpanEnded { call: a >> 1, first_ms: b },
            EventKind::AppliedAgain => Self::AppliedAgain { call: CallKind::from_code(a), number: b },
            EventKind::Sent => Self::Sent { call: CallKind::from_code(a), number: b },
            EventKind::Heard => Self::Heard {
                call: CallKind::from_code(a >> 8),
                result: CallResult::from_code(a & 0xff),
                number: b,
            },
            EventKind::BodyBegan => Self::BodyBegan { fence: a },
            EventKind::BodyEnded => Self::BodyEnded { outcome: BodyOutcome::from_code(a), output: b },
            EventKind::EffectStarted => Self::EffectStarted { fence: a },
            EventKind::EffectTaken => Self::EffectTaken { fence: a, highest: b },
            EventKind::EffectRefused => Self::EffectRefused { fence: a, highest: b },
            EventKind::WaitBegan => Self::WaitBegan { wait: b },
            EventKind::WaitEnded => Self::WaitEnded { outcome: a, wait: b },
            EventKind::Drained => Self::Drained { rows: b },
            EventKind::StepTaken => Self::StepTaken { step: a },
            EventKind::Crashed => Self::Crashed { life: a, damage: CrashDamage::from_code(b) },
            EventKind::Restarted => Self::Restarted { life: a },
            EventKind::Paused => Self::Paused,
            EventKind::Resumed => Self::Resumed,
            EventKind::Panicked => Self::Panicked,
            EventKind::Repeated => Self::Repeated { age_us: b },
            EventKind::FromEarlierLife => Self::FromEarlierLife { was_applied: a == 1 },
            EventKind::Lost => Self::Lost { is_answer: a != 0 },
            EventKind::LivenessBegan => Self::LivenessBegan { bound_us: a },
            EventKind::LivenessAsked => Self::LivenessAsked,
            EventKind::Remained => Self::Remained { what: Leftover::from_code(a) },
            EventKind::Exhausted => Self::Exhausted,
            EventKind::AnswersJudged => Self::AnswersJudged { answers: a, unjudged: Unjudged::from_code(b) },
            EventKind::Finished => Self::Finished,
            EventKind::Believed => Self::Believed { holds: a != 0 },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The stored numbers are a file format: these pins fail when a code moves.
    #[test]
    fn the_stored_form_is_pinned() {
        let call = CallKind::Renew;
        let licence = Licence { is_starter_dead: true, do_probes_lie: false, is_by_starter: true };
        let damage = CrashDamage { is_of_machine: true, had_unsynced_pages: true };
        let known = SurvivingRow::Known {
            status: Status::Failed,
            is_started: true,
            is_waiting: false,
            is_abandon_requested: true,
            is_torn: false,
        };
        let pins = [
            (What::Registered { disposition: RecoveryDisposition::OwnerBound, is_new: true }, 1, 1),
            (What::Granted { expires_ms: 7, fence: 2 }, 7, 2),
            (What::Wrote { write: Write::StartedBefore }, 8, 0),
            (What::Refused { call, why: CallResult::Expired }, 3, 6),
            (What::Heard { call, result: CallResult::Busy, number: 5 }, 3 << 8 | 11, 5),
            (What::GivesUp { writer: AbandonWriter::Sweep, licence }, 2, 5),
            (What::Crashed { life: 2, damage }, 2, 3),
            (What::Survived { row: known, last_sequence: 4 }, 1 << 8 | 2 | 1 << 9 | 1 << 11, 4),
            (What::Survived { row: SurvivingRow::Unreadable, last_sequence: 0 }, 1 << 13, 0),
            (What::Repeated { age_us: 9 }, 0, 9),
            (What::Remained { what: Leftover::Waiter }, 4, 0),
            (What::Believed { holds: true }, 1, 0),
            (What::Answered { method: MethodNo::of("revoke_handle"), result: CallResult::Done }, 4, 0),
            (What::AnswersJudged { answers: 9, unjudged: Unjudged::OrderUnknown }, 9, 1),
        ];
        for (what, a, b) in pins {
            let (kind, first, second) = what.encode();
            assert_eq!((first, second), (a, b), "{what:?}");
            assert_eq!(What::decode(kind, a, b), what);
        }
    }

    #[test]
    fn every_code_of_every_vocabulary_reads_back() {
        fn check<T: Coded + PartialEq + std::fmt::Debug>() {
            for (word, code) in T::CODES {
                assert_eq!((word.code(), T::from_code(*code)), (*code, *word));
            }
        }
        check::<Write>();
        check::<CallKind>();
        check::<CallResult>();
        check::<Status>();
        check::<TurnedOut>();
        check::<BodyOutcome>();
        check::<Leftover>();
        check::<Unjudged>();
        check::<RecoveryDisposition>();
        check::<AbandonWriter>();
    }
}
