//! A candidate's line to the store behind it. It is a connection: what the network loses is sent again, later and later, and the
//! store carries it out once. A connection that gets no answer for too long breaks.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use fencepost::environment::BoxFuture;

use crate::history::event::{CallKind, CallResult, GrantNo, What};
use crate::lease::{ConnectionLost, Payload, StoreLine};
use crate::plan::Node;
use crate::world::state::due::{Due, Message};
use crate::world::state::exchanges::ExchangeId;
use crate::world::state::store_traffic::{StoreAnswer, StoreRequest};
use crate::world::state::{World, try_with, with};
use crate::world::tokio_node::{BothWakers, NodeAlarm};

/// The first wait for an answer; each later one is twice as long, up to the longest. As TCP does it.
const RESEND_AFTER: Duration = Duration::from_millis(200);
const LONGEST_WAIT: Duration = Duration::from_millis(1_600);

/// A connection without an answer breaks.
const BREAKS_AFTER_S: u64 = 30;

/// One node's line for one process.
#[derive(Clone)]
pub struct NodeLine {
    pub node: Node,
    pub process: u16,
    pub alarm: NodeAlarm,
}

impl StoreLine for NodeLine {
    fn exchange(&self, request: Payload, told: String) -> BoxFuture<'static, StoreAnswer> {
        Box::pin(exchange(self.clone(), request, told))
    }
}

async fn exchange(line: NodeLine, content: Payload, told: String) -> StoreAnswer {
    let request = with(|world| world.store_request_begins(&line, content, told));
    let number = request.number;
    let mut waiting = StoreExchange { line, request, id: with(|world| world.traffic.store.exchanges.open()) };
    let answer = waiting.answer().await;
    with(|world| world.store_request_ends(&waiting.line, number, &answer));
    answer
}

/// One exchange, until it is answered or dropped.
struct StoreExchange {
    line: NodeLine,
    request: StoreRequest,
    id: ExchangeId,
}

impl StoreExchange {
    async fn answer(&mut self) -> StoreAnswer {
        let limit = Duration::from_secs(BREAKS_AFTER_S);
        let lost = Err(ConnectionLost::TimedOut { after_s: BREAKS_AFTER_S });
        tokio::time::timeout(limit, self.answered()).await.unwrap_or(lost)
    }

    async fn answered(&mut self) -> StoreAnswer {
        let mut wait = RESEND_AFTER;
        loop {
            with(|world| world.send_to_store(&self.line, self.id, &self.request));
            let answer = Answered { id: self.id, alarm: &self.line.alarm };
            if let Ok(answer) = tokio::time::timeout(wait, answer).await {
                return answer;
            }
            wait = (wait * 2).min(LONGEST_WAIT);
        }
    }
}

impl Drop for StoreExchange {
    fn drop(&mut self) {
        drop(try_with(|world| world.traffic.store.exchanges.close(self.id)));
    }
}

/// Waits for the answer. Whoever brings it wakes the tokio task, and the node that runs it.
struct Answered<'a> {
    id: ExchangeId,
    alarm: &'a NodeAlarm,
}

impl Future for Answered<'_> {
    type Output = StoreAnswer;

    fn poll(self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<StoreAnswer> {
        let waker = BothWakers::waker(task.waker(), self.alarm);
        with(|world| world.traffic.store.exchanges.poll(self.id, &Context::from_waker(&waker)))
    }
}

impl World {
    fn store_request_begins(&mut self, line: &NodeLine, content: Payload, told: String) -> StoreRequest {
        self.traffic.store.requests += 1;
        let number = self.traffic.store.requests;
        self.note(line.node, line.process, GrantNo::NONE, What::Sent { call: CallKind::Other, number });
        self.annotate(&[("asks", told)]);
        StoreRequest { number, content }
    }

    fn store_request_ends(&mut self, line: &NodeLine, number: u64, answer: &StoreAnswer) {
        let (result, told) = match answer {
            Ok(answer) => {
                let store = self.services.registry.lease_store.as_ref();
                (CallResult::Done, store.map(|store| store.tell_any_answer(answer)).unwrap_or_default())
            }
            Err(lost) => (CallResult::OutcomeUnknown, lost.to_string()),
        };
        let what = What::Heard { call: CallKind::Other, result, number };
        self.note(line.node, line.process, GrantNo::NONE, what);
        self.annotate(&[("answer", told)]);
    }

    fn send_to_store(&mut self, line: &NodeLine, exchange: ExchangeId, request: &StoreRequest) {
        let (from, now_us) = (line.node, self.kernel.now_us);
        let life = self.node(from).life;
        let fate = self.traffic.network.send(self.seed, &self.plan.links, from, Node::Registry, now_us);
        if fate.first_us.or(fate.second_us).is_none() {
            self.note(from, line.process, GrantNo::NONE, What::Lost { is_answer: false });
        }
        for (us, is_copy) in [(fate.first_us, false), (fate.second_us, true)] {
            let Some(us) = us else { continue };
            let (number, content) = (fate.number, request.clone());
            let message = Message { from, life, exchange, number, sent_us: now_us, is_copy, content };
            self.kernel.at(now_us + us, Due::StoreRequestArrives(message));
        }
    }

    /// Gives the store's answer to the exchange that waits for it, or keeps it until the end of its node's pause. The waker is
    /// the caller's to wake.
    pub fn take_store_answer(&mut self, message: Message<StoreAnswer>) -> Option<Waker> {
        let state = self.node(message.from);
        if state.is_paused {
            state.inbox.push(Due::StoreAnswerArrives(message));
            return None;
        }
        self.traffic.store.exchanges.answer(message.exchange, message.content)
    }
}
