//! Tries the orders in which the registry may have decided calls that overlap: each at any reading between its beginning and its
//! end, and one that nobody heard of at no reading at all.

use std::collections::BTreeMap;

use fencepost::RegistryError;
use fencepost::model::lease::{ProcessLease, ProcessLeaseClaimOutcome};
use fencepost::model::process::FirstStart;
use fencepost::registry::calls::{AnswerRef, Call, Reply};
use fencepost::testing::reference_model::{Inputs, ReferenceModel};

use super::overlaps::OverlappingCall;
use super::{NoStateFits, hides_its_reading};

/// After so many steps the order is given up as unknown.
const MOST_STEPS: usize = 20_000;
/// Orders are sets of bits.
const MOST_CALLS: usize = 64;

pub struct Orders<'a> {
    group: &'a [OverlappingCall],
    /// The states that were tried, by the set of calls that had been decided.
    seen: BTreeMap<u64, Vec<ReferenceModel>>,
    steps: usize,
    /// The states that all answers fit.
    pub fitting: Vec<ReferenceModel>,
    /// A part of an answer that did not fit.
    pub wrong: Option<NoStateFits>,
    pub is_exhausted: bool,
}

impl<'a> Orders<'a> {
    pub fn of(group: &'a [OverlappingCall]) -> Self {
        Self {
            group,
            seen: BTreeMap::new(),
            steps: 0,
            fitting: Vec::new(),
            wrong: None,
            is_exhausted: group.len() > MOST_CALLS,
        }
    }

    /// Tries every order from this state.
    pub fn try_all(&mut self, state: &ReferenceModel) {
        if !self.is_exhausted {
            self.decide_next(0, state.clone());
        }
    }

    fn decide_next(&mut self, decided: u64, state: ReferenceModel) {
        self.steps += 1;
        self.is_exhausted |= self.steps > MOST_STEPS;
        let was_tried = |seen: &Vec<ReferenceModel>| seen.contains(&state);
        if self.is_exhausted || self.seen.get(&decided).is_some_and(was_tried) {
            return;
        }
        let group = self.group;
        let is_left = |place: &usize| decided & 1 << place == 0;
        let left: Vec<usize> = (0..group.len()).filter(is_left).collect();
        if left.is_empty() {
            if !self.fitting.contains(&state) {
                self.fitting.push(state);
            }
            return;
        }
        let can_be_next =
            |place: &&usize| !left.iter().any(|earlier| group[*earlier].precedes(&group[**place]));
        // A call that only meets others which came after it may as well be decided now: every other order comes to the same.
        let meets_nobody = |place: &&usize| {
            let call = &group[**place];
            left.iter().all(|other| {
                other == *place || call.precedes(&group[*other]) || !call.conflicts(&group[*other])
            })
        };
        let mut nexts: Vec<&usize> = left.iter().filter(can_be_next).collect();
        // Nor does it matter when a call was decided that changes nothing, if its answer fits now.
        for place in nexts.iter().filter(|place| group[***place].changes_nothing()) {
            let same = self.after(&group[**place], &state);
            if !same.is_empty() {
                same.into_iter().for_each(|next| self.decide_next(decided | 1 << **place, next));
                self.seen.entry(decided).or_default().push(state);
                return;
            }
        }
        if let Some(place) = nexts.iter().find(|place| meets_nobody(place)) {
            nexts = vec![*place];
        }
        for place in nexts {
            for next in self.after(&group[*place], &state) {
                self.decide_next(decided | 1 << place, next);
            }
        }
        self.seen.entry(decided).or_default().push(state);
    }

    /// The states in which the call may have left the registry.
    fn after(&mut self, call: &OverlappingCall, state: &ReferenceModel) -> Vec<ReferenceModel> {
        let mut after: Vec<ReferenceModel> = Vec::new();
        let Some(answer) = &call.answer else {
            after.push(state.clone());
            for is_holder_dead in believed(call.ended.is_holder_dead) {
                for inputs in all_readings(call) {
                    let mut applied = state.clone();
                    applied.apply_unheard(&call.call, &Inputs { is_holder_dead, ..inputs });
                    if !after.contains(&applied) {
                        after.push(applied);
                    }
                }
            }
            return after;
        };
        let readings = match hides_its_reading(answer.as_deref()) {
            true => all_readings(call).collect(),
            false => readings(call, state),
        };
        for inputs in readings {
            let mut next = state.clone();
            match next.judge(&call.call, answer.as_deref(), &inputs) {
                Ok(()) if !after.contains(&next) => after.push(next),
                Ok(()) => {}
                Err(_) if self.wrong.is_none() => {
                    self.wrong = NoStateFits::of(state, &call.call, answer.as_deref(), &inputs);
                }
                Err(_) => {}
            }
        }
        after
    }
}

/// Another's registry may have believed a probe that called the holder dead.
fn believed(is_holder_dead: Option<bool>) -> Vec<Option<bool>> {
    match is_holder_dead {
        Some(is_dead) => vec![Some(is_dead)],
        None => vec![Some(false), Some(true)],
    }
}

/// Every reading that the call may have been decided on: what it stored may show later.
fn all_readings(decided: &OverlappingCall) -> impl Iterator<Item = Inputs> {
    let OverlappingCall { began, ended, .. } = decided;
    (began.now_ms.min(ended.now_ms)..=began.now_ms.max(ended.now_ms))
        .map(|now_ms| Inputs { now_ms, ..*ended })
}

/// The readings at which the decision can come out differently: both ends, those that the answer shows, and the edges of
/// the lease.
fn readings(decided: &OverlappingCall, state: &ReferenceModel) -> Vec<Inputs> {
    let OverlappingCall { call, answer, began, ended, .. } = decided;
    let (first_ms, last_ms) = (began.now_ms.min(ended.now_ms), began.now_ms.max(ended.now_ms));
    let mut readings = vec![ended.now_ms, began.now_ms];
    readings.extend(answer.iter().flat_map(|answer| readings_shown(call, answer.as_deref())));
    let holder = call.process_id().and_then(|process_id| state.live_holder(process_id, 0));
    if let Some(ProcessLease { expires_at_epoch_ms: expires_ms, .. }) = holder {
        readings.extend([expires_ms.saturating_sub(1), *expires_ms]);
    }
    readings.retain(|reading_ms| (first_ms..=last_ms).contains(reading_ms));
    readings.sort_unstable();
    readings.dedup();
    readings.into_iter().map(|now_ms| Inputs { now_ms, ..*ended }).collect()
}

/// Readings that may be the one of the decision, by what the answer shows.
fn readings_shown(call: &Call, answer: AnswerRef<'_>) -> Vec<u64> {
    let ttl_ms = match call {
        Call::ClaimProcessLease { lease_ttl_ms, .. }
        | Call::ReclaimProcessLease { lease_ttl_ms, .. }
        | Call::RenewProcessLease { lease_ttl_ms, .. } => *lease_ttl_ms,
        _ => 0,
    };
    let of_lease = |lease: &ProcessLease| {
        vec![lease.claimed_at_epoch_ms, lease.expires_at_epoch_ms.saturating_sub(ttl_ms)]
    };
    match answer {
        Ok(Reply::Record(record) | Reply::FirstStart(FirstStart::Started(record))) => {
            vec![record.updated_at_ms]
        }
        Ok(Reply::Appended(appended)) => vec![appended.event.occurred_at_ms],
        Ok(Reply::Claim(ProcessLeaseClaimOutcome::Acquired(lease)) | Reply::Lease(lease)) => of_lease(lease),
        Err(RegistryError::LeaseExpired { now_epoch_ms, .. }) => vec![*now_epoch_ms],
        Ok(_) | Err(_) => Vec::new(),
    }
}
