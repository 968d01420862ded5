//! A simulated store behind somebody else's client.

use std::any::Any;
use std::sync::Arc;

use fencepost::environment::BoxFuture;

/// Decides requests, on its own node. It is opened once a run: what it keeps outlives crashes of its node, as a database beside
/// it would.
pub trait LeaseStore: Send + Sync + 'static {
    type Request: Clone + Send + Sync + 'static;
    type Answer: Clone + Send + Sync + 'static;

    /// Decides a request at once, in one step.
    fn answer(&self, request: &Self::Request) -> Self::Answer;

    /// A request in a few words, for timelines.
    fn tell_request(request: &Self::Request) -> String;

    /// An answer in a few words.
    fn tell_answer(answer: &Self::Answer) -> String;

    /// True, if a request that the network repeats is carried out again, as behind a proxy that retries. A connection alone
    /// never repeats one.
    fn carries_out_repeats(&self) -> bool {
        false
    }
}

/// The connection broke before the answer came. The request may have been carried out, or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ConnectionLost {
    #[error("connection reset by peer: the store's node crashed; the request may have been carried out")]
    Reset,
    #[error("connection timed out: no answer within {after_s} s; the request may have been carried out")]
    TimedOut { after_s: u64 },
}

/// A request or an answer, of whatever type the store has.
pub(crate) type Payload = Arc<dyn Any + Send + Sync>;

/// A store whose types nobody needs to know.
pub(crate) trait AnyStore: Send + Sync {
    fn answer_any(&self, request: &Payload) -> Option<Payload>;
    fn tell_any_answer(&self, answer: &Payload) -> String;
    fn repeats(&self) -> bool;
}

impl<S: LeaseStore> AnyStore for S {
    fn answer_any(&self, request: &Payload) -> Option<Payload> {
        Some(Arc::new(self.answer(request.downcast_ref()?)))
    }

    fn tell_any_answer(&self, answer: &Payload) -> String {
        answer.downcast_ref().map(S::tell_answer).unwrap_or_default()
    }

    fn repeats(&self) -> bool {
        self.carries_out_repeats()
    }
}

/// Carries requests from one node to the store.
pub(crate) trait StoreLine: Send + Sync {
    /// `told` says in a few words what is asked.
    fn exchange(&self, request: Payload, told: String)
    -> BoxFuture<'static, Result<Payload, ConnectionLost>>;
}
