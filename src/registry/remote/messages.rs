//! The messages between a client and a server, and the transport that carries them.

use std::sync::Arc;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::environment::Environment;
use crate::model::hex::to_hex;
use crate::registry::calls::{Answer, Call};

/// A client makes no call this far above the lowest it still waits for, and a server takes none.
pub(super) const CALLS_PER_CLIENT: u64 = 4_096;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Request {
    /// Takes a seat; again is the same seat.
    Hello { client_life: Arc<str> },
    Submit {
        seat: Seat,
        client_life: Arc<str>,
        /// The number of this call among the client's, from 1.
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
    pub server_life: Arc<str>,
    pub number: u64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Response {
    Welcome {
        seat: Seat,
    },
    Answer {
        number: u64,
        answer: Answer,
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

/// A fresh name for one life (from start to stop) of a client or server. Shared, because every request carries two.
pub(super) fn draw_life(environment: &dyn Environment) -> Arc<str> {
    let mut entropy = [0; 16];
    environment.fill_entropy(&mut entropy);
    to_hex(&entropy).into()
}
