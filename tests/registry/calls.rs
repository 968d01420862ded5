//! No method of the trait may be missing from the calls: every method is a call, every call reaches its own method, and
//! every reply finds its way back.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use fencepost::model::process::DurabilityTier;
use fencepost::registry::calls::{Answer, Call, Dispatch, Facade, Reply, Submit};
use fencepost::testing::block_on;
use fencepost::testing::conformance::CASES;
use fencepost::{ProcessRegistry, RegistryError};

/// The names of the trait's async methods, read from its source.
fn trait_methods() -> BTreeSet<String> {
    let source = include_str!("../../src/registry/process_registry.rs");
    let body = source.split("pub trait ProcessRegistry").nth(1).expect("the trait stands in this file");
    let body = body.split("\n}\n").next().expect("the trait ends");
    let after = |line: &str| line.trim().strip_prefix("async fn ").map(str::to_owned);
    body.lines().filter_map(after).map(|rest| rest.split('(').next().unwrap_or_default().to_owned()).collect()
}

#[test]
fn every_method_of_the_trait_is_a_call() {
    let methods = trait_methods();
    assert_eq!(
        methods.len(),
        36,
        "30 async methods of the reference pages, read_process and the five fenced ones"
    );
    assert_eq!(methods, Call::METHODS.iter().map(|name| (*name).to_owned()).collect());
}

/// The facade overrides every provided method: none slips back to its default body.
#[test]
fn the_facade_forwards_every_method_under_its_own_name() {
    let source = include_str!("../../src/registry/calls.rs");
    let table = source.split("\ncall_table! {").nth(1).expect("the table stands in this file");
    let lines: Vec<_> = table.lines().filter(|line| line.starts_with("    ") && line.contains('(')).collect();
    for method in trait_methods().iter().filter(|method| *method != "get_process") {
        let is_it = |line: &&&str| {
            line.split_whitespace().nth(1).is_some_and(|word| word.split('(').next() == Some(method))
        };
        let line = lines.iter().find(is_it).unwrap_or_else(|| panic!("{method} is not in the table"));
        let variant = line.split_whitespace().next().unwrap_or_default();
        assert_eq!(snake_case(variant), *method, "a call is named after its method");
    }
}

fn snake_case(name: &str) -> String {
    let mut snake = String::new();
    for letter in name.chars() {
        if letter.is_uppercase() && !snake.is_empty() {
            snake.push('_');
        }
        snake.extend(letter.to_lowercase());
    }
    snake
}

/// Notes every call, and answers nothing.
#[derive(Clone, Default)]
struct Notebook(Arc<Mutex<Vec<Call>>>);

#[async_trait]
impl Submit for Notebook {
    async fn submit(&self, call: Arc<Call>) -> Answer {
        self.0.lock().unwrap().push(Call::clone(&call));
        Err(RegistryError::unavailable("note a call", "a notebook answers nothing"))
    }

    fn durability_tier(&self) -> DurabilityTier {
        DurabilityTier::Durable
    }
}

/// One call of each kind through facade, dispatch and facade: what comes out is what went in.
#[test]
fn a_call_passes_facade_and_dispatch_unchanged() {
    let calls: Vec<Call> =
        serde_json::from_str(include_str!("every_call.json")).expect("one call of each kind");
    let named: BTreeSet<&str> = calls.iter().map(Call::method).collect();
    assert_eq!(named, Call::METHODS.iter().copied().collect(), "the file holds each call");
    for call in calls {
        let notebook = Notebook::default();
        let inner: Arc<dyn ProcessRegistry> = Arc::new(Facade(notebook.clone()));
        let outer: Arc<dyn ProcessRegistry> = Arc::new(Facade(Dispatch(inner)));
        let answer = block_on(Dispatch(outer).submit(call.clone().into()));
        match call {
            Call::GetProcess { .. } => {
                assert_eq!(answer, Ok(Box::new(Reply::MaybeRecord(None))), "a failed read is none")
            }
            _ => assert!(answer.is_err_and(|error| error.outcome_is_unknown())),
        }
        assert_eq!(*notebook.0.lock().unwrap(), [call]);
    }
    let tier = Facade(Dispatch(Arc::new(Facade(Notebook::default())))).durability_tier();
    assert_eq!(tier, DurabilityTier::Durable);
}

/// Answers every call with the reply of another kind.
struct Confused;

#[async_trait]
impl Submit for Confused {
    async fn submit(&self, call: Arc<Call>) -> Answer {
        Ok(match *call {
            Call::CountEventsThrough { .. } => Box::new(Reply::Truth(true)),
            _ => Box::new(Reply::Count(7)),
        })
    }

    fn durability_tier(&self) -> DurabilityTier {
        DurabilityTier::Inline
    }
}

#[test]
fn a_reply_of_another_kind_is_an_unknown_outcome_and_no_panic() {
    let calls: Vec<Call> =
        serde_json::from_str(include_str!("every_call.json")).expect("one call of each kind");
    for call in calls.into_iter().filter(|call| !matches!(call, Call::GetProcess { .. })) {
        let confused: Arc<dyn ProcessRegistry> = Arc::new(Facade(Confused));
        let answer = block_on(Dispatch(confused).submit(call.into()));
        assert!(answer.is_err_and(|error| error.outcome_is_unknown()));
    }
}

#[test]
fn conformance_cases_have_names_of_their_own() {
    let names: BTreeSet<_> = CASES.iter().map(|case| case.name).collect();
    assert_eq!(names.len(), CASES.len());
}
