//! An event as an English phrase, for timelines, reports and the page: what happened, to which process, under which fence.

use std::fmt;

use fencepost::model::process::AbandonWriter;

use crate::history::History;
use crate::history::event::{BodyOutcome, CallResult, Event, Leftover, NO_PROCESS, SurvivingRow, What};
use crate::support::plural::counted;

/// Displays one event as a phrase.
pub struct EventPhrase<'a> {
    history: &'a History,
    event: &'a Event,
}

impl<'a> EventPhrase<'a> {
    pub(super) fn new(history: &'a History, event: &'a Event) -> Self {
        Self { history, event }
    }

    /// The name of the event's process as the subject of a sentence.
    fn process(&self) -> String {
        match self.event.process {
            NO_PROCESS => "the store".to_owned(),
            process => format!("p{process}"),
        }
    }

    /// A verb, and after it the process that it is done to.
    fn act(&self, f: &mut fmt::Formatter<'_>, verb: impl fmt::Display) -> fmt::Result {
        verb.fmt(f)?;
        match self.event.process {
            NO_PROCESS => Ok(()),
            process => write!(f, " p{process}"),
        }
    }

    fn survived(&self, f: &mut fmt::Formatter<'_>, row: SurvivingRow, last_sequence: u64) -> fmt::Result {
        let process = self.process();
        match row {
            SurvivingRow::Unreadable => write!(f, "{process} cannot be read"),
            SurvivingRow::Gone => write!(f, "{process} is gone after the opening"),
            SurvivingRow::Known { status, .. } => {
                let events = counted(last_sequence, "event");
                write!(f, "{process} is {} after the opening, with {events}", status.name())
            }
        }
    }

    fn log_read(&self, f: &mut fmt::Formatter<'_>, after: u64, events: u64) -> fmt::Result {
        let (process, events) = (self.process(), counted(events, "event"));
        match after {
            0 => write!(f, "the log of {process} is read: {events}"),
            after => write!(f, "the log of {process} is read after event {after}: {events}"),
        }
    }

    fn remained(&self, f: &mut fmt::Formatter<'_>, leftover: Leftover) -> fmt::Result {
        let process = self.process();
        match leftover {
            Leftover::Lease => write!(f, "{process} is still leased"),
            Leftover::Waiter => write!(f, "a waiter for {process} remains"),
            Leftover::Row | Leftover::RowAsked => write!(f, "{process} has not ended"),
        }
    }

    fn step_taken(&self, f: &mut fmt::Formatter<'_>, step: u64) -> fmt::Result {
        let steps = &self.history.plan.steps;
        match usize::try_from(step).ok().and_then(|step| steps.get(step)) {
            Some(step) => self.act(f, format_args!("[{}]", step.action)),
            None => self.act(f, "[a step]"),
        }
    }

    fn phrase(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let has_grant = self.event.grant.is_some();
        match self.event.what() {
            What::Registered { is_new: true, .. } => self.act(f, "registered"),
            What::Registered { is_new: false, .. } => self.act(f, "registered before"),
            What::Granted { .. } => self.act(f, "granted"),
            What::Reclaimed { .. } => self.act(f, "reclaimed"),
            What::Reentered { .. } => self.act(f, "granted again"),
            What::Renewed { .. } => self.act(f, "renewed"),
            What::Busy => self.act(f, "busy"),
            What::Released => self.act(f, "released"),
            What::Wrote { write } | What::Asked { write } => self.act(f, write.name()),
            What::ReadBack { before, after } => {
                self.act(f, if before == after { "unchanged" } else { "CHANGED" })
            }
            What::LeaseAfter => self.act(f, if has_grant { "leased" } else { "not leased" }),
            What::Observed { is_dead: true, .. } => self.act(f, "observed, dead"),
            What::Observed { is_dead: false, .. } => self.act(f, "observed, alive"),
            What::TokenDrawn { entropy_bytes, .. } => {
                self.act(f, format_args!("token of {entropy_bytes} bytes"))
            }
            What::GivesUp { writer: AbandonWriter::OwnerDrain, .. } => {
                self.act(f, "given up by its owner's drain")
            }
            What::GivesUp { writer: AbandonWriter::Sweep, .. } => self.act(f, "given up by a sweep"),
            What::GivesUp { writer: AbandonWriter::ReconciledRequest, .. } => {
                self.act(f, "given up as requested")
            }
            What::Appended { sequence, .. } => self.act(f, format_args!("event {sequence}")),
            What::Replayed { sequence, .. } => self.act(f, format_args!("event {sequence} stands")),
            What::TransferIsPartial { .. } => self.act(f, "some handles are there, some are not"),
            What::TurnedOut { call, fate } => {
                self.act(f, format_args!("{} with an unknown outcome {}", call.name(), fate.name()))
            }
            What::Survived { row, last_sequence } => self.survived(f, row, last_sequence),
            What::SurvivedLease { .. } => {
                let is_leased = if has_grant { "is leased" } else { "is not leased" };
                write!(f, "{} {is_leased} after the opening", self.process())
            }
            What::Claims { .. } => self.act(f, "claims"),
            What::Completes { .. } => self.act(f, "completes"),
            What::Unfenced { call } => self.act(f, format_args!("{} without a lease", call.name())),
            What::SpanBegan { .. } => self.act(f, "decision begins"),
            What::SpanEnded { .. } => self.act(f, "decision ends"),
            What::LeaseShown { .. } => {
                self.act(f, if has_grant { "sees the lease of" } else { "sees no lease of" })
            }
            What::StoreWaited { .. } => self.act(f, "waited for the store"),
            What::AppliedAgain { call, number } => {
                self.act(f, format_args!("{} number {number} applied a second time", call.name()))
            }
            What::Repeated { .. } => self.act(f, "arrived again"),
            What::FromEarlierLife { .. } => self.act(f, "arrived from before the restart"),
            What::LogRead { after, events } => self.log_read(f, after, events),
            What::LogShown { sequence, .. } => self.act(f, format_args!("event {sequence} shown")),
            What::Ended { status, .. } => self.act(f, status.name()),
            // The name of this result is "refused": once is enough.
            What::Refused { call, why: CallResult::OtherRefusal } => {
                self.act(f, format_args!("{} refused", call.name()))
            }
            What::Refused { call, why } => {
                self.act(f, format_args!("{} refused: {}", call.name(), why.name()))
            }
            What::Failed { call, is_unknown: true } => {
                self.act(f, format_args!("{} lost by the store", call.name()))
            }
            What::Failed { call, is_unknown: false } => self.act(f, format_args!("{} failed", call.name())),
            What::Showed { status, .. } => self.act(f, format_args!("shown {}", status.name())),
            What::Pruned => self.act(f, "pruned"),
            What::Answered { method, result } => {
                self.act(f, format_args!("{} answered {}", method.name(), result.name()))
            }
            What::AnswerDiffers { method, part } => {
                self.act(f, format_args!("WRONG ANSWER of {} ({})", method.name(), part.name()))
            }
            What::Sent { call, .. } => self.act(f, format_args!("{} begins", call.name())),
            What::Heard { call, result, .. } => {
                self.act(f, format_args!("{} answered {}", call.name(), result.name()))
            }
            What::BodyBegan { .. } => self.act(f, "body begins"),
            What::BodyEnded { outcome: BodyOutcome::Dropped, .. } => self.act(f, "body dropped"),
            What::BodyEnded { outcome: BodyOutcome::Output | BodyOutcome::Broke, .. } => {
                self.act(f, "body ends")
            }
            What::EffectStarted { .. } => self.act(f, "effect"),
            What::EffectTaken { .. } => self.act(f, "effect taken"),
            What::EffectRefused { highest, .. } => {
                self.act(f, format_args!("effect refused: fence {highest} was seen"))
            }
            What::WaitBegan { .. } => self.act(f, "awaits"),
            What::WaitEnded { .. } => self.act(f, "awaited"),
            What::Drained { rows } => self.act(f, format_args!("drained, {rows} ended")),
            What::StepTaken { step } => self.step_taken(f, step),
            What::Crashed { damage, .. } if damage.is_of_machine => self.act(f, "lost power"),
            What::Crashed { .. } => self.act(f, "crashed"),
            What::Restarted { .. } => self.act(f, "restarted"),
            What::Paused => self.act(f, "|| paused"),
            What::Resumed => self.act(f, "|> resumed"),
            What::Panicked => self.act(f, "PANICKED"),
            What::Lost { is_answer: true } => self.act(f, "answer lost"),
            What::Lost { is_answer: false } => self.act(f, "request lost"),
            What::LivenessBegan { .. } => self.act(f, "-- faults end --"),
            What::LivenessAsked => self.act(f, "-- what is left is asked to end --"),
            What::Remained { what } => self.remained(f, what),
            What::Exhausted => self.act(f, "too many turns in one second"),
            What::AnswersJudged { answers, .. } => {
                write!(f, "{} held against the model", counted(answers, "answer"))
            }
            What::Finished => self.act(f, "-- end --"),
            What::Believed { holds: true } => self.act(f, "is said to hold"),
            What::Believed { holds: false } => self.act(f, "is no longer said to hold"),
        }
    }
}

impl fmt::Display for EventPhrase<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.phrase(f)?;
        match self.history.fence(self.event) {
            Some(fence) => write!(f, " fence {fence}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::event::{CallKind, Context, GrantName, GrantNo, Status};
    use crate::plan::Plan;

    /// Events of p3 under these grants, as phrases. The first grant has fence 2.
    fn phrases(events: &[(What, GrantNo)]) -> Vec<String> {
        let event = |(what, grant): &(What, GrantNo)| {
            let context = Context { at_us: 1, clock: 1, node: 1, process: 3, grant: *grant };
            Event::new(context, *what)
        };
        let grant = GrantName {
            process: 3,
            node: 1,
            fence: 2,
            incarnation: String::new(),
            token: String::new(),
            was_granted: true,
        };
        let events = events.iter().map(event).collect();
        let history = History { plan: Plan::quiet(1), grants: vec![grant], events, notes: Vec::new() };
        history.events.iter().map(|event| history.phrase(event).to_string()).collect()
    }

    #[test]
    fn a_refusal_says_why_or_says_it_once() {
        let refused = |why| (What::Refused { call: CallKind::Register, why }, GrantNo::NONE);
        assert_eq!(
            phrases(&[refused(CallResult::AlreadyTerminal), refused(CallResult::OtherRefusal)]),
            ["register refused: already terminal p3", "register refused p3"]
        );
    }

    #[test]
    fn how_it_stands_with_a_process_is_said_in_sentences() {
        let (none, first) = (GrantNo::NONE, GrantNo(0));
        let completed = SurvivingRow::Known {
            status: Status::Completed,
            is_started: false,
            is_waiting: false,
            is_abandon_requested: false,
            is_torn: false,
        };
        assert_eq!(
            phrases(&[
                (What::Survived { row: SurvivingRow::Gone, last_sequence: 0 }, none),
                (What::Survived { row: completed, last_sequence: 1 }, none),
                (What::SurvivedLease { expires_ms: 0, output: 0 }, first),
                (What::LogRead { after: 0, events: 1 }, none),
                (What::LogRead { after: 4, events: 2 }, none),
                (What::Remained { what: Leftover::Row }, none),
                (What::Remained { what: Leftover::Waiter }, none),
            ]),
            [
                "p3 is gone after the opening",
                "p3 is completed after the opening, with 1 event",
                "p3 is leased after the opening fence 2",
                "the log of p3 is read: 1 event",
                "the log of p3 is read after event 4: 2 events",
                "p3 has not ended",
                "a waiter for p3 remains",
            ]
        );
    }
}
