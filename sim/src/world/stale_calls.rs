//! Stale calls: an earlier holder of a process sends a call late, with the lease it had then. The call passes the recorder as
//! any other. A fenced registry refuses all of them, except a renewal of a lease that is live.

use fencepost::model::event::ProcessEventAppendRequest;
use fencepost::model::lease::{LeaseOwnerIdentity, ProcessLease, ProcessLeaseClaimOutcome};
use fencepost::model::process::{ProcessAwaitOutput, ProcessStarted, WaitKind, WaitState};
use fencepost::registry::calls::{Answer, Call, Reply, Submit};
use serde_json::json;

use crate::history::event::GrantNo;
use crate::plan::step::{Forgery, Method, StaleCallKind};
use crate::plan::{Node, Process};
use crate::world::environment::liveness;
use crate::world::poll_task::run_at_registry;
use crate::world::state::due::Due;
use crate::world::state::nodes::Caller;
use crate::world::state::services::Recorder;
use crate::world::state::{World, with};

/// Sends the stale call now, or at the expiry that it is aimed at.
pub fn send(process: Process, call: StaleCallKind) {
    match call {
        StaleCallKind::AtExpiry { method, offset_ms } => with(|world| {
            if let Some(at_us) = world.true_us_of_expiry(process, offset_ms) {
                world.kernel.at(at_us, Due::StaleCall(process, method));
            }
        }),
        StaleCallKind::Late(method) => {
            let past = with(|world| Some((world.past_lease(process)?, world.plan.ttl_ms)));
            if let Some(late) = past.and_then(|(lease, ttl_ms)| call_of(method, lease, ttl_ms)) {
                submit(process, late);
            }
        }
        StaleCallKind::Returns => returns(process),
        StaleCallKind::Forged { method, forgery } => {
            let forged = with(|world| Some((world.forged_lease(process, forgery)?, world.plan.ttl_ms)));
            if let Some(call) = forged.and_then(|(lease, ttl_ms)| call_of(method, lease, ttl_ms)) {
                submit(process, call);
            }
        }
        StaleCallKind::Again { method, asked_ms } => {
            if let Some(lease) = with(|world| world.live_lease(process)) {
                submit(process, asked_again(method, lease, asked_ms));
            }
        }
    }
}

/// The holder's own claim or renewal, for less than it holds already.
fn asked_again(method: Method, lease: ProcessLease, asked_ms: u64) -> Call {
    match method {
        Method::Claim => Call::ClaimProcessLease {
            process_id: lease.process_id,
            owner: lease.owner,
            lease_ttl_ms: asked_ms,
        },
        _ => Call::RenewProcessLease { lease, lease_ttl_ms: asked_ms },
    }
}

/// Sends the call whose instant, near an expiry, has come.
pub fn send_at_expiry(process: Process, method: Method) {
    let stored = with(|world| (world.stored_lease(process), world.plan.ttl_ms, world.stranger()));
    let aimed = match (method, stored) {
        (Method::Claim, (_, ttl_ms, owner)) => {
            Call::ClaimProcessLease { process_id: process.to_string(), owner, lease_ttl_ms: ttl_ms }
        }
        (_, (Some(lease), ttl_ms, _)) => Call::RenewProcessLease { lease, lease_ttl_ms: ttl_ms },
        _ => return,
    };
    submit(process, aimed);
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

/// The incarnation that started the process claims again. If it gets the lease, it starts the process and releases it.
fn returns(process: Process) {
    let starter = with(|world| {
        // Who starts a process without a lease holds nothing that it could come back with.
        let started_by = world.row(process.0).started_by.filter(|grant| grant.is_some())?;
        let now_ms = world.wall_ms(Node::Registry);
        // Live and its own: it would share the grant with its living self, and end it.
        let is_at_work = |(until_ms, held): (u64, GrantNo)| held == started_by && now_ms < until_ms;
        if world.row(process.0).lease.is_some_and(is_at_work) {
            return None;
        }
        Some((world.records.grants.lease(started_by), world.plan.ttl_ms))
    });
    let Some((past, ttl_ms)) = starter else { return };
    let Some(registry) = RegistryEntrance::for_host_of(process) else { return };
    run_at_registry(Box::pin(async move {
        let claim = Call::ClaimProcessLease {
            process_id: process.to_string(),
            owner: past.owner.clone(),
            lease_ttl_ms: ttl_ms,
        };
        let claimed = registry.submit(claim).await;
        let Ok(Reply::Claim(ProcessLeaseClaimOutcome::Acquired(lease))) = claimed.as_deref() else { return };
        if let Some(start) = call_of(Method::Start, lease.clone(), ttl_ms) {
            drop(registry.submit(start).await);
        }
        drop(registry.submit(Call::CompleteProcessLease { completion: lease.completion() }).await);
    }));
}

fn submit(process: Process, call: Call) {
    if let Some(registry) = RegistryEntrance::for_host_of(process) {
        run_at_registry(Box::pin(async move { drop(registry.submit(call).await) }));
    }
}

/// A token of the same length that differs in its last letter alone.
fn another_token(token: &str) -> String {
    let mut another = token.to_owned();
    let last = another.pop();
    another.push(if last == Some('0') { '1' } else { '0' });
    another
}

/// The recorder, with the caller of its next call.
struct RegistryEntrance {
    recorder: Recorder,
    caller: Caller,
}

impl RegistryEntrance {
    /// None while the registry is down or paused: nobody answers.
    fn for_host_of(process: Process) -> Option<Self> {
        with(|world| {
            let node = world.host_for(process.0);
            let caller = Caller { node, life: world.node(node).life };
            let registry = world.node(Node::Registry);
            if !registry.is_up || registry.is_paused {
                return None;
            }
            Some(Self { recorder: Recorder(world.services.registry.core.clone()?), caller })
        })
    }

    async fn submit(&self, call: Call) -> Answer {
        with(|world| {
            world.records.caller = self.caller;
            world.records.request = None;
        });
        self.recorder.submit(call.into()).await
    }
}

impl World {
    /// The last grant of the process that is no longer stored.
    fn past_lease(&mut self, process: Process) -> Option<ProcessLease> {
        let stored = self.row(process.0).lease.map(|(_, grant)| grant);
        self.records.grants.last_granted_except(process.0, stored)
    }

    fn stored_lease(&mut self, process: Process) -> Option<ProcessLease> {
        let (_, grant) = self.row(process.0).lease?;
        Some(self.records.grants.lease(grant))
    }

    fn live_lease(&mut self, process: Process) -> Option<ProcessLease> {
        let now_ms = self.wall_ms(Node::Registry);
        let (until_ms, _) = self.row(process.0).lease?;
        self.stored_lease(process).filter(|_| now_ms < until_ms)
    }

    /// None if there is no lease to make it of.
    fn forged_lease(&mut self, process: Process, forgery: Forgery) -> Option<ProcessLease> {
        let lease = match forgery {
            Forgery::OtherToken => {
                let lease = self.stored_lease(process)?;
                ProcessLease { lease_token: another_token(&lease.lease_token), ..lease }
            }
            Forgery::LeaseOf(other) => {
                let lease = self.stored_lease(other).filter(|_| other != process)?;
                ProcessLease { process_id: process.to_string(), ..lease }
            }
        };
        self.records.grants.forge(process.0, &lease);
        Some(lease)
    }

    /// An owner that never held anything.
    fn stranger(&mut self) -> LeaseOwnerIdentity {
        let node = Node::Host(self.plan.hosts.0[0]);
        let life = self.node(node).life;
        LeaseOwnerIdentity {
            owner_id: "stale-caller".to_owned(),
            incarnation_id: format!("stale-caller-{}", self.kernel.now_us),
            liveness: liveness(node, life).into(),
        }
    }
}
