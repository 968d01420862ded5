//! What the store kept, when that is in doubt: after a call whose outcome nobody knows, and after a store was opened again.
//! The rows are looked at from beside the run. A call that turns out to have been applied is written down as the
//! decision it was; what an opened store shows is evidence, and the world's own view of rows follows it.

use fencepost::model::event::{ProcessEvent, ProcessEventAppendResult};
use fencepost::model::lease::{ProcessLease, ProcessLeaseClaimOutcome};
use fencepost::model::process::{FirstStart, ProcessRecord};
use fencepost::registry::calls::{Call, Reply, Submit};

use crate::disk;
use crate::history::event::{CallKind, GrantNo, Kind, survived, turned_out};
use crate::plan::Node;
use crate::world::evidence::{Before, look};
use crate::world::recorder::{Sketch, hash_of, status_of};
use crate::world::{Asks, World, with};

/// A process as its registry shows it.
#[derive(Clone, PartialEq)]
struct Shown {
    record: Option<ProcessRecord>,
    lease: Option<ProcessLease>,
    last_event: Option<ProcessEvent>,
}

/// A call that is being decided while it may end in doubt, and the process before it.
pub struct Watched {
    sketch: Sketch,
    owner: Option<(String, String)>,
    before: Option<Shown>,
}

/// A call of which nobody knows whether it was applied.
pub struct Unknown {
    watched: Watched,
    reading_ms: u64,
    entropy_drawn: u64,
}

impl Watched {
    pub fn ended(self, world: &mut World, before: &Before) -> Unknown {
        Unknown {
            watched: self,
            reading_ms: world.wall_ms(Node::Registry),
            entropy_drawn: world.entropy_since(before),
        }
    }
}

impl Shown {
    fn sequence(&self) -> u64 {
        self.last_event.as_ref().map_or(0, |event| event.sequence)
    }
}

async fn show(registry: &dyn Submit, process: u16) -> Option<Shown> {
    let process_id = format!("p{process}");
    let record = match look(registry, Call::ReadProcess { process_id: process_id.clone() }).await {
        Ok(Reply::MaybeRecord(record)) => record,
        _ => return None,
    };
    let lease = match look(registry, Call::GetProcessLease { process_id: process_id.clone() }).await {
        Ok(Reply::MaybeLease(lease)) => lease,
        _ => return None,
    };
    let last_event = match look(registry, Call::RecentEvents { process_id, limit: 1 }).await {
        Ok(Reply::Events(events)) => events.into_iter().next(),
        _ => None,
    };
    Some(Shown { record, lease, last_event })
}

/// After a prune: which of the ended processes are gone.
pub async fn look_for_the_pruned(registry: &dyn Submit, asks: Asks) {
    let ended = with(|world| world.ended_processes());
    for process in ended {
        let gone = look(registry, Call::ReadProcess { process_id: format!("p{process}") }).await;
        if gone == Ok(Reply::MaybeRecord(None)) {
            with(|world| world.pruned(asks, process));
        }
    }
}

/// Looks at the process of a call that may end in doubt.
pub async fn watch(registry: &dyn Submit, sketch: &Sketch, call: &Call) -> Option<Watched> {
    let owner = match call {
        Call::ClaimProcessLease { owner, .. } | Call::ReclaimProcessLease { owner, .. } => {
            Some((owner.owner_id.clone(), owner.incarnation_id.clone()))
        }
        _ => None,
    };
    let before = match sketch.kind {
        CallKind::Prune => None,
        _ => Some(show(registry, sketch.process).await?),
    };
    Some(Watched { sketch: sketch.clone(), owner, before })
}

/// Finds out what the last call with an unknown outcome has done, and writes it down.
pub async fn resolve(registry: &dyn Submit) {
    let Some(unknown) = with(|world| world.unknown.take()) else { return };
    let Unknown { watched: Watched { sketch, owner, before }, reading_ms, entropy_drawn } = unknown;
    let Some(before) = before else {
        return look_for_the_pruned(registry, sketch.asks).await;
    };
    let Some(now) = show(registry, sketch.process).await else { return };
    let reply = what_it_answered(&sketch, owner.as_ref(), &before, &now);
    with(|world| {
        let became = match (&reply, now == before) {
            (_, true) => turned_out::NOT_APPLIED,
            (Some(_), false) => turned_out::APPLIED,
            (None, false) => turned_out::PARTLY,
        };
        world.decision(&sketch, Kind::TurnedOut, sketch.presented, sketch.kind as u64, became);
        if let (Some(reply), turned_out::APPLIED) = (reply, became) {
            let before = Before::drawn(world, entropy_drawn);
            world.unknown_reading_ms = Some(reading_ms);
            world.decided(&sketch, &before, &Ok(reply));
            world.unknown_reading_ms = None;
        }
    });
}

/// What a call must have answered to leave this behind; none, if no answer of it explains all that is there.
fn what_it_answered(
    sketch: &Sketch,
    owner: Option<&(String, String)>,
    before: &Shown,
    now: &Shown,
) -> Option<Reply> {
    let record = now.record.clone()?;
    let was_written = now.sequence() > before.sequence();
    let is_lease_alone = now.record == before.record && !was_written;
    let event = || now.last_event.clone();
    match sketch.kind {
        CallKind::Claim | CallKind::Reclaim => {
            let lease = now.lease.clone()?;
            let (owner_id, incarnation_id) = owner?;
            let is_theirs =
                lease.owner.owner_id == *owner_id && lease.owner.incarnation_id == *incarnation_id;
            (is_theirs && is_lease_alone).then_some(Reply::Claim(ProcessLeaseClaimOutcome::Acquired(lease)))
        }
        CallKind::Renew => is_lease_alone.then(|| now.lease.clone()).flatten().map(Reply::Lease),
        CallKind::Release => (is_lease_alone && now.lease.is_none()).then_some(Reply::Done(())),
        CallKind::Register => before.record.is_none().then_some(Reply::Record(record)),
        CallKind::Abandon => {
            (record.abandon_request.is_some() && now.lease == before.lease).then_some(Reply::Record(record))
        }
        CallKind::Start => (record.first_started.is_some() && was_written)
            .then_some(Reply::FirstStart(FirstStart::Started(record))),
        CallKind::SetWait => (record.wait.is_some() && was_written).then_some(Reply::Record(record)),
        CallKind::ClearWait => (record.wait.is_none() && was_written).then_some(Reply::Record(record)),
        CallKind::Emit | CallKind::UnfencedEmit => {
            let event = was_written.then(event).flatten()?;
            let wake_delivery = event.wake_delivery();
            Some(Reply::Appended(ProcessEventAppendResult { event, replayed: false, wake_delivery }))
        }
        CallKind::Complete | CallKind::UnfencedComplete => {
            (record.is_terminal() && now.lease.is_none() && was_written).then_some(Reply::Record(record))
        }
        _ => Some(Reply::Done(())),
    }
}

/// A store was opened again: what it shows of every process is written down, and believed.
pub async fn look_back(registry: &dyn Submit) {
    resolve(registry).await;
    let known = with(|world| world.rows.len() as u16);
    for process in 1..known {
        let shown = show(registry, process).await;
        with(|world| match shown {
            Some(shown) => world.survived(process, &shown),
            // A look that takes time is no look, and says nothing.
            None if !world.subject.is_ours() => {}
            None => {
                let sketch = Sketch::of_the_world(process);
                world.decision(&sketch, Kind::Survived, GrantNo::NONE, survived::IS_UNREADABLE, 0);
            }
        });
    }
}

impl World {
    /// The store cannot be opened, and the disk is sound.
    pub fn cannot_be_read(&mut self) {
        for process in 0..self.rows.len() as u16 {
            if self.row(process).body.is_some() {
                let sketch = Sketch::of_the_world(process);
                self.decision(&sketch, Kind::Survived, GrantNo::NONE, survived::IS_UNREADABLE, 0);
            }
        }
    }

    /// When the disk is in trouble, or nobody knows how the registry keeps its rows.
    pub fn may_end_in_doubt(&self, is_on_disk: bool) -> bool {
        !self.subject.is_ours() || is_on_disk && disk::with(|disk| disk.is_in_trouble()) == Some(true)
    }

    fn survived(&mut self, process: u16, shown: &Shown) {
        let sketch = Sketch::of_the_world(process);
        let lease = shown
            .lease
            .as_ref()
            .map(|lease| (lease.expires_at_epoch_ms, self.grants.of_lease(process, lease)));
        let row = self.row(process);
        row.lease = lease;
        let mut bits = 0;
        let mut output = 0;
        match &shown.record {
            None => *self.row(process) = crate::world::rows::RowView { lease, ..Default::default() },
            Some(record) => {
                bits = survived::IS_KNOWN | status_of(&record.status);
                bits |= if record.first_started.is_some() { survived::IS_STARTED } else { 0 };
                bits |= if record.wait.is_some() { survived::IS_WAITING } else { 0 };
                bits |= if record.abandon_request.is_some() { survived::ABANDON_REQUESTED } else { 0 };
                let is_torn = record.is_terminal() && (lease.is_some() || record.wait.is_some());
                bits |= if is_torn { survived::IS_TORN } else { 0 };
                output = record.status.output().map_or(0, hash_of);
                let row = self.row(process);
                row.is_terminal = record.is_terminal();
                row.is_started = record.first_started.is_some();
            }
        }
        let (expires_ms, grant) = lease.unwrap_or((0, GrantNo::NONE));
        self.decision(&sketch, Kind::Survived, GrantNo::NONE, bits, shown.sequence());
        self.decision(&sketch, Kind::SurvivedLease, grant, expires_ms, output);
    }
}
