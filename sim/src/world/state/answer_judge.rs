//! Holds every answer of the registry against a reference model, in the order of decisions. While the outcome of a call is
//! unknown there are several states that the registry may be in: an answer rules out those that it does not fit, and one that
//! fits none of them is wrong.

mod orders;
mod overlaps;

use fencepost::RegistryError;
use fencepost::model::handle::SessionScope;
use fencepost::model::lease::ProcessLeaseClaimOutcome;
use fencepost::registry::calls::{AnswerRef, Call, Reply};
use fencepost::testing::reference_model::{Inputs, ReferenceModel, WrongAnswer};

use orders::Orders;
use overlaps::{OverlappingCall, Overlaps};

use crate::history::event::Unjudged;
use crate::plan::Plan;
use crate::subject::{Subject, claims};

/// With more states than this, nothing would be ruled out.
const MOST_STATES: usize = 64;

/// A call that does not show its reading may have been decided on any while it went on: on no more than these.
const MOST_READINGS: u64 = 32;

/// An answer that no state fits.
#[derive(Debug, Clone)]
pub struct NoStateFits {
    /// The number of the call that was answered.
    pub method: &'static str,
    pub wrong: WrongAnswer,
}

impl NoStateFits {
    /// How the answer differs from that of this state; none if it does not.
    fn of(state: &ReferenceModel, call: &Call, answer: AnswerRef<'_>, inputs: &Inputs) -> Option<Self> {
        let wrong = state.clone().judge_in_words(call, answer, inputs).err()?;
        Some(Self { method: call.method(), wrong })
    }
}

pub struct AnswerJudge {
    /// None, once nothing is judged any more.
    states: Vec<ReferenceModel>,
    overlaps: Overlaps,
    /// Answers that were judged.
    pub answers: u64,
    pub unjudged: Unjudged,
}

impl AnswerJudge {
    pub fn new(plan: &Plan, subject: &Subject) -> Self {
        let mut model = match subject.is_ours() {
            true => ReferenceModel::of_fencepost(),
            false => ReferenceModel::of_the_contract().with_leniency(claims::leniency(subject.not_claimed)),
        };
        if let (true, Some(left)) = (subject.is_ours(), plan.fences_left) {
            for (process, _) in plan.bodies() {
                model.start_above_fence(&process.to_string(), u64::MAX - left);
            }
        }
        let overlaps = Overlaps::default();
        Self { states: vec![model], overlaps, answers: 0, unjudged: Unjudged::None }
    }

    pub fn is_judging(&self) -> bool {
        !self.states.is_empty()
    }

    /// A call was decided and answered at one instant. Returns the part of an answer that is wrong, if one is.
    pub fn judge(
        &mut self,
        call: &Call,
        answer: AnswerRef<'_>,
        inputs: &Inputs,
        now_us: u64,
    ) -> Option<NoStateFits> {
        self.answers += u64::from(self.is_judging());
        if self.overlaps.are_none() {
            return self.judge_at(call, answer, &[*inputs]);
        }
        self.add(OverlappingCall::at_one_instant(call, Some(answer), inputs, now_us))
    }

    /// The same for a read from beside the run. It is not counted: how often the world looks depends on the subject.
    pub fn judge_look(&mut self, call: &Call, answer: AnswerRef<'_>, inputs: &Inputs) -> Option<NoStateFits> {
        match self.overlaps.are_none() {
            true => self.judge_at(call, answer, &[*inputs]),
            false => None,
        }
    }

    /// A call was decided, and nobody heard the answer: it may have been applied or not.
    pub fn unheard(&mut self, call: &Call, inputs: &Inputs, now_us: u64) -> Option<NoStateFits> {
        match call.is_read() {
            true => None,
            false => self.add(OverlappingCall::at_one_instant(call, None, inputs, now_us)),
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

    /// How many of the processes the scope has handles on, as far as the answers so far tell.
    pub fn handles_of(&self, scope: &SessionScope, process_ids: &[String]) -> usize {
        let Some(state) = self.states.first() else { return 0 };
        process_ids.iter().filter(|process_id| state.has_handle(scope, process_id)).count()
    }

    /// A call's decision takes time. Returns its number.
    pub fn begin(&mut self, call: &Call, began: &Inputs, now_us: u64) -> u64 {
        self.overlaps.begin(call, began, now_us)
    }

    /// It ends. It was decided at its first or its last reading of the clock, or between them; if it took none, then at any while it
    /// went on.
    pub fn end(
        &mut self,
        number: u64,
        now_us: u64,
        answer: AnswerRef<'_>,
        ended: &Inputs,
        taken_ms: Option<(u64, u64)>,
    ) -> Option<NoStateFits> {
        let mut begun = self.overlaps.end(number)?;
        let mut ended = *ended;
        if let Some((first_ms, last_ms)) = taken_ms {
            begun.began.now_ms = first_ms;
            ended.now_ms = last_ms;
        }
        let is_heard = !answer.is_err_and(RegistryError::outcome_is_unknown);
        if !is_heard && begun.call.is_read() {
            return None;
        }
        let is_unknown = hides_its_reading(answer) && !can_all_be_tried(&begun.began, &ended);
        let is_write = !begun.call.is_read();
        let may_be_any = taken_ms.is_none() && was_clock_set(&begun.began, &ended, now_us - begun.began_us);
        if is_unknown || is_write && may_be_any {
            self.stop(Unjudged::ReadingUnknown);
            return None;
        }
        self.answers += u64::from(is_heard && self.is_judging());
        self.add(begun.decided(is_heard.then_some(answer), &ended, now_us))
    }

    /// The registry crashed: the calls that it was deciding were applied, or they were not.
    pub fn registry_crashed(&mut self, now_ms: u64, now_us: u64) -> Option<NoStateFits> {
        let died = self.overlaps.all_die(now_ms, now_us);
        died.into_iter().fold(None, |wrong, call| self.add(call).or(wrong))
    }

    fn stop(&mut self, why: Unjudged) {
        if self.is_judging() {
            self.states.clear();
            self.unjudged = why;
        }
    }

    /// Judges the call, unless one that it may have to be ordered with still goes on.
    fn add(&mut self, decided: OverlappingCall) -> Option<NoStateFits> {
        if decided.answer.is_none() && !can_all_be_tried(&decided.began, &decided.ended) {
            self.stop(Unjudged::ReadingUnknown);
        }
        if !self.is_judging() {
            return None;
        }
        let mut wrong = None;
        for group in self.overlaps.add(decided) {
            wrong = self.judge_group(&group).or(wrong);
        }
        wrong
    }

    /// Keeps the states that some order of the group leads to.
    fn judge_group(&mut self, group: &[OverlappingCall]) -> Option<NoStateFits> {
        if let [OverlappingCall { call, answer: Some(answer), began, ended, .. }] = group
            && began.now_ms == ended.now_ms
        {
            return self.judge_at(call, answer.as_deref(), &[*ended]);
        }
        let mut orders = Orders::of(group);
        self.states.iter().for_each(|state| orders.try_all(state));
        let Orders { fitting, wrong, is_exhausted, .. } = orders;
        if is_exhausted {
            self.stop(Unjudged::OrderUnknown);
            return None;
        }
        self.keep(fitting, wrong)
    }

    fn keep(&mut self, fitting: Vec<ReferenceModel>, wrong: Option<NoStateFits>) -> Option<NoStateFits> {
        self.states = fitting;
        if self.states.len() > MOST_STATES {
            self.stop(Unjudged::TooManyOutcomes);
            return None;
        }
        wrong.filter(|_| self.states.is_empty())
    }

    fn judge_at(&mut self, call: &Call, answer: AnswerRef<'_>, readings: &[Inputs]) -> Option<NoStateFits> {
        if let ([state], [inputs]) = (self.states.as_mut_slice(), readings) {
            let wrong = state.judge_in_words(call, answer, inputs).err()?;
            self.states.clear();
            return Some(NoStateFits { method: call.method(), wrong });
        }
        let mut wrong = None;
        let mut fitting: Vec<ReferenceModel> = Vec::new();
        for state in &self.states {
            for inputs in readings {
                let mut next = state.clone();
                match next.judge(call, answer, inputs) {
                    Ok(()) if !fitting.contains(&next) => fitting.push(next),
                    Ok(()) => {}
                    Err(_) => wrong = wrong.or_else(|| NoStateFits::of(state, call, answer, inputs)),
                }
            }
        }
        self.keep(fitting, wrong)
    }
}

/// Between two readings more or less time passed by the clock than truly: it was set, and may have shown anything.
fn was_clock_set(began: &Inputs, ended: &Inputs, elapsed_us: u64) -> bool {
    const MOST_DRIFT_PERCENT: u64 = 10;
    let elapsed_ms = elapsed_us / 1_000;
    let drift_ms = elapsed_ms * MOST_DRIFT_PERCENT / 100 + 2;
    ended.now_ms < began.now_ms || (ended.now_ms - began.now_ms).abs_diff(elapsed_ms) > drift_ms
}

/// Between the two are so few readings that the call can be judged at each.
fn can_all_be_tried(began: &Inputs, ended: &Inputs) -> bool {
    ended.now_ms.abs_diff(began.now_ms) <= MOST_READINGS
}

/// It stored a reading of the clock, and its answer does not show it.
fn hides_its_reading(answer: AnswerRef<'_>) -> bool {
    matches!(answer, Ok(Reply::SessionDeleted(report)) if report.deleted_wake_count > 0)
}
