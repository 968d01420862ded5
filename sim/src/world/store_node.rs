//! The store behind somebody's client of leases, on the registry's node: it is opened once a run and carries out requests.

use std::sync::Arc;

use crate::history::event::What;
use crate::lease::{AnyStore, ConnectionLost, LeasePlace};
use crate::plan::Node;
use crate::world::environment::NodeEnvironment;
use crate::world::state::due::{Due, Message};
use crate::world::state::nodes::Caller;
use crate::world::state::store_traffic::{CarriedOut, StoreAnswer, StoreRequest};
use crate::world::state::{World, with};

/// Opens the store, if there is one and it is not open.
pub fn start() {
    let door = with(|world| match &world.services.registry.lease_store {
        None => world.subject.lease_client.clone(),
        Some(_) => None,
    });
    if let Some(door) = door {
        let place = LeasePlace::new(Arc::new(NodeEnvironment(Node::Registry)), callers_clock_ms);
        let store = (door.open_store)(place);
        with(|world| world.services.registry.lease_store = Some(store));
    }
}

fn callers_clock_ms() -> u64 {
    with(|world| world.wall_ms(world.records.caller.node))
}

/// A request reaches the node: the store carries it out on the spot.
pub fn serve(message: Message<StoreRequest>) {
    let Some((store, message)) = with(|world| world.accept_store_request(message)) else { return };
    let life = with(|world| world.node(Node::Registry).life);
    let known = with(|world| world.answer_known(message.content.number, life, store.repeats()));
    let answer = match known {
        Some(answer) => answer,
        None => match store.answer_any(&message.content.content) {
            Some(answer) => {
                let done = CarriedOut { life, answer: Arc::clone(&answer) };
                with(|world| world.traffic.store.carried_out.insert(message.content.number, done));
                Ok(answer)
            }
            None => unreachable!("a store is asked in its own words"),
        },
    };
    with(|world| world.send_store_answer(&message, answer));
}

impl World {
    /// None, if the request is lost or waits for the end of a pause.
    fn accept_store_request(
        &mut self,
        message: Message<StoreRequest>,
    ) -> Option<(Arc<dyn AnyStore>, Message<StoreRequest>)> {
        let registry = self.node(Node::Registry);
        if registry.is_paused {
            registry.inbox.push(Due::StoreRequestArrives(message));
            return None;
        }
        if !registry.is_up || !self.survives(&message) {
            return None;
        }
        self.records.caller = Caller { node: message.from, life: message.life };
        Some((self.services.registry.lease_store.clone()?, message))
    }

    /// The answer to a request that came before.
    fn answer_known(&self, number: u64, life: u64, is_repeated: bool) -> Option<StoreAnswer> {
        let done = self.traffic.store.carried_out.get(&number)?;
        if done.life != life {
            return Some(Err(ConnectionLost::Reset));
        }
        (!is_repeated).then(|| Ok(Arc::clone(&done.answer)))
    }

    fn send_store_answer(&mut self, request: &Message<StoreRequest>, answer: StoreAnswer) {
        let now_us = self.kernel.now_us;
        let (to, life, exchange) = (request.from, request.life, request.exchange);
        let fate = self.traffic.network.send(self.seed, &self.plan.links, Node::Registry, to, now_us);
        let Some(us) = fate.first_us.or(fate.second_us) else {
            return self.note_at(to, What::Lost { is_answer: true });
        };
        let message = Message {
            from: to,
            life,
            exchange,
            number: fate.number,
            sent_us: now_us,
            is_copy: false,
            content: answer,
        };
        self.kernel.at(now_us + us, Due::StoreAnswerArrives(message));
    }
}
