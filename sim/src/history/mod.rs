//! A recorded run: the plan, every event, and the names of its grants. All the evidence there is, as plain data: it can be
//! written to a file, judged again by tomorrow's laws, and shown.

pub mod event;

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::history::event::{
    CallKind, Event, GrantName, Kind, Left, NO_PROCESS, RunningHash, Witness, Wrote, crash, refusal, status,
    survived, turned_out,
};
use crate::plan::{Node, Plan};
use crate::support::plural::counted;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct History {
    pub plan: Plan,
    pub grants: Vec<GrantName>,
    pub events: Vec<Event>,
}

impl History {
    pub fn fence(&self, event: &Event) -> Option<u64> {
        self.grants.get(event.grant.0 as usize).map(|name| name.fence)
    }

    /// What a run that was only hashed must have seen to be the same.
    pub fn hash(&self) -> u64 {
        let mut hash = RunningHash::default();
        self.events.iter().for_each(|event| hash.see(event));
        hash.value()
    }

    /// The first event that differs from another history's, by its place.
    pub fn first_difference(&self, other: &Self) -> Option<usize> {
        let pairs = self.events.iter().zip(&other.events);
        let differs = pairs.enumerate().find(|(_, (ours, theirs))| ours != theirs).map(|(place, _)| place);
        let lengths = (self.events.len(), other.events.len());
        differs.or((lengths.0 != lengths.1).then(|| lengths.0.min(lengths.1)))
    }

    /// One event as a line.
    pub fn line(&self, place: usize) -> String {
        match self.events.get(place) {
            None => "no event: the run was over".to_owned(),
            Some(event) => format!(
                "{:>12} us  {:<9} {}",
                event.at_us,
                Node::from_code(event.node).to_string(),
                Said { history: self, event }
            ),
        }
    }

    pub fn said<'a>(&'a self, event: &'a Event) -> Said<'a> {
        Said { history: self, event }
    }
}

/// An event in words.
pub struct Said<'a> {
    history: &'a History,
    event: &'a Event,
}

impl fmt::Display for Said<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let event = self.event;
        match self.of_its_process() {
            Some(said) => f.write_str(&said)?,
            None => {
                self.act(f)?;
                if event.process != NO_PROCESS {
                    write!(f, " p{}", event.process)?;
                }
            }
        }
        if let Some(fence) = self.history.fence(event) {
            write!(f, " fence {fence}")?;
        }
        Ok(())
    }
}

impl Said<'_> {
    /// What is no act of anybody: how something stands with a process.
    fn of_its_process(&self) -> Option<String> {
        let event = self.event;
        let process = match event.process {
            NO_PROCESS => "the store".to_owned(),
            process => format!("p{process}"),
        };
        let events = || counted(event.b, "event");
        Some(match event.kind {
            Kind::Survived if event.a & survived::IS_UNREADABLE != 0 => format!("{process} cannot be read"),
            Kind::Survived if event.a & survived::IS_KNOWN == 0 => {
                format!("{process} is gone after the opening")
            }
            Kind::Survived => {
                let status = status::name(event.a & 0xff);
                format!("{process} is {status} after the opening, with {}", events())
            }
            Kind::SurvivedLease if event.grant.is_some() => format!("{process} is leased after the opening"),
            Kind::SurvivedLease => format!("{process} is not leased after the opening"),
            Kind::LogRead if event.a == 0 => format!("the log of {process} is read: {}", events()),
            Kind::LogRead => format!("the log of {process} is read after event {}: {}", event.a, events()),
            Kind::Remained => match event.a {
                code if code == Left::Lease as u64 => format!("{process} is still leased"),
                code if code == Left::Waiter as u64 => format!("a waiter for {process} remains"),
                _ => format!("{process} has not ended"),
            },
            _ => return None,
        })
    }

    fn act(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let event = self.event;
        let call = CallKind::from_code(event.a).name();
        match event.kind {
            Kind::Registered if event.b == 1 => f.write_str("registered")?,
            Kind::Registered => f.write_str("registered before")?,
            Kind::Granted => f.write_str("granted")?,
            Kind::Reclaimed => f.write_str("reclaimed")?,
            Kind::Reentered => f.write_str("granted again")?,
            Kind::Renewed => f.write_str("renewed")?,
            Kind::Busy => f.write_str("busy")?,
            Kind::Released => f.write_str("released")?,
            Kind::Wrote | Kind::Asked => f.write_str(match event.a {
                code if code == Wrote::FirstStart as u64 => "first start",
                code if code == Wrote::Wait as u64 => "wait",
                code if code == Wrote::WaitCleared as u64 => "wait cleared",
                code if code == Wrote::Progress as u64 => "event",
                code if code == Wrote::AbandonRequest as u64 => "abandon requested",
                code if code == Wrote::Signal as u64 => "signal",
                code if code == Wrote::CancelRequest as u64 => "cancel requested",
                code if code == Wrote::StartedByItself as u64 => "started by itself",
                code if code == Wrote::WakeAcked as u64 => "wake acked",
                code if code == Wrote::HandleGranted as u64 => "handle granted",
                code if code == Wrote::HandlesMoved as u64 => "handles moved",
                _ => "started before",
            })?,
            Kind::ReadBack => f.write_str(if event.a == event.b { "unchanged" } else { "CHANGED" })?,
            Kind::LeaseAfter if event.grant.is_some() => f.write_str("leased")?,
            Kind::LeaseAfter => f.write_str("not leased")?,
            Kind::Observed => write!(f, "observed, {}", if event.a == 1 { "dead" } else { "alive" })?,
            Kind::TokenDrawn => write!(f, "token of {} bytes", event.b)?,
            Kind::GivesUp => f.write_str(match event.a {
                1 => "given up by its owner's drain",
                2 => "given up by a sweep",
                _ => "given up as requested",
            })?,
            Kind::Appended => write!(f, "event {}", event.a)?,
            Kind::Replayed => write!(f, "event {} stands", event.a)?,
            Kind::TransferIsPartial => f.write_str("some handles are there, some are not")?,
            Kind::TurnedOut => {
                let became = match event.b {
                    turned_out::NOT_APPLIED => "was not applied",
                    turned_out::APPLIED => "was applied",
                    _ => "was applied in part",
                };
                write!(f, "{call} with an unknown outcome {became}")?;
            }
            Kind::Claims => f.write_str("claims")?,
            Kind::Completes => f.write_str("completes")?,
            Kind::Unfenced => write!(f, "{call} without a lease")?,
            Kind::Spanned => f.write_str(if event.b == 0 { "decision begins" } else { "decision ends" })?,
            Kind::StoreWaited => f.write_str("waited for the store")?,
            Kind::Repeated => f.write_str("arrived again")?,
            Kind::FromEarlierLife => f.write_str("arrived from before the restart")?,
            Kind::LogShown => write!(f, "event {} shown", event.a)?,
            Kind::Ended => f.write_str(status::name(event.a))?,
            // Of a refusal without a code of its own there is no more to say.
            Kind::Refused if event.b == refusal::OTHER => write!(f, "{call} refused")?,
            Kind::Refused => write!(f, "{call} refused: {}", refusal::name(event.b))?,
            Kind::Failed => {
                write!(f, "{call} {}", if event.b == 1 { "lost by the store" } else { "failed" })?
            }
            Kind::Showed => write!(f, "shown {}", status::name(event.a))?,
            Kind::Pruned => f.write_str("pruned")?,
            Kind::Sent => write!(f, "{call} begins")?,
            Kind::Heard => {
                let call = CallKind::from_code(event.a >> 8).name();
                write!(f, "{call} answered {}", refusal::name(event.a & 0xff))?;
            }
            Kind::BodyBegan => f.write_str("body begins")?,
            Kind::BodyEnded => f.write_str(if event.a == 2 { "body dropped" } else { "body ends" })?,
            Kind::EffectStarted => f.write_str("effect")?,
            Kind::EffectTaken => f.write_str("effect taken")?,
            Kind::EffectRefused => write!(f, "effect refused: fence {} was seen", event.b)?,
            Kind::WaitBegan => f.write_str("awaits")?,
            Kind::WaitEnded => f.write_str("awaited")?,
            Kind::Drained => write!(f, "drained, {} ended", event.b)?,
            Kind::StepTaken => {
                let step =
                    usize::try_from(event.a).ok().and_then(|number| self.history.plan.steps.get(number));
                match step {
                    Some(step) => write!(f, "[{}]", step.action)?,
                    None => f.write_str("[a step]")?,
                }
            }
            Kind::Crashed if event.b & crash::OF_THE_MACHINE != 0 => f.write_str("lost power")?,
            Kind::Crashed => f.write_str("crashed")?,
            Kind::Restarted => f.write_str("restarted")?,
            Kind::Paused => f.write_str("|| paused")?,
            Kind::Resumed => f.write_str("|> resumed")?,
            Kind::Panicked => f.write_str("PANICKED")?,
            Kind::Lost => f.write_str(if event.a == 1 { "answer lost" } else { "request lost" })?,
            Kind::LivenessBegan => f.write_str("-- calm --")?,
            Kind::LivenessAsked => f.write_str("-- asked to end --")?,
            Kind::Exhausted => f.write_str("too many turns in one second")?,
            Kind::Finished => f.write_str("-- end --")?,
            // Told of above.
            Kind::Survived | Kind::SurvivedLease | Kind::LogRead | Kind::Remained => {}
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::event::GrantNo;

    #[test]
    fn a_refusal_says_why_or_says_it_once() {
        let (a, grant) = (CallKind::Register as u64, GrantNo::NONE);
        let refused = |b| Event { at_us: 1, clock: 1, a, b, grant, process: 7, node: 1, kind: Kind::Refused };
        let events = vec![refused(refusal::TERMINAL), refused(refusal::OTHER)];
        let history = History { plan: Plan::quiet(1), grants: Vec::new(), events };
        let said: Vec<String> = history.events.iter().map(|event| history.said(event).to_string()).collect();
        assert_eq!(said, ["register refused: already terminal p7", "register refused p7"]);
    }

    #[test]
    fn how_it_stands_with_a_process_is_said_in_sentences() {
        let (none, first) = (GrantNo::NONE, GrantNo(0));
        let stands = |kind, a, b, grant| Event { at_us: 1, clock: 1, a, b, grant, process: 3, node: 1, kind };
        let events = vec![
            stands(Kind::Survived, 0, 0, none),
            stands(Kind::Survived, survived::IS_KNOWN | status::COMPLETED, 1, none),
            stands(Kind::SurvivedLease, 0, 0, first),
            stands(Kind::LogRead, 0, 1, none),
            stands(Kind::LogRead, 4, 2, none),
            stands(Kind::Remained, Left::Row as u64, 0, none),
            stands(Kind::Remained, Left::Waiter as u64, 0, none),
        ];
        let grant = GrantName {
            process: 3,
            node: 1,
            fence: 2,
            incarnation: String::new(),
            token: String::new(),
            was_granted: true,
        };
        let history = History { plan: Plan::quiet(1), grants: vec![grant], events };
        let said: Vec<String> = history.events.iter().map(|event| history.said(event).to_string()).collect();
        assert_eq!(
            said,
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
