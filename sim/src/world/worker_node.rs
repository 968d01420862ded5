//! Starts a worker's node: the worker of the subject, and sweeps at the plan's period.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use fencepost::ProcessRegistry;
use fencepost::driver::ProcessWorkDriver;
use fencepost::environment::Environment;
use fencepost::model::lease_timings::LeaseTimings;
use fencepost::registry::calls::Facade;

use crate::plan::Node;
use crate::plan::chance::{Purpose, below};
use crate::subject::{Protocol, Workplace};
use crate::world::bodies::NodeBodies;
use crate::world::contender::Contender;
use crate::world::effects::LedgerWire;
use crate::world::environment::{NodeEnvironment, liveness};
use crate::world::messages::remote_client;
use crate::world::observed_client::ObservedClient;
use crate::world::renew_then_write::RenewThenWrite;
use crate::world::state::with;

/// Starts the worker in the node's present life; renamed, it is another owner than before.
pub fn start(node: Node, is_renamed: bool) {
    let (plan, subject, life) =
        with(|world| (Arc::clone(&world.plan), world.subject.clone(), world.node(node).life));
    let leases = plan.leases_of(node);
    let client = ObservedClient { node, client: remote_client(node) };
    let registry: Arc<dyn ProcessRegistry> = match subject.protocol {
        Protocol::Fenced => Arc::new(Facade(client)),
        Protocol::RenewThenWrite => Arc::new(Facade(RenewThenWrite { client, ttl_ms: leases.ttl_ms })),
    };
    let environment: Arc<dyn Environment> = Arc::new(NodeEnvironment(node));
    let workplace = Workplace {
        registry: Arc::clone(&registry),
        environment: Arc::clone(&environment),
        timings: LeaseTimings::new(leases.ttl_ms, leases.renew_ms)
            .expect("plans are checked before they run"),
        owner_id: if is_renamed { format!("{node}.{life}") } else { node.to_string() },
        liveness: Arc::new(liveness(node, life)),
        bound: usize::from(plan.bound),
        effects: Arc::new(LedgerWire(node)),
        attempt_rules: subject.attempt_rules,
        bodies: Arc::new(NodeBodies(node)),
    };
    let driver = match (&subject.lease_client, &subject.make_worker) {
        (Some(door), _) => {
            let candidates = Mutex::default();
            let contender = Contender { node, door: door.clone(), place: workplace, candidates };
            ProcessWorkDriver::new(registry, Arc::new(contender))
        }
        (None, Some(make_worker)) => ProcessWorkDriver::new(registry, make_worker(workplace)),
        (None, None) => ProcessWorkDriver::inline(registry, workplace.worker()),
    };
    let every_us = plan.sweep_ms * 1_000;
    let first_us = with(|world| {
        world.services.workers.insert(node.code(), driver.clone());
        below(world.seed.draw(Purpose::Sweep, [u64::from(node.code()), life]), every_us)
    });
    let sweeping = async move {
        environment.sleep(Duration::from_micros(first_us)).await;
        loop {
            // A list that failed is tried again next time.
            drop(driver.claim_and_run_pending("the period is over").await);
            environment.sleep(Duration::from_micros(every_us)).await;
        }
    };
    with(|world| world.spawn(node, Box::pin(sweeping)));
}
