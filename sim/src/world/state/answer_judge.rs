//! Holds every answer of the registry against a reference model, in the order of decisions. While the outcome of a call is
//! unknown there are several states that the registry may be in: an answer rules out those that it does not fit, and one that
//! fits none of them is wrong.

use fencepost::RegistryError;
use fencepost::model::lease::{ProcessLease, ProcessLeaseClaimOutcome};
use fencepost::model::process::FirstStart;
use fencepost::registry::calls::{Call, Reply};
use fencepost::testing::reference_model::{Inputs, ReferenceModel, WrongAnswer};

use crate::history::event::Unjudged;
use crate::plan::Plan;
use crate::subject::Subject;

/// With more states than this, nothing would be ruled out.
const MOST_STATES: usize = 64;

pub struct AnswerJudge {
    /// None, once nothing is judged any more.
    states: Vec<ReferenceModel>,
    open: Vec<CallInProgress>,
    last_open: u64,
    /// Answers that were judged.
    pub answers: u64,
    pub unjudged: Unjudged,
}

/// A call whose decision takes time.
struct CallInProgress {
    number: u64,
    /// In true time.
    began_us: u64,
    subject: CallSubject,
    /// A write that it may or may not have seen was decided meanwhile.
    is_disturbed: bool,
}

/// What a call is about, as far as two calls can get into each other's way.
#[derive(Clone, PartialEq, Eq)]
struct CallSubject {
    /// None: about many processes.
    process_id: Option<String>,
    is_read: bool,
}

impl CallSubject {
    fn of(call: &Call) -> Self {
        let process_id = match call {
            Call::RegisterProcess { registration } => Some(registration.id.as_str()),
            call => call.process_id(),
        };
        Self { process_id: process_id.map(str::to_owned), is_read: call.is_read() }
    }

    /// The order of the two matters.
    fn conflicts_with(&self, other: &Self) -> bool {
        let is_about_one = self.process_id.is_some() && other.process_id.is_some();
        (!self.is_read || !other.is_read) && (!is_about_one || self.process_id == other.process_id)
    }
}

impl AnswerJudge {
    pub fn new(plan: &Plan, subject: &Subject) -> Self {
        let mut model = match subject.is_ours() {
            true => ReferenceModel::of_fencepost(),
            false => ReferenceModel::of_the_contract(),
        };
        if let (true, Some(left)) = (subject.is_ours(), plan.fences_left) {
            for (process, _) in plan.bodies() {
                model.start_above_fence(&process.to_string(), u64::MAX - left);
            }
        }
        Self { states: vec![model], open: Vec::new(), last_open: 0, answers: 0, unjudged: Unjudged::None }
    }

    pub fn is_judging(&self) -> bool {
        !self.states.is_empty()
    }

    /// A call was decided and answered at one instant. Returns how the answer is wrong, if it is.
    pub fn judge(
        &mut self,
        call: &Call,
        answer: &Result<Reply, RegistryError>,
        inputs: &Inputs,
    ) -> Option<WrongAnswer> {
        self.answers += u64::from(self.is_judging());
        self.judge_look(call, answer, inputs)
    }

    /// The same for a read from beside the run. It is not counted: how often the world looks depends on the subject.
    pub fn judge_look(
        &mut self,
        call: &Call,
        answer: &Result<Reply, RegistryError>,
        inputs: &Inputs,
    ) -> Option<WrongAnswer> {
        if !self.open.is_empty() && self.is_in_the_way(call) {
            return None;
        }
        self.judge_at(call, answer, &[*inputs])
    }

    /// A call was decided, and nobody heard the answer: it may have been applied or not.
    pub fn unheard(&mut self, call: &Call, inputs: &Inputs) {
        if call.is_read() || !self.open.is_empty() && self.is_in_the_way(call) {
            return;
        }
        // Another's registry may have believed a probe that called the holder dead.
        let believed = match inputs.is_holder_dead {
            Some(is_dead) => vec![Some(is_dead)],
            None => vec![Some(false), Some(true)],
        };
        for place in 0..self.states.len() {
            for is_holder_dead in &believed {
                let mut applied = self.states[place].clone();
                applied.apply_unheard(call, &Inputs { is_holder_dead: *is_holder_dead, ..*inputs });
                if !self.states.contains(&applied) {
                    self.states.push(applied);
                }
            }
        }
        if self.states.len() > MOST_STATES {
            self.stop(Unjudged::TooManyOutcomes);
        }
    }

    /// Somebody looked at what an unheard call had done.
    pub fn saw(&mut self, reply: &Reply) {
        let lease = match reply {
            Reply::Claim(ProcessLeaseClaimOutcome::Acquired(lease)) | Reply::Lease(lease) => lease,
            _ => return,
        };
        self.states.iter_mut().for_each(|state| state.saw_lease(lease));
    }

    /// A call's decision takes time. Returns its number.
    pub fn begin(&mut self, call: &Call, now_us: u64) -> u64 {
        self.is_in_the_way(call);
        self.last_open += 1;
        let (number, subject) = (self.last_open, CallSubject::of(call));
        // A read that began after a write did: it may have seen it or not.
        let is_disturbed =
            subject.is_read && self.open.iter().any(|open| open.subject.conflicts_with(&subject));
        self.open.push(CallInProgress { number, began_us: now_us, subject, is_disturbed });
        number
    }

    /// It ends. It was decided at one of these readings, or between them.
    pub fn end(
        &mut self,
        number: u64,
        now_us: u64,
        call: &Call,
        answer: &Result<Reply, RegistryError>,
        began: &Inputs,
        ended: &Inputs,
    ) -> Option<WrongAnswer> {
        let place = self.open.iter().position(|open| open.number == number)?;
        let CallInProgress { began_us, is_disturbed, .. } = self.open.swap_remove(place);
        if is_disturbed {
            return None;
        }
        if answer.as_ref().is_err_and(RegistryError::outcome_is_unknown) {
            if !call.is_read() {
                self.stop(Unjudged::OrderUnknown);
            }
            return None;
        }
        let hides = hides_its_reading(answer) && began.now_ms != ended.now_ms;
        if hides || !call.is_read() && was_clock_set(began, ended, now_us - began_us) {
            self.stop(Unjudged::ReadingUnknown);
            return None;
        }
        self.answers += u64::from(self.is_judging());
        let readings = self.readings(call, answer, began, ended);
        self.judge_at(call, answer, &readings)
    }

    /// The registry crashed: nobody knows what became of the calls that it was deciding.
    pub fn registry_crashed(&mut self) {
        if self.open.drain(..).any(|open| !open.subject.is_read) {
            self.stop(Unjudged::OrderUnknown);
        }
    }

    fn stop(&mut self, why: Unjudged) {
        if self.is_judging() {
            self.states.clear();
            self.unjudged = why;
        }
    }

    /// True, if the call must not be judged, because it was decided while a write went on. Reads that go on are disturbed by a
    /// write; two writes at once end the judging.
    fn is_in_the_way(&mut self, call: &Call) -> bool {
        let subject = CallSubject::of(call);
        let mut meets_a_write = false;
        for open in self.open.iter_mut().filter(|open| open.subject.conflicts_with(&subject)) {
            meets_a_write |= !open.subject.is_read;
            open.is_disturbed |= open.subject.is_read;
        }
        if meets_a_write && !subject.is_read {
            self.stop(Unjudged::OrderUnknown);
        }
        meets_a_write
    }

    fn judge_at(
        &mut self,
        call: &Call,
        answer: &Result<Reply, RegistryError>,
        readings: &[Inputs],
    ) -> Option<WrongAnswer> {
        if let ([state], [inputs]) = (self.states.as_mut_slice(), readings) {
            let wrong = state.judge_in_words(call, answer, inputs).err()?;
            self.states.clear();
            return Some(wrong);
        }
        let mut fitting: Vec<ReferenceModel> = Vec::new();
        for state in &self.states {
            for inputs in readings {
                let mut next = state.clone();
                match next.judge(call, answer, inputs) {
                    Ok(()) if !fitting.contains(&next) => fitting.push(next),
                    Ok(()) | Err(_) => {}
                }
            }
        }
        let before = std::mem::replace(&mut self.states, fitting);
        if self.states.len() > MOST_STATES {
            self.stop(Unjudged::TooManyOutcomes);
            return None;
        }
        // It fits none of the states: the first one says what would have been right.
        let first = before.into_iter().next().filter(|_| self.states.is_empty());
        first?.judge_in_words(call, answer, readings.first()?).err()
    }

    /// The readings at which the decision can come out differently: both ends, those that the answer shows, and the edges of
    /// the lease.
    fn readings(
        &self,
        call: &Call,
        answer: &Result<Reply, RegistryError>,
        began: &Inputs,
        ended: &Inputs,
    ) -> Vec<Inputs> {
        let (first_ms, last_ms) = (began.now_ms.min(ended.now_ms), began.now_ms.max(ended.now_ms));
        let mut readings = vec![ended.now_ms, began.now_ms];
        readings.extend(readings_shown(call, answer));
        if let Some(process_id) = call.process_id() {
            for state in &self.states {
                let expires_ms = state.live_holder(process_id, 0).map(|lease| lease.expires_at_epoch_ms);
                readings.extend(
                    expires_ms.into_iter().flat_map(|expires_ms| [expires_ms.saturating_sub(1), expires_ms]),
                );
            }
        }
        readings.retain(|reading_ms| (first_ms..=last_ms).contains(reading_ms));
        readings.sort_unstable();
        readings.dedup();
        readings.into_iter().map(|now_ms| Inputs { now_ms, ..*ended }).collect()
    }
}

/// Between two readings more or less time passed by the clock than truly: it was set, and may have shown anything.
fn was_clock_set(began: &Inputs, ended: &Inputs, elapsed_us: u64) -> bool {
    const MOST_DRIFT_PERCENT: u64 = 10;
    let elapsed_ms = elapsed_us / 1_000;
    let drift_ms = elapsed_ms * MOST_DRIFT_PERCENT / 100 + 2;
    ended.now_ms < began.now_ms || (ended.now_ms - began.now_ms).abs_diff(elapsed_ms) > drift_ms
}

/// It stored a reading of the clock, and its answer does not show it.
fn hides_its_reading(answer: &Result<Reply, RegistryError>) -> bool {
    matches!(answer, Ok(Reply::SessionDeleted(report)) if report.deleted_wake_count > 0)
}

/// Readings that may be the one of the decision, by what the answer shows.
fn readings_shown(call: &Call, answer: &Result<Reply, RegistryError>) -> Vec<u64> {
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
