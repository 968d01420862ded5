//! The same lock, and nobody looks at its tickets when something is written: `write` is left as the trait has it.

use std::process::ExitCode;
use std::time::Duration;

use fencepost_sim::lease::{Acquired, LeaseClaim, LeaseError, LeasePlace, LeaseService, Renewed};
use fencepost_sim::{Subject, cli};
use your_lease::{MapLock, Ticket};

struct Unguarded(MapLock);

impl LeaseService for Unguarded {
    type Grant = Ticket;

    async fn acquire(&self, key: &str, owner: &str, ttl: Duration) -> Result<Acquired<Ticket>, LeaseError> {
        self.0.acquire(key, owner, ttl).await
    }

    async fn renew(&self, ticket: &Ticket, ttl: Duration) -> Result<Renewed<Ticket>, LeaseError> {
        self.0.renew(ticket, ttl).await
    }

    async fn release(&self, ticket: &Ticket) -> Result<(), LeaseError> {
        self.0.release(ticket).await
    }

    fn fence(&self, ticket: &Ticket) -> Option<u64> {
        self.0.fence(ticket)
    }
}

fn main() -> ExitCode {
    let open = |place: LeasePlace| Unguarded(MapLock::open(place));
    cli::main_for(&Subject::lease("unguarded", open, LeaseClaim::ALL))
}
