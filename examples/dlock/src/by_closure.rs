//! dlock by `DLock::with`: it acquires, renews and releases, and the closure it runs meanwhile is the work of the leader.

#![expect(clippy::disallowed_methods, reason = "a client of its own sleeps on tokio")]

use std::collections::hash_map::RandomState;
use std::future::pending;
use std::hash::BuildHasher;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use dlock::{DLock, DynamodbProvider};
use fencepost::environment::BoxFuture;
use fencepost_sim::lease::{Candidacy, LeaseClient};

use crate::table::{TABLE, Table};
use crate::wire;

pub struct ByClosure;

impl LeaseClient for ByClosure {
    type Store = Table;

    async fn contend(self: Arc<Self>, candidacy: Candidacy<Table>) {
        // The SDK draws the waits between its repeats from a generator that begins with the number of the thread.
        fastrand::seed(RandomState::new().hash_one(&candidacy.owner));
        let client = wire::client_over(candidacy.store.clone());
        let provider = DynamodbProvider::builder().client(client).table_name(TABLE.to_owned()).build();
        let lock = DLock::builder()
            .name(candidacy.key.clone())
            .owner(candidacy.owner.clone())
            .duration(candidacy.ttl)
            .retry(candidacy.renew)
            .provider(provider)
            .build();
        let leadership = Arc::new(candidacy.leadership);
        while !leadership.is_done() {
            let has_begun = Arc::new(AtomicBool::new(false));
            let (leads, begins) = (Arc::clone(&leadership), Arc::clone(&has_begun));
            // It owns what it uses: else the compiler cannot tell that this candidate may be sent.
            let held = lock.with(move |_| -> BoxFuture<'static, ()> {
                let (leads, begins) = (Arc::clone(&leads), Arc::clone(&begins));
                Box::pin(async move {
                    begins.store(true, Ordering::Relaxed);
                    leads.begins();
                    leads.until_done().await;
                    leads.ends();
                })
            });
            // Somebody else did the work: whoever still waits for the lock has no more use for it.
            let is_needless = async {
                leadership.until_done().await;
                if has_begun.load(Ordering::Relaxed) {
                    pending::<()>().await;
                }
            };
            tokio::select! {
                biased;
                // An error leaves it to the program to try again.
                _ = held => tokio::time::sleep(candidacy.renew).await,
                () = is_needless => break,
            }
        }
    }
}
