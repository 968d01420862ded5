//! Does the conformance suite bite? Each rule is replaced by a wrong one, one at a time and from outside, and the named
//! case must fail. The lawful rules must pass them all.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use fencepost::model::lease::{LeaseOwnerIdentity, ProcessLease};
use fencepost::model::process::{ProcessRecord, WaitState};
use fencepost::model::row::{HighWater, StoredProcess, Tenure};
use fencepost::rules::events::AppendDecision;
use fencepost::rules::leases::{Claim, ClaimDecision};
use fencepost::rules::writes::{Admission, Authority, ExecutionWrite, StartDecision};
use fencepost::rules::{Rules, leases, writes};
use fencepost::store::MemoryStore;
use fencepost::testing::conformance::{Backend, CASES, run};
use fencepost::testing::manual_environment::HandEnvironment;
use fencepost::{ProcessRegistry, Registry, RegistryError};

struct Under(Rules);

impl Backend for Under {
    fn open(&mut self, environment: &HandEnvironment) -> Arc<dyn ProcessRegistry> {
        let registry = Registry::new(MemoryStore::new(), Arc::new(environment.clone()));
        Arc::new(registry.with_rules(self.0).inline())
    }
}

const LAWFUL: Rules = Rules::LAWFUL;

type Answer<T> = Result<T, RegistryError>;

fn lives_at_its_expiry(lease: &ProcessLease, now_ms: u64) -> bool {
    lease.expires_at_epoch_ms >= now_ms
}

fn same_owner(a: &LeaseOwnerIdentity, b: &LeaseOwnerIdentity) -> bool {
    a.owner_id == b.owner_id
}

fn claims_over_anyone(_: &Rules, claim: &Claim<'_>) -> Answer<ClaimDecision> {
    Ok(ClaimDecision::NewGrant { fence: claim.tenure.highest_fence + 1 })
}

fn renews_without_a_look(
    _: &Rules,
    _: &Tenure,
    presented: &ProcessLease,
    _: u64,
    until: u64,
) -> Answer<ProcessLease> {
    Ok(ProcessLease { expires_at_epoch_ms: until, ..presented.clone() })
}

fn renews_what_expired(
    rules: &Rules,
    tenure: &Tenure,
    presented: &ProcessLease,
    _: u64,
    until: u64,
) -> Answer<ProcessLease> {
    leases::renew(rules, tenure, presented, 0, until)
}

fn admits_if(
    skip: fn(&ExecutionWrite<'_>) -> bool,
    rules: &Rules,
    life: &StoredProcess,
    authority: Authority<'_>,
    write: ExecutionWrite<'_>,
    now_ms: u64,
) -> Answer<Admission> {
    if skip(&write) { Ok(Admission::Go) } else { writes::admit(rules, life, authority, write, now_ms) }
}

macro_rules! admits_every {
    ($pattern:pat) => {
        |rules, life, authority, write, now_ms| {
            admits_if(|write| matches!(write, $pattern), rules, life, authority, write, now_ms)
        }
    };
}

fn forgets_its_own_completion(
    rules: &Rules,
    life: &StoredProcess,
    authority: Authority<'_>,
    write: ExecutionWrite<'_>,
    now_ms: u64,
) -> Answer<Admission> {
    match writes::admit(rules, life, authority, write, now_ms) {
        Ok(Admission::AlreadyApplied) => Err(RegistryError::AlreadyTerminal {
            process_id: life.row.record.id().to_owned(),
            status: life.row.record.status.clone(),
        }),
        other => other,
    }
}

/// The wrong rules, and for each a case that must fail.
fn planted() -> Vec<(&'static str, Rules, &'static str)> {
    let waits = |_: &ProcessRecord, _: Option<&WaitState>| true;
    vec![
        (
            "expiry is one late",
            Rules { is_live: lives_at_its_expiry, ..LAWFUL },
            "at_its_expiry_a_lease_is_free_and_one_millisecond_earlier_it_is_not",
        ),
        (
            "a restart is the same incarnation",
            Rules { same_incarnation: same_owner, ..LAWFUL },
            "a_new_incarnation_of_the_same_owner_is_another_holder",
        ),
        (
            "a fence is used twice",
            Rules { next_fence: |highest| Some(highest.max(1)), ..LAWFUL },
            "every_new_grant_raises_the_fence",
        ),
        (
            "tokens are not drawn",
            Rules { token: |_| "token".into(), ..LAWFUL },
            "a_free_lease_is_granted_with_a_fresh_token",
        ),
        (
            "anything can be held",
            Rules { admit_holder: |_, _| Ok(()), ..LAWFUL },
            "unknown_and_ended_processes_cannot_be_claimed",
        ),
        (
            "a claim takes what is held",
            Rules { claim: claims_over_anyone, ..LAWFUL },
            "a_live_lease_of_another_is_busy_and_shows_its_holder",
        ),
        (
            "a reclaim takes what was not observed",
            Rules { reclaim: |rules, claim, _| claims_over_anyone(rules, claim), ..LAWFUL },
            "a_reclaim_of_a_holder_that_was_not_observed_is_busy",
        ),
        (
            "a renewal updates no row and says yes",
            Rules { renew: renews_without_a_look, ..LAWFUL },
            "a_renewal_of_a_released_lease_does_not_bring_it_back",
        ),
        (
            "a renewal revives what expired",
            Rules { renew: renews_what_expired, ..LAWFUL },
            "a_renewal_after_expiry_is_refused_although_nobody_took_over",
        ),
        (
            "a release needs no token",
            Rules { releases: |_, _| true, ..LAWFUL },
            "a_stale_release_succeeds_and_frees_nothing",
        ),
        (
            "any grant is the live one",
            Rules { authorize: |_, _, _, _| Ok(()), ..LAWFUL },
            "a_superseded_grant_writes_nothing",
        ),
        (
            "a registration replaces another",
            Rules { register: |_, _, _| Ok(true), ..LAWFUL },
            "other_content_under_the_same_id_is_a_conflict",
        ),
        (
            "anyone starts",
            Rules { admit: admits_every!(ExecutionWrite::Start(_)), ..LAWFUL },
            "an_expired_grant_writes_nothing_although_nobody_took_over",
        ),
        (
            "anyone waits",
            Rules { admit: admits_every!(ExecutionWrite::Wait), ..LAWFUL },
            "a_released_grant_writes_nothing",
        ),
        (
            "anyone appends",
            Rules { admit: admits_every!(ExecutionWrite::Event { .. }), ..LAWFUL },
            "unfenced_execution_writes_on_a_worker_run_process_need_a_lease",
        ),
        (
            "anyone ends",
            Rules { admit: admits_every!(ExecutionWrite::End(_)), ..LAWFUL },
            "a_retried_completion_with_another_output_is_already_terminal",
        ),
        (
            "an applied completion is forgotten",
            Rules { admit: forgets_its_own_completion, ..LAWFUL },
            "a_retried_completion_by_the_same_grant_succeeds_after_its_lease_is_gone",
        ),
        (
            "the last start wins",
            Rules { first_start: |_, _| StartDecision::Record, ..LAWFUL },
            "another_grant_of_the_same_incarnation_is_not_yours",
        ),
        (
            "yours is anybody's",
            Rules {
                first_start: |row, _| match row.record.first_started {
                    None => StartDecision::Record,
                    Some(_) => StartDecision::AlreadyYours,
                },
                ..LAWFUL
            },
            "another_grant_of_the_same_incarnation_is_not_yours",
        ),
        (
            "every wait is a change",
            Rules { wait_changes: waits, ..LAWFUL },
            "the_same_wait_again_and_clearing_none_change_nothing",
        ),
        (
            "abandonment needs no licence",
            Rules { abandonment: |_, _| Ok(()), ..LAWFUL },
            "a_sweep_or_drain_abandons_only_started_owner_bound_processes",
        ),
        (
            "the last request wins",
            Rules { request_abandon: |_| Ok(true), ..LAWFUL },
            "abandon_requests_keep_the_first_one_and_end_nothing",
        ),
        (
            "a reference is assigned again",
            Rules { set_external_ref: |_, _| Ok(true), ..LAWFUL },
            "an_external_reference_is_assigned_once",
        ),
        (
            "anything may be appended",
            Rules { append: |_, _, _| Ok(AppendDecision::New { wake: None }), ..LAWFUL },
            "an_undeclared_type_is_refused",
        ),
        (
            "sequences skip",
            Rules { next_sequence: |highest| Ok(highest + 2), ..LAWFUL },
            "sequences_are_dense_and_start_at_one",
        ),
        (
            "a transfer moves what it can",
            Rules { transfer: |_, _| Ok(()), ..LAWFUL },
            "a_transfer_is_all_or_nothing",
        ),
        (
            "a cutoff is inclusive",
            Rules { prune_through: Some, ..LAWFUL },
            "a_prune_takes_ended_processes_before_the_cutoff",
        ),
        (
            "a prune forgets the fence",
            Rules { survives_prune: |reached| HighWater { fence: 0, ..reached }, ..LAWFUL },
            "a_fence_survives_the_prune",
        ),
    ]
}

fn fails(case: &'static str, rules: Rules) -> bool {
    catch_unwind(AssertUnwindSafe(|| run(case, Under(rules)))).is_err()
}

#[test]
fn every_planted_bug_fails_the_case_that_names_it() {
    for (bug, rules, case) in planted() {
        assert!(fails(case, rules), "{bug}: `{case}` did not notice");
        assert!(!fails(case, LAWFUL), "`{case}` objects to the lawful rules");
    }
}

/// A rule that is added and not planted here fails to compile first in `Rules`, then shows in this count.
#[test]
fn every_rule_is_replaced_at_least_once() {
    let source = include_str!("../../src/rules/table.rs");
    let body = source.split("pub struct Rules {").nth(1).and_then(|rest| rest.split("\n}").next()).unwrap();
    let rules: Vec<&str> =
        body.lines().filter_map(|line| line.trim().strip_prefix("pub ")?.split(':').next()).collect();
    let here = include_str!("planted.rs");
    let missing: Vec<_> = rules.iter().filter(|rule| !here.contains(&format!("Rules {{ {rule}:"))).collect();
    assert!(!rules.is_empty() && missing.is_empty(), "no bug is planted in {missing:?}");
}

#[test]
fn the_lawful_rules_fail_no_case() {
    let failed: Vec<_> = CASES.iter().map(|case| case.name).filter(|case| fails(case, LAWFUL)).collect();
    assert!(failed.is_empty(), "{failed:?}");
}
