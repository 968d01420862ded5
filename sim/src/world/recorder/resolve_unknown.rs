//! Finds out what the store has kept, when that is in doubt: after a call with an unknown outcome, and after a store was
//! opened again. The rows are read from beside the run. A call that was applied after all is recorded as the decision it was;
//! the rows of an opened store are recorded as evidence, and the world's own view of rows follows them.

use std::collections::BTreeSet;

use fencepost::model::event::ProcessEventAppendResult;
use fencepost::model::lease::{ProcessLease, ProcessLeaseClaimOutcome};
use fencepost::model::process::{FirstStart, ProcessRecord};
use fencepost::registry::calls::{Call, Reply, Submit};

use crate::disk;
use crate::history::event::{CallKind, GrantNo, SurvivingRow, TurnedOut, What};
use crate::world::calls::{CallInfo, claimed_for, status_of};
use crate::world::fingerprint::hash_of;
use crate::world::recorder::evidence::StateBefore;
use crate::world::recorder::judge_answers::look_and_judge;
use crate::world::recorder::unrecorded_read::look;
use crate::world::state::nodes::Caller;
use crate::world::state::rows::RowView;
use crate::world::state::unknown_call::{ShownProcess, UnknownCall, WatchedCall};
use crate::world::state::{World, with};

/// The watched call, which has just been decided with an unknown outcome.
pub fn end_unknown(watched: Box<WatchedCall>, world: &mut World, before: &StateBefore) -> UnknownCall {
    UnknownCall {
        watched,
        reading_ms: world.reading_ms(),
        entropy_drawn: world.entropy_since(before.entropy_drawn),
    }
}

/// These reads also rule out what an unknown outcome cannot have been.
async fn show(registry: &dyn Submit, process: u16) -> Option<ShownProcess> {
    let process_id = format!("p{process}");
    let record = match look_and_judge(registry, Call::ReadProcess { process_id: process_id.clone() }).await {
        Some(Ok(Reply::MaybeRecord(record))) => record,
        _ => return None,
    };
    let lease = match look_and_judge(registry, Call::GetProcessLease { process_id: process_id.clone() }).await
    {
        Some(Ok(Reply::MaybeLease(lease))) => lease,
        _ => return None,
    };
    let last_event = match look_and_judge(registry, Call::RecentEvents { process_id, limit: 1 }).await {
        Some(Ok(Reply::Events(events))) => events.into_iter().next(),
        _ => None,
    };
    Some(ShownProcess { record, lease, last_event })
}

/// Records which of the ended processes a prune has removed.
pub async fn look_for_the_pruned(registry: &dyn Submit, caller: Caller) {
    let ended = with(|world| world.ended_processes());
    for process in ended {
        let gone = look(registry, Call::ReadProcess { process_id: format!("p{process}") }).await;
        match gone {
            Ok(Reply::MaybeRecord(None)) => with(|world| world.pruned(caller, process)),
            Ok(_) => {}
            Err(_) => with(|world| world.may_be_pruned(caller, process)),
        }
    }
    // An end whose call still goes on may stand already.
    with(|world| {
        let open = world.records.open_spans.values().map(|open| &open.info);
        let changed: BTreeSet<u16> =
            open.filter(|info| info.changes_a_process()).map(|info| info.process).collect();
        changed.into_iter().for_each(|process| world.may_be_pruned(caller, process));
    });
}

/// Looks at the process of a call whose outcome may become unknown.
pub async fn watch(registry: &dyn Submit, info: &CallInfo, call: &Call) -> Option<Box<WatchedCall>> {
    let owner = claimed_for(call);
    let before = match info.kind == CallKind::Prune {
        true => None,
        false => Some(show(registry, info.process).await?),
    };
    Some(Box::new(WatchedCall { info: info.clone(), owner, before }))
}

/// Finds out what the last call with an unknown outcome has done, and records it.
pub async fn resolve(registry: &dyn Submit) {
    let Some(unknown) = with(|world| world.records.unknown.take()) else { return };
    let UnknownCall { watched, reading_ms, entropy_drawn } = unknown;
    let WatchedCall { info, owner, before } = *watched;
    let Some(before) = before else {
        return look_for_the_pruned(registry, info.caller).await;
    };
    let Some(now) = show(registry, info.process).await else { return };
    let is_ours = with(|world| world.subject.is_ours());
    let reply = what_it_answered(&info, owner.as_ref(), &before, &now, is_ours);
    with(|world| {
        let fate = match (&reply, now == before) {
            (_, true) => TurnedOut::NotApplied,
            (Some(_), false) => TurnedOut::Applied,
            (None, false) => TurnedOut::Partly,
        };
        world.decision(&info, info.presented, What::TurnedOut { call: info.kind, fate });
        if let (Some(reply), TurnedOut::Applied) = (reply, fate) {
            let entropy_before = world.entropy_drawn() - entropy_drawn;
            world.records.decided_on_ms = Some(reading_ms);
            world.records.answers.saw(&reply);
            world.decided(&info, entropy_before, Ok(Box::new(reply)).as_deref());
            world.records.decided_on_ms = None;
        }
    });
}

/// The answer with which the call would leave this behind; `None` if no answer explains all that is there.
fn what_it_answered(
    info: &CallInfo,
    owner: Option<&(String, String)>,
    before: &ShownProcess,
    now: &ShownProcess,
    is_ours: bool,
) -> Option<Reply> {
    let record = now.record.clone()?;
    let was_written = now.last_sequence() > before.last_sequence();
    let is_lease_alone = now.record == before.record && !was_written;
    let event = || now.last_event.clone();
    match info.kind {
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
        // A start that stood there before would have left everything as it was. Our start writes its event in the same step;
        // another registry may keep the fact alone.
        CallKind::Start => (record.first_started.is_some() && (was_written || !is_ours))
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
        CallKind::UnfencedStart => record.first_started.is_some().then_some(Reply::Record(record)),
        CallKind::UnfencedSetWait
        | CallKind::UnfencedClearWait
        | CallKind::Prune
        | CallKind::Read
        | CallKind::GrantHandle
        | CallKind::Transfer
        | CallKind::Ack
        | CallKind::Other => Some(Reply::Done(())),
    }
}

/// Records what a store shows of every process after it was opened again, and believes it.
pub async fn look_back(registry: &dyn Submit) {
    resolve(registry).await;
    let known = with(|world| world.records.rows.len());
    for process in 1..known {
        let shown = show(registry, process).await;
        with(|world| match shown {
            Some(shown) => world.survived(process, &shown),
            // Another registry's read that takes time says nothing.
            None if !world.subject.is_ours() => {}
            None => world.is_unreadable(process),
        });
    }
}

impl World {
    /// The store cannot be opened although the disk is sound.
    pub fn cannot_be_read(&mut self) {
        for process in 0..self.records.rows.len() {
            if self.row(process).body.is_some() {
                self.is_unreadable(process);
            }
        }
    }

    fn is_unreadable(&mut self, process: u16) {
        let what = What::Survived { row: SurvivingRow::Unreadable, last_sequence: 0 };
        self.decision(&CallInfo::of_the_world(process), GrantNo::NONE, what);
    }

    /// The disk is in trouble, or nobody knows how the registry keeps its rows.
    pub fn may_outcome_be_unknown(&self, is_on_disk: bool) -> bool {
        !self.subject.is_ours() || is_on_disk && disk::with(|disk| disk.is_in_trouble()) == Some(true)
    }

    fn ended_processes(&self) -> Vec<u16> {
        let ended = self.records.rows.iter().filter(|(_, row)| row.is_terminal);
        ended.map(|(process, _)| process).collect()
    }

    /// Takes the registry's word for what it keeps of a process.
    pub fn believe(&mut self, process: u16, record: Option<&ProcessRecord>, lease: Option<&ProcessLease>) {
        let lease =
            lease.map(|lease| (lease.expires_at_epoch_ms, self.records.grants.of_lease(process, lease)));
        let row = self.row(process);
        match record {
            None => *row = RowView { lease, ..RowView::default() },
            Some(record) => {
                row.lease = lease;
                row.is_terminal = record.is_terminal();
                row.first_start = record.first_started.as_ref().map(hash_of);
            }
        }
    }

    fn survived(&mut self, process: u16, shown: &ShownProcess) {
        self.believe(process, shown.record.as_ref(), shown.lease.as_ref());
        let lease = self.row(process).lease;
        let (surviving, output) = match &shown.record {
            None => (SurvivingRow::Gone, 0),
            Some(record) => {
                let surviving = SurvivingRow::Known {
                    status: status_of(&record.status),
                    is_started: record.first_started.is_some(),
                    is_waiting: record.wait.is_some(),
                    is_abandon_requested: record.abandon_request.is_some(),
                    is_torn: record.is_terminal() && (lease.is_some() || record.wait.is_some()),
                };
                (surviving, record.status.output().map_or(0, hash_of))
            }
        };
        let info = CallInfo::of_the_world(process);
        let last_sequence = shown.last_sequence();
        self.decision(&info, GrantNo::NONE, What::Survived { row: surviving, last_sequence });
        let (expires_ms, grant) = lease.unwrap_or((0, GrantNo::NONE));
        self.decision(&info, grant, What::SurvivedLease { expires_ms, output });
    }
}
