//! Joins the events of each call: where a worker sends it, where the registry decides it and where its answer is heard. The
//! first and the last carry the call's number; the decision is found by its node, its process and the kind of call.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::history::History;
use crate::history::event::{CallKind, Event, EventKind, GrantNo, What, Write};

/// The events of one call, as places in the history. A host's call is known by its decision alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct CallTrace {
    pub sent: Option<usize>,
    pub decided: Option<usize>,
    pub heard: Option<usize>,
}

pub fn calls(history: &History) -> Vec<CallTrace> {
    let mut matcher = CallMatcher::default();
    for (place, event) in history.events.iter().enumerate() {
        if let What::Sent { call, number } = event.what() {
            matcher.sent(place, event, call, number);
        } else if let What::Heard { number, .. } = event.what() {
            matcher.heard(place, event, number);
        } else if event.kind() == EventKind::Crashed {
            // Numbers of calls begin anew in a new life.
            matcher.under_way.retain(|(node, _), _| *node != event.node);
        } else {
            matcher.decided(place, event);
        }
    }
    matcher.calls.iter().for_each(CallTrace::check);
    matcher.calls
}

impl CallTrace {
    /// A call is decided and answered after it was sent.
    fn check(&self) {
        let is_after =
            |place: Option<usize>| self.sent.is_none() || place.is_none_or(|place| Some(place) > self.sent);
        assert!(is_after(self.decided), "a call is decided before it is sent");
        assert!(is_after(self.heard), "a call is answered before it is sent");
    }
}

#[derive(Default)]
struct CallMatcher {
    calls: Vec<CallTrace>,
    /// The calls whose answers are awaited, by node and the call's number.
    under_way: BTreeMap<(u8, u64), usize>,
    /// The calls that are not decided yet, by node and process.
    open: BTreeMap<(u8, u16), Vec<OpenCall>>,
}

#[derive(Clone, Copy)]
struct OpenCall {
    kind: CallKind,
    grant: GrantNo,
    name: (u8, u64),
    call: usize,
}

impl CallMatcher {
    fn sent(&mut self, place: usize, event: &Event, kind: CallKind, number: u64) {
        let (name, call) = ((event.node, number), self.calls.len());
        let asked = OpenCall { kind, grant: event.grant, name, call };
        self.under_way.insert(name, call);
        self.open.entry((event.node, event.process)).or_default().push(asked);
        self.calls.push(CallTrace { sent: Some(place), decided: None, heard: None });
    }

    fn heard(&mut self, place: usize, event: &Event, number: u64) {
        if let Some(call) = self.under_way.remove(&(event.node, number)) {
            self.calls[call].heard = Some(place);
        }
    }

    fn decided(&mut self, place: usize, event: &Event) {
        let kinds = decides(event);
        if kinds.is_empty() {
            return;
        }
        let open = self.open.entry((event.node, event.process)).or_default();
        let is_under_way = |asked: &OpenCall| self.under_way.get(&asked.name) == Some(&asked.call);
        let best = open.iter().enumerate().filter(|(_, asked)| kinds.contains(&asked.kind)).min_by_key(
            // The first call that is still awaited comes before a late one whose answer nobody awaits any more.
            |(_, asked)| (asked.grant != event.grant, !is_under_way(asked)),
        );
        match best.map(|(found, _)| found) {
            Some(found) => self.calls[open.remove(found).call].decided = Some(place),
            None => self.calls.push(CallTrace { sent: None, decided: Some(place), heard: None }),
        }
    }
}

/// The kinds of calls that this event can decide.
fn decides(event: &Event) -> &'static [CallKind] {
    use CallKind::*;
    match event.what() {
        What::Granted { .. } => &[Claim],
        What::Reclaimed { .. } => &[Reclaim],
        What::Reentered { .. } | What::Busy => &[Claim, Reclaim],
        What::Renewed { .. } => &[Renew],
        What::Released => &[Release],
        What::Wrote { write } => match write {
            Write::FirstStart | Write::StartedBefore | Write::StartedByItself => &[Start, UnfencedStart],
            Write::Wait => &[SetWait, UnfencedSetWait],
            Write::WaitCleared => &[ClearWait, UnfencedClearWait],
            Write::Progress
            | Write::AbandonRequest
            | Write::Signal
            | Write::CancelRequest
            | Write::WakeAcked
            | Write::HandleGranted
            | Write::HandlesMoved => &[Emit, UnfencedEmit],
        },
        What::Ended { .. } => &[Complete, UnfencedComplete],
        What::Registered { .. } => &[Register],
        What::Asked { write } => match write {
            Write::WakeAcked => &[Ack],
            Write::HandleGranted => &[GrantHandle],
            Write::HandlesMoved => &[Transfer],
            Write::FirstStart
            | Write::StartedBefore
            | Write::StartedByItself
            | Write::Wait
            | Write::WaitCleared
            | Write::Progress
            | Write::AbandonRequest
            | Write::Signal
            | Write::CancelRequest => &[Abandon, UnfencedEmit, Emit],
        },
        What::Showed { .. } | What::LogRead { .. } => &[Read],
        What::Refused { call, .. } | What::Failed { call, .. } => same_call(call),
        What::Pruned
        | What::ReadBack { .. }
        | What::LeaseAfter
        | What::Observed { .. }
        | What::TokenDrawn { .. }
        | What::GivesUp { .. }
        | What::Appended { .. }
        | What::Replayed { .. }
        | What::StoreWaited { .. }
        | What::LogShown { .. }
        | What::TransferIsPartial { .. }
        | What::TurnedOut { .. }
        | What::Survived { .. }
        | What::SurvivedLease { .. }
        | What::Claims { .. }
        | What::Completes { .. }
        | What::Unfenced { .. }
        | What::SpanBegan { .. }
        | What::SpanEnded { .. }
        | What::LeaseShown { .. }
        | What::Answered { .. }
        | What::AnswerDiffers { .. }
        | What::AppliedAgain { .. }
        | What::AnswersJudged { .. }
        | What::Sent { .. }
        | What::Heard { .. }
        | What::BodyBegan { .. }
        | What::BodyEnded { .. }
        | What::EffectStarted { .. }
        | What::EffectTaken { .. }
        | What::EffectRefused { .. }
        | What::WaitBegan { .. }
        | What::WaitEnded { .. }
        | What::Drained { .. }
        | What::StepTaken { .. }
        | What::Crashed { .. }
        | What::Restarted { .. }
        | What::Paused
        | What::Resumed
        | What::Panicked
        | What::Repeated { .. }
        | What::FromEarlierLife { .. }
        | What::Lost { .. }
        | What::LivenessBegan { .. }
        | What::LivenessAsked
        | What::Remained { .. }
        | What::Exhausted
        | What::Finished
        | What::Believed { .. } => &[],
    }
}

/// The kinds of calls that a refusal of this kind can answer: the registry does not tell fenced calls from unfenced ones.
fn same_call(call: CallKind) -> &'static [CallKind] {
    use CallKind::*;
    match call {
        Claim => &[Claim],
        Reclaim => &[Reclaim],
        Renew => &[Renew],
        Release => &[Release],
        Start | UnfencedStart => &[Start, UnfencedStart],
        Emit | UnfencedEmit => &[Emit, UnfencedEmit],
        SetWait | UnfencedSetWait => &[SetWait, UnfencedSetWait],
        ClearWait | UnfencedClearWait => &[ClearWait, UnfencedClearWait],
        Complete | UnfencedComplete => &[Complete, UnfencedComplete],
        Register => &[Register],
        Abandon => &[Abandon],
        Prune => &[Prune],
        Read => &[Read],
        GrantHandle => &[GrantHandle],
        Transfer => &[Transfer],
        Ack => &[Ack],
        Other => &[Other],
    }
}

#[cfg(test)]
mod tests {
    use fencepost::model::process::RecoveryDisposition;

    use super::*;
    use crate::history::event::{CallResult, Status};
    use crate::timeline::test_events::{self, NO_GRANT, history};

    const ANN: GrantNo = GrantNo(0);
    const BOB: GrantNo = GrantNo(1);

    fn event(node: u8, grant: GrantNo, what: What) -> Event {
        test_events::event(0, node, 1, grant, what)
    }

    fn sent(node: u8, grant: GrantNo, call: CallKind, number: u64) -> Event {
        event(node, grant, What::Sent { call, number })
    }

    fn renewal_heard(grant: GrantNo, result: CallResult, number: u64) -> Event {
        event(1, grant, What::Heard { call: CallKind::Renew, result, number })
    }

    fn renewed(grant: GrantNo) -> Event {
        event(1, grant, What::Renewed { expires_ms: 0, asked_ms: 0 })
    }

    #[test]
    fn a_decision_belongs_to_the_call_that_asked_for_it_under_its_grant() {
        let registered = What::Registered { disposition: RecoveryDisposition::Rerunnable, is_new: true };
        let history = history(vec![
            sent(1, ANN, CallKind::Renew, 1),
            sent(1, BOB, CallKind::Renew, 2),
            sent(2, NO_GRANT, CallKind::UnfencedComplete, 1),
            renewed(BOB),
            renewal_heard(BOB, CallResult::Done, 2),
            event(101, NO_GRANT, registered),
            event(2, ANN, What::Ended { status: Status::Completed, output: 0 }),
        ]);
        let seen: Vec<_> = calls(&history).iter().map(|call| (call.sent, call.decided, call.heard)).collect();
        assert_eq!(
            seen,
            [
                (Some(0), None, None),
                (Some(1), Some(3), Some(4)),
                (Some(2), Some(6), None),
                (None, Some(5), None)
            ]
        );
    }

    #[test]
    fn a_call_that_was_lost_does_not_take_a_later_ones_decision() {
        let history = history(vec![
            sent(1, ANN, CallKind::Renew, 1),
            renewal_heard(ANN, CallResult::OutcomeUnknown, 1),
            sent(1, ANN, CallKind::Renew, 2),
            renewed(ANN),
            // This one is late, and nobody awaits it.
            renewed(ANN),
        ]);
        let decided: Vec<_> = calls(&history).iter().map(|call| call.decided).collect();
        assert_eq!(decided, [Some(4), Some(3)]);
    }
}
