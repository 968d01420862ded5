//! The calling side: a registry whose calls travel over a transport. A request without a response is sent again; a call
//! without an answer in time has an unknown outcome.

use std::collections::BTreeSet;
use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::Duration;

use async_trait::async_trait;

use crate::environment::{BoxFuture, Environment, before};
use crate::model::error::RegistryError;
use crate::model::process::DurabilityTier;
use crate::registry::calls::{Answer, Call, Facade, Submit};
use crate::registry::remote::messages::{
    CALLS_PER_CLIENT, Request, Response, Seat, Transport, TransportError, draw_life,
};

/// A [`crate::ProcessRegistry`] whose calls travel over a [`Transport`].
pub type RemoteRegistry<T> = Facade<RemoteClient<T>>;

#[derive(Debug, Clone)]
pub struct RemoteOptions {
    /// A request without a response is sent again after this long, then after twice as long, and so on.
    pub resend_after: Duration,
    /// A call without an answer is unknown after this long.
    pub call_deadline: Duration,
    /// The durability that the registry behind the server promises.
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
    life: Arc<str>,
    state: Mutex<ClientState>,
}

#[derive(Default)]
struct ClientState {
    seat: Option<Seat>,
    last_number: u64,
    awaited: BTreeSet<u64>,
}

/// More exchanges of one call than this are not waited for. The pause between them doubles, so that the oldest has had
/// far longer than any of the later ones when it is given up.
const EXCHANGES_IN_FLIGHT: usize = 8;

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
        let hello = || Request::Hello { client_life: Arc::clone(&self.life) };
        let is_welcome = |response: &Response| matches!(response, Response::Welcome { .. });
        // Once in a client's life: the future of every later call need not have room for it.
        match Box::pin(self.until_answered(deadline, hello, is_welcome)).await {
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
        loop {
            let now = self.environment.monotonic();
            if now >= deadline {
                return None;
            }
            if in_flight.len() == EXCHANGES_IN_FLIGHT {
                drop(in_flight.remove(0));
            }
            in_flight.push(self.transport.exchange(request()));
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
    }
}

/// Stops waiting for a number, however the wait ends.
struct AwaitedNumber<'a, T: Transport> {
    client: &'a RemoteClient<T>,
    number: u64,
}

impl<T: Transport> Drop for AwaitedNumber<'_, T> {
    fn drop(&mut self) {
        self.client.state().awaited.remove(&self.number);
    }
}

#[async_trait]
impl<T: Transport> Submit for RemoteClient<T> {
    async fn submit(&self, call: Arc<Call>) -> Answer {
        let deadline = self.environment.monotonic().saturating_add(self.options.call_deadline);
        let method = call.method();
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
            let is_new = state.awaited.insert(number);
            assert!(is_new, "call number {number} is used twice");
            number
        };
        let _awaited = AwaitedNumber { client: self, number };
        let request = || Request::Submit {
            seat: seat.clone(),
            client_life: Arc::clone(&self.life),
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
            Some(Response::Answer { answer, .. }) => answer,
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
