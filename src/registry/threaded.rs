//! A registry on a thread of its own, one call at a time: SQLite waits for locks and for the disk, and async callers
//! must not be held up by that. The thread ends with the last use of the registry.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc;
use std::thread::JoinHandle;

use async_trait::async_trait;
use tokio::sync::oneshot;

use crate::model::error::RegistryError;
use crate::model::process::DurabilityTier;
use crate::registry::apply::{Registry, check_arguments};
use crate::registry::calls::{Call, Facade, Reply, Submit};
use crate::store::Store;

/// A thread of its own for the registry.
pub struct Threaded {
    /// `None` only while it is dropped.
    calls: Option<mpsc::Sender<QueuedCall>>,
    thread: Option<JoinHandle<()>>,
    durability_tier: DurabilityTier,
}

struct QueuedCall {
    call: Call,
    answer: oneshot::Sender<Result<Reply, RegistryError>>,
}

impl<S: Store + 'static> Registry<S> {
    /// This registry as a [`crate::ProcessRegistry`], on a thread that ends with the last use of it.
    pub fn threaded(mut self) -> Result<Facade<Threaded>, RegistryError> {
        let (calls, requests) = mpsc::channel::<QueuedCall>();
        let durability_tier = self.durability_tier();
        let thread = std::thread::Builder::new()
            .name("fencepost-registry".into())
            .spawn(move || {
                let mut has_panicked = false;
                for QueuedCall { call, answer } in requests {
                    // The thread goes on, so that every later caller hears the same, and not whatever a thread that is
                    // about to end would have them hear.
                    let applied =
                        (!has_panicked).then(|| catch_unwind(AssertUnwindSafe(|| self.apply(call))));
                    // A caller that went away has lost its answer, not its write.
                    match applied {
                        Some(Ok(applied)) => drop(answer.send(applied)),
                        Some(Err(_)) => has_panicked = true,
                        None => drop(answer.send(Err(RegistryError::panicked_before()))),
                    }
                }
            })
            .map_err(|cause| RegistryError::backend("start the registry's thread", cause))?;
        Ok(Facade(Threaded { calls: Some(calls), thread: Some(thread), durability_tier }))
    }
}

impl Drop for Threaded {
    /// When the last use is gone so is the thread, and its store is closed.
    fn drop(&mut self) {
        self.calls = None;
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

#[async_trait]
impl Submit for Threaded {
    async fn submit(&self, call: Call) -> Result<Reply, RegistryError> {
        // Here and not only on the registry's thread, whose stack a value nested a million deep would overflow when it
        // is dropped there.
        check_arguments(&call)?;
        let (answer, answered) = oneshot::channel();
        let was_sent = match &self.calls {
            Some(calls) => calls.send(QueuedCall { call, answer }).is_ok(),
            None => false,
        };
        if !was_sent {
            return Err(RegistryError::backend("hand a call to the registry", "its thread has ended"));
        }
        answered.await.unwrap_or_else(|_| {
            Err(RegistryError::unavailable("wait for the registry", "its thread ended before it answered"))
        })
    }

    fn durability_tier(&self) -> DurabilityTier {
        self.durability_tier
    }
}
