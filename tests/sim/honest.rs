//! Honest systems of several kinds: each keeps the contract in a way of its own. No law may accuse them. With
//! HONEST_SEEDS=9000 they are put to the test for longer.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use fencepost::driver::{InlineProcessRunHandle, ProcessAttach};
use fencepost::environment::Environment;
use fencepost::model::lease::ProcessLease;
use fencepost::model::process::{DurabilityTier, ProcessAwaitOutput};
use fencepost::model::row::Tenure;
use fencepost::registry::calls::{Answer, Call, Facade, Submit, dispatch};
use fencepost::registry::inline::Inline;
use fencepost::rules::{self, Rules, leases};
use fencepost::store::MemoryStore;
use fencepost::{ProcessRegistry, Registry, RegistryError};
use fencepost_sim::history::event::{Event, What};
use fencepost_sim::judge::{judge, record};
use fencepost_sim::regressions;
use fencepost_sim::{Options, Subject, check, liveness_phase_has_begun};

use crate::stories::plan;

/// Nothing is broken, and nothing undecided.
fn passes(subject: &Subject) {
    is_not_accused(subject, 0);
}

/// Nothing is broken, and little undecided: a registry that takes time may die in the middle of a decision. What the decision left is
/// seen after the restart, but not when it was made.
fn breaks_nothing(subject: &Subject) {
    is_not_accused(subject, seeds() / 100);
}

fn seeds() -> u64 {
    let asked = std::env::var("HONEST_SEEDS").map(|seeds| seeds.parse().expect("HONEST_SEEDS is a number"));
    asked.unwrap_or(200)
}

fn is_not_accused(subject: &Subject, most_undecided: u64) {
    let seeds = seeds();
    let shown = check(subject, &Options { seeds: 0..seeds, most_undecided, ..Options::default() });
    let shown = shown.unwrap_or_else(|failure| panic!("{} is accused: {failure}", subject.name));
    println!("{}: {} findings undecided over {seeds} seeds", subject.name, shown.undecided);
    assert_eq!(shown.seeds, seeds);
}

/// Somebody's registry in memory, under rules of its own.
fn under(rules: Rules) -> impl Fn(Arc<dyn Environment>) -> Facade<Inline<MemoryStore>> + Send + Sync {
    move |environment| Registry::new(MemoryStore::new(), environment).with_rules(rules).inline()
}

fn own_tokens(bytes: [u8; leases::TOKEN_BYTES]) -> String {
    format!("T-{}", leases::token(bytes).to_uppercase())
}

fn sevenths(highest: u64) -> Option<u64> {
    highest.max(93).checked_add(7)
}

#[test]
fn a_registry_with_tokens_of_its_own_and_gaps_in_its_fences() {
    let rules = Rules { token: own_tokens, next_fence: sevenths, ..Rules::LAWFUL };
    passes(&Subject::of("own tokens", under(rules)));
}

/// Extends a lease only when less than half of what is asked for is left of it.
fn lazily(
    rules: &Rules,
    tenure: &Tenure,
    presented: &ProcessLease,
    now_ms: u64,
    until_ms: u64,
) -> Result<ProcessLease, RegistryError> {
    let renewed = leases::renew(rules, tenure, presented, now_ms, until_ms)?;
    match &tenure.lease {
        Some(held)
            if held.expires_at_epoch_ms.saturating_sub(now_ms) * 2 >= until_ms.saturating_sub(now_ms) =>
        {
            Ok(ProcessLease::clone(held))
        }
        Some(_) | None => Ok(renewed),
    }
}

/// Our worker believes in a whole ttl after each renewal, so the two laws that hold the registry to that are not claimed.
#[test]
fn a_registry_that_renews_lazily() {
    let subject = Subject::of("lazy", under(Rules { renew: lazily, ..Rules::LAWFUL }));
    passes(&subject.without_claiming(&["leases-last-as-asked", "bodies-overlap-within-bound"]));
}

/// Its workers cannot be told apart by their owner, only by the incarnation of each attempt.
#[test]
fn workers_that_are_one_owner_in_all_their_lives() {
    let subject = Subject::fencepost().worked_by(|mut workplace| {
        workplace.owner_id = "the-only-owner".to_owned();
        Arc::new(InlineProcessRunHandle::new(workplace.worker()))
    });
    passes(&subject);
}

/// Looks at the process now and then, and is told nothing.
struct Polls {
    registry: Arc<dyn ProcessRegistry>,
    environment: Arc<dyn Environment>,
}

#[async_trait]
impl ProcessAttach for Polls {
    async fn await_terminal(&self, process_id: &str) -> Result<ProcessAwaitOutput, RegistryError> {
        loop {
            match self.registry.read_process(process_id).await {
                Ok(None) => return Err(RegistryError::UnknownProcess { process_id: process_id.to_owned() }),
                Ok(Some(record)) => {
                    if let Some(output) = record.status.output() {
                        return Ok(output.clone());
                    }
                }
                // It was not read.
                Err(_) => {}
            }
            self.environment.sleep(Duration::from_millis(300)).await;
        }
    }
}

#[test]
fn waits_that_poll() {
    passes(
        &Subject::fencepost()
            .waited_for_by(|registry, environment| Arc::new(Polls { registry, environment })),
    );
}

/// Somebody's registry with a way of its own to reach its rows.
struct Reached {
    inner: Arc<dyn ProcessRegistry>,
    environment: Arc<dyn Environment>,
    how: How,
    calls: AtomicU64,
}

#[derive(Clone, Copy)]
enum How {
    /// Every call waits for the store so long, before it is decided and again before it is answered.
    Slow { before_ms: u64, after_ms: u64 },
    /// Writes are answered at once; a read takes so long to come back.
    ReadsComeLate { by_ms: u64 },
    /// Calls are decided at once, and some answers take so much longer than others that they overtake one another.
    AnswersOvertake,
    /// It cannot say how a lease was lost.
    LossesAreOne,
    /// Some writes have an unknown outcome: they were applied, or they were not.
    OutcomesAreUnknown,
}

impl Reached {
    async fn wait(&self, ms: u64) {
        if ms > 0 {
            self.environment.sleep(Duration::from_millis(ms)).await;
        }
    }
}

#[async_trait]
impl Submit for Reached {
    async fn submit(&self, call: Arc<Call>) -> Answer {
        let number = self.calls.fetch_add(1, Ordering::Relaxed);
        let (is_read, method) = (call.is_read(), call.method());
        let unknown = || RegistryError::unavailable(method, "the connection was lost");
        match self.how {
            How::Slow { before_ms, after_ms } => {
                self.wait(before_ms).await;
                let answer = dispatch(self.inner.as_ref(), &call).await;
                self.wait(after_ms).await;
                answer
            }
            How::ReadsComeLate { by_ms } => {
                let answer = dispatch(self.inner.as_ref(), &call).await;
                self.wait(if is_read { by_ms } else { 0 }).await;
                answer
            }
            How::AnswersOvertake => {
                let answer = dispatch(self.inner.as_ref(), &call).await;
                self.wait(number % 3 * 3).await;
                answer
            }
            How::LossesAreOne => {
                let is_fenced = method.ends_with("_with_lease") || method == "renew_process_lease";
                let process_id = call.process_id().unwrap_or_default().to_owned();
                match dispatch(self.inner.as_ref(), &call).await {
                    Err(error) if is_fenced && rules::worker::is_loss(&error) => {
                        Err(RegistryError::LeaseLost { process_id })
                    }
                    answer => answer,
                }
            }
            How::OutcomesAreUnknown if liveness_phase_has_begun() => {
                dispatch(self.inner.as_ref(), &call).await
            }
            How::OutcomesAreUnknown if !is_read && number.is_multiple_of(11) => Err(unknown()),
            How::OutcomesAreUnknown if !is_read && number.is_multiple_of(7) => {
                dispatch(self.inner.as_ref(), &call).await.and_then(|_| Err(unknown()))
            }
            How::OutcomesAreUnknown => dispatch(self.inner.as_ref(), &call).await,
        }
    }

    fn durability_tier(&self) -> DurabilityTier {
        DurabilityTier::Inline
    }
}

fn reached(name: &'static str, how: How, rules: Rules) -> Subject {
    Subject::of(name, move |environment| {
        let inner = Arc::new(under(rules)(Arc::clone(&environment)));
        Facade(Reached { inner, environment, how, calls: AtomicU64::new(0) })
    })
}

#[test]
fn a_store_that_is_slow() {
    for (before_ms, after_ms) in [(4, 0), (0, 4), (2, 2)] {
        breaks_nothing(&reached("slow", How::Slow { before_ms, after_ms }, Rules::LAWFUL));
    }
}

#[test]
fn answers_that_overtake_one_another() {
    breaks_nothing(&reached("overtaking", How::AnswersOvertake, Rules::LAWFUL));
}

/// Plans that a search has found; each file tells what was wrong.
#[test]
fn kept_plans_of_false_alarms_break_nothing() {
    let overtaking = reached("overtaking", How::AnswersOvertake, Rules::LAWFUL);
    let late = reached("late reads", How::ReadsComeLate { by_ms: 15 }, Rules::LAWFUL);
    for (name, subject) in [("answered-after-a-prune", overtaking), ("listed-before-it-was-registered", late)]
    {
        let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/sim/kept");
        let (plan, _) = regressions::load(&kept.join(name).with_extension("toml")).unwrap();
        assert_eq!(judge(&Arc::new(plan), &subject).broken(), None, "{name}");
    }
}

/// No event but the answer tells of some calls, and marks of coverage are counted by them.
#[test]
fn answers_that_take_time_are_recorded_as_others_are() {
    let steps = [
        "0ms register p1 rerunnable 1 steps of 0ms",
        "500ms grant p1 to s1",
        "1s ask set_external_ref p1 with 1",
        "2s transfer p1 p2 from s1 to s2",
    ];
    let slow = reached("slow", How::Slow { before_ms: 4, after_ms: 0 }, Rules::LAWFUL);
    let events = record(&plan(&steps), &slow).events;
    let is_set = |event: &Event| matches!(event.what(), What::Answered { method, .. } if method.name() == "set_external_ref");
    assert!(events.iter().any(is_set), "{events:?}");
    let is_half_way = |event: &Event| matches!(event.what(), What::TransferIsPartial { present: 1 });
    assert!(events.iter().any(is_half_way), "{events:?}");
}

#[test]
fn reads_that_come_late() {
    breaks_nothing(&reached("late reads", How::ReadsComeLate { by_ms: 15 }, Rules::LAWFUL));
}

#[test]
fn a_registry_that_cannot_say_how_a_lease_was_lost() {
    passes(&reached("one refusal", How::LossesAreOne, Rules::LAWFUL));
}

/// Its troubles end with those of the world: in the liveness phase every call has an answer.
#[test]
fn a_registry_whose_outcomes_are_sometimes_unknown() {
    passes(&reached("lost connections", How::OutcomesAreUnknown, Rules::LAWFUL));
}

#[test]
fn a_slow_store_behind_lazy_renewals_tokens_of_its_own_and_gaps_in_fences() {
    let rules = Rules { token: own_tokens, next_fence: sevenths, renew: lazily, ..Rules::LAWFUL };
    let subject = reached("all at once", How::Slow { before_ms: 3, after_ms: 1 }, rules);
    breaks_nothing(&subject.without_claiming(&["leases-last-as-asked", "bodies-overlap-within-bound"]));
}
