//! Effects of bodies, on their way to the ledger and back. They are never lost, but they take their time.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use async_trait::async_trait;
use fencepost::work::effect::{Effect, EffectController, EffectError};
use serde_json::{Value, json};

use crate::history::event::{Context as EventContext, Event, NO_PROCESS, What};
use crate::plan::Node;
use crate::plan::chance::{Purpose, below};
use crate::world::calls::process_of;
use crate::world::state::due::{Due, OfferedEffect};
use crate::world::state::exchanges::ExchangeId;
use crate::world::state::{World, try_with, with};

/// A node's way to the ledger.
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
                    let id = world.ledger.exchanges.open();
                    world.send_effect(self.node, id, &effect);
                    self.id = Some(id);
                    id
                }
                (Some(id), _) => id,
                (None, None) => return Poll::Pending,
            };
            world.ledger.exchanges.poll(id, task)
        })
    }
}

impl Drop for EffectExchange {
    fn drop(&mut self) {
        if let Some(id) = self.id {
            drop(try_with(|world| world.ledger.exchanges.close(id)));
        }
    }
}

impl World {
    fn send_effect(&mut self, node: Node, exchange: ExchangeId, effect: &Effect) {
        let (process, fence) = (process_of(&effect.process_id).unwrap_or(NO_PROCESS), effect.fence);
        let grant = self.records.grants.of_fence(process, fence, node);
        self.note(node, process, grant, What::EffectStarted { fence });
        let key = [u64::from(process) << 32 | fence & 0xffff_ffff, self.ledger.count_sent(process)];
        let drawn = self.seed.draw(Purpose::Effect, key);
        let spread = self.plan.links.slowest_us - self.plan.links.fastest_us + 1;
        let at_us = self.kernel.now_us + self.plan.links.fastest_us + below(drawn, spread);
        self.kernel.at(at_us, Due::EffectArrives(OfferedEffect { node, process, fence, grant, exchange }));
    }

    /// The ledger takes the effect or refuses it; the answer is back after the shortest latency.
    pub fn take_effect(&mut self, offered: OfferedEffect) {
        let OfferedEffect { process, fence, grant, .. } = offered;
        let (highest, answer) = self.ledger.offer(process, fence);
        let what = match answer {
            Ok(()) => What::EffectTaken { fence, highest },
            Err(_) => What::EffectRefused { fence, highest },
        };
        let now_us = self.kernel.now_us;
        // The ledger has no clock of its own.
        let context =
            EventContext { at_us: now_us, clock: now_us, node: Node::Ledger.code(), process, grant };
        self.record(Event::new(context, what));
        self.kernel.at(now_us + self.plan.links.fastest_us, Due::EffectAnswerArrives(offered, answer));
    }

    /// Gives the ledger's answer to the effect that waits for it. The waker is the caller's to wake.
    pub fn take_effect_answer(&mut self, offered: OfferedEffect, answer: Result<(), u64>) -> Option<Waker> {
        let state = self.node(offered.node);
        if state.is_paused {
            state.inbox.push(Due::EffectAnswerArrives(offered, answer));
            return None;
        }
        self.ledger.exchanges.answer(offered.exchange, answer)
    }
}
