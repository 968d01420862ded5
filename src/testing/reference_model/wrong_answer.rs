//! A wrong answer in words: what was answered, and what the model expects in its place. Both are written alike, so that a
//! reader, or a program, finds where they part.

use crate::model::error::RegistryResult;
use crate::registry::calls::AnswerRef;

use super::AnswerPart;
use super::expected::{Expected, StartAnswer};

/// An answer that differs from the model's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrongAnswer {
    /// The first part that differs.
    pub part: AnswerPart,
    pub answered: String,
    pub expected: String,
}

impl WrongAnswer {
    pub(super) fn new(
        part: AnswerPart,
        expected: &RegistryResult<Expected<'_>>,
        answer: AnswerRef<'_>,
    ) -> Self {
        let expected = match expected {
            Ok(expected) => in_words(expected),
            Err(error) => format!("refused: {error}"),
        };
        let answered = match answer {
            Ok(reply) => format!("{reply:?}"),
            Err(error) => format!("refused: {error}"),
        };
        Self { part, answered, expected }
    }
}

/// The right answer, in the words in which replies are written.
fn in_words(expected: &Expected<'_>) -> String {
    match expected {
        Expected::Done => "Done(())".to_owned(),
        Expected::Acquired(lease) => format!("Claim(Acquired({lease:?}))"),
        Expected::Busy(holder) => format!("Claim(Busy {{ holder: {holder:?} }})"),
        Expected::FirstStart(StartAnswer::Started, record) => format!("FirstStart(Started({record:?}))"),
        Expected::FirstStart(StartAnswer::AlreadyYours, record) => {
            format!("FirstStart(AlreadyYours({record:?}))")
        }
        Expected::FirstStart(StartAnswer::AlreadyStarted, record) => {
            format!("FirstStart(AlreadyStarted({record:?}))")
        }
        Expected::Appended { event, replayed } => {
            format!("Appended(ProcessEventAppendResult {{ event: {event:?}, replayed: {replayed}")
        }
        Expected::Handle(_)
        | Expected::Handles(_)
        | Expected::HandleEntries(_)
        | Expected::Truth(_)
        | Expected::Count(_)
        | Expected::Record(_)
        | Expected::MaybeRecord(_)
        | Expected::Records(_)
        | Expected::SessionDeleted(_)
        | Expected::Events(_)
        | Expected::Lease(_)
        | Expected::MaybeLease(_)
        | Expected::Pruned(_) => format!("{expected:?}"),
    }
}
