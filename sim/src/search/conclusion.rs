//! The five ways a search can end, each with its exit code, and the reasons that lead to them. A broken law is broken however
//! little was searched. That no law is broken means something only if the coverage marks were reached that a search of this
//! size must reach. The other commands end in one of the same five ways.

use std::fmt;

use serde::{Serialize, Serializer};

use crate::coverage::Mark;
use crate::judge::{Judged, first_breach};
use crate::laws::Finding;
use crate::plan::Store;
use crate::search::request::STANDARD_SEARCH;
use crate::search::required_marks::RequiredMarks;
use crate::support::plural::counted;

/// Names of missed marks that a small search lists; its summary has all of them.
const NAMES_SHOWN: usize = 4;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Conclusion {
    /// No law is broken.
    Holds,
    /// A law is broken.
    Broken,
    /// No law is broken, and too little was seen to say that none is.
    Inconclusive,
    /// Two runs of one plan differ.
    NotDeterministic,
    /// The harness itself failed.
    Failed,
}

impl Conclusion {
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Holds => 0,
            Self::Broken => 1,
            Self::Inconclusive => 2,
            Self::NotDeterministic => 3,
            Self::Failed => 4,
        }
    }

    /// The gravest conclusion that any of the reasons leads to.
    pub fn of(reasons: &[Reason]) -> Self {
        Self::gravest(reasons.iter().filter_map(Reason::conclusion))
    }

    /// The gravest of several.
    pub fn gravest(conclusions: impl IntoIterator<Item = Self>) -> Self {
        let gravity = |conclusion: &Self| match conclusion {
            Self::Holds => 0,
            Self::Inconclusive => 1,
            Self::Broken => 2,
            Self::NotDeterministic => 3,
            Self::Failed => 4,
        };
        conclusions.into_iter().max_by_key(gravity).unwrap_or(Self::Holds)
    }

    /// The conclusion from one run, in which only laws were judged.
    pub fn of_findings(findings: &[Judged]) -> Self {
        let is_undecided = |judged: &Judged| matches!(judged.finding, Finding::Undecided { .. });
        if first_breach(findings).is_some() {
            Self::Broken
        } else if findings.iter().any(is_undecided) {
            Self::Inconclusive
        } else {
            Self::Holds
        }
    }

    /// The word for it in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Holds => "holds",
            Self::Broken => "broken",
            Self::Inconclusive => "inconclusive",
            Self::NotDeterministic => "not deterministic",
            Self::Failed => "failed",
        }
    }
}

impl fmt::Display for Conclusion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Serialize for Conclusion {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// One part of the request as far as it was searched.
#[derive(Debug, Clone, Serialize)]
pub struct SearchedPart {
    pub store: Store,
    /// The name of all its seeds, of which this may be one shard.
    pub seeds: String,
    /// None if time alone ends it.
    pub wanted: Option<u64>,
    pub run: u64,
}

/// The run in which the harness itself panicked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HarnessPanic {
    pub seed: u64,
    pub store: Store,
    pub said: String,
}

/// One reason for a conclusion, or a note beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// Each law with the first seed that broke it.
    LawsBroken {
        seeds: usize,
        laws: Vec<(&'static str, u64)>,
    },
    HarnessPanicked(HarnessPanic),
    NotRepeated,
    Interrupted,
    /// Names of seeds that were not begun.
    NotSearched(Vec<String>),
    Undecided {
        laws: Vec<&'static str>,
    },
    /// Laws that were asked for by name, and whose situation no run met.
    LawsNotReached(Vec<&'static str>),
    /// Marks that a search of this size must reach.
    MarksMissed(Vec<Mark>),
    /// Marks that only a larger search must reach.
    MarksMissedInSmallSearch(Vec<Mark>),
    /// Marks that nobody asked for.
    OtherMarksMissed(Vec<Mark>),
}

impl Reason {
    /// The conclusion that this reason leads to; none for a note.
    fn conclusion(&self) -> Option<Conclusion> {
        match self {
            Self::LawsBroken { .. } => Some(Conclusion::Broken),
            Self::HarnessPanicked(_) => Some(Conclusion::Failed),
            Self::NotRepeated => Some(Conclusion::NotDeterministic),
            Self::Interrupted
            | Self::NotSearched(_)
            | Self::Undecided { .. }
            | Self::LawsNotReached(_)
            | Self::MarksMissed(_) => Some(Conclusion::Inconclusive),
            Self::MarksMissedInSmallSearch(_) | Self::OtherMarksMissed(_) => None,
        }
    }
}

/// Splits missed marks into those that a search must reach, and the others. Profiles take hardship out of plans, so a search
/// with a profile need not reach any, unless somebody says which.
pub fn missed_marks(
    missed: &[Mark],
    searched: &[SearchedPart],
    has_profile: bool,
    wanted: RequiredMarks<'_>,
) -> Vec<Reason> {
    if let RequiredMarks::Exactly(wanted) = wanted {
        let (required, others): (Vec<Mark>, Vec<Mark>) =
            missed.iter().copied().partition(|mark| wanted.contains(mark));
        let mut reasons = Vec::new();
        reasons.extend((!required.is_empty()).then_some(Reason::MarksMissed(required)));
        reasons.extend((!others.is_empty()).then_some(Reason::OtherMarksMissed(others)));
        return reasons;
    }
    let is_required = |mark: &Mark| !has_profile && is_large_enough(*mark, searched);
    let (required, others): (Vec<Mark>, Vec<Mark>) = missed.iter().copied().partition(is_required);
    let mut reasons = Vec::new();
    reasons.extend((!required.is_empty()).then_some(Reason::MarksMissed(required)));
    reasons.extend((!others.is_empty()).then_some(Reason::MarksMissedInSmallSearch(others)));
    reasons
}

/// True, if the search is as large as the standard one on the store that the mark needs.
fn is_large_enough(mark: Mark, searched: &[SearchedPart]) -> bool {
    let [(anywhere, _), (on_disk, _)] = STANDARD_SEARCH;
    let seeds_on = |store: Option<Store>| {
        let parts = searched.iter().filter(|part| store.is_none_or(|store| part.store == store));
        parts.map(|part| part.run).sum::<u64>()
    };
    match mark.required_store() {
        Some(store) => seeds_on(Some(store)) >= on_disk,
        None => seeds_on(None) >= anywhere,
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = |marks: &[Mark]| marks.iter().map(|mark| mark.name()).collect::<Vec<_>>().join("; ");
        match self {
            Self::LawsBroken { seeds, laws } => {
                let laws: Vec<String> =
                    laws.iter().map(|(law, first_seed)| format!("{law} (seed {first_seed})")).collect();
                write!(f, "{} broke a law: {}", counted(*seeds, "seed"), laws.join(", "))
            }
            Self::HarnessPanicked(HarnessPanic { seed, said, .. }) => {
                write!(f, "the harness itself panicked in seed {seed}, which is a bug in it: {said}")
            }
            Self::NotRepeated => f.write_str(
                "a seed that broke a law did not break it again: its run is no function of its plan",
            ),
            Self::Interrupted => {
                f.write_str("it was interrupted: what is said holds for the seeds that were run")
            }
            Self::NotSearched(seeds) => write!(f, "not searched: seeds {}", seeds.join(", ")),
            Self::Undecided { laws } => {
                write!(f, "it could not always be told whether these hold: {}", laws.join(", "))
            }
            Self::LawsNotReached(laws) => {
                write!(f, "asked for, and checked by no run: {} (search more seeds)", laws.join(", "))
            }
            Self::MarksMissed(marks) => write!(f, "never reached: {}", names(marks)),
            Self::MarksMissedInSmallSearch(marks) | Self::OtherMarksMissed(marks) => {
                let (count, all) = (marks.len(), Mark::ALL.len());
                let some = match marks.get(..NAMES_SHOWN) {
                    Some(some) if count > NAMES_SHOWN => format!("{}; ...", names(some)),
                    _ => names(marks),
                };
                let why_not = match self {
                    Self::OtherMarksMissed(_) => "not required by this profile",
                    _ => "required only in a full search",
                };
                write!(f, "{count} of {all} coverage marks missed ({why_not}): {some}")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn searched(store: Store, run: u64) -> SearchedPart {
        SearchedPart { store, seeds: String::new(), wanted: None, run }
    }

    #[test]
    fn a_mark_is_required_in_a_search_as_large_as_the_standard_one_on_the_store_it_needs() {
        let (anywhere, on_disk) = (Mark::Reentry, Mark::CommitFailed);
        for (memory, sqlite, required) in [
            (10_000, 500, [true, true]),
            (10_000, 0, [true, false]),
            (9_999, 0, [false, false]),
            (0, 500, [false, true]),
            (0, 499, [false, false]),
            (9_600, 400, [true, false]),
        ] {
            let searched = [searched(Store::Memory, memory), searched(Store::Sqlite, sqlite)];
            let found = [anywhere, on_disk].map(|mark| is_large_enough(mark, &searched));
            assert_eq!(found, required, "{memory} and {sqlite}");
        }
    }

    #[test]
    fn required_marks_are_all_named_and_others_up_to_four() {
        assert_eq!(missed_marks(&[], &[], false, RequiredMarks::BySize), []);
        let marks = Mark::ALL[..6].to_vec();
        let required = Reason::MarksMissed(marks.clone()).to_string();
        assert_eq!(required.matches(';').count(), 5, "{required}");
        let others = Reason::MarksMissedInSmallSearch(marks).to_string();
        assert!(others.starts_with("6 of ") && others.ends_with("; ..."), "{others}");
        assert_eq!(others.matches(';').count(), NAMES_SHOWN, "{others}");
    }

    #[test]
    fn a_large_search_with_a_profile_need_not_reach_a_mark() {
        let searched = [searched(Store::Memory, 10_000)];
        let missed = [Mark::Reentry];
        let of = |has_profile| {
            Conclusion::of(&missed_marks(&missed, &searched, has_profile, RequiredMarks::BySize))
        };
        assert_eq!((of(false), of(true)), (Conclusion::Inconclusive, Conclusion::Holds));
    }

    #[test]
    fn a_mark_that_was_asked_for_is_required_in_a_search_of_any_size() {
        let wanted = [Mark::Reentry];
        let of = |missed: &[Mark]| missed_marks(missed, &[], true, RequiredMarks::Exactly(&wanted));
        assert_eq!(Conclusion::of(&of(&[Mark::Reentry])), Conclusion::Inconclusive);
        assert_eq!(Conclusion::of(&of(&[Mark::CommitFailed])), Conclusion::Holds);
        let said = of(&[Mark::CommitFailed])[0].to_string();
        assert!(said.contains("coverage marks missed (not required by this profile)"), "{said}");
    }

    #[test]
    fn the_gravest_reason_decides() {
        let broken = Reason::LawsBroken { seeds: 1, laws: vec![("one-live-grant", 7)] };
        assert_eq!(Conclusion::of(&[]), Conclusion::Holds);
        assert_eq!(Conclusion::of(&[Reason::Interrupted]), Conclusion::Inconclusive);
        assert_eq!(Conclusion::of(&[Reason::Interrupted, broken.clone()]), Conclusion::Broken);
        assert_eq!(Conclusion::of(&[broken, Reason::NotRepeated]), Conclusion::NotDeterministic);
    }
}
