//! Our registry on threads of its own, as production has it, with every call written down when it reaches the store's door
//! and when it is answered.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};

use async_trait::async_trait;
use fencepost::environment::Environment;
use fencepost::model::process::DurabilityTier;
use fencepost::registry::calls::{Answer, Call, Reply, Submit};
use fencepost::store::Store;
use fencepost::{Registry, RegistryError};
use tokio::sync::oneshot;

use crate::live::journal::{Journal, JournalEntry};
use crate::live::recorded_store::RecordedStore;
use crate::subject::Subject;

pub struct RecordedRegistry {
    calls: mpsc::Sender<(Arc<Call>, oneshot::Sender<Answer>)>,
    durability_tier: DurabilityTier,
}

/// The parts that all threads of a registry share.
#[derive(Clone)]
pub struct RegistryParts {
    pub journal: Arc<Journal>,
    pub environment: Arc<dyn Environment>,
    pub subject: Subject,
}

impl RecordedRegistry {
    /// A thread for each store. The threads end with the process.
    pub fn start<S: Store + 'static>(
        stores: Vec<RecordedStore<S>>,
        parts: &RegistryParts,
    ) -> std::io::Result<Self> {
        let durability_tier = stores.first().map(Store::durability_tier).unwrap_or_default();
        let (calls, requests) = mpsc::channel();
        let requests = Arc::new(Mutex::new(requests));
        let numbers = Arc::new(AtomicU64::new(0));
        for store in stores {
            let registry =
                Registry::new(store, Arc::clone(&parts.environment)).with_rules(parts.subject.rules);
            let (requests, numbers) = (Arc::clone(&requests), Arc::clone(&numbers));
            let journal = Arc::clone(&parts.journal);
            std::thread::Builder::new()
                .name("registry".to_owned())
                .spawn(move || serve(registry, &requests, &numbers, &journal))?;
        }
        Ok(Self { calls, durability_tier })
    }
}

fn serve<S: Store>(
    mut registry: Registry<RecordedStore<S>>,
    requests: &Mutex<mpsc::Receiver<(Arc<Call>, oneshot::Sender<Answer>)>>,
    numbers: &AtomicU64,
    journal: &Journal,
) {
    loop {
        let next = requests.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok((call, heard)) = next else { return };
        let number = numbers.fetch_add(1, Ordering::Relaxed);
        registry.store().begin(number, &call);
        journal.note(JournalEntry::Arrived { number, call: Arc::clone(&call) });
        let is_list = matches!(*call, Call::ListNonTerminal {} | Call::ListProcesses { .. });
        let answer = registry.apply_boxed(&call);
        // Lists are long, and no law hears of them.
        let told = if is_list { answer.clone().map(|_| Box::new(Reply::Done(()))) } else { answer.clone() };
        journal.note(JournalEntry::Answered { number, answer: Box::new(told) });
        // Whoever went away has lost the answer, not the write.
        drop(heard.send(answer));
    }
}

#[async_trait]
impl Submit for RecordedRegistry {
    async fn submit(&self, call: Arc<Call>) -> Answer {
        let (heard, answered) = oneshot::channel();
        let gone = || RegistryError::unavailable("wait for the registry", "its threads have ended");
        self.calls.send((call, heard)).map_err(|_| gone())?;
        answered.await.unwrap_or_else(|_| Err(gone()))
    }

    fn durability_tier(&self) -> DurabilityTier {
        self.durability_tier
    }
}
