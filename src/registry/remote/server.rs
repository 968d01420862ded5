//! The answering side: one life of a server. It applies each call at most once: a late duplicate is answered from
//! memory, waits for the first copy, or is dropped. Read [`RegistryServer::handle`] first.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use crate::environment::Environment;
use crate::model::error::RegistryError;
use crate::registry::calls::{Answer, Call, Submit};
use crate::registry::remote::messages::{CALLS_PER_CLIENT, Request, Response, Seat, draw_life};

/// The answering side: one life of a server in front of any registry.
pub struct RegistryServer<S> {
    registry: S,
    life: Arc<str>,
    state: Mutex<ServerState>,
}

#[derive(Default)]
struct ServerState {
    /// In the order in which the requests were taken, because their numbers only grow.
    seats: BTreeMap<u64, SeatedClient>,
    last_seat: u64,
    /// Moves with every request, to find the client that has been silent longest.
    ticks: u64,
}

struct SeatedClient {
    life: Arc<str>,
    last_heard: u64,
    forgotten_below: u64,
    calls: BTreeMap<u64, RememberedCall>,
}

/// A call that this life of the server has received: never applied again.
struct RememberedCall {
    call: Arc<Call>,
    memory: CallMemory,
}

enum CallMemory {
    /// Its first copy is at work; the channel is there once a duplicate waits for it.
    AtWork(Option<watch::Sender<Option<Answer>>>),
    Answered(Answer),
    /// A read applies nothing: its answer, which may be large, is not kept, and a later duplicate is asked anew.
    Forgotten,
}

/// More clients than this, and the one silent longest must take a new seat.
const CLIENTS: usize = 1_024;

impl<S: Submit> RegistryServer<S> {
    pub fn new(registry: S, environment: &dyn Environment) -> Self {
        Self { registry, life: draw_life(environment), state: Mutex::default() }
    }

    pub fn life(&self) -> &str {
        &self.life
    }

    fn state(&self) -> MutexGuard<'_, ServerState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Answers one request. A duplicate is answered from memory, or waits for the first copy. `None` when the request
    /// is so old that its client no longer waits for it.
    pub async fn handle(&self, request: Request) -> Option<Response> {
        let (seat, client_life, number, lowest_awaited, call) = match request {
            Request::Hello { client_life } => {
                return Some(Response::Welcome { seat: self.welcome(client_life) });
            }
            Request::Submit { seat, client_life, number, lowest_awaited, call } => {
                (seat, client_life, number, lowest_awaited, call)
            }
        };
        let first_copy = {
            let mut state = self.state();
            state.ticks += 1;
            let now = state.ticks;
            let client = state.seats.get_mut(&seat.number);
            let client = client.filter(|client| seat.server_life == self.life && client.life == client_life);
            let Some(client) = client else {
                return Some(Response::NoSuchSeat { number });
            };
            client.last_heard = now;
            client.forget_below(lowest_awaited);
            if number < client.forgotten_below || number - client.forgotten_below >= CALLS_PER_CLIENT {
                return None;
            }
            match client.calls.get_mut(&number) {
                Some(remembered) if remembered.call != call => {
                    let error = RegistryError::invalid("number", format!("{number} names another call"));
                    return Some(Response::Answer { number, answer: Err(error) });
                }
                Some(RememberedCall { memory: CallMemory::Answered(answer), .. }) => {
                    return Some(Response::Answer { number, answer: answer.clone() });
                }
                Some(RememberedCall { memory: CallMemory::AtWork(waiting), .. }) => {
                    Some(waiting.get_or_insert_with(|| watch::Sender::new(None)).subscribe())
                }
                Some(remembered) => {
                    remembered.memory = CallMemory::AtWork(None);
                    None
                }
                None => {
                    let remembered =
                        RememberedCall { call: Arc::clone(&call), memory: CallMemory::AtWork(None) };
                    client.calls.insert(number, remembered);
                    None
                }
            }
        };
        let answer = match first_copy {
            None => {
                let mut promise =
                    AnswerPromise { server: self, seat: seat.number, number, is_fulfilled: false };
                let is_read = call.is_read();
                let answer = self.registry.submit(call).await;
                promise.is_fulfilled = true;
                self.remember(seat.number, number, &answer, is_read);
                answer
            }
            Some(mut first_copy) => {
                let heard = first_copy.wait_for(Option::is_some).await.map(|answer| answer.clone());
                heard.ok().flatten().unwrap_or_else(|| Err(interrupted()))
            }
        };
        Some(Response::Answer { number, answer })
    }

    /// Keeps an answer for duplicates, and gives it to those that wait for it.
    fn remember(&self, seat: u64, number: u64, answer: &Answer, is_read: bool) {
        let mut state = self.state();
        let remembered = state.seats.get_mut(&seat).and_then(|client| client.calls.get_mut(&number));
        let Some(remembered) = remembered else { return };
        let memory = if is_read { CallMemory::Forgotten } else { CallMemory::Answered(answer.clone()) };
        let CallMemory::AtWork(waiting) = std::mem::replace(&mut remembered.memory, memory) else {
            panic!("call {number} of seat {seat} was answered twice");
        };
        if let Some(waiting) = waiting {
            waiting.send_replace(Some(answer.clone()));
        }
    }

    fn welcome(&self, client_life: Arc<str>) -> Seat {
        let mut state = self.state();
        state.ticks += 1;
        let now = state.ticks;
        let seated = state.seats.iter_mut().find(|(_, client)| client.life == client_life);
        let number = match seated {
            Some((number, client)) => {
                client.last_heard = now;
                *number
            }
            None => {
                if state.seats.len() >= CLIENTS {
                    let silent = state.seats.iter().min_by_key(|(_, client)| client.last_heard);
                    if let Some(number) = silent.map(|(number, _)| *number) {
                        state.seats.remove(&number);
                    }
                }
                state.last_seat += 1;
                let client = SeatedClient {
                    life: client_life,
                    last_heard: now,
                    forgotten_below: 0,
                    calls: BTreeMap::new(),
                };
                let number = state.last_seat;
                let seated_before = state.seats.insert(number, client);
                assert!(seated_before.is_none(), "seat {number} was given to two clients");
                number
            }
        };
        Seat { server_life: Arc::clone(&self.life), number }
    }

    /// How many calls this life remembers.
    pub fn remembered_calls(&self) -> usize {
        self.state().seats.values().map(|client| client.calls.len()).sum()
    }
}

impl SeatedClient {
    fn forget_below(&mut self, lowest_awaited: u64) {
        if lowest_awaited > self.forgotten_below {
            while self.calls.first_key_value().is_some_and(|(number, _)| *number < lowest_awaited) {
                self.calls.pop_first();
            }
            self.forgotten_below = lowest_awaited;
        }
    }
}

fn interrupted() -> RegistryError {
    RegistryError::unavailable("wait for the first copy of a call", "it was interrupted")
}

/// A call whose handling is dropped has an unknown outcome, and its duplicates hear so.
struct AnswerPromise<'a, S: Submit> {
    server: &'a RegistryServer<S>,
    seat: u64,
    number: u64,
    is_fulfilled: bool,
}

impl<S: Submit> Drop for AnswerPromise<'_, S> {
    fn drop(&mut self) {
        if !self.is_fulfilled {
            self.server.remember(self.seat, self.number, &Err(interrupted()), false);
        }
    }
}
