//! A worker of a live run: our own worker, that sweeps until it is killed.

use std::sync::atomic::AtomicU64;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use fencepost::ProcessRegistry;
use fencepost::driver::ProcessWorkDriver;
use fencepost::environment::{Environment, local_liveness};
use fencepost::model::lease_timings::LeaseTimings;
use fencepost::registry::calls::Facade;
use fencepost::work::engine::{Engines, InputKind};
use fencepost::worker::{DurableProcessWorker, DurableProcessWorkerConfig};

use crate::live::fleet;
use crate::live::journal::{Journal, JournalEntry};
use crate::live::live_error::LiveError;
use crate::live::machine;
use crate::live::machine::WatchedMachine;
use crate::live::observed_calls::ObservedCalls;
use crate::live::outside::OutsideLedger;
use crate::live::scripts::LiveScripts;
use crate::live::settings::ChildSeat;
use crate::live::store_door;
use crate::planted;

pub fn run(seat: &ChildSeat) -> Result<(), LiveError> {
    fleet::end_with_parent().map_err(LiveError::Machine)?;
    let journal = Arc::new(Journal::open(&seat.journal())?);
    journal.note(JournalEntry::Began { pid: std::process::id() });
    fleet::note_panics(&journal);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.map_err(LiveError::Machine)?.block_on(work(seat, journal))
}

async fn work(seat: &ChildSeat, journal: Arc<Journal>) -> Result<(), LiveError> {
    let ChildSeat { node, settings, .. } = seat;
    let (subject, defect) = planted::live::plant(settings.planted.as_deref(), settings.wall_skew_ms);
    let machine = WatchedMachine::new(settings.machine_skew_ms(defect)).map_err(LiveError::Machine)?;
    let environment: Arc<dyn Environment> = Arc::new(machine);
    let registry = fleet::patiently(&environment, || {
        store_door::open(&settings.place, &journal, Arc::clone(&environment), &subject, defect)
    })
    .await;
    let calls = ObservedCalls { registry, journal: Arc::clone(&journal), defect, numbers: AtomicU64::new(0) };
    let registry: Arc<dyn ProcessRegistry> = Arc::new(Facade(calls));
    let mut engines = Engines::new();
    let scripts = LiveScripts {
        plan: settings.plan.clone(),
        environment: Arc::clone(&environment),
        journal: Arc::clone(&journal),
    };
    engines.insert(InputKind::Engine("script".into()), Arc::new(scripts));
    let mut config = DurableProcessWorkerConfig::new(
        Arc::clone(&registry),
        engines,
        Arc::clone(&environment),
        node.to_string(),
    );
    let timings = LeaseTimings::new(settings.plan.ttl_ms, settings.plan.renew_ms);
    config.timings = timings.map_err(|why| LiveError::Store(why.to_string()))?;
    config.liveness = local_liveness();
    config.max_concurrent_runs = usize::from(settings.plan.bound);
    config.effects = Arc::new(OutsideLedger { node: *node, file: settings.folder.join("ledger"), journal });
    config.rules = subject.attempt_rules;
    config.rules.may_act = noting_checks(config.rules.may_act);
    let driver = ProcessWorkDriver::inline(registry, DurableProcessWorker::new(config));
    loop {
        // A list that failed is tried again next time.
        drop(driver.claim_and_run_pending("the period is over").await);
        environment.sleep(Duration::from_millis(settings.plan.sweep_ms)).await;
    }
}

type MayAct = fn(Duration, Duration, bool) -> bool;

/// The same check, and its reading of the clock is remembered.
fn noting_checks(may_act: MayAct) -> MayAct {
    static MAY_ACT: OnceLock<MayAct> = OnceLock::new();
    MAY_ACT.get_or_init(|| may_act);
    |now, deadline, is_lost| {
        machine::note_check(now);
        MAY_ACT.get().is_none_or(|may_act| may_act(now, deadline, is_lost))
    }
}
