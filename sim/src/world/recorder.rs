//! The store's door: every call of every node passes here once it is to be decided, and what was decided is written down
//! in that order, whether or not the answer arrives. A slow or failing store is made here too. What is gathered beside a
//! decision is in `evidence.rs`.

use async_trait::async_trait;
use fencepost::RegistryError;
use fencepost::environment::Environment;
use fencepost::model::event::{CANCEL_REQUESTED, SIGNAL_PREFIX};
use fencepost::model::lease::{ProcessLease, ProcessLeaseClaimOutcome};
use fencepost::model::process::{
    DurabilityTier, FirstStart, ProcessRecord, ProcessStatus, RecoveryDisposition,
};
use fencepost::registry::calls::{Call, Reply, Submit};

use serde_json::Value;

use crate::disk;
use crate::history::event::{
    CallKind, Event, GrantNo, Kind, NO_PROCESS, Wrote, disposition, refusal, status,
};
use crate::plan::Node;
use crate::plan::step::StoreFailure;
use crate::subject::Core;
use crate::world::environment::NodeEnvironment;
use crate::world::evidence::{Before, evidence_after, hash_text};
use crate::world::recovery;
use crate::world::{Asks, Due, Taped, World, process_of, with};

pub struct Door(pub Core);

#[async_trait]
impl Submit for Door {
    async fn submit(&self, call: Call) -> Result<Reply, RegistryError> {
        let (asks, slow_us) = with(|world| {
            let (by_us, until_us) = world.slow_store;
            (world.asking, if world.kernel.now_us < until_us { by_us } else { 0 })
        });
        if slow_us > 0 {
            let arrived_ms = with(|world| world.wall_ms(Node::Registry));
            let wait = std::time::Duration::from_micros(slow_us);
            NodeEnvironment(Node::Registry).sleep(wait).await;
            with(|world| {
                let sketch = world.sketch(asks, &call);
                world.decision(&sketch, Kind::StoreWaited, sketch.presented, arrived_ms, 0);
            });
        }
        let method = call.method();
        let failure = with(|world| {
            let (how, until_us) = world.failing_store?;
            (world.kernel.now_us < until_us).then_some(how)
        });
        let unknown = || RegistryError::unavailable(method, "the store did not say");
        match failure {
            Some(StoreFailure::Before) => {
                with(|world| world.failed(asks, &call, false));
                Err(RegistryError::backend(method, "the store failed"))
            }
            Some(StoreFailure::UnknownBefore) => {
                with(|world| world.failed(asks, &call, true));
                Err(unknown())
            }
            Some(StoreFailure::Reads) if call.is_read() && call.process_id().is_some() => {
                with(|world| world.failed(asks, &call, false));
                Err(RegistryError::backend(method, "the store failed"))
            }
            Some(StoreFailure::Reads) => self.decide(asks, call).await,
            Some(StoreFailure::UnknownAfter) => self.decide(asks, call).await.and_then(|_| Err(unknown())),
            None => self.decide(asks, call).await,
        }
    }

    fn durability_tier(&self) -> DurabilityTier {
        DurabilityTier::Inline
    }
}

impl Door {
    /// What is rare is boxed: this future is made for every call, and is no larger than what every call needs.
    async fn decide(&self, asks: Asks, call: Call) -> Result<Reply, RegistryError> {
        let core = self.0.as_ref();
        let is_on_disk = with(|world| world.is_on_disk());
        if is_on_disk && is_dead() {
            // It died in an earlier call of this very instant.
            return std::future::pending().await;
        }
        if with(|world| world.unknown.is_some()) {
            Box::pin(recovery::resolve(core)).await;
        }
        let (sketch, is_looked_at, is_watched, mut before) = with(|world| {
            if world.tape.is_some() {
                world.put_on_tape(&call);
            }
            let sketch = world.sketch(asks, &call);
            let is_looked_at = world.evidence_before(&sketch, &call);
            let is_watched = sketch.kind != CallKind::Read && world.may_end_in_doubt(is_on_disk);
            (sketch, is_looked_at, is_watched, Before::drawn(world, 0))
        });
        if is_looked_at {
            Box::pin(before.look(core, &sketch, &call)).await;
        }
        let watched = match is_watched {
            true => Box::pin(recovery::watch(core, &sketch, &call)).await,
            false => None,
        };
        let mut deciding = core.submit(call);
        let (answer, took_time) = match poll_once(deciding.as_mut()).await {
            Some(answer) => (answer, false),
            None => (Box::pin(spanned(&sketch, deciding)).await, true),
        };
        if is_on_disk && is_dead() {
            // It died in the middle of this call: nobody hears of it.
            with(|world| {
                world.unknown = watched.map(|watched| watched.ended(world, &before));
                let now_us = world.kernel.now_us;
                world.kernel.at(now_us, Due::RegistryDies);
            });
            return std::future::pending().await;
        }
        with(|world| {
            if let Some(taped) = world.tape.as_mut().and_then(|tape| tape.last_mut()) {
                taped.was_ok = answer.is_ok();
            }
            world.decided(&sketch, &before, &answer);
            if answer.as_ref().is_err_and(RegistryError::outcome_is_unknown) {
                world.unknown = watched.map(|watched| watched.ended(world, &before));
            }
        });
        // What is seen after a decision that took time may be another's doing.
        if !took_time && (is_looked_at || sketch.kind == CallKind::Release) {
            Box::pin(evidence_after(core, &sketch, &before, &answer)).await;
        }
        if sketch.kind == CallKind::Prune && answer.is_ok() {
            Box::pin(recovery::look_for_the_pruned(core, asks)).await;
        }
        answer
    }
}

/// Whether the registry's process died at its disk.
fn is_dead() -> bool {
    disk::with(|disk| disk.died()).flatten().is_some()
}

/// A decision of ours is one poll, at one reading of the clock. Another's may take time, with other calls in between: then
/// its beginning and its end are written down.
async fn spanned(
    sketch: &Sketch,
    deciding: impl Future<Output = Result<Reply, RegistryError>>,
) -> Result<Reply, RegistryError> {
    let began_ms = with(|world| {
        let began_ms = world.wall_ms(Node::Registry);
        world.decision(sketch, Kind::Spanned, sketch.presented, began_ms, 0);
        began_ms
    });
    let answer = deciding.await;
    with(|world| world.decision(sketch, Kind::Spanned, sketch.presented, began_ms, 1));
    answer
}

/// What the future answers at once, if it does.
pub async fn poll_once<F: Future + ?Sized>(mut future: std::pin::Pin<&mut F>) -> Option<F::Output> {
    std::future::poll_fn(|task| {
        std::task::Poll::Ready(match future.as_mut().poll(task) {
            std::task::Poll::Ready(output) => Some(output),
            std::task::Poll::Pending => None,
        })
    })
    .await
}

/// What the record needs of a call, kept while the call itself is given away.
#[derive(Clone)]
pub struct Sketch {
    pub asks: Asks,
    pub kind: CallKind,
    pub process: u16,
    pub presented: GrantNo,
    /// Which of a host's requests it is.
    asked: Option<Wrote>,
    /// Of an outcome, or of a replay key.
    pub hash: u64,
    /// Of a read of the log.
    cursor: Option<u64>,
    /// How long a lease it asks for; 0, if for none.
    pub asked_ms: u64,
}

pub fn kind_of(call: &Call) -> CallKind {
    match call {
        Call::ClaimProcessLease { .. } => CallKind::Claim,
        Call::ReclaimProcessLease { .. } => CallKind::Reclaim,
        Call::RenewProcessLease { .. } => CallKind::Renew,
        Call::CompleteProcessLease { .. } => CallKind::Release,
        Call::RecordFirstStartedWithLease { .. } => CallKind::Start,
        Call::AppendEventWithLease { .. } => CallKind::Emit,
        Call::SetProcessWaitWithLease { .. } => CallKind::SetWait,
        Call::ClearProcessWaitWithLease { .. } => CallKind::ClearWait,
        Call::CompleteProcessWithLease { .. } => CallKind::Complete,
        Call::RecordFirstStarted { .. } => CallKind::UnfencedStart,
        Call::AppendEvent { .. } => CallKind::UnfencedEmit,
        Call::SetProcessWait { .. } => CallKind::UnfencedSetWait,
        Call::ClearProcessWait { .. } => CallKind::UnfencedClearWait,
        Call::CompleteProcess { .. } => CallKind::UnfencedComplete,
        Call::RegisterProcess { .. } => CallKind::Register,
        Call::RequestProcessAbandon { .. } => CallKind::Abandon,
        Call::PruneTerminalProcesses { .. } => CallKind::Prune,
        Call::GrantHandle { .. } => CallKind::GrantHandle,
        Call::TransferHandleGrants { .. } => CallKind::Transfer,
        Call::AckWake { .. } => CallKind::Ack,
        other if other.is_read() => CallKind::Read,
        _ => CallKind::Other,
    }
}

/// The lease a call presents as its own.
pub fn presented_by(call: &Call) -> Option<&ProcessLease> {
    match call {
        Call::RenewProcessLease { lease, .. }
        | Call::RecordFirstStartedWithLease { lease, .. }
        | Call::AppendEventWithLease { lease, .. }
        | Call::SetProcessWaitWithLease { lease, .. }
        | Call::ClearProcessWaitWithLease { lease }
        | Call::CompleteProcessWithLease { lease, .. } => Some(lease),
        _ => None,
    }
}

pub fn process_in(call: &Call) -> u16 {
    let id = match call {
        Call::RegisterProcess { registration } => Some(registration.id.as_str()),
        other => other.process_id(),
    };
    id.and_then(process_of).unwrap_or(NO_PROCESS)
}

pub fn refusal_of(error: &RegistryError) -> u64 {
    match error {
        RegistryError::UnknownProcess { .. } => refusal::UNKNOWN_PROCESS,
        RegistryError::InvalidArgument { .. } => refusal::INVALID,
        RegistryError::AlreadyTerminal { .. } => refusal::TERMINAL,
        RegistryError::LeaseRequired { .. } => refusal::LEASE_REQUIRED,
        RegistryError::LeaseSuperseded { .. } => refusal::SUPERSEDED,
        RegistryError::LeaseExpired { .. } => refusal::EXPIRED,
        RegistryError::FenceExhausted { .. } => refusal::EXHAUSTED,
        RegistryError::Backend { .. } => refusal::FAILED,
        RegistryError::Unavailable { .. } => refusal::UNKNOWN_OUTCOME,
        _ => refusal::OTHER,
    }
}

pub fn status_of(status: &ProcessStatus) -> u64 {
    match status {
        ProcessStatus::Running => status::RUNNING,
        ProcessStatus::Completed { .. } => status::COMPLETED,
        ProcessStatus::Failed { .. } => status::FAILED,
        ProcessStatus::Cancelled { .. } => status::CANCELLED,
        ProcessStatus::Abandoned { .. } => status::ABANDONED,
    }
}

/// Equal values have equal numbers, and others practically never. Keys are taken in order: whether a map of JSON keeps the
/// order of insertion is a choice that any crate of the build can make.
pub fn hash_of(value: &impl serde::Serialize) -> u64 {
    fn fold(hash: u64, value: &Value) -> u64 {
        let mixed = |part: u64| (hash.rotate_left(5) ^ part).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        match value {
            Value::Null => mixed(1),
            Value::Bool(truth) => mixed(2 + u64::from(*truth)),
            Value::Number(number) => match number.as_u64() {
                Some(number) => mixed(4).rotate_left(7) ^ number,
                None => mixed(hash_text(&number.to_string())),
            },
            Value::String(text) => mixed(hash_text(text)),
            Value::Array(values) => values.iter().fold(mixed(5), fold),
            Value::Object(values) => {
                let mut keys: Vec<&String> = values.keys().collect();
                keys.sort_unstable();
                keys.into_iter()
                    .fold(mixed(6), |hash, key| fold(hash ^ hash_text(key), &values[key.as_str()]))
            }
        }
    }
    serde_json::to_value(value).map_or(0, |value| fold(0x6c62_272e_07bb_0142, &value))
}

impl Sketch {
    /// Whether it is a host's request.
    pub fn is_asked(&self) -> bool {
        self.asked.is_some()
    }

    /// Of what the world itself finds out.
    pub fn of_the_world(process: u16) -> Self {
        let asks = Asks { node: Node::Registry, life: 0 };
        let (kind, presented) = (CallKind::Read, GrantNo::NONE);
        Self { asks, kind, process, presented, asked: None, hash: 0, cursor: None, asked_ms: 0 }
    }
}

impl World {
    fn put_on_tape(&mut self, call: &Call) {
        let (at_us, clock_ms) = (self.kernel.now_us, self.wall_ms(Node::Registry));
        let life = self.node(Node::Registry).life;
        let taped = Taped { at_us, clock_ms, life, call: call.clone(), was_ok: false };
        self.tape.get_or_insert_default().push(taped);
    }

    fn sketch(&mut self, asks: Asks, call: &Call) -> Sketch {
        let (kind, process) = (kind_of(call), process_in(call));
        let mut presented = match (presented_by(call), call) {
            (Some(lease), _) => self.grants.of_lease(process, lease),
            (None, Call::CompleteProcessLease { completion }) => {
                self.grants.of_token(process, &completion.lease_token)
            }
            _ => GrantNo::NONE,
        };
        let row = (process != NO_PROCESS).then(|| self.row(process));
        let asked = match call {
            Call::AppendEvent { request, .. } if request.event_type == CANCEL_REQUESTED => {
                Some(Wrote::CancelRequest)
            }
            Call::AppendEvent { request, .. } if request.event_type.starts_with(SIGNAL_PREFIX) => {
                Some(Wrote::Signal)
            }
            Call::RequestProcessAbandon { .. } => Some(Wrote::AbandonRequest),
            _ => None,
        };
        if let Some(row) = row {
            let last = row.presented.iter_mut().find(|(of, _)| *of == asks.node.code());
            match (presented.is_some(), last) {
                (true, Some((_, last))) => *last = presented,
                (true, None) => row.presented.push((asks.node.code(), presented)),
                // An unfenced write of an execution: it stands on what its sender last showed.
                (false, Some((_, last))) if is_unfenced_execution(kind) && asked.is_none() => {
                    presented = *last;
                }
                _ => {}
            }
        }
        let hash = match call {
            Call::CompleteProcess { await_output, .. }
            | Call::CompleteProcessWithLease { await_output, .. } => hash_of(await_output),
            Call::AppendEvent { request, .. } | Call::AppendEventWithLease { request, .. } => {
                request.replay.as_deref().map_or(0, hash_text)
            }
            _ => 0,
        };
        let cursor = match call {
            Call::EventsAfter { after_sequence, .. } => Some(*after_sequence),
            _ => None,
        };
        let asked_ms = match call {
            Call::ClaimProcessLease { lease_ttl_ms, .. }
            | Call::ReclaimProcessLease { lease_ttl_ms, .. }
            | Call::RenewProcessLease { lease_ttl_ms, .. } => *lease_ttl_ms,
            _ => 0,
        };
        Sketch { asks, kind, process, presented, asked, hash, cursor, asked_ms }
    }

    pub fn decision(&mut self, sketch: &Sketch, kind: Kind, grant: GrantNo, a: u64, b: u64) {
        // What an earlier call turns out to have done was decided on the reading it had.
        let clock = self.unknown_reading_ms.unwrap_or_else(|| self.wall_ms(Node::Registry));
        self.events.push(Event {
            at_us: self.kernel.now_us,
            clock,
            a,
            b,
            grant,
            process: sketch.process,
            node: sketch.asks.node.code(),
            kind,
        });
    }

    fn failed(&mut self, asks: Asks, call: &Call, is_unknown: bool) {
        self.calls += 1;
        let sketch = self.sketch(asks, call);
        self.decision(&sketch, Kind::Failed, sketch.presented, sketch.kind as u64, u64::from(is_unknown));
    }

    pub fn decided(&mut self, sketch: &Sketch, before: &Before, answer: &Result<Reply, RegistryError>) {
        self.calls += 1;
        let reply = match answer {
            Ok(reply) => reply,
            Err(error) => {
                let code = refusal_of(error);
                if code == refusal::EXHAUSTED {
                    self.row(sketch.process).is_exhausted = true;
                }
                return self.decision(sketch, Kind::Refused, sketch.presented, sketch.kind as u64, code);
            }
        };
        match (sketch.kind, reply) {
            (CallKind::Register, Reply::Record(record)) => self.registered(sketch, record),
            (CallKind::Claim | CallKind::Reclaim, Reply::Claim(outcome)) => {
                self.claimed(sketch, before, outcome);
            }
            (CallKind::Renew, Reply::Lease(lease)) => {
                let expires_ms = lease.expires_at_epoch_ms;
                let row = self.row(sketch.process);
                if let Some((_, holder)) = row.lease
                    && holder == sketch.presented
                {
                    row.lease = Some((expires_ms, holder));
                }
                self.decision(sketch, Kind::Renewed, sketch.presented, expires_ms, sketch.asked_ms);
            }
            (CallKind::Release, _) => {
                let row = self.row(sketch.process);
                if row.lease.is_some_and(|(_, holder)| holder == sketch.presented) {
                    row.lease = None;
                }
                self.decision(sketch, Kind::Released, sketch.presented, 0, 0);
            }
            (CallKind::Complete | CallKind::UnfencedComplete, Reply::Record(record)) => {
                let row = self.row(sketch.process);
                row.is_terminal = true;
                row.lease = None;
                let status = status_of(&record.status);
                self.decision(sketch, Kind::Ended, sketch.presented, status, sketch.hash);
            }
            (CallKind::Start, Reply::FirstStart(start)) => {
                let wrote = match start {
                    FirstStart::Started(_) => Wrote::FirstStart,
                    FirstStart::AlreadyYours(_) => Wrote::StartedByItself,
                    FirstStart::AlreadyStarted(_) => Wrote::StartedBefore,
                };
                self.wrote(sketch, wrote);
            }
            (CallKind::UnfencedStart, _) => self.wrote(sketch, Wrote::FirstStart),
            (CallKind::SetWait | CallKind::UnfencedSetWait, _) => self.wrote(sketch, Wrote::Wait),
            (CallKind::ClearWait | CallKind::UnfencedClearWait, _) => self.wrote(sketch, Wrote::WaitCleared),
            (CallKind::Emit | CallKind::UnfencedEmit, Reply::Appended(appended)) => {
                match sketch.asked {
                    _ if appended.replayed => {}
                    Some(asked) => self.asked(sketch, asked),
                    None => self.wrote(sketch, Wrote::Progress),
                }
                let sequence = appended.event.sequence;
                self.decision(sketch, Kind::Appended, GrantNo::NONE, sequence, sketch.hash);
                if appended.replayed {
                    let wakes = u64::from(appended.wake_delivery.is_some());
                    self.decision(sketch, Kind::Replayed, GrantNo::NONE, sequence, wakes);
                }
            }
            (CallKind::Read, Reply::Events(events)) => {
                if let Some(cursor) = sketch.cursor
                    && !events.is_empty()
                {
                    let count = events.len() as u64;
                    self.decision(sketch, Kind::LogRead, GrantNo::NONE, cursor, count);
                    for event in events {
                        let hash = hash_of(event);
                        self.decision(sketch, Kind::LogShown, GrantNo::NONE, event.sequence, hash);
                    }
                }
            }
            (CallKind::Abandon, _) => self.asked(sketch, Wrote::AbandonRequest),
            (CallKind::Ack, _) => self.asked(sketch, Wrote::WakeAcked),
            (CallKind::GrantHandle, _) => self.asked(sketch, Wrote::HandleGranted),
            (CallKind::Transfer, _) => self.asked(sketch, Wrote::HandlesMoved),
            (CallKind::Read, Reply::MaybeRecord(Some(record))) => {
                let hash = record.status.output().map_or(0, hash_of);
                self.decision(sketch, Kind::Showed, GrantNo::NONE, status_of(&record.status), hash);
            }
            _ => {}
        }
    }

    fn registered(&mut self, sketch: &Sketch, record: &ProcessRecord) {
        let code = match record.disposition() {
            RecoveryDisposition::Rerunnable => disposition::RERUNNABLE,
            RecoveryDisposition::OwnerBound => disposition::OWNER_BOUND,
            RecoveryDisposition::ExternallyOwned => disposition::EXTERNALLY_OWNED,
        };
        let body = self.body_of(record);
        if self.row(sketch.process).is_terminal && !record.is_terminal() {
            // It was pruned, and whoever could have seen that answers too slowly to be looked at.
            self.pruned(sketch.asks, sketch.process);
        }
        let row = self.row(sketch.process);
        let is_new = row.body.is_none();
        if is_new {
            row.body = body;
            row.disposition = code;
        }
        self.decision(sketch, Kind::Registered, GrantNo::NONE, code, u64::from(is_new));
    }

    fn claimed(&mut self, sketch: &Sketch, before: &Before, outcome: &ProcessLeaseClaimOutcome) {
        match outcome {
            ProcessLeaseClaimOutcome::Acquired(lease) => {
                let grant = self.grants.of_lease(sketch.process, lease);
                let is_new = self.grants.was_granted(grant);
                let kind = match (is_new, sketch.kind) {
                    (false, _) => Kind::Reentered,
                    (true, CallKind::Reclaim) => Kind::Reclaimed,
                    (true, _) => Kind::Granted,
                };
                let expires_ms = lease.expires_at_epoch_ms;
                self.row(sketch.process).lease = Some((expires_ms, grant));
                self.decision(sketch, kind, grant, expires_ms, lease.fencing_token);
                if is_new {
                    let drawn = self.entropy_since(before);
                    let token = hash_text(&lease.lease_token);
                    self.decision(sketch, Kind::TokenDrawn, grant, token, drawn);
                }
            }
            ProcessLeaseClaimOutcome::Busy { holder } => {
                let grant = self.grants.of_lease(sketch.process, holder);
                self.decision(sketch, Kind::Busy, grant, 0, 0);
            }
        }
    }

    fn wrote(&mut self, sketch: &Sketch, wrote: Wrote) {
        if wrote == Wrote::FirstStart {
            let row = self.row(sketch.process);
            row.is_started = true;
            row.started_by = Some(sketch.presented);
        }
        self.decision(sketch, Kind::Wrote, sketch.presented, wrote as u64, 0);
    }

    fn asked(&mut self, sketch: &Sketch, asked: Wrote) {
        match asked {
            Wrote::Signal => self.row(sketch.process).signals += 1,
            Wrote::CancelRequest => self.row(sketch.process).cancels += 1,
            _ => {}
        }
        self.decision(sketch, Kind::Asked, GrantNo::NONE, asked as u64, 0);
    }

    pub fn ended_processes(&self) -> Vec<u16> {
        let ended = self.rows.iter().enumerate().filter(|(_, row)| row.is_terminal);
        ended.map(|(process, _)| process as u16).collect()
    }

    pub fn pruned(&mut self, asks: Asks, process: u16) {
        if !self.row(process).is_terminal {
            // Somebody else has found it gone, or it lives again.
            return;
        }
        *self.row(process) = crate::world::rows::RowView::default();
        let sketch = Sketch { asks, kind: CallKind::Prune, ..Sketch::of_the_world(process) };
        self.decision(&sketch, Kind::Pruned, GrantNo::NONE, 0, 0);
    }
}

pub fn is_unfenced_execution(kind: CallKind) -> bool {
    matches!(
        kind,
        CallKind::UnfencedStart
            | CallKind::UnfencedEmit
            | CallKind::UnfencedSetWait
            | CallKind::UnfencedClearWait
            | CallKind::UnfencedComplete
    )
}
