//! Claims that a subject does not make are left out, and nothing else is: a law, the answers of a method, a part of every
//! answer, or the fence of a kind of write.

use std::sync::Arc;

use async_trait::async_trait;
use fencepost::Registry;
use fencepost::environment::Environment;
use fencepost::model::lease::ProcessLeaseClaimOutcome;
use fencepost::model::process::DurabilityTier;
use fencepost::registry::calls::{Answer, Call, Facade, Reply, Submit};
use fencepost::store::MemoryStore;
use fencepost_sim::{Options, Subject, check, planted};

type Distort = fn(&Call, Answer) -> Answer;

/// An honest registry whose answers are told differently.
struct Distorted<S> {
    inner: S,
    distort: Distort,
}

#[async_trait]
impl<S: Submit> Submit for Distorted<S> {
    async fn submit(&self, call: Arc<Call>) -> Answer {
        let answer = self.inner.submit(call.clone()).await;
        (self.distort)(&call, answer)
    }

    fn durability_tier(&self) -> DurabilityTier {
        DurabilityTier::Inline
    }
}

fn distorted(distort: Distort) -> Subject {
    Subject::of("distorted", move |environment| {
        let inner = Registry::new(MemoryStore::new(), environment).inline().0;
        Facade(Distorted { inner, distort })
    })
}

/// The true registry with the rules of a planted bug.
fn with_rules_of(planted_bug: &str) -> Subject {
    let rules = planted::by_name(planted_bug).unwrap().subject().rules;
    Subject::of("bent", move |environment: Arc<dyn Environment>| {
        Registry::new(MemoryStore::new(), environment).with_rules(rules).inline()
    })
}

/// The law that 300 seeds break, if one is.
fn broken(subject: Subject, not_claimed: &'static [&'static str]) -> Option<String> {
    broken_by(300, subject, not_claimed)
}

/// A new life after a prune is rarer.
fn broken_in_many(subject: Subject, not_claimed: &'static [&'static str]) -> Option<String> {
    broken_by(1_000, subject, not_claimed)
}

fn broken_by(seeds: u64, subject: Subject, not_claimed: &'static [&'static str]) -> Option<String> {
    let options = Options { seeds: 0..seeds, ..Options::default() };
    let failure = check(&subject.without_claiming(not_claimed), &options).err()?;
    Some(failure.law().unwrap_or_else(|| panic!("{failure}")).to_owned())
}

fn delivers_no_wake(_: &Call, answer: Answer) -> Answer {
    let mut reply = answer?;
    if let Reply::Appended(appended) = &mut *reply {
        appended.wake_delivery = None;
    }
    Ok(reply)
}

#[test]
fn a_part_of_an_answer_is_left_out() {
    let answers = Some("answers-match-the-model".to_owned());
    assert_eq!(broken(distorted(delivers_no_wake), &["answers-match-the-model/event.wake"]), answers);
    assert_eq!(
        broken(distorted(delivers_no_wake), &["answers-match-the-model/appended.wake_delivery"]),
        None
    );
}

fn has_no_handle(_: &Call, answer: Answer) -> Answer {
    let mut reply = answer?;
    if let Reply::Truth(has_one) = &mut *reply {
        *has_one = false;
    }
    Ok(reply)
}

#[test]
fn the_answers_of_a_method_are_left_out() {
    let answers = Some("answers-match-the-model".to_owned());
    let (this, another) =
        (&["answers-match-the-model/has_handle_grant"], &["answers-match-the-model/recent_events"]);
    assert_eq!(broken_in_many(distorted(has_no_handle), another), answers);
    assert_eq!(broken_in_many(distorted(has_no_handle), this), None);
}

#[test]
fn a_kind_of_write_is_left_unfenced() {
    // Where a stale wait is taken, these object, too.
    let others = &["linearizable", "answers-match-the-model", "lives-do-not-mix", "expiry-is-exact"];
    let without = |claim: &'static str| [others.as_slice(), &[claim]].concat().leak();
    let caught = Some("stale-writer-refused".to_owned());
    assert_eq!(
        broken_in_many(with_rules_of("wait-unchecked"), without("stale-writer-refused/progress")),
        caught
    );
    assert_eq!(broken_in_many(with_rules_of("wait-unchecked"), without("stale-writer-refused/waits")), None);
}

/// A lease is told to last a millisecond less than it does.
fn shortens(call: &Call, answer: Answer) -> Answer {
    let mut reply = answer?;
    if let (Call::ClaimProcessLease { .. }, Reply::Claim(ProcessLeaseClaimOutcome::Acquired(lease))) =
        (call, &mut *reply)
    {
        lease.expires_at_epoch_ms -= 1;
    }
    Ok(reply)
}

#[test]
fn what_another_law_leaves_open_the_model_still_holds() {
    // A new grant must last as long as the model says, whoever judges extended ones.
    let found = broken(distorted(shortens), &["leases-last-as-asked", "expiry-is-exact", "linearizable"]);
    assert_eq!(found.as_deref(), Some("answers-match-the-model"));
}

#[test]
fn a_claim_that_is_no_part_of_a_law_fails_the_check() {
    for claim in
        ["answers-match-the-model/everything", "stale-writer-refused/completions", "one-live-grant/x", "x"]
    {
        let not_claimed = vec![claim].leak();
        let failure = check(&Subject::fencepost().without_claiming(not_claimed), &Options::default());
        let message = failure.expect_err("nobody claims that").to_string();
        assert!(message.contains(claim), "{message}");
    }
}

#[test]
fn what_a_prune_forgets_is_left_out() {
    let fences = || with_rules_of("fence-forgotten-by-prune");
    let sequences = || with_rules_of("sequence-forgotten-by-prune");
    assert_ne!(broken_in_many(fences(), &["outside-sees-fences-in-order"]), None);
    assert_eq!(broken_in_many(fences(), &["outside-sees-fences-in-order", "fences-only-grow/prunes"]), None);
    assert_ne!(broken_in_many(sequences(), &["fences-only-grow/prunes"]), None);
    assert_eq!(broken_in_many(sequences(), &["log-is-dense/prunes"]), None);
}
