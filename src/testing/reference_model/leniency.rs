//! Leniency of the model: promises that a registry need not make. It covers parts of answers, answers of methods, and what
//! survives a prune.

use crate::registry::calls::Call;

use super::AnswerPart;

/// Answers that are not compared, and deviations from the contract that are allowed. None, by default.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Leniency {
    /// One bit for each part of an answer that is not compared.
    parts: u64,
    methods: u64,
    /// The fences of a pruned id may start again.
    pub prune_forgets_fences: bool,
    /// The sequences of a pruned id may start again.
    pub prune_forgets_sequences: bool,
    /// An extended lease may end earlier than it did before.
    pub extending_may_shorten: bool,
}

impl Leniency {
    /// Allows a registry to forget parts of a pruned id, and to extend leases for another time than the contract says.
    pub fn new(
        prune_forgets_fences: bool,
        prune_forgets_sequences: bool,
        extending_may_shorten: bool,
    ) -> Self {
        Self { prune_forgets_fences, prune_forgets_sequences, extending_may_shorten, ..Self::default() }
    }

    /// This part of an answer is compared in no answer.
    pub fn without_part(self, part: AnswerPart) -> Self {
        Self { parts: self.parts | 1 << part as u64, ..self }
    }

    /// The answers of this method are not compared. The model still takes its calls.
    pub fn without_method(self, method: &str) -> Self {
        Self { methods: self.methods | method_bit(method), ..self }
    }

    pub(super) fn compares(self, part: AnswerPart) -> bool {
        const { assert!(AnswerPart::ALL.len() <= 64, "a part is one bit of 64") };
        self.parts & 1 << part as u64 == 0
    }

    pub(super) fn compares_method(self, method: &str) -> bool {
        self.methods & method_bit(method) == 0
    }
}

fn method_bit(method: &str) -> u64 {
    const { assert!(Call::METHODS.len() <= 64, "a method is one bit of 64") };
    let place = Call::METHODS.iter().position(|known| *known == method);
    place.map_or(0, |place| 1 << place)
}
