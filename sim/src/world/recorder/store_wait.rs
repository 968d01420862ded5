//! The waits of a call for a slow store: for its lock, under the lock before the decision reads its clock, and between that
//! reading and the writes. The decision itself is carried out when the store writes.

use std::time::Duration;

use fencepost::environment::Environment;
use tokio::sync::OwnedMutexGuard;

use crate::history::event::What;
use crate::plan::Node;
use crate::world::calls::CallInfo;
use crate::world::environment::NodeEnvironment;
use crate::world::state::records::DecisionClock;
use crate::world::state::store_faults::StoreWaits;
use crate::world::state::{World, with};

/// A call that waited for the store, and now writes.
pub struct WaitedForStore {
    pub clock: DecisionClock,
    /// Held while the call waits under the store's lock.
    _lock: Option<OwnedMutexGuard<()>>,
}

/// Waits for the store's lock, and under it.
pub async fn wait_for_store(waits: StoreWaits) -> WaitedForStore {
    let now_ms = || with(|world| world.wall_ms(Node::Registry));
    let arrived_ms = now_ms();
    sleep(waits.for_lock_us).await;
    // The store may fall ill, or recover, while the call waits for its turn.
    let waits_now = || with(|world| world.store_faults.waits(world.kernel.now_us));
    let waits = waits_now();
    let lock = match with(|world| world.services.registry.lock_if_needed(waits)) {
        Some(lock) => Some(lock.lock_owned().await),
        None => None,
    };
    let waits = waits_now();
    sleep(waits.before_reading_us).await;
    let read_ms = now_ms();
    sleep(waits.before_write_us).await;
    WaitedForStore { clock: DecisionClock::new(arrived_ms, read_ms), _lock: lock }
}

async fn sleep(us: u64) {
    if us > 0 {
        NodeEnvironment(Node::Registry).sleep(Duration::from_micros(us)).await;
    }
}

impl World {
    pub fn store_waited(&mut self, info: &CallInfo, arrived_ms: u64) {
        let wrote_ms = self.wall_ms(Node::Registry);
        self.decision(info, info.presented, What::StoreWaited { arrived_ms, wrote_ms });
    }
}
