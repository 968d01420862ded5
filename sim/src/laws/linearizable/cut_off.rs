//! Calls that died with the registry in the middle of their decisions. Each was made or not, and the first questions after
//! the registry's restart show which states of the process remain possible.

use fencepost::model::process::RecoveryDisposition;

use crate::history::event::{CallKind, GrantNo, Status};
use crate::laws::linearizable::model::{LeftOpen, ProcessEnd, ProcessModel};
use crate::laws::linearizable::order::Possible;
use crate::laws::state::stored_lease::Lease;

pub(super) struct CutOff {
    calls: Vec<CutOffCall>,
    /// Status and output, once a read has shown them; a process that is not there shows none.
    pub shown: Option<(Status, u64)>,
}

pub(super) struct CutOffCall {
    pub kind: CallKind,
    pub presented: GrantNo,
    /// The hash of its output, if it is a completion.
    pub output: Option<u64>,
}

impl CutOff {
    /// The registry died again before anybody had seen what the earlier calls left.
    pub fn add(earlier: Option<Self>, died: impl Iterator<Item = CutOffCall>) -> Self {
        let mut calls = earlier.map_or_else(Vec::new, |earlier| earlier.calls);
        calls.extend(died);
        Self { calls, shown: None }
    }

    /// The states that any of the calls, made or not, may have turned the earlier ones into, and that show what was seen.
    pub fn left(&self, before: &[Possible], lease: Option<Lease>, left_open: LeftOpen) -> Vec<Possible> {
        let mut left: Vec<Possible> = Vec::new();
        for possible in before {
            for model in self.left_of(&possible.model, lease, left_open) {
                if !left.iter().any(|known| known.model == model) {
                    left.push(Possible { model, way: possible.way.clone() });
                }
            }
        }
        left
    }

    fn left_of(&self, before: &ProcessModel, lease: Option<Lease>, left_open: LeftOpen) -> Vec<ProcessModel> {
        if lease != before.lease && !self.calls.iter().any(CutOffCall::may_change_the_lease) {
            return Vec::new();
        }
        let Some((status, output)) = self.shown else {
            let is_absent = lease.is_none() && !before.is_known;
            return is_absent.then(|| before.emptied(left_open)).into_iter().collect();
        };
        let mut left = Vec::new();
        for known in self.registered(before) {
            for end in self.ends(&known, status, output) {
                for started_by in self.starters(&known) {
                    left.push(ProcessModel { lease, end, started_by, ..known.clone() });
                }
            }
        }
        left
    }

    fn has(&self, kind: CallKind) -> bool {
        self.calls.iter().any(|call| call.kind == kind)
    }

    /// Nobody has seen under which disposition it was registered.
    fn registered(&self, before: &ProcessModel) -> Vec<ProcessModel> {
        if before.is_known {
            return vec![before.clone()];
        }
        let dispositions = match self.has(CallKind::Register) {
            true => &[
                RecoveryDisposition::Rerunnable,
                RecoveryDisposition::OwnerBound,
                RecoveryDisposition::ExternallyOwned,
            ][..],
            false => &[],
        };
        let known = |disposition: &_| ProcessModel {
            is_known: true,
            is_unheard_of: true,
            disposition: *disposition,
            ..before.clone()
        };
        dispositions.iter().map(known).collect()
    }

    fn ends(&self, before: &ProcessModel, status: Status, output: u64) -> Vec<Option<ProcessEnd>> {
        match before.end {
            Some(end) if (end.status, end.output) == (status, output) => vec![Some(end)],
            None if status == Status::Running => vec![None],
            // An end that stood does not go away.
            Some(_) => Vec::new(),
            None => {
                let completes = self.calls.iter().filter(|call| call.output == Some(output));
                completes.map(|call| Some(ProcessEnd { status, output, by: call.presented })).collect()
            }
        }
    }

    fn starters(&self, before: &ProcessModel) -> Vec<Option<GrantNo>> {
        let mut starters = vec![before.started_by];
        if before.started_by.is_none() {
            let starts =
                self.calls.iter().filter(|call| matches!(call.kind, CallKind::Start | CallKind::UnfencedStart));
            starters.extend(starts.map(|call| Some(call.presented)));
        }
        starters
    }
}

impl CutOffCall {
    fn may_change_the_lease(&self) -> bool {
        matches!(
            self.kind,
            CallKind::Claim
                | CallKind::Reclaim
                | CallKind::Renew
                | CallKind::Release
                | CallKind::Complete
                | CallKind::UnfencedComplete
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HELD: GrantNo = GrantNo(0);
    const STALE: GrantNo = GrantNo(1);

    fn running() -> Possible {
        let lease = Some(Lease { grant: HELD, expires_ms: 4_000 });
        Possible { model: ProcessModel { is_known: true, lease, ..ProcessModel::default() }, way: Vec::new() }
    }

    /// The states that remain possible after this call died, if a read then shows this status and this lease.
    fn left_by(kind: CallKind, shown: (Status, u64), expires_ms: Option<u64>) -> Vec<ProcessModel> {
        let call = CutOffCall { kind, presented: HELD, output: (kind == CallKind::Complete).then_some(7) };
        let cut_off = CutOff { calls: vec![call], shown: Some(shown) };
        let lease = expires_ms.map(|expires_ms| Lease { grant: HELD, expires_ms });
        let left = cut_off.left(&[running()], lease, LeftOpen::default());
        left.into_iter().map(|possible| possible.model).collect()
    }

    #[test]
    fn a_call_that_died_was_made_or_not() {
        let before = running().model;
        assert_eq!(left_by(CallKind::Renew, (Status::Running, 0), Some(4_000)), std::slice::from_ref(&before));
        let renewed = ProcessModel { lease: Some(Lease { grant: HELD, expires_ms: 6_000 }), ..before.clone() };
        assert_eq!(left_by(CallKind::Renew, (Status::Running, 0), Some(6_000)), [renewed]);
        let end = Some(ProcessEnd { status: Status::Completed, output: 7, by: HELD });
        let ended = ProcessModel { lease: None, end, ..before };
        assert_eq!(left_by(CallKind::Complete, (Status::Completed, 7), None), [ended]);
    }

    #[test]
    fn nobody_knows_whether_a_start_that_died_was_made() {
        let left = left_by(CallKind::Start, (Status::Running, 0), Some(4_000));
        assert_eq!(left.iter().map(|model| model.started_by).collect::<Vec<_>>(), [None, Some(HELD)]);
    }

    #[test]
    fn what_no_call_can_have_left_is_impossible() {
        assert_eq!(left_by(CallKind::Start, (Status::Running, 0), Some(6_000)), []);
        assert_eq!(left_by(CallKind::Start, (Status::Running, 0), None), []);
        assert_eq!(left_by(CallKind::Complete, (Status::Completed, 8), None), []);
        assert_eq!(left_by(CallKind::Renew, (Status::Failed, 7), Some(4_000)), []);
    }

    #[test]
    fn a_process_that_nobody_knew_may_have_been_registered_under_any_disposition() {
        let call = CutOffCall { kind: CallKind::Register, presented: GrantNo::NONE, output: None };
        let cut_off = CutOff::add(None, [call].into_iter());
        let nobody = [Possible { model: ProcessModel::default(), way: Vec::new() }];
        assert_eq!(cut_off.left(&nobody, None, LeftOpen::default()).len(), 1, "it is not there");
        let shown = CutOff { shown: Some((Status::Running, 0)), ..cut_off };
        assert_eq!(shown.left(&nobody, None, LeftOpen::default()).len(), 3);
        let lease = Some(Lease { grant: STALE, expires_ms: 4_000 });
        assert!(shown.left(&nobody, lease, LeftOpen::default()).is_empty(), "nobody had claimed it");
    }
}
