//! Calls of another's registry that died with it in the middle of their decisions. Once it is up again, and before anybody else
//! can ask, it is asked about their processes. A call that explains what is there was made, and is recorded as the decision it was.

use std::collections::BTreeSet;

use fencepost::model::lease::{ProcessLease, ProcessLeaseClaimOutcome};
use fencepost::model::process::{FirstStart, ProcessRecord};
use fencepost::registry::calls::{Call, Reply, Submit};

use crate::history::event::{CallKind, GrantNo, TurnedOut, What};
use crate::subject::Core;
use crate::world::calls::{CallInfo, status_of};
use crate::world::fingerprint::hash_of;
use crate::world::state::records::OpenSpan;
use crate::world::state::{World, with};

pub async fn look(core: Core) {
    let processes: BTreeSet<u16> =
        with(|world| world.records.cut_off.iter().map(|call| call.info.process).collect());
    for process in processes {
        let process_id = format!("p{process}");
        let record = core.submit(Call::ReadProcess { process_id: process_id.clone() }.into()).await;
        let lease = core.submit(Call::GetProcessLease { process_id }.into()).await;
        with(|world| {
            let cut_off = std::mem::take(&mut world.records.cut_off);
            let (died, others): (Vec<_>, Vec<_>) =
                cut_off.into_iter().partition(|call| call.info.process == process);
            world.records.cut_off = others;
            if let (Ok(Reply::MaybeRecord(record)), Ok(Reply::MaybeLease(lease))) =
                (record.as_deref(), lease.as_deref())
            {
                world.left(process, &died, record.as_ref(), lease.as_ref());
            }
        });
    }
}

impl World {
    /// Records which of the calls were made, and believes what is there.
    fn left(
        &mut self,
        process: u16,
        died: &[OpenSpan],
        record: Option<&ProcessRecord>,
        lease: Option<&ProcessLease>,
    ) {
        if let Some(lease) = lease {
            self.records.grants.found(process, lease);
            self.records.answers.saw(&Reply::Lease(lease.clone()));
        }
        for call in died {
            if let Some(reply) = self.answer_that_explains(call, record, lease) {
                let what = What::TurnedOut { call: call.info.kind, fate: TurnedOut::Applied };
                self.decision(&call.info, call.info.presented, what);
                self.records.decided_on_ms = Some(reading_of(call, &reply));
                let entropy_drawn = self.entropy_drawn();
                self.decided(&call.info, entropy_drawn, Ok(Box::new(reply)).as_deref());
                self.records.decided_on_ms = None;
            }
        }
        self.believe(process, record, lease);
        self.shown_by_a_look(process, record);
    }

    /// Only now: a read that shows what a call has made comes after it.
    fn shown_by_a_look(&mut self, process: u16, record: Option<&ProcessRecord>) {
        let info = CallInfo::of_the_world(process);
        if let Some(record) = record {
            let (status, output) = (status_of(&record.status), record.status.output().map_or(0, hash_of));
            self.decision(&info, GrantNo::NONE, What::Showed { status, output });
        }
        let (expires_ms, grant) = self.row(process).lease.unwrap_or((0, GrantNo::NONE));
        self.decision(&info, grant, What::LeaseShown { expires_ms });
    }

    /// The answer with which the call would have changed what was known into what is there.
    fn answer_that_explains(
        &mut self,
        call: &OpenSpan,
        record: Option<&ProcessRecord>,
        lease: Option<&ProcessLease>,
    ) -> Option<Reply> {
        let info = &call.info;
        let shown = lease.map(|lease| (self.records.grants.of_lease(info.process, lease), lease));
        let row = self.row(info.process);
        match info.kind {
            CallKind::Register => {
                (row.body.is_none() && !record?.is_terminal()).then(|| record.cloned().map(Reply::Record))?
            }
            CallKind::Claim | CallKind::Reclaim => {
                let ((grant, lease), (owner_id, incarnation_id)) = (shown?, call.owner.as_ref()?);
                let owner = &lease.owner;
                let is_theirs = owner.owner_id == *owner_id && owner.incarnation_id == *incarnation_id;
                let is_new = row.lease.is_none_or(|(_, known)| known != grant);
                (is_theirs && is_new).then(|| Reply::Claim(ProcessLeaseClaimOutcome::Acquired(lease.clone())))
            }
            CallKind::Renew => {
                let (grant, lease) = shown?;
                let is_changed = row.lease != Some((lease.expires_at_epoch_ms, grant));
                (grant == info.presented && is_changed).then(|| Reply::Lease(lease.clone()))
            }
            CallKind::Release => {
                let was_held = row.lease.is_some_and(|(_, holder)| holder == info.presented);
                (was_held && shown.is_none() && !record?.is_terminal()).then_some(Reply::Done(()))
            }
            CallKind::Complete | CallKind::UnfencedComplete => {
                let output = record?.status.output().map(hash_of);
                (!row.is_terminal && output == Some(info.hash)).then(|| record.cloned().map(Reply::Record))?
            }
            CallKind::Start => {
                let is_started = row.first_start.is_none() && record?.first_started.is_some();
                is_started
                    .then(|| record.cloned().map(|record| Reply::FirstStart(FirstStart::Started(record))))?
            }
            CallKind::UnfencedStart => {
                let is_started = row.first_start.is_none() && record?.first_started.is_some();
                is_started.then(|| record.cloned().map(Reply::Record))?
            }
            // No read of the process and its lease shows for certain what these leave.
            CallKind::Emit
            | CallKind::SetWait
            | CallKind::ClearWait
            | CallKind::UnfencedEmit
            | CallKind::UnfencedSetWait
            | CallKind::UnfencedClearWait
            | CallKind::Abandon
            | CallKind::Prune
            | CallKind::Read
            | CallKind::GrantHandle
            | CallKind::Transfer
            | CallKind::Ack
            | CallKind::Other => None,
        }
    }
}

/// The registry's clock when it decided: a lease tells it by its end, and of others it is known to be before the registry died.
fn reading_of(call: &OpenSpan, reply: &Reply) -> u64 {
    let lease = match reply {
        Reply::Claim(ProcessLeaseClaimOutcome::Acquired(lease)) | Reply::Lease(lease) => lease,
        _ => return call.died_ms,
    };
    let read_ms = lease.expires_at_epoch_ms.saturating_sub(call.info.asked_ms);
    let went_on = call.began_ms.min(call.died_ms)..=call.died_ms.max(call.began_ms);
    if went_on.contains(&read_ms) { read_ms } else { call.died_ms }
}
