//! How a search ended, and why it is no better. A broken law is broken however little was searched; that none is means
//! something only where every mark was reached, and a mark is answered for by a search that is large enough to reach it.

use crate::cli::Conclusion;
use crate::cli::run::{STANDARD, Seen};
use crate::coverage::Mark;
use crate::plan::Store;
use crate::report::summary::Searched;
use crate::search::seeds::Seeds;
use crate::support::plural::counted;

/// Names of marks that a small search is told of; all of them are in its summary.
const SOME: usize = 4;

pub fn of(
    seen: &Seen,
    searches: &[(Seeds, Store)],
    is_repeatable: bool,
    is_profiled: bool,
) -> (Conclusion, Vec<String>) {
    let mut why = Vec::new();
    let mut unsure = false;
    let laws: Vec<&str> = seen.firsts.iter().map(|first| first.broken.law).collect();
    if !laws.is_empty() {
        why.push(format!("{} broke a law: {}", counted(seen.broken.len(), "seed"), laws.join(", ")));
    }
    if let Some(panicked) = &seen.panicked {
        let (seed, said) = (panicked.seed, &panicked.said);
        why.push(format!("the harness itself panicked in seed {seed}, which is a bug in it: {said}"));
        return (Conclusion::Failed, why);
    }
    if !is_repeatable {
        why.push(
            "a seed that broke a law did not break it again: its run is no function of its plan".to_owned(),
        );
        return (Conclusion::NotDeterministic, why);
    }
    let unrun: Vec<String> = searches[seen.searched.len()..]
        .iter()
        .map(|(seeds, store)| format!("{} on {}", seeds.name(), store.name()))
        .collect();
    if seen.was_interrupted {
        why.push("it was interrupted: what is said holds for the seeds that were run".to_owned());
        unsure = true;
    }
    if !unrun.is_empty() {
        why.push(format!("not searched: seeds {}", unrun.join(", ")));
    }
    let undecided: Vec<&str> =
        seen.tally.laws.iter().filter(|law| law.undecided > 0).map(|law| law.law).collect();
    if !undecided.is_empty() {
        why.push(format!("it could not always be told whether these hold: {}", undecided.join(", ")));
        unsure = true;
    }
    if laws.is_empty() {
        let stores: Vec<Store> = searches.iter().map(|(_, store)| *store).collect();
        let missed = seen.tally.hits.missed(&stores).into_iter();
        let answers = |mark: &Mark| !is_profiled && is_large_enough(*mark, &seen.searched);
        let (must, might): (Vec<Mark>, Vec<Mark>) = missed.partition(answers);
        unsure |= !must.is_empty();
        why.extend(never_reached(&must, &might));
    }
    match (laws.is_empty(), unsure) {
        (false, _) => (Conclusion::Broken, why),
        (true, true) => (Conclusion::Inconclusive, why),
        (true, false) => (Conclusion::Holds, why),
    }
}

/// Whether so much was searched that its silence about the mark would mean something: as much as the standard search has,
/// on the store that the mark needs.
fn is_large_enough(mark: Mark, searched: &[Searched]) -> bool {
    let [(all, _), (on_disk, _)] = STANDARD;
    let on = |store: Option<Store>| {
        let of_it = searched.iter().filter(|searched| store.is_none_or(|store| searched.store == store));
        of_it.map(|searched| searched.run).sum::<u64>()
    };
    match mark.needs() {
        Some(store) => on(Some(store)) >= on_disk,
        None => on(None) >= all,
    }
}

/// Those that had to be reached, by name; of those that might have been, how many.
fn never_reached(must: &[Mark], might: &[Mark]) -> Vec<String> {
    let names = |marks: &[Mark]| marks.iter().map(|mark| mark.name()).collect::<Vec<_>>().join("; ");
    let mut lines = Vec::new();
    if !must.is_empty() {
        lines.push(format!("never reached: {}", names(must)));
    }
    if !might.is_empty() {
        let (count, all) = (might.len(), Mark::ALL.len());
        let some = match might.get(..SOME) {
            Some(some) if count > SOME => format!("{}; ...", names(some)),
            _ => names(might),
        };
        lines
            .push(format!("{count} of {all} marks were not reached, as only a standard search must: {some}"));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn searched(store: Store, run: u64) -> Searched {
        Searched { store, seeds: String::new(), wanted: None, run }
    }

    #[test]
    fn a_mark_is_answered_for_by_as_much_as_the_standard_search_has_where_it_can_be_reached() {
        let (anywhere, on_disk) = (Mark::Reentry, Mark::CommitFailed);
        for (memory, sqlite, answers) in [
            (10_000, 500, [true, true]),
            (10_000, 0, [true, false]),
            (9_999, 0, [false, false]),
            (0, 500, [false, true]),
            (0, 499, [false, false]),
            (9_600, 400, [true, false]),
        ] {
            let searched = [searched(Store::Memory, memory), searched(Store::Sqlite, sqlite)];
            let found = [anywhere, on_disk].map(|mark| is_large_enough(mark, &searched));
            assert_eq!(found, answers, "{memory} and {sqlite}");
        }
    }

    #[test]
    fn what_had_to_be_reached_is_named_and_of_the_rest_some() {
        assert_eq!(never_reached(&[], &[]), Vec::<String>::new());
        let lines = never_reached(&Mark::ALL[..6], &Mark::ALL[..6]);
        assert_eq!(lines[0].matches(';').count(), 5, "{}", lines[0]);
        assert!(lines[1].starts_with("6 of ") && lines[1].ends_with("; ..."), "{}", lines[1]);
        assert_eq!(lines[1].matches(';').count(), SOME, "{}", lines[1]);
    }
}
