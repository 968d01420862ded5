//! A registry on threads of its own: a store waits for locks, for a disk or for a server, and async callers must not be
//! held up by that. SQLite has one thread, one call at a time; a store that many may use at once has several. The
//! threads end with the last use of the registry.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread::JoinHandle;

use async_trait::async_trait;
use tokio::sync::oneshot;

use crate::model::error::RegistryError;
use crate::model::process::DurabilityTier;
use crate::registry::apply::{Registry, check_arguments};
use crate::registry::calls::{Answer, Call, Facade, Submit};
use crate::store::{SharedStore, Store};

/// Threads of its own for the registry.
pub struct Threaded {
    /// `None` only while it is dropped.
    calls: Option<mpsc::Sender<QueuedCall>>,
    threads: Vec<JoinHandle<()>>,
    durability_tier: DurabilityTier,
}

struct QueuedCall {
    call: Arc<Call>,
    answer: oneshot::Sender<Answer>,
}

impl<S: Store + 'static> Registry<S> {
    /// This registry as a [`crate::ProcessRegistry`], on a thread that ends with the last use of it.
    pub fn threaded(self) -> Result<Facade<Threaded>, RegistryError> {
        start(vec![self])
    }
}

impl<S: SharedStore + 'static> Registry<S> {
    /// The same on several threads, each with a connection of its own: up to so many calls at once. Zero counts as one.
    pub fn pooled(self, connections: usize) -> Result<Facade<Threaded>, RegistryError> {
        let others: Vec<Self> = (1..connections).map(|_| self.another()).collect();
        start(std::iter::once(self).chain(others).collect())
    }
}

fn start<S: Store + 'static>(registries: Vec<Registry<S>>) -> Result<Facade<Threaded>, RegistryError> {
    let (calls, requests) = mpsc::channel::<QueuedCall>();
    let requests = Arc::new(Mutex::new(requests));
    let has_panicked = Arc::new(AtomicBool::new(false));
    let mut threaded = Threaded {
        calls: Some(calls),
        threads: Vec::new(),
        durability_tier: registries.first().map(Registry::durability_tier).unwrap_or_default(),
    };
    for registry in registries {
        let (requests, has_panicked) = (Arc::clone(&requests), Arc::clone(&has_panicked));
        let thread = std::thread::Builder::new()
            .name("fencepost-registry".into())
            .spawn(move || serve(registry, &requests, &has_panicked))
            .map_err(|cause| RegistryError::backend("start the registry's thread", cause))?;
        threaded.threads.push(thread);
    }
    Ok(Facade(threaded))
}

/// Answers calls until nobody can make one any more.
fn serve<S: Store>(
    mut registry: Registry<S>,
    requests: &Mutex<mpsc::Receiver<QueuedCall>>,
    has_panicked: &AtomicBool,
) {
    loop {
        // Whoever waits for the next call holds the lock; the others wait for the lock instead.
        let next = requests.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(QueuedCall { call, answer }) = next else { return };
        // The thread goes on, so that every later caller hears the same, and not whatever a thread that is about to
        // end would have them hear.
        if has_panicked.load(Ordering::SeqCst) {
            drop(answer.send(Err(RegistryError::panicked_before())));
            continue;
        }
        // A caller that went away has lost its answer, not its write.
        match catch_unwind(AssertUnwindSafe(|| registry.apply_boxed(&call))) {
            Ok(applied) => drop(answer.send(applied)),
            Err(_) => has_panicked.store(true, Ordering::SeqCst),
        }
    }
}

impl Drop for Threaded {
    /// When the last use is gone so are the threads, and the store is closed.
    fn drop(&mut self) {
        self.calls = None;
        for thread in self.threads.drain(..) {
            drop(thread.join());
        }
    }
}

#[async_trait]
impl Submit for Threaded {
    async fn submit(&self, call: Arc<Call>) -> Answer {
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
