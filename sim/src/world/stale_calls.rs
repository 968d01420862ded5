//! Somebody from the past: whoever once held a process and sends its calls late, with what it knew then. Its call arrives
//! at the registry's door as any other. A fenced registry refuses all of them, except a renewal of a lease that is live.

use fencepost::RegistryError;
use fencepost::model::event::ProcessEventAppendRequest;
use fencepost::model::lease::{LeaseOwnerIdentity, ProcessLease, ProcessLeaseClaimOutcome};
use fencepost::model::process::{ProcessAwaitOutput, ProcessStarted, WaitKind, WaitState};
use fencepost::registry::calls::{Call, Reply, Submit};
use serde_json::json;

use crate::history::event::GrantNo;
use crate::plan::step::{Method, StaleCallKind as Haunt};
use crate::plan::{Node, Process};
use crate::world::environment::liveness;
use crate::world::recorder::Door;
use crate::world::{Asks, Due, World, machines, with};

/// The ghost does its deed now, or when the expiry it aims at is there.
pub fn haunt(process: Process, haunt: Haunt) {
    match haunt {
        Haunt::AtExpiry { method, offset_ms } => with(|world| {
            if let Some(at_us) = world.true_us_of_expiry(process, offset_ms) {
                world.kernel.at(at_us, Due::Ghost(process, method));
            }
        }),
        Haunt::Late(method) => {
            let past = with(|world| Some((world.past_lease(process)?, world.plan.ttl_ms)));
            if let Some(late) = past.and_then(|(lease, ttl_ms)| call_of(method, lease, ttl_ms)) {
                call(process, late);
            }
        }
        Haunt::Returns => returns(process),
    }
}

/// The instant that a ghost aimed at.
pub fn appears(process: Process, method: Method) {
    let stored = with(|world| {
        let stored = world.row(process.0).lease.map(|(_, grant)| grant);
        (stored.map(|grant| world.grants.lease(grant)), world.plan.ttl_ms, world.ghost())
    });
    let aimed = match (method, stored) {
        (Method::Claim, (_, ttl_ms, owner)) => {
            Call::ClaimProcessLease { process_id: process.to_string(), owner, lease_ttl_ms: ttl_ms }
        }
        (_, (Some(lease), ttl_ms, _)) => Call::RenewProcessLease { lease, lease_ttl_ms: ttl_ms },
        _ => return,
    };
    call(process, aimed);
}

fn call_of(method: Method, lease: ProcessLease, ttl_ms: u64) -> Option<Call> {
    let owner = lease.owner.clone();
    Some(match method {
        Method::Claim => return None,
        Method::Renew => Call::RenewProcessLease { lease, lease_ttl_ms: ttl_ms },
        Method::Start => {
            Call::RecordFirstStartedWithLease { lease, started: ProcessStarted { owner, started_at_ms: 1 } }
        }
        Method::Emit => {
            let request = ProcessEventAppendRequest::new("progress", json!("late"));
            Call::AppendEventWithLease { lease, request }
        }
        Method::Wait => {
            let kind = WaitKind::Signal {
                name: "go".into(),
                event_type: "signal.go".into(),
                key: "late".into(),
                ordinal: 1,
            };
            Call::SetProcessWaitWithLease { lease, wait: WaitState { kind, since_ms: 1 } }
        }
        Method::Complete => {
            let await_output = ProcessAwaitOutput::Success { value: json!("late") };
            Call::CompleteProcessWithLease { lease, await_output }
        }
        Method::Release => Call::CompleteProcessLease { completion: lease.completion() },
    })
}

/// Whoever started the process claims again, as the same incarnation. If it gets the lease, it says that it starts, and
/// lets go.
fn returns(process: Process) {
    let starter = with(|world| {
        let started_by = world.row(process.0).started_by?;
        let now_ms = world.wall_ms(Node::Registry);
        // Live and its own: it would share the grant with its living self, and end it.
        let is_at_work = |(until_ms, held): (u64, GrantNo)| held == started_by && now_ms < until_ms;
        if world.row(process.0).lease.is_some_and(is_at_work) {
            return None;
        }
        Some((world.grants.lease(started_by), world.plan.ttl_ms))
    });
    let Some((past, ttl_ms)) = starter else { return };
    let Some(door) = Threshold::of(process) else { return };
    machines::handle(Box::pin(async move {
        let claim = Call::ClaimProcessLease {
            process_id: process.to_string(),
            owner: past.owner.clone(),
            lease_ttl_ms: ttl_ms,
        };
        let Ok(Reply::Claim(ProcessLeaseClaimOutcome::Acquired(lease))) = door.submit(claim).await else {
            return;
        };
        if let Some(start) = call_of(Method::Start, lease.clone(), ttl_ms) {
            drop(door.submit(start).await);
        }
        drop(door.submit(Call::CompleteProcessLease { completion: lease.completion() }).await);
    }));
}

fn call(process: Process, call: Call) {
    if let Some(door) = Threshold::of(process) {
        machines::handle(Box::pin(async move { drop(door.submit(call).await) }));
    }
}

/// The registry's door, with whoever stands at it.
struct Threshold {
    door: Door,
    asks: Asks,
}

impl Threshold {
    /// Nobody answers while the registry is down, or stands still.
    fn of(process: Process) -> Option<Self> {
        with(|world| {
            let node = world.host_for(process.0);
            let asks = Asks { node, life: world.node(node).life };
            let registry = world.node(Node::Registry);
            if !registry.is_up || registry.is_paused {
                return None;
            }
            Some(Self { door: Door(world.registry.core()?), asks })
        })
    }

    async fn submit(&self, call: Call) -> Result<Reply, RegistryError> {
        with(|world| world.asking = self.asks);
        self.door.submit(call).await
    }
}

impl World {
    /// The last grant of the process that is no longer stored.
    fn past_lease(&mut self, process: Process) -> Option<ProcessLease> {
        let stored = self.row(process.0).lease.map(|(_, grant)| grant);
        self.grants.last_but(process.0, stored)
    }

    /// Who a ghost is that never held anything.
    fn ghost(&mut self) -> LeaseOwnerIdentity {
        let node = Node::Host(self.plan.hosts.0[0]);
        let life = self.node(node).life;
        LeaseOwnerIdentity {
            owner_id: "ghost".to_owned(),
            incarnation_id: format!("ghost-{}", self.kernel.now_us),
            liveness: liveness(node, life),
        }
    }
}
