//! Messages between a node and the registry. The network decides the fate of each; here they are sent and answered. A request
//! may arrive after its sender died; its answer then finds nobody.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use async_trait::async_trait;
use fencepost::registry::remote::{
    RemoteClient, RemoteOptions, Request, Response, Transport, TransportError,
};

use crate::history::event::{GrantNo, NO_PROCESS, What};
use crate::plan::chance::Purpose;
use crate::plan::step::Method;
use crate::plan::{Link, Node, Process};
use crate::world::calls::{method_of, process_of};
use crate::world::environment::NodeEnvironment;
use crate::world::state::due::{Due, Message};
use crate::world::state::exchanges::ExchangeId;
use crate::world::state::traffic::{HeldCall, SentMessage};
use crate::world::state::{World, try_with, with};

/// How long a trait call of a worker or host waits for its answer.
pub const CALL_DEADLINE_MS: u64 = 2_000;
const RESEND_AFTER_MS: u64 = 250;

/// A node's client of the registry.
pub fn remote_client(node: Node) -> RemoteClient<Wire> {
    let options = RemoteOptions {
        resend_after: Duration::from_millis(RESEND_AFTER_MS),
        call_deadline: Duration::from_millis(CALL_DEADLINE_MS),
        ..RemoteOptions::default()
    };
    RemoteClient::new(Wire(node), Arc::new(NodeEnvironment(node)), options)
}

/// A node's transport to the registry.
pub struct Wire(pub Node);

/// One exchange with the registry, from its first poll on.
struct Exchange {
    wire: Node,
    request: Option<Request>,
    id: Option<ExchangeId>,
}

#[async_trait]
impl Transport for Wire {
    async fn exchange(&self, request: Request) -> Result<Response, TransportError> {
        Ok(Exchange { wire: self.0, request: Some(request), id: None }.await)
    }
}

impl Future for Exchange {
    type Output = Response;

    fn poll(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<Response> {
        with(|world| {
            let id = match (self.id, self.request.take()) {
                (None, Some(request)) => {
                    let id = world.traffic.exchanges.open();
                    world.send_request(self.wire, id, request);
                    self.id = Some(id);
                    id
                }
                (Some(id), _) => id,
                (None, None) => return Poll::Pending,
            };
            world.traffic.exchanges.poll(id, task)
        })
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        if let Some(id) = self.id {
            drop(try_with(|world| world.traffic.exchanges.close(id)));
        }
    }
}

/// The call in a request that a plan can hold back, and its process.
fn held_call_in(request: &Request) -> Option<(Method, Process)> {
    let Request::Submit { call, .. } = request else { return None };
    Some((method_of(call)?, Process(process_of(call.process_id()?)?)))
}

impl World {
    fn send_request(&mut self, from: Node, exchange: ExchangeId, request: Request) {
        let now_us = self.kernel.now_us;
        let life = self.node(from).life;
        let mut fate = self.traffic.network.send(self.seed, &self.plan.links, from, Node::Registry, now_us);
        if let Some(at_us) = self.held_until_us(from, &request) {
            fate.first_us = fate.first_us.map(|_| at_us.saturating_sub(now_us));
        }
        if fate.first_us.is_none() {
            self.note_lost(from, &request);
        }
        if let Some(log) = &mut self.traffic.log {
            let link = Link { from, to: Node::Registry };
            let arrives_us = fate.first_us.or(fate.second_us).map(|us| now_us + us);
            let (number, call) = (fate.number, held_call_in(&request));
            log.sent.push(SentMessage { link, number, at_us: now_us, arrives_us, call });
        }
        let message = |content, is_copy| {
            let number = fate.number;
            Message { from, life, exchange, number, sent_us: now_us, is_copy, content }
        };
        match (fate.first_us, fate.second_us) {
            (Some(first_us), Some(second_us)) => {
                self.kernel.at(now_us + first_us, Due::RequestArrives(message(request.clone(), false)));
                self.kernel.at(now_us + second_us, Due::RequestArrives(message(request, true)));
            }
            (Some(us), None) | (None, Some(us)) => {
                self.kernel.at(now_us + us, Due::RequestArrives(message(request, false)));
            }
            (None, None) => {}
        }
    }

    /// The instant at which a call that the plan holds back arrives: when the registry's clock stands at the expiry of the lease
    /// that is stored now, plus the plan's offset.
    fn held_until_us(&mut self, from: Node, request: &Request) -> Option<u64> {
        if self.traffic.held_calls.is_empty() {
            return None;
        }
        let (method, Process(process)) = held_call_in(request)?;
        let now_us = self.kernel.now_us;
        self.traffic.held_calls.retain(|held| held.until_us.is_none_or(|until_us| now_us < until_us));
        let of_process = |held: &&mut HeldCall| held.process.0 == process;
        let mut of_process = self.traffic.held_calls.iter_mut().filter(of_process);
        let applies = |held: &&mut HeldCall| {
            held.method == method || held.until_us.is_some() && method == Method::Renew
        };
        let held = of_process.find(applies)?;
        if let Some(until_us) = held.until_us {
            return Some(until_us);
        }
        let (process, offset_ms) = (held.process, held.offset_ms);
        let until_us = self.true_us_of_expiry(process, offset_ms)?;
        let held = self
            .traffic
            .held_calls
            .iter_mut()
            .find(|held| held.process == process && held.method == method)?;
        held.until_us = Some(until_us);
        if held.asleep {
            // Until just past the arrival: anything it sent before could overtake the held call.
            self.pause(from, until_us + 1_000);
        }
        Some(until_us)
    }

    pub fn note_lost(&mut self, node: Node, request: &Request) {
        let process = match request {
            Request::Submit { call, .. } => call.process_id().and_then(process_of).unwrap_or(NO_PROCESS),
            Request::Hello { .. } => NO_PROCESS,
        };
        self.note(node, process, GrantNo::NONE, What::Lost { is_answer: false });
    }

    /// Sends the registry's answer on its way back.
    pub fn send_answer(&mut self, to: Node, life: u64, exchange: ExchangeId, answer: Response) {
        let now_us = self.kernel.now_us;
        let fate = self.traffic.network.send(self.seed, &self.plan.links, Node::Registry, to, now_us);
        let number = fate.number;
        if let Some(log) = &mut self.traffic.log {
            let link = Link { from: Node::Registry, to };
            let arrives_us = fate.first_us.or(fate.second_us).map(|us| now_us + us);
            log.sent.push(SentMessage { link, number, at_us: now_us, arrives_us, call: None });
        }
        let Some(us) = fate.first_us.or(fate.second_us) else {
            self.note_at(to, What::Lost { is_answer: true });
            return;
        };
        let message =
            Message { from: to, life, exchange, number, sent_us: now_us, is_copy: false, content: answer };
        self.kernel.at(now_us + us, Due::AnswerArrives(message));
    }

    /// True if the message goes on although its client may have died meanwhile.
    pub fn survives<T>(&mut self, message: &Message<T>) -> bool {
        assert!(message.life <= self.node(message.from).life, "a message is of a life that has not begun");
        if self.node(message.from).life == message.life {
            return true;
        }
        let key = [u64::from(message.from.code()), message.number];
        self.seed.draw(Purpose::InFlight, key) & 1 == 1
    }

    /// Gives an answer to the exchange that waits for it, or keeps it until the end of its node's pause. The waker is the
    /// caller's to wake.
    pub fn take_answer(&mut self, message: Message<Response>) -> Option<Waker> {
        assert!(message.sent_us <= self.kernel.now_us, "an answer arrived before it was sent");
        let state = self.node(message.from);
        if state.is_paused {
            state.inbox.push(Due::AnswerArrives(message));
            return None;
        }
        self.traffic.exchanges.answer(message.exchange, message.content)
    }
}
