//! A registry behind a network that loses, repeats and reorders: requests and responses as values, each call applied at
//! most once in a server's life, three outcomes. A client takes a seat with the server's present life before its first
//! call; every request names that seat, so what an earlier life may have applied is never applied again: its caller
//! hears that the outcome is unknown. Read [`RegistryServer::handle`] first.

use std::collections::{BTreeMap, BTreeSet};
use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use crate::environment::{BoxFuture, Environment, before};
use crate::model::error::RegistryError;
use crate::model::process::DurabilityTier;
use crate::registry::calls::{Call, Facade, Reply, Submit};

type Answer = Result<Reply, RegistryError>;

/// A [`crate::ProcessRegistry`] whose calls travel over a [`Transport`].
pub type RemoteRegistry<T> = Facade<RemoteClient<T>>;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Request {
    /// Takes a seat; again is the same seat.
    Hello { client_life: String },
    Submit {
        seat: Seat,
        client_life: String,
        /// Of this call among the client's, from 1.
        number: u64,
        /// The lowest number that the client still waits for: below it the server forgets.
        lowest_awaited: u64,
        /// Shared by its copies on their way and the server's memory of it.
        call: Arc<Call>,
    },
}

/// A client's place with one life of a server; never given twice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seat {
    pub server_life: String,
    pub number: u64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Response {
    Welcome {
        seat: Seat,
    },
    Answer {
        number: u64,
        answer: Box<Answer>,
    },
    /// The seat belongs to an earlier life, or was given up: nothing is applied under it any more.
    NoSuchSeat {
        number: u64,
    },
}

/// One exchange failed and is known to have failed; whether the request arrived is not known.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct TransportError(pub String);

/// Carries one request and brings back its response, or never answers.
#[async_trait]
pub trait Transport: Send + Sync {
    async fn exchange(&self, request: Request) -> Result<Response, TransportError>;
}

#[derive(Debug, Clone)]
pub struct RemoteOptions {
    /// A request without a response is sent again after this long, then after twice as long, and so on.
    pub resend_after: Duration,
    /// A call without an answer is unknown after this long.
    pub call_deadline: Duration,
    /// What the registry behind the server promises; nothing, until its operator says so.
    pub durability_tier: DurabilityTier,
}

impl Default for RemoteOptions {
    fn default() -> Self {
        Self {
            resend_after: Duration::from_millis(500),
            call_deadline: Duration::from_secs(5),
            durability_tier: DurabilityTier::Inline,
        }
    }
}

/// The calling side.
pub struct RemoteClient<T> {
    transport: T,
    environment: Arc<dyn Environment>,
    options: RemoteOptions,
    life: String,
    state: Mutex<ClientState>,
}

#[derive(Default)]
struct ClientState {
    seat: Option<Seat>,
    last_number: u64,
    awaited: BTreeSet<u64>,
}

/// More exchanges of one call than this are not waited for. The pause between them doubles, so that the oldest has had far
/// longer than any of the later ones when it is given up.
const EXCHANGES_IN_FLIGHT: usize = 8;

/// What a new life of a client or server is called.
fn draw_life(environment: &dyn Environment) -> String {
    let mut entropy = [0; 16];
    environment.fill_entropy(&mut entropy);
    entropy.iter().map(|byte| format!("{byte:02x}")).collect()
}

impl<T: Transport> RemoteClient<T> {
    pub fn new(transport: T, environment: Arc<dyn Environment>, options: RemoteOptions) -> Self {
        let life = draw_life(environment.as_ref());
        Self { transport, environment, options, life, state: Mutex::default() }
    }

    /// This client as a registry.
    pub fn registry(self) -> RemoteRegistry<T> {
        Facade(self)
    }

    fn state(&self) -> MutexGuard<'_, ClientState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn seat(&self, deadline: Duration) -> Result<Seat, RegistryError> {
        if let Some(seat) = self.state().seat.clone() {
            return Ok(seat);
        }
        let hello = || Request::Hello { client_life: self.life.clone() };
        match self
            .until_answered(deadline, hello, |response| matches!(response, Response::Welcome { .. }))
            .await
        {
            Some(Response::Welcome { seat }) => {
                // A welcome that was long on its way must not take the place of a later one.
                Ok(self.state().seat.get_or_insert(seat).clone())
            }
            // The call itself was never sent.
            _ => Err(RegistryError::backend("reach the registry", "no server answered in time")),
        }
    }

    /// Sends the request, and again whenever nothing came back for a while, until a response fits or time is up.
    async fn until_answered(
        &self,
        deadline: Duration,
        request: impl Fn() -> Request + Send,
        fits: impl Fn(&Response) -> bool + Send,
    ) -> Option<Response> {
        let mut in_flight: Vec<BoxFuture<'_, Result<Response, TransportError>>> = Vec::new();
        // Without a pause no exchange would ever be polled.
        let mut pause = self.options.resend_after.max(Duration::from_millis(1));
        while self.environment.monotonic() < deadline {
            if in_flight.len() == EXCHANGES_IN_FLIGHT {
                drop(in_flight.remove(0));
            }
            in_flight.push(self.transport.exchange(request()));
            let now = self.environment.monotonic();
            let patience = now.saturating_add(pause).min(deadline);
            pause = pause.saturating_mul(2);
            let heard = poll_fn(|task| {
                let mut place = 0;
                while let Some(exchange) = in_flight.get_mut(place) {
                    match exchange.as_mut().poll(task) {
                        Poll::Pending => place += 1,
                        Poll::Ready(Ok(response)) if fits(&response) => return Poll::Ready(response),
                        Poll::Ready(_) => drop(in_flight.remove(place)),
                    }
                }
                Poll::Pending
            });
            if let Some(response) = before(patience, self.environment.as_ref(), heard).await {
                return Some(response);
            }
        }
        None
    }
}

/// Stops waiting for a number, however the wait ends.
struct Awaited<'a, T: Transport> {
    client: &'a RemoteClient<T>,
    number: u64,
}

impl<T: Transport> Drop for Awaited<'_, T> {
    fn drop(&mut self) {
        self.client.state().awaited.remove(&self.number);
    }
}

#[async_trait]
impl<T: Transport> Submit for RemoteClient<T> {
    async fn submit(&self, call: Call) -> Answer {
        let deadline = self.environment.monotonic().saturating_add(self.options.call_deadline);
        let method = call.method();
        let call = Arc::new(call);
        let seat = self.seat(deadline).await?;
        let number = {
            let mut state = self.state();
            let number = state.last_number + 1;
            let lowest = state.awaited.first().copied().unwrap_or(number);
            if number - lowest >= CALLS_PER_CLIENT {
                let cause =
                    format!("call {lowest} still has no answer, and {CALLS_PER_CLIENT} came after it");
                return Err(RegistryError::backend(method, cause));
            }
            state.last_number = number;
            state.awaited.insert(number);
            number
        };
        let _awaited = Awaited { client: self, number };
        let request = || Request::Submit {
            seat: seat.clone(),
            client_life: self.life.clone(),
            number,
            lowest_awaited: self.state().awaited.first().copied().unwrap_or(number),
            call: Arc::clone(&call),
        };
        let is_about_this = |response: &Response| match response {
            Response::Answer { number: answered, .. } | Response::NoSuchSeat { number: answered } => {
                *answered == number
            }
            Response::Welcome { .. } => false,
        };
        match self.until_answered(deadline, request, is_about_this).await {
            Some(Response::Answer { answer, .. }) => *answer,
            Some(_) => {
                let mut state = self.state();
                if state.seat.as_ref() == Some(&seat) {
                    state.seat = None;
                }
                Err(RegistryError::unavailable(
                    method,
                    "the server has restarted since the call was first sent",
                ))
            }
            None => Err(RegistryError::unavailable(method, "no answer came in time")),
        }
    }

    fn durability_tier(&self) -> DurabilityTier {
        self.options.durability_tier
    }
}

/// The answering side: one life of a server in front of any registry.
pub struct RegistryServer<S> {
    registry: S,
    life: String,
    state: Mutex<ServerState>,
}

#[derive(Default)]
struct ServerState {
    /// In the order they were taken: numbers only grow.
    seats: BTreeMap<u64, Client>,
    last_seat: u64,
    /// Moves with every request, to find the client that has been silent longest.
    ticks: u64,
}

struct Client {
    life: String,
    last_heard: u64,
    forgotten_below: u64,
    calls: BTreeMap<u64, Seen>,
}

/// A call this life has met: never applied again.
struct Seen {
    call: Arc<Call>,
    memory: Memory,
}

enum Memory {
    /// Its first copy is at work; the channel is there once a duplicate waits for it.
    AtWork(Option<watch::Sender<Option<Answer>>>),
    Answered(Box<Answer>),
    /// A read applies nothing: its answer, which may be large, is not kept, and a later duplicate is asked anew.
    Forgotten,
}

/// More clients than this, and the one silent longest must take a new seat.
const CLIENTS: usize = 1_024;

/// A client makes no call this far above the lowest it still waits for, and a server takes none.
const CALLS_PER_CLIENT: u64 = 4_096;

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

    /// Answers one request. A duplicate is answered from memory, or waits for the first copy. `None` when the request is
    /// so old that its client no longer waits for it.
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
                Some(seen) if seen.call != call => {
                    let error = RegistryError::invalid("number", format!("{number} names another call"));
                    return Some(Response::Answer { number, answer: Box::new(Err(error)) });
                }
                Some(Seen { memory: Memory::Answered(answer), .. }) => {
                    return Some(Response::Answer { number, answer: answer.clone() });
                }
                Some(Seen { memory: Memory::AtWork(waiting), .. }) => {
                    Some(waiting.get_or_insert_with(|| watch::Sender::new(None)).subscribe())
                }
                Some(seen) => {
                    seen.memory = Memory::AtWork(None);
                    None
                }
                None => {
                    let seen = Seen { call: Arc::clone(&call), memory: Memory::AtWork(None) };
                    client.calls.insert(number, seen);
                    None
                }
            }
        };
        let answer = match first_copy {
            None => {
                let mut promise = Promise { server: self, seat: seat.number, number, is_kept: false };
                let is_read = call.is_read();
                let answer = self.registry.submit(Arc::unwrap_or_clone(call)).await;
                promise.is_kept = true;
                self.remember(seat.number, number, &answer, is_read);
                answer
            }
            Some(mut first_copy) => {
                let heard = first_copy.wait_for(Option::is_some).await.map(|answer| answer.clone());
                heard.ok().flatten().unwrap_or_else(|| Err(interrupted()))
            }
        };
        Some(Response::Answer { number, answer: Box::new(answer) })
    }

    /// Keeps an answer for duplicates, and gives it to those that wait for it.
    fn remember(&self, seat: u64, number: u64, answer: &Answer, is_read: bool) {
        let mut state = self.state();
        let seen = state.seats.get_mut(&seat).and_then(|client| client.calls.get_mut(&number));
        let Some(seen) = seen else { return };
        let memory = if is_read { Memory::Forgotten } else { Memory::Answered(Box::new(answer.clone())) };
        if let Memory::AtWork(Some(waiting)) = std::mem::replace(&mut seen.memory, memory) {
            waiting.send_replace(Some(answer.clone()));
        }
    }

    fn welcome(&self, client_life: String) -> Seat {
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
                let client =
                    Client { life: client_life, last_heard: now, forgotten_below: 0, calls: BTreeMap::new() };
                let number = state.last_seat;
                state.seats.insert(number, client);
                number
            }
        };
        Seat { server_life: self.life.clone(), number }
    }

    /// How many calls this life remembers.
    pub fn remembered_calls(&self) -> usize {
        self.state().seats.values().map(|client| client.calls.len()).sum()
    }
}

impl Client {
    fn forget_below(&mut self, lowest_awaited: u64) {
        if lowest_awaited > self.forgotten_below {
            self.calls = self.calls.split_off(&lowest_awaited);
            self.forgotten_below = lowest_awaited;
        }
    }
}

fn interrupted() -> RegistryError {
    RegistryError::unavailable("wait for the first copy of a call", "it was interrupted")
}

/// A call whose handling is dropped has an unknown outcome, and its duplicates hear so.
struct Promise<'a, S: Submit> {
    server: &'a RegistryServer<S>,
    seat: u64,
    number: u64,
    is_kept: bool,
}

impl<S: Submit> Drop for Promise<'_, S> {
    fn drop(&mut self) {
        if !self.is_kept {
            self.server.remember(self.seat, self.number, &Err(interrupted()), false);
        }
    }
}
