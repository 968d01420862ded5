//! A method and a part of its answer, each as a number in an event: its place in the list of all methods, or of all parts.
//! Lists only grow at their ends, because the numbers are stored.

use fencepost::registry::calls::Call;
use fencepost::testing::reference_model::AnswerPart;

/// One method of the registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct MethodNo(u8);

impl MethodNo {
    /// The method of this name.
    pub fn of(name: &str) -> Self {
        let place = Call::METHODS.iter().position(|method| *method == name);
        Self(place.and_then(|place| u8::try_from(place).ok()).unwrap_or_default())
    }

    pub fn name(self) -> &'static str {
        Call::METHODS[usize::from(self.0)]
    }

    pub(super) fn code(self) -> u64 {
        u64::from(self.0)
    }

    /// The last one for a number that no run writes.
    pub(super) fn from_code(code: u64) -> Self {
        let last = Call::METHODS.len() - 1;
        Self(u8::try_from(code).unwrap_or(u8::MAX).min(u8::try_from(last).unwrap_or(u8::MAX)))
    }
}

pub(super) fn part_code(part: AnswerPart) -> u64 {
    part as u64
}

/// The last one for a number that no run writes.
pub(super) fn part_from_code(code: u64) -> AnswerPart {
    let last = AnswerPart::ALL.len() - 1;
    AnswerPart::ALL[usize::try_from(code).unwrap_or(last).min(last)]
}
