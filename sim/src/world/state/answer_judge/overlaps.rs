//! Calls whose decisions overlap. Nobody sees in which order the registry decided them, so they are judged together, once
//! none goes on that one of them may have to be ordered with.

use fencepost::registry::calls::{Answer, AnswerRef, Call};
use fencepost::testing::reference_model::Inputs;

#[derive(Default)]
pub struct Overlaps {
    open: Vec<Begun>,
    /// OverlappingCall, and not judged yet.
    waiting: Vec<OverlappingCall>,
    last_number: u64,
}

/// A call whose decision goes on.
pub struct Begun {
    number: u64,
    pub call: Call,
    pub began: Inputs,
    /// In true time.
    pub began_us: u64,
}

/// A call that was decided between two instants.
pub struct OverlappingCall {
    pub call: Call,
    /// None, if nobody heard it: then it was applied, or it was not.
    pub answer: Option<Answer>,
    pub began: Inputs,
    pub ended: Inputs,
    pub began_us: u64,
    pub ended_us: u64,
}

impl Begun {
    pub fn decided(self, answer: Option<AnswerRef<'_>>, ended: &Inputs, now_us: u64) -> OverlappingCall {
        let Self { call, began, began_us, .. } = self;
        OverlappingCall { call, answer: answer.map(owned), began, ended: *ended, began_us, ended_us: now_us }
    }
}

fn owned(answer: AnswerRef<'_>) -> Answer {
    answer.map(|reply| Box::new(reply.clone())).map_err(Clone::clone)
}

impl OverlappingCall {
    pub fn at_one_instant(call: &Call, answer: Option<AnswerRef<'_>>, inputs: &Inputs, now_us: u64) -> Self {
        let (call, answer) = (call.clone(), answer.map(owned));
        Self { call, answer, began: *inputs, ended: *inputs, began_us: now_us, ended_us: now_us }
    }

    /// A read or a refusal that was heard.
    pub fn changes_nothing(&self) -> bool {
        self.answer.as_ref().is_some_and(|answer| answer.is_err() || self.call.is_read())
    }

    /// The order of the two matters.
    pub fn conflicts(&self, other: &Self) -> bool {
        conflict(&self.call, &other.call)
    }

    /// It was over before the other began.
    pub fn precedes(&self, other: &Self) -> bool {
        self.ended_us < other.began_us
    }
}

impl Overlaps {
    /// No call goes on, and none waits to be judged.
    pub fn are_none(&self) -> bool {
        self.open.is_empty() && self.waiting.is_empty()
    }

    pub fn begin(&mut self, call: &Call, began: &Inputs, now_us: u64) -> u64 {
        self.last_number += 1;
        let number = self.last_number;
        self.open.push(Begun { number, call: call.clone(), began: *began, began_us: now_us });
        number
    }

    pub fn end(&mut self, number: u64) -> Option<Begun> {
        let place = self.open.iter().position(|open| open.number == number)?;
        Some(self.open.remove(place))
    }

    /// The registry died: nobody hears of its calls, and reads have changed nothing.
    pub fn all_die(&mut self, now_ms: u64, now_us: u64) -> Vec<OverlappingCall> {
        let writes = self.open.drain(..).filter(|open| !open.call.is_read());
        let died = writes.map(|open| {
            let ended = Inputs { now_ms, ..open.began };
            open.decided(None, &ended, now_us)
        });
        died.collect()
    }

    /// Adds a call. Returns the groups of calls that can be judged now, each in the order in which they ended.
    pub fn add(&mut self, decided: OverlappingCall) -> Vec<Vec<OverlappingCall>> {
        self.waiting.push(decided);
        let mut groups = Vec::new();
        while let Some(group) = self.settled_group() {
            let mut kept = Vec::new();
            let mut settled = Vec::new();
            for (place, call) in std::mem::take(&mut self.waiting).into_iter().enumerate() {
                if group.contains(&place) { settled.push(call) } else { kept.push(call) }
            }
            self.waiting = kept;
            groups.push(settled);
        }
        groups
    }

    /// The places of calls that conflict with one another and with none that goes on.
    fn settled_group(&self) -> Option<Vec<usize>> {
        let mut seen = vec![false; self.waiting.len()];
        for first in 0..self.waiting.len() {
            if seen[first] {
                continue;
            }
            let mut group = vec![first];
            seen[first] = true;
            let mut next = 0;
            while let Some(place) = group.get(next).copied() {
                next += 1;
                for (other, call) in self.waiting.iter().enumerate() {
                    if !seen[other] && conflict(&self.waiting[place].call, &call.call) {
                        seen[other] = true;
                        group.push(other);
                    }
                }
            }
            let goes_on =
                |place: &usize| self.open.iter().any(|open| conflict(&open.call, &self.waiting[*place].call));
            if !group.iter().any(goes_on) {
                return Some(group);
            }
        }
        None
    }
}

/// The order of the two matters: one of them writes, and they may be about the same process.
fn conflict(one: &Call, other: &Call) -> bool {
    if one.is_read() && other.is_read() {
        return false;
    }
    match (process_of(one), process_of(other)) {
        (Some(one), Some(other)) => one == other,
        // About many processes.
        (None, _) | (_, None) => true,
    }
}

fn process_of(call: &Call) -> Option<&str> {
    match call {
        Call::RegisterProcess { registration } => Some(&registration.id),
        call => call.process_id(),
    }
}
