//! A registry that answers each call on the caller's own thread, one call at a time. Simulations and tests use it;
//! callers that must not block use `threaded.rs`.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;

use crate::model::error::RegistryError;
use crate::model::process::DurabilityTier;
use crate::registry::apply::Registry;
use crate::registry::calls::{Answer, Call, Facade, Submit};
use crate::store::Store;

/// A registry behind a lock. It is used through [`Facade`]; see [`Registry::inline`].
pub struct Inline<S>(Mutex<Registry<S>>);

impl<S: Store> Registry<S> {
    /// This registry as a [`crate::ProcessRegistry`], answering on the caller's thread.
    pub fn inline(self) -> Facade<Inline<S>> {
        Facade(Inline(Mutex::new(self)))
    }
}

impl<S> Inline<S> {
    /// The registry behind the lock, for whoever must look at its store between calls.
    pub fn with<T>(&self, look: impl FnOnce(&mut Registry<S>) -> T) -> T {
        look(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[async_trait]
impl<S: Store> Submit for Inline<S> {
    async fn submit(&self, call: Arc<Call>) -> Answer {
        match self.0.lock() {
            Ok(mut registry) => registry.apply_boxed(&call),
            Err(_) => Err(RegistryError::panicked_before()),
        }
    }

    fn durability_tier(&self) -> DurabilityTier {
        self.with(|registry| registry.durability_tier())
    }
}
