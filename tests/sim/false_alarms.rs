//! Situations in which the harness once accused somebody innocent. No law may object to any of them.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use fencepost::environment::Environment;
use fencepost::model::process::DurabilityTier;
use fencepost::registry::calls::{Answer, Call, Facade, Reply, Submit, dispatch};
use fencepost::store::MemoryStore;
use fencepost::{ProcessRegistry, Registry, RegistryError};
use fencepost_sim::history::event::{CallKind, Event, EventKind, TurnedOut, What, Write};
use fencepost_sim::judge::{judge, record};
use fencepost_sim::plan::{Plan, Store};
use fencepost_sim::regressions;
use fencepost_sim::subject::Subject;

use crate::stories::plan;

/// Plans that a search has found; each file tells what was wrong.
#[test]
fn kept_plans_of_false_alarms_break_nothing() {
    for name in [
        "an-end-seen-after-a-failed-commit",
        "an-unheard-start-of-a-host",
        "a-read-that-failed-is-not-an-absent-row",
    ] {
        let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/sim/kept");
        let (plan, _) = regressions::load(&kept.join(name).with_extension("toml")).unwrap();
        assert_eq!(judge(&Arc::new(plan), &Subject::fencepost()).broken(), None, "{name}");
    }
}

/// A commit has failed, so the next call opens the file again. That call is the read of a wait beside the registry, which no
/// recorder sees, and it meets the disk call that kills.
#[test]
fn a_registry_that_dies_in_the_read_of_a_wait_beside_it_comes_back() {
    let steps = [
        "0ms register p1 rerunnable 1 steps of 1s",
        "1s await p1 at registry",
        "1s crash registry at disk call 5 for 0ms",
        "1s disk fails to sync for 1s",
    ];
    let plan = Plan {
        seed: 1_241,
        workers: "2".parse().unwrap(),
        store: Store::Sqlite,
        ..Plan::clone(&plan(&steps))
    };
    let plan = Arc::new(plan);
    let history = record(&plan, &Subject::fencepost());
    let is_dead = history.events.iter().filter(|event| event.kind() == EventKind::Crashed).count();
    assert_eq!(is_dead, 1);
    assert_eq!(judge(&plan, &Subject::fencepost()).broken(), None);
}

/// Somebody's registry that answers a while after it has decided.
struct Hesitant {
    inner: Arc<dyn ProcessRegistry>,
    environment: Arc<dyn Environment>,
}

#[async_trait]
impl Submit for Hesitant {
    async fn submit(&self, call: Arc<Call>) -> Answer {
        let answer = dispatch(self.inner.as_ref(), &call).await;
        self.environment.sleep(Duration::from_millis(100)).await;
        answer
    }

    fn durability_tier(&self) -> DurabilityTier {
        DurabilityTier::Inline
    }
}

/// Its rows outlive the crash, and nobody is left who could send the completion again.
#[test]
fn an_end_whose_answer_died_with_the_registry_and_its_worker_is_an_end() {
    let hesitant = Subject::of("hesitant", |environment: Arc<dyn Environment>| {
        let inner = Arc::new(Registry::new(MemoryStore::new(), Arc::clone(&environment)).inline());
        Facade(Hesitant { inner, environment })
    });
    for disposition in ["owner-bound", "rerunnable"] {
        let mut cut_off = 0;
        for crash_ms in (500..2_500).step_by(50) {
            let steps = [
                format!("0ms register p1 {disposition} 1 steps of 10ms"),
                format!("{crash_ms}ms crash registry for 300ms"),
                format!("{crash_ms}ms crash worker-1 for 300ms"),
            ];
            let plan = plan(&steps.each_ref().map(String::as_str));
            let plan = Arc::new(Plan { workers: "1".parse().unwrap(), ..Plan::clone(&plan) });
            assert_eq!(judge(&plan, &hesitant).broken(), None, "{disposition}, {crash_ms} ms");
            let events = record(&plan, &hesitant).events;
            let made = What::TurnedOut { call: CallKind::Complete, fate: TurnedOut::Applied };
            cut_off += usize::from(events.iter().any(|event| event.what() == made));
        }
        assert!(cut_off > 0, "no completion of the {disposition} process died with the registry");
    }
}

/// Somebody's registry that keeps a first start and writes no event of it, and whose answer to a start may not be believed.
struct Taciturn {
    inner: Arc<dyn ProcessRegistry>,
}

#[async_trait]
impl Submit for Taciturn {
    async fn submit(&self, call: Arc<Call>) -> Answer {
        let (method, is_start) = (call.method(), matches!(*call, Call::RecordFirstStartedWithLease { .. }));
        let mut reply = dispatch(self.inner.as_ref(), &call).await?;
        if is_start {
            return Err(RegistryError::unavailable(method, "the commit failed, or did not"));
        }
        if let Reply::Events(events) = &mut *reply {
            events.retain(|event| event.event_type != "process.started");
        }
        Ok(reply)
    }

    fn durability_tier(&self) -> DurabilityTier {
        DurabilityTier::Inline
    }
}

#[test]
fn a_first_start_that_another_registry_keeps_without_an_event_was_applied_as_a_whole() {
    let taciturn = Subject::of("taciturn", |environment: Arc<dyn Environment>| {
        Facade(Taciturn { inner: Arc::new(Registry::new(MemoryStore::new(), environment).inline()) })
    })
    .without_claiming(&["calm-ends-everything", "log-is-dense", "answers-match-the-model"]);
    let plan = plan(&["0ms register p1 rerunnable 1 steps of 10ms"]);
    let history = record(&plan, &taciturn);
    let fates: Vec<TurnedOut> = history
        .events
        .iter()
        .filter_map(|event| match event.what() {
            What::TurnedOut { fate, .. } => Some(fate),
            _ => None,
        })
        .collect();
    assert_eq!(fates.first(), Some(&TurnedOut::Applied), "{fates:?}");
    assert_eq!(judge(&plan, &taciturn).broken(), None);
}

/// Nobody holds a grant who could come back with it.
#[test]
fn a_starter_without_a_lease_does_not_come_back() {
    let plan = plan(&[
        "0ms register p1 externally-owned waits",
        "1s ask record_first_started p1 with 3",
        "2s stale-call p1 returns",
    ]);
    let history = record(&plan, &Subject::fencepost());
    let is_start = |event: &&Event| event.what() == What::Wrote { write: Write::FirstStart };
    let start = history.events.iter().find(is_start).expect("the process is started");
    assert!(!start.grant.is_some(), "{start:?}");
    assert_eq!(judge(&plan, &Subject::fencepost()).broken(), None);
}
