//! Bugs of the worker: what it decides wrongly about its lease, its row and its outcome.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use fencepost::ProcessRegistry;
use fencepost::call::{Call, Facade, Reply, Submit, dispatch};
use fencepost::cancellation::CancellationToken;
use fencepost::driver::{InlineProcessRunHandle, ProcessRunHandle};
use fencepost::effect::{Effect, EffectController, EffectError};
use fencepost::engine::ProcessExecutionContext;
use fencepost::environment::Environment;
use fencepost::error::RegistryError;
use fencepost::process::{DurabilityTier, FirstStart, ProcessAwaitOutput, ProcessRecord};
use fencepost::rules::attempt::{self, AttemptRules, BodyEnd, Next, Renewal};

use fencepost::worker::DurableProcessWorker;

use serde_json::Value;

use super::Sabotage;
use crate::subject::Subject;

pub const ALL: &[Sabotage] = &[
    Sabotage {
        name: "listed-row-believed",
        stands_for: "a sweep acts on its stale list: a row that was not started when it was listed is started",
        law: "owner-bound-starts-once",
        subject: |subject| believing(subject, |_, listed| Some(listed)),
    },
    Sabotage {
        name: "never-renews",
        stands_for: "a worker that claims and never renews",
        law: "calm-ends-everything",
        subject: |subject| with(subject, |rules| AttemptRules { first_renewal_in_ms: |_| u64::MAX, ..rules }),
    },
    Sabotage {
        name: "renewals-end-at-one-error",
        stands_for: "a renewal loop that dies on the first error while the body runs on",
        law: "lost-means-silent",
        subject: |subject| {
            with(subject, |rules| AttemptRules {
                may_act: |_, _, is_lost| !is_lost,
                after_renewal: |answer, held, timings| match attempt::after_renewal(answer, held, timings) {
                    Renewal::Believed { next_in_ms } => Renewal::Believed { next_in_ms },
                    _ => Renewal::NotBelieved { next_in_ms: u64::MAX },
                },
                ..rules
            })
        },
    },
    Sabotage {
        name: "effects-after-loss",
        stands_for: "a worker that hears that its lease is lost, and lets the body run on",
        law: "lost-means-silent",
        subject: |subject| {
            with(subject, |rules| AttemptRules {
                may_act: |now, deadline, _| now < deadline,
                after_renewal: |answer, held, timings| match attempt::after_renewal(answer, held, timings) {
                    Renewal::Lost => Renewal::NotBelieved { next_in_ms: timings.renew_interval_ms() },
                    other => other,
                },
                ..rules
            })
        },
    },
    Sabotage {
        name: "failed-when-lost",
        stands_for: "a worker that writes Failed when it loses its lease",
        law: "lost-means-silent",
        subject: |subject| {
            with(subject, |rules| AttemptRules {
                after_body: |end| match end {
                    BodyEnd::LeaseLost => Next::End {
                        output: ProcessAwaitOutput::Failure {
                            class: "lease lost".into(),
                            code: None,
                            message: "the lease was lost".into(),
                            raw: None,
                        },
                    },
                    end => attempt::after_body(end),
                },
                ..rules
            })
        },
    },
    Sabotage {
        name: "release-after-unknown-completion",
        stands_for: "an unknown answer to a completion is taken for a failure: the lease is released, the outcome dropped",
        law: "outcomes-are-not-dropped",
        subject: |subject| {
            with(subject, |rules| AttemptRules {
                after_completion: |answer| match answer {
                    Err(RegistryError::Unavailable { .. }) => Next::Release,
                    _ => attempt::after_completion(answer),
                },
                ..rules
            })
        },
    },
    Sabotage {
        name: "disposition-ignored",
        stands_for: "every row is run, whatever may happen to it",
        law: "externally-owned-never-runs",
        subject: |subject| {
            with(subject, |rules| AttemptRules {
                after_read: |answer, _, _| match answer {
                    Ok(Some(record)) if !record.is_terminal() => Next::Start,
                    _ => Next::Release,
                },
                after_start: |answer, disposition, was_unknown| match answer {
                    // It has no owner whose start could be recorded.
                    Err(RegistryError::InvalidArgument { .. }) => Next::Run,
                    _ => attempt::after_start(answer, disposition, was_unknown),
                },
                ..rules
            })
        },
    },
    Sabotage {
        name: "started-is-no-reason",
        stands_for: "an owner-bound process that somebody started is started again",
        law: "owner-bound-starts-once",
        subject: |subject| {
            with(subject, |rules| AttemptRules {
                after_read: |answer, holder, dead| match answer {
                    Ok(Some(record)) if !record.is_terminal() && record.disposition().is_worker_run() => {
                        Next::Start
                    }
                    _ => attempt::after_read(answer, holder, dead),
                },
                after_start: |answer, disposition, was_unknown| match answer {
                    Ok(_) => Next::Run,
                    _ => attempt::after_start(answer, disposition, was_unknown),
                },
                ..rules
            })
        },
    },
    Sabotage {
        name: "death-of-the-last-holder",
        stands_for: "the proof of death is asked of whoever held the lease last, not of whoever started the work",
        law: "abandonment-is-licensed",
        subject: |subject| {
            with(subject, |rules| AttemptRules {
                after_read: |answer, holder, dead| {
                    let is_dead = holder.is_some_and(dead);
                    attempt::after_read(answer, holder, &|_| is_dead)
                },
                ..rules
            })
        },
    },
    Sabotage {
        name: "failed-read-is-no-obstacle",
        stands_for: "a read that failed is taken for \"not terminal, not started\", and nothing is asked further",
        law: "owner-bound-starts-once",
        subject: |subject| {
            believing(subject, |read, listed| match read {
                Err(error) if !error.is_refusal() => Some(ProcessRecord { first_started: None, ..listed }),
                _ => None,
            })
        },
    },
    Sabotage {
        name: "effects-stamped-ahead",
        stands_for: "effects are stamped with a number that runs ahead of the fence: a successor's are refused",
        law: "outside-sees-fences-in-order",
        subject: |subject| {
            subject.worked_by(|mut workplace| {
                workplace.effects = Arc::new(StampsAhead(workplace.effects));
                Arc::new(InlineProcessRunHandle::new(workplace.worker()))
            })
        },
    },
    Sabotage {
        name: "one-incarnation-for-all",
        stands_for: "a worker names its incarnation once and for ever: after a restart it re-enters the lease of its dead self",
        law: "bodies-overlap-within-bound",
        subject: |subject| {
            with(subject, |rules| AttemptRules { incarnation: |_| "the only one".to_owned(), ..rules })
        },
    },
    Sabotage {
        name: "rows-one-after-another",
        stands_for: "a sweep runs each row to its end before it looks at the next",
        law: "calm-ends-everything",
        subject: |subject| subject.worked_by(|workplace| Arc::new(OneByOne(workplace.worker()))),
    },
    Sabotage {
        name: "unwraps-an-expiry",
        stands_for: "an answer that \"cannot happen\" is unwrapped",
        law: "nobody-panics",
        subject: |subject| {
            with(subject, |rules| AttemptRules {
                after_start: |answer, disposition, was_unknown| {
                    if matches!(
                        answer,
                        Err(RegistryError::LeaseExpired { .. } | RegistryError::LeaseSuperseded { .. })
                    ) {
                        std::panic::resume_unwind(Box::new(
                            "a lease that was just won has expired".to_owned(),
                        ));
                    }
                    attempt::after_start(answer, disposition, was_unknown)
                },
                ..rules
            })
        },
    },
    Sabotage {
        name: "permit-held-while-waiting",
        stands_for: "a parent keeps its place while it waits for a child that needs it",
        law: "calm-ends-everything",
        subject: |subject| {
            with(subject, |rules| AttemptRules { gives_permit_back_while_waiting: || false, ..rules })
        },
    },
];

/// What a worker takes a row for, if not for what a read of it answered: the row as it was listed is known.
type Belief = fn(read: &Result<Reply, RegistryError>, listed: ProcessRecord) -> Option<ProcessRecord>;

/// A worker that acts on what it believes, and asks nothing further.
fn believing(subject: Subject, belief: Belief) -> Subject {
    subject.worked_by(move |mut workplace| {
        let (inner, rows) = (workplace.registry, Mutex::default());
        workplace.registry = Arc::new(Facade(Believes { inner, belief, rows }));
        Arc::new(InlineProcessRunHandle::new(workplace.worker()))
    })
}

struct Believes {
    inner: Arc<dyn ProcessRegistry>,
    belief: Belief,
    rows: Mutex<Believed>,
}

#[derive(Default)]
struct Believed {
    listed: BTreeMap<String, ProcessRecord>,
    /// Believed to be there, and not started.
    unstarted: BTreeSet<String>,
}

#[async_trait]
impl Submit for Believes {
    async fn submit(&self, call: Call) -> Result<Reply, RegistryError> {
        let process_id = call.process_id().unwrap_or_default().to_owned();
        let (reads, starts) = (
            matches!(call, Call::ReadProcess { .. }),
            matches!(call, Call::RecordFirstStartedWithLease { .. }),
        );
        let answer = dispatch(self.inner.as_ref(), call).await;
        let mut rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        if let Ok(Reply::Records(listed)) = &answer {
            rows.listed = listed.iter().map(|record| (record.id().to_owned(), record.clone())).collect();
        }
        if reads {
            rows.unstarted.remove(&process_id);
            let listed = rows.listed.get(&process_id).cloned();
            if let Some(record) = listed.and_then(|listed| (self.belief)(&answer, listed)) {
                if record.first_started.is_none() {
                    rows.unstarted.insert(process_id);
                }
                return Ok(Reply::MaybeRecord(Some(record)));
            }
        }
        match answer {
            Ok(Reply::FirstStart(start)) if starts && rows.unstarted.contains(&process_id) => {
                Ok(Reply::FirstStart(FirstStart::Started(start.into_record())))
            }
            answer => answer,
        }
    }

    fn durability_tier(&self) -> DurabilityTier {
        self.inner.durability_tier()
    }
}

/// Its effects carry a fence that nobody was granted.
struct StampsAhead(Arc<dyn EffectController>);

#[async_trait]
impl EffectController for StampsAhead {
    async fn perform(&self, effect: Effect) -> Result<Value, EffectError> {
        self.0.perform(Effect { fence: effect.fence + 2, ..effect }).await
    }
}

/// Runs what is pending one by one.
struct OneByOne(DurableProcessWorker);

#[async_trait]
impl ProcessRunHandle for OneByOne {
    async fn claim_and_run_pending(&self, _: &str) -> Result<(), RegistryError> {
        for record in self.0.config().registry.list_non_terminal().await? {
            let (context, cancellation) = (ProcessExecutionContext::default(), CancellationToken::new());
            drop(self.0.run_process(record.registration.as_ref().clone(), context, cancellation).await);
        }
        Ok(())
    }

    fn environment(&self) -> Arc<dyn Environment> {
        Arc::clone(&self.0.config().environment)
    }
}

fn with(subject: Subject, change: fn(AttemptRules) -> AttemptRules) -> Subject {
    Subject { attempt_rules: change(subject.attempt_rules), ..subject }
}
