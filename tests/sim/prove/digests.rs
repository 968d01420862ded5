//! The statement of a proof is a function of the code: it is the same with one thread and with two, in shards, and after an
//! interruption.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use fencepost_sim::prove::{KeptProof, LevelSum, ProveRequest, SmallWorld, Statement, prove_all};
use fencepost_sim::search::Conclusion;
use fencepost_sim::search::seeds::Shard;
use fencepost_sim::subject::{Schedule, Subject, Wakeup};

/// So small that two deviations take seconds.
fn smallest_scope() -> SmallWorld {
    let text = r#"
        about = "One worker, and hardly any time."
        [plan]
        format = 1
        seed = 1
        workers = "1"
        hosts = "1"
        ttl_ms = 12
        renew_ms = 4
        sweep_ms = 6
        bound = 1
        order = "first-ready"
        horizon_ms = 16
        steps = ["0ms register p1 rerunnable 1 steps of 2ms"]
        [plan.links]
        fastest_us = 1000
        slowest_us = 1000
    "#;
    SmallWorld::read("smallest", text).unwrap()
}

fn proven(request: &ProveRequest<'_>, kept: Option<&mut KeptProof>) -> Statement {
    let mut result = prove_all(request, kept, &mut ()).unwrap();
    assert_eq!(result.panicked, None);
    result.statements.remove(0)
}

fn told(statement: &Statement) -> String {
    serde_json::to_string_pretty(statement).unwrap()
}

#[test]
fn one_thread_and_two_say_the_same_and_shards_add_up_to_the_whole() {
    let (subject, worlds) = (Subject::fencepost(), [smallest_scope()]);
    let request = ProveRequest::new(&subject, &worlds, 2);
    let whole = proven(&request, None);
    assert!(whole.is_complete && whole.verdict == Conclusion::Holds, "{}", told(&whole));
    assert_eq!(whole.levels.len(), 3);
    assert!(whole.levels[2].runs > 10 * whole.levels[1].runs, "{}", told(&whole));
    let with_two = proven(&ProveRequest { jobs: 2, ..request }, None);
    assert_eq!(told(&whole), told(&with_two));

    let mut together = LevelSum::default();
    for number in 1..=3 {
        let shard: Shard = format!("{number}/3").parse().unwrap();
        let part = proven(&ProveRequest { shard, ..request }, None);
        assert!(part.is_complete && part.runs() < whole.runs(), "{}", told(&part));
        together.merge(&part.sum);
    }
    assert_eq!(format!("{:016x}", together.digest), whole.digest);
    assert_eq!(together, whole.sum);
}

#[test]
fn a_proof_that_was_interrupted_goes_on_where_it_was() {
    let (subject, worlds) = (Subject::fencepost(), [smallest_scope()]);
    let request = ProveRequest::new(&subject, &worlds, 2);
    let whole = proven(&request, None);

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("kept.json");
    let mut done = Vec::new();
    // Longer each time, as long as it takes.
    for most in (0..).map(|time| 1_000 << time) {
        let looked = AtomicUsize::new(0);
        let is_interrupted = || looked.fetch_add(1, Ordering::Relaxed) > most;
        let mut kept = KeptProof::open(&file, "this build").unwrap();
        let statement = proven(&ProveRequest { is_interrupted: &is_interrupted, ..request }, Some(&mut kept));
        done.push(statement.levels.get(2).map_or(0, |level| level.done));
        if statement.is_complete {
            assert_eq!(told(&statement), told(&whole));
            break;
        }
        assert_eq!(statement.verdict, Conclusion::Inconclusive);
    }
    assert!(done.len() > 2 && done.is_sorted() && done[done.len() - 2] > 0, "{done:?}");

    let refused = KeptProof::open(&file, "another build").err().map(|error| error.to_string());
    assert!(refused.is_some_and(|why| why.contains("another build")), "sums of another build were taken");
    std::fs::write(&file, "{}").unwrap();
    assert!(KeptProof::open(&file, "this build").is_err_and(|error| error.to_string().contains("no proof")));
}

/// Runs that were made with [`counting_subject`].
static RUNS_MADE: AtomicU64 = AtomicU64::new(0);

/// A subject that counts its runs.
fn counting_subject() -> Subject {
    struct InOrder;
    impl Schedule for InOrder {
        fn place(&mut self, wakeup: Wakeup) -> u64 {
            wakeup.task
        }
    }
    let schedule = |_| -> Box<dyn Schedule> {
        RUNS_MADE.fetch_add(1, Ordering::Relaxed);
        Box::new(InOrder)
    };
    Subject { schedule: Some(schedule), ..Subject::fencepost() }
}

#[test]
fn every_level_is_kept_and_a_complete_proof_runs_nothing_again() {
    let (subject, worlds) = (counting_subject(), [smallest_scope()]);
    let folder = tempfile::tempdir().unwrap();
    for (deviations, interrupted_in) in [(1, 1), (2, 1), (2, 2)] {
        let file = folder.path().join(format!("{deviations}-{interrupted_in}.json"));
        let request = ProveRequest::new(&subject, &worlds, deviations);
        let runs_of = |work: &mut dyn FnMut() -> Statement| {
            let before = RUNS_MADE.load(Ordering::Relaxed);
            let statement = work();
            (statement, RUNS_MADE.load(Ordering::Relaxed) - before)
        };
        let (whole, runs_of_whole) = runs_of(&mut || proven(&request, None));

        // It is asked once for each level and for each point: here in the middle of level 1, or of level 2.
        let points = usize::try_from(whole.levels[1].points).unwrap();
        let most = if interrupted_in == 1 { 2 + points / 2 } else { 3 + points * 5 };
        let looked = AtomicUsize::new(0);
        let is_interrupted = || looked.fetch_add(1, Ordering::Relaxed) > most;
        let interrupted = ProveRequest { is_interrupted: &is_interrupted, ..request };
        let mut kept = KeptProof::open(&file, "this build").unwrap();
        let part = proven(&interrupted, Some(&mut kept));
        assert!(!part.is_complete && part.levels[interrupted_in].done > 0, "{}", told(&part));

        let mut kept = KeptProof::open(&file, "this build").unwrap();
        let (rest, runs_of_rest) = runs_of(&mut || proven(&request, Some(&mut kept)));
        assert_eq!(told(&rest), told(&whole));
        assert!(runs_of_rest < runs_of_whole, "{runs_of_rest} of {runs_of_whole}");

        let mut kept = KeptProof::open(&file, "this build").unwrap();
        let (again, runs_of_again) = runs_of(&mut || proven(&request, Some(&mut kept)));
        assert_eq!((told(&again), runs_of_again), (told(&whole), 0));
    }
}

#[test]
fn runs_that_an_earlier_proof_made_are_counted() {
    let subject = Subject::fencepost();
    let worlds = [smallest_scope()];
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("kept.json");
    let request = ProveRequest::new(&subject, &worlds, 0);
    let mut kept = KeptProof::open(&file, "this build").unwrap();
    let first = prove_all(&request, Some(&mut kept), &mut ()).unwrap();
    let mut kept = KeptProof::open(&file, "this build").unwrap();
    let second = prove_all(&request, Some(&mut kept), &mut ()).unwrap();
    assert_eq!((first.kept_runs, second.kept_runs), (0, 1));
    assert_eq!(told(&first.statements[0]), told(&second.statements[0]));
}
