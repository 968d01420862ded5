//! A decision that may take time: the registry's future of one call, with the readings that it takes of its clock. Other calls may
//! be decided while it waits, so the readings are set apart around each poll.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use fencepost::environment::BoxFuture;
use fencepost::registry::calls::{Answer, AnswerRef, Call, Submit};
use fencepost::testing::reference_model::Inputs;

use crate::history::event::{CallKind, GrantNo, MethodNo, What};
use crate::plan::Node;
use crate::world::calls::{CallInfo, claimed_for};
use crate::world::recorder::judge_answers;
use crate::world::state::nodes::Caller;
use crate::world::state::records::{DecisionClock, OpenSpan, Readings};
use crate::world::state::{World, with};

pub struct Deciding<'a> {
    future: BoxFuture<'a, Answer>,
    /// None for our own registry, which decides in one poll.
    anothers: Option<Box<AnothersCall>>,
    /// None for our own registry: it decides in one poll, at one reading.
    pub readings: Option<Readings>,
    /// None unless the call waited for the store. A decision that goes on for longer sees the true time after its first poll.
    clock: Option<DecisionClock>,
}

/// Kept of a call of another's registry, for the case that its decision takes time.
#[derive(Default)]
struct AnothersCall {
    /// Its method, if no other event tells of its answer.
    untold: Option<MethodNo>,
    /// The owner and incarnation that a claim is for.
    owner: Option<(String, String)>,
}

impl<'a> Deciding<'a> {
    pub fn new(
        registry: &'a dyn Submit,
        call: Arc<Call>,
        is_ours: bool,
        clock: Option<DecisionClock>,
    ) -> Self {
        let of = |call: &Call| AnothersCall { untold: judge_answers::untold(call), owner: claimed_for(call) };
        let anothers = (!is_ours).then(|| Box::new(of(&call)));
        Self { anothers, future: registry.submit(call), readings: (!is_ours).then(Readings::default), clock }
    }
}

/// The clock of one decision, while it is shown to it: it ends with a panic, too.
struct ShownClock;

impl Drop for ShownClock {
    fn drop(&mut self) {
        with(|world| world.records.decision_clock = None);
    }
}

impl Future for Deciding<'_> {
    type Output = Answer;

    fn poll(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<Self::Output> {
        if self.readings.is_none() && self.clock.is_none() {
            return self.future.as_mut().poll(task);
        }
        // A panic ends the call's task, and the next decision that is polled takes this place.
        with(|world| {
            world.records.readings = self.readings;
            world.records.decision_clock = self.clock;
        });
        let polled = {
            let _shown = ShownClock;
            self.future.as_mut().poll(task)
        };
        self.clock = None;
        self.readings = with(|world| world.records.readings.take());
        polled
    }
}

/// A decision that took time, once it is over.
pub struct DecisionSpan {
    call: u64,
    /// The number by which its answer is judged, and what the model needs to know of its end.
    judged: Option<(u64, Inputs)>,
    /// Its method, if no other event tells of its answer.
    untold: Option<MethodNo>,
    /// The registry's clock when the decision began.
    began_ms: u64,
    readings: Readings,
}

/// A decision of ours is one poll, at one reading of the clock. Another registry's may take time, with other calls in between:
/// then its beginning and its end are recorded.
pub async fn wait_for_decision(
    info: &CallInfo,
    judged: Option<(&Call, &Inputs)>,
    mut deciding: Deciding<'_>,
) -> (Answer, DecisionSpan) {
    let anothers = deciding.anothers.take().map(|call| *call).unwrap_or_default();
    let (call, began_ms, number) = with(|world| {
        let call = world.records.spans;
        world.records.spans += 1;
        let began_ms = world.wall_ms(Node::Registry);
        let open = OpenSpan { info: info.clone(), owner: anothers.owner, began_ms, died_ms: began_ms };
        world.records.open_spans.insert(call, open);
        world.decision(info, info.presented, What::SpanBegan { call, kind: info.kind });
        world.observe_at_expiry(info, call);
        // Others are decided meanwhile.
        world.records.decided_on_ms = None;
        let now_us = world.kernel.now_us;
        let number = judged.map(|(call, began)| world.records.answers.begin(call, began, now_us));
        (call, began_ms, number)
    });
    let answer = (&mut deciding).await;
    let judged = judged.zip(number).map(|((call, _), number)| (number, judge_answers::inputs(call)));
    (
        answer,
        DecisionSpan {
            call,
            judged,
            untold: anothers.untold,
            began_ms,
            readings: deciding.readings.unwrap_or_default(),
        },
    )
}

impl World {
    /// Records the end of a decision that took time. What is recorded next was decided on its last reading.
    pub fn span_ended(&mut self, info: &CallInfo, span: &DecisionSpan) {
        let DecisionSpan { call, began_ms, readings, .. } = *span;
        self.records.open_spans.remove(&call);
        let (first_ms, last_ms) = readings.0.unwrap_or_else(|| (began_ms, self.wall_ms(Node::Registry)));
        self.decision(info, info.presented, What::SpanEnded { call, first_ms });
        self.records.decided_on_ms = Some(last_ms);
    }

    /// A prune is over, and the registry takes time to show whether it took this process.
    pub fn may_be_pruned(&mut self, caller: Caller, process: u16) {
        let (call, now_ms) = (self.records.spans, self.wall_ms(Node::Registry));
        self.records.spans += 1;
        let info = CallInfo { caller, kind: CallKind::Prune, ..CallInfo::of_the_world(process) };
        self.decision(&info, GrantNo::NONE, What::SpanBegan { call, kind: CallKind::Prune });
        self.decision(&info, GrantNo::NONE, What::SpanEnded { call, first_ms: now_ms });
    }

    /// Holds the answer of a call that took time against the model, and records it if nothing else does.
    pub fn judge_span(&mut self, info: &CallInfo, answer: AnswerRef<'_>, span: &DecisionSpan) {
        if let Some((number, ended)) = &span.judged {
            let now_us = self.kernel.now_us;
            let wrong = self.records.answers.end(*number, now_us, answer, ended, span.readings.0);
            self.differs(info, wrong);
        }
        if let Some(method) = span.untold {
            self.note_answer(info, method, answer);
        }
    }
}
