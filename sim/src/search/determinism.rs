//! Checks that a run is a function of its plan. Every seed is run again: later in the same process, in another process with
//! another number of threads, and by another binary if one is given. A difference is named down to the first event.

use std::ops::{ControlFlow, Range};
use std::panic::resume_unwind;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use crate::judge::{judge, record};
use crate::search::seed_runs::{SeededPlans, verdicts};

/// Two runs of one plan that differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeedDifference {
    pub seed: u64,
    /// The two runs, in words.
    pub between: String,
    /// The first event that differs: its place, and both sides. None when the difference did not show again.
    pub first: Option<(usize, String, String)>,
}

#[derive(Debug, thiserror::Error)]
pub enum DeterminismError {
    #[error("`{binary}` cannot be started: {cause}")]
    NoStart { binary: String, cause: std::io::Error },
    #[error("`{binary}` did not answer with hashes: {said}")]
    NoHashes { binary: String, said: String },
}

/// The hash of each seed's run, in the order of seeds.
pub fn hashes(seeds: Range<u64>, jobs: usize, plans: &SeededPlans<'_>) -> Vec<u64> {
    let mut hashes = Vec::new();
    verdicts(seeds, plans, jobs, |_, verdict| {
        hashes.push(verdict.hash);
        ControlFlow::Continue(())
    });
    hashes
}

/// Runs each seed twice in this process, the second time after all others, on another thread.
pub fn within_a_process(
    seeds: Range<u64>,
    jobs: usize,
    plans: &SeededPlans<'_>,
) -> (Vec<u64>, Vec<SeedDifference>) {
    let never = || ControlFlow::Continue(());
    // A watcher that never breaks ends nothing.
    within_a_process_watched(seeds, jobs, plans, &never).unwrap_or_default()
}

/// The same with a watcher that hears of every run. None if it broke before both passes were over.
pub fn within_a_process_watched(
    seeds: Range<u64>,
    jobs: usize,
    plans: &SeededPlans<'_>,
    run_done: &(dyn Fn() -> ControlFlow<()> + Sync),
) -> Option<(Vec<u64>, Vec<SeedDifference>)> {
    let mut first = Vec::new();
    let mut was_ended = false;
    verdicts(seeds.clone(), plans, jobs, |_, verdict| {
        first.push(verdict.hash);
        let after = run_done();
        was_ended |= after.is_break();
        after
    });
    if was_ended {
        return None;
    }
    let mut differences = Vec::new();
    let second = std::thread::scope(|scope| {
        let again = scope.spawn(|| {
            // Backwards, so that state which one run leaves behind meets another run than before.
            let mut second = Vec::new();
            for seed in seeds.clone().rev() {
                second.push(judge(&Arc::new(plans.plan(seed)), plans.subject).hash);
                if run_done().is_break() {
                    return None;
                }
            }
            Some(second)
        });
        again.join().unwrap_or_else(|panic| resume_unwind(panic))
    })?;
    assert_eq!(first.len(), second.len(), "both passes ran every seed");
    for ((seed, once), again) in seeds.zip(&first).zip(second.iter().rev()) {
        if once != again {
            differences.push(SeedDifference {
                seed,
                between: "two runs in one process".to_owned(),
                first: first_difference(seed, plans),
            });
        }
    }
    Some((first, differences))
}

/// Records a seed's run again and again, until two records differ.
fn first_difference(seed: u64, plans: &SeededPlans<'_>) -> Option<(usize, String, String)> {
    let (plan, subject) = (Arc::new(plans.plan(seed)), plans.subject);
    let one = record(&plan, subject);
    for _ in 0..4 {
        let other = std::thread::scope(|scope| {
            scope.spawn(|| record(&plan, subject)).join().unwrap_or_else(|panic| resume_unwind(panic))
        });
        if let Some(place) = one.first_difference(&other) {
            return Some((place, one.line(place), other.line(place)));
        }
    }
    None
}

/// Compares this process's hashes with those of another one.
pub fn between_processes(
    binary: &Path,
    seeds: Range<u64>,
    jobs: usize,
    plans: &SeededPlans<'_>,
    ours: &[u64],
) -> Result<Vec<SeedDifference>, DeterminismError> {
    let range = format!("{}..{}", seeds.start, seeds.end);
    let jobs_said = jobs.to_string();
    let mut of = vec!["--subject", plans.subject.name, "--store", plans.store.name()];
    of.extend(plans.profile.iter().flat_map(|profile| profile.options()).flat_map(<[&str; 2]>::from));
    let said = ask(binary, &[["hashes", "--seeds", &range, "--jobs", &jobs_said].as_slice(), &of].concat())?;
    let theirs: Option<Vec<u64>> = said.lines().map(|line| u64::from_str_radix(line, 16).ok()).collect();
    let theirs =
        theirs.filter(|theirs| theirs.len() == ours.len()).ok_or_else(|| DeterminismError::NoHashes {
            binary: binary.display().to_string(),
            said: said.lines().next().unwrap_or("nothing").to_owned(),
        })?;
    let mut differences = Vec::new();
    for ((seed, ours), theirs) in seeds.zip(ours).zip(&theirs) {
        if ours == theirs {
            continue;
        }
        let events = ask(binary, &[["events", &seed.to_string()].as_slice(), &of].concat())?;
        let history = record(&Arc::new(plans.plan(seed)), plans.subject);
        let mut theirs = events.lines();
        let first = (0..=history.events.len()).find_map(|place| {
            let (our_line, their_line) =
                (history.line(place), theirs.next().unwrap_or("no event: the run was over"));
            (our_line != their_line).then(|| (place, our_line, their_line.to_owned()))
        });
        differences.push(SeedDifference {
            seed,
            between: format!("this process and one of `{}` with {jobs} threads", binary.display()),
            first,
        });
        if differences.len() >= 3 {
            break;
        }
    }
    Ok(differences)
}

/// Checks that the binary can be started and answers with a hash, before much is run for it.
pub fn answers(binary: &Path, seed: u64, plans: &SeededPlans<'_>) -> Result<(), DeterminismError> {
    let range = format!("{seed}..{}", seed.saturating_add(1));
    let mut words = vec!["hashes", "--seeds", &range, "--subject", plans.subject.name];
    words.extend(["--store", plans.store.name()]);
    words.extend(plans.profile.iter().flat_map(|profile| profile.options()).flat_map(<[&str; 2]>::from));
    let said = ask(binary, &words)?;
    let is_hash = said.lines().next().is_some_and(|line| u64::from_str_radix(line, 16).is_ok());
    let no_hashes = || DeterminismError::NoHashes {
        binary: binary.display().to_string(),
        said: said.lines().next().unwrap_or("nothing").to_owned(),
    };
    is_hash.then_some(()).ok_or_else(no_hashes)
}

fn ask(binary: &Path, arguments: &[&str]) -> Result<String, DeterminismError> {
    let shown = || binary.display().to_string();
    // The options say it all: a file with profiles in this folder must not change what that process runs.
    let output = Command::new(binary)
        .args(arguments)
        .args(["--config", "/dev/null"])
        .output()
        .map_err(|cause| DeterminismError::NoStart { binary: shown(), cause })?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() {
        return Ok(said);
    }
    let said = String::from_utf8_lossy(&output.stderr).lines().next().unwrap_or("nothing").to_owned();
    Err(DeterminismError::NoHashes { binary: shown(), said })
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;
    use crate::subject::{Schedule, Subject, Wakeup};

    #[test]
    fn a_panic_in_the_second_pass_is_not_swallowed() {
        static RUNS: AtomicU64 = AtomicU64::new(0);
        struct InOrder;
        impl Schedule for InOrder {
            fn place(&mut self, wakeup: Wakeup) -> u64 {
                wakeup.task
            }
        }
        let subject = Subject {
            name: "panics-later",
            // One run warms up, and three are the first pass.
            schedule: Some(|_| {
                assert!(RUNS.fetch_add(1, Ordering::Relaxed) < 4, "a world in pieces");
                Box::new(InOrder)
            }),
            ..Subject::fencepost()
        };
        let both_passes = || within_a_process(0..3, 1, &SeededPlans::of(&subject)).0.len();
        let passes = catch_unwind(AssertUnwindSafe(both_passes));
        assert!(passes.is_err(), "{passes:?}");
        assert!(RUNS.load(Ordering::Relaxed) > 4, "the first pass panicked");
    }
}
