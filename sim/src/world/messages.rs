//! Messages between a node and the registry, and between a body and the ledger. The fate of each is the network's; here
//! they are kept while they travel. A request that was sent may arrive after its sender died; its answer then finds
//! nobody.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use async_trait::async_trait;
use fencepost::registry::calls::Call;
use fencepost::registry::remote::{Request, Response, Transport, TransportError};
use fencepost::work::effect::{Effect, EffectController, EffectError};
use serde_json::{Value, json};

use crate::history::event::{Event, GrantNo, Kind, NO_PROCESS};
use crate::plan::chance::{Purpose, below};
use crate::plan::step::Method;
use crate::plan::{Node, Process};
use crate::world::{Due, World, process_of, try_with, with};

/// The registry's side of one node's wire.
pub struct Wire(pub Node);

/// A request on its way, or an answer.
pub struct Message<T> {
    pub from: Node,
    /// The client node's life when it asked.
    pub life: u64,
    pub exchange: ExchangeId,
    /// On its link.
    pub number: u64,
    pub sent_us: u64,
    pub is_copy: bool,
    pub content: T,
}

/// Where an exchange's answer is put; the place is given to another when nobody waits there any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExchangeId {
    place: u32,
    generation: u32,
}

/// Exchanges whose caller still waits.
pub struct Exchanges<T> {
    slots: Vec<Slot<T>>,
    free: Vec<u32>,
}

struct Slot<T> {
    generation: u32,
    waker: Option<Waker>,
    answer: Option<T>,
}

impl<T> Default for Exchanges<T> {
    fn default() -> Self {
        Self { slots: Vec::new(), free: Vec::new() }
    }
}

impl<T> Exchanges<T> {
    fn open(&mut self) -> ExchangeId {
        match self.free.pop() {
            Some(place) => ExchangeId { place, generation: self.slots[place as usize].generation },
            None => {
                self.slots.push(Slot { generation: 0, waker: None, answer: None });
                ExchangeId { place: (self.slots.len() - 1) as u32, generation: 0 }
            }
        }
    }

    /// The first answer counts. The waker is the caller's to wake.
    pub fn answer(&mut self, id: ExchangeId, answer: T) -> Option<Waker> {
        let slot = &mut self.slots[id.place as usize];
        if slot.generation != id.generation || slot.answer.is_some() {
            return None;
        }
        slot.answer = Some(answer);
        slot.waker.take()
    }

    fn poll(&mut self, id: ExchangeId, task: &Context<'_>) -> Poll<T> {
        let slot = &mut self.slots[id.place as usize];
        match slot.answer.take() {
            Some(answer) => Poll::Ready(answer),
            None => {
                slot.waker = Some(task.waker().clone());
                Poll::Pending
            }
        }
    }

    fn close(&mut self, id: ExchangeId) -> (Option<Waker>, Option<T>) {
        let slot = &mut self.slots[id.place as usize];
        slot.generation += 1;
        self.free.push(id.place);
        (slot.waker.take(), slot.answer.take())
    }
}

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
                    let id = world.exchanges.open();
                    world.send_request(self.wire, id, request);
                    self.id = Some(id);
                    id
                }
                (Some(id), _) => id,
                (None, None) => return Poll::Pending,
            };
            world.exchanges.poll(id, task)
        })
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        if let Some(id) = self.id {
            drop(try_with(|world| world.exchanges.close(id)));
        }
    }
}

/// Calls that the plan holds back.
pub struct Held {
    pub process: Process,
    pub method: Method,
    pub offset_ms: i64,
    pub asleep: bool,
    /// Known from the first such call on.
    pub until_us: Option<u64>,
}

/// Which kind of held-back call this is, if any.
fn method_of(call: &Call) -> Option<Method> {
    match call {
        Call::ClaimProcessLease { .. } => Some(Method::Claim),
        Call::RenewProcessLease { .. } => Some(Method::Renew),
        Call::RecordFirstStartedWithLease { .. } => Some(Method::Start),
        Call::AppendEventWithLease { .. } => Some(Method::Emit),
        Call::AppendEvent { request, .. } if request.event_type == "progress" => Some(Method::Emit),
        Call::CompleteProcessWithLease { .. } | Call::CompleteProcess { .. } => Some(Method::Complete),
        Call::CompleteProcessLease { .. } => Some(Method::Release),
        _ => None,
    }
}

impl World {
    fn send_request(&mut self, from: Node, exchange: ExchangeId, request: Request) {
        let now_us = self.kernel.now_us;
        let life = self.node(from).life;
        let mut fate = self.network.send(self.seed, &self.plan.links, from, Node::Registry, now_us);
        if let Some(at_us) = self.held_until_us(from, &request) {
            fate.first_us = fate.first_us.map(|_| at_us.saturating_sub(now_us));
        }
        if fate.first_us.is_none() {
            self.note_lost(from, &request, 0);
        }
        let message = |content, is_copy| {
            let number = fate.number;
            Message { from, life, exchange, number, sent_us: now_us, is_copy, content }
        };
        match (fate.first_us, fate.second_us) {
            (Some(first_us), Some(second_us)) => {
                self.kernel.at(now_us + first_us, Due::Arrives(message(request.clone(), false)));
                self.kernel.at(now_us + second_us, Due::Arrives(message(request, true)));
            }
            (Some(us), None) | (None, Some(us)) => {
                self.kernel.at(now_us + us, Due::Arrives(message(request, false)));
            }
            (None, None) => {}
        }
    }

    /// When a call that the plan holds back arrives: as the registry's clock stands in relation to the expiry of the lease
    /// that is stored now.
    fn held_until_us(&mut self, from: Node, request: &Request) -> Option<u64> {
        if self.holds.is_empty() {
            return None;
        }
        let Request::Submit { call, .. } = request else { return None };
        let method = method_of(call)?;
        let process = process_of(call.process_id()?)?;
        let now_us = self.kernel.now_us;
        self.holds.retain(|held| held.until_us.is_none_or(|until_us| now_us < until_us));
        let of_process = |held: &&mut Held| held.process.0 == process;
        let mut of_process = self.holds.iter_mut().filter(of_process);
        let applies =
            |held: &&mut Held| held.method == method || held.until_us.is_some() && method == Method::Renew;
        let held = of_process.find(applies)?;
        if let Some(until_us) = held.until_us {
            return Some(until_us);
        }
        let (process, offset_ms) = (held.process, held.offset_ms);
        let until_us = self.true_us_of_expiry(process, offset_ms)?;
        let held = self.holds.iter_mut().find(|held| held.process == process && held.method == method)?;
        held.until_us = Some(until_us);
        if held.asleep {
            // Just past the arrival: whatever it would send before could overtake what is held.
            self.pause(from, until_us + 1_000);
        }
        Some(until_us)
    }

    pub fn note_lost(&mut self, node: Node, request: &Request, is_answer: u64) {
        let process = match request {
            Request::Submit { call, .. } => call.process_id().and_then(process_of).unwrap_or(NO_PROCESS),
            Request::Hello { .. } => NO_PROCESS,
        };
        self.note(node, Kind::Lost, process, GrantNo::NONE, is_answer, 0);
    }

    /// Sends the registry's answer on its way back.
    pub fn send_answer(&mut self, to: Node, life: u64, exchange: ExchangeId, answer: Response) {
        let now_us = self.kernel.now_us;
        let fate = self.network.send(self.seed, &self.plan.links, Node::Registry, to, now_us);
        let number = fate.number;
        let Some(us) = fate.first_us.or(fate.second_us) else {
            self.note(to, Kind::Lost, NO_PROCESS, GrantNo::NONE, 1, 0);
            return;
        };
        let message =
            Message { from: to, life, exchange, number, sent_us: now_us, is_copy: false, content: answer };
        self.kernel.at(now_us + us, Due::Answers(message));
    }

    /// Whether a message of a client that died meanwhile goes on all the same.
    pub fn survives<T>(&mut self, message: &Message<T>) -> bool {
        if self.node(message.from).life == message.life {
            return true;
        }
        let key = [u64::from(message.from.code()), message.number];
        self.seed.draw(Purpose::InFlight, key) & 1 == 1
    }
}

/// A body's way to the ledger. Effects are never lost, but they take their time.
pub struct LedgerWire(pub Node);

struct EffectExchange {
    node: Node,
    effect: Option<Effect>,
    id: Option<ExchangeId>,
}

#[async_trait]
impl EffectController for LedgerWire {
    async fn perform(&self, effect: Effect) -> Result<Value, EffectError> {
        let (key, fence) = (effect.key.clone(), effect.fence);
        match (EffectExchange { node: self.0, effect: Some(effect), id: None }).await {
            Ok(()) => Ok(json!(null)),
            Err(highest) => Err(EffectError::Stale { key, fence, highest }),
        }
    }
}

impl Future for EffectExchange {
    type Output = Result<(), u64>;

    fn poll(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<Result<(), u64>> {
        with(|world| {
            let id = match (self.id, self.effect.take()) {
                (None, Some(effect)) => {
                    let id = world.effects.open();
                    world.send_effect(self.node, id, &effect);
                    self.id = Some(id);
                    id
                }
                (Some(id), _) => id,
                (None, None) => return Poll::Pending,
            };
            world.effects.poll(id, task)
        })
    }
}

impl Drop for EffectExchange {
    fn drop(&mut self) {
        if let Some(id) = self.id {
            drop(try_with(|world| world.effects.close(id)));
        }
    }
}

/// An effect on its way to the ledger.
#[derive(Debug, Clone, Copy)]
pub struct Offered {
    pub node: Node,
    pub process: u16,
    pub fence: u64,
    pub grant: GrantNo,
    pub exchange: ExchangeId,
}

impl World {
    fn send_effect(&mut self, node: Node, exchange: ExchangeId, effect: &Effect) {
        let process = process_of(&effect.process_id).unwrap_or(NO_PROCESS);
        let grant = self.grant_by_fence(process, effect.fence, node);
        self.note(node, Kind::EffectStarted, process, grant, effect.fence, 0);
        self.effects_sent += 1;
        let key = [u64::from(process) << 32 | effect.fence & 0xffff_ffff, self.effects_sent_of(process)];
        let drawn = self.seed.draw(Purpose::Effect, key);
        let spread = self.plan.links.slowest_us - self.plan.links.fastest_us + 1;
        let us = self.plan.links.fastest_us + below(drawn, spread);
        let now_us = self.kernel.now_us;
        let offered = Offered { node, process, fence: effect.fence, grant, exchange };
        self.kernel.at(now_us + us, Due::Effect(offered));
    }

    /// The ledger takes an effect, or refuses a fence below the highest it saw; its answer is back as soon again.
    pub fn take_effect(&mut self, offered: Offered) {
        let place = usize::from(offered.process);
        if self.ledger.len() <= place {
            self.ledger.resize(place + 1, 0);
        }
        let highest = self.ledger[place];
        let (kind, answer) = if offered.fence < highest {
            (Kind::EffectRefused, Err(highest))
        } else {
            self.ledger[place] = offered.fence;
            (Kind::EffectTaken, Ok(()))
        };
        let now_us = self.kernel.now_us;
        self.events.push(Event {
            at_us: now_us,
            clock: now_us,
            a: offered.fence,
            b: highest,
            grant: offered.grant,
            process: offered.process,
            node: Node::Ledger.code(),
            kind,
        });
        self.kernel.at(now_us + self.plan.links.fastest_us, Due::EffectAnswers(offered, answer));
    }
}
