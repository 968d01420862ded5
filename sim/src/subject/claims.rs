//! Claims that a subject does not make: a whole law, as `tokens-are-drawn`, or a part of one.
//!
//! - `answers-match-the-model/append_event`: the answers of this method are not compared;
//! - `answers-match-the-model/appended.replayed`: this part is compared in no answer (the paths are those of
//!   [`AnswerPart::path`]);
//! - `stale-writer-refused/starts`, `/waits`, `/progress`: these writes may be made without the live grant.
//!
//! - `fences-only-grow/prunes`, `log-is-dense/prunes`: a pruned id may start again.
//!
//! Without `leases-last-as-asked` a renewal or a re-entry may also make a lease shorter, for the models of `linearizable` and
//! `answers-match-the-model`.

use fencepost::registry::calls::Call;
use fencepost::testing::reference_model::{AnswerPart, Leniency};

const ANSWERS: &str = "answers-match-the-model";
const STALE_WRITES: &str = "stale-writer-refused";

/// The writes that a subject may leave unfenced.
const WRITES: [&str; 3] = ["starts", "waits", "progress"];

/// The law that a claim is about, and the part of it, if it is about a part.
pub fn split(claim: &str) -> (&str, Option<&str>) {
    match claim.split_once('/') {
        Some((law, part)) => (law, Some(part)),
        None => (claim, None),
    }
}

/// True if there is such a part of a law. The law alone is looked up elsewhere.
pub fn is_part(claim: &str) -> bool {
    match split(claim) {
        (_, None) => true,
        (ANSWERS, Some(part)) => Call::METHODS.contains(&part) || part_of(part).is_some(),
        (STALE_WRITES, Some(part)) => WRITES.contains(&part),
        ("fences-only-grow" | "log-is-dense", Some(part)) => part == "prunes",
        (_, Some(_)) => false,
    }
}

/// The leniency of the reference model for this subject.
pub fn leniency(not_claimed: &[&str]) -> Leniency {
    let is_without = |law| not_claimed.contains(&law);
    let mut leniency = Leniency::new(
        is_without("fences-only-grow/prunes") || is_without("fences-only-grow"),
        is_without("log-is-dense/prunes") || is_without("log-is-dense"),
        is_without("leases-last-as-asked"),
    );
    for part in not_claimed.iter().filter_map(|claim| claim.strip_prefix(ANSWERS)?.strip_prefix('/')) {
        leniency = match part_of(part) {
            Some(part) => leniency.without_part(part),
            None => leniency.without_method(part),
        };
    }
    leniency
}

fn part_of(path: &str) -> Option<AnswerPart> {
    AnswerPart::ALL.iter().copied().find(|part| part.path() == path)
}
