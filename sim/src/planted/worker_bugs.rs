//! Bugs of the worker: what it decides wrongly about its lease, its row and its outcome.

use std::sync::Arc;

use fencepost::driver::InlineProcessRunHandle;
use fencepost::model::error::RegistryError;
use fencepost::model::process::{ProcessAwaitOutput, ProcessRecord};
use fencepost::rules::worker::{self, BodyEnd, NextStep, Renewal, WorkerRules};

use crate::laws;
use crate::planted::planted_bug::PlantedBug;
use crate::planted::worker_wrappers::{OneByOne, StampsAhead, believing};
use crate::subject::Subject;

pub const ALL: &[PlantedBug] = &[
    PlantedBug {
        name: "listed-row-believed",
        stands_for: "a sweep acts on its stale list and asks no further: what was not started when it was listed is run, whatever \
                     the registry says of its start",
        law: laws::that_catches("listed-row-believed"),
        subject: |subject| believing(subject, |_, listed| Some(listed)),
    },
    PlantedBug {
        name: "never-renews",
        stands_for: "a worker that claims and never renews",
        law: laws::that_catches("never-renews"),
        subject: |subject| with(subject, |rules| WorkerRules { first_renewal_in_ms: |_| u64::MAX, ..rules }),
    },
    PlantedBug {
        name: "renewals-end-at-one-error",
        stands_for: "a renewal loop that dies on the first error while the body runs on",
        law: laws::that_catches("renewals-end-at-one-error"),
        subject: |subject| {
            with(subject, |rules| WorkerRules {
                may_act: |_, _, is_lost| !is_lost,
                after_renewal: |answer, held, timings| match worker::after_renewal(answer, held, timings) {
                    Renewal::Believed { next_in_ms } => Renewal::Believed { next_in_ms },
                    _ => Renewal::NotBelieved { next_in_ms: u64::MAX },
                },
                ..rules
            })
        },
    },
    PlantedBug {
        name: "effects-after-loss",
        stands_for: "a worker that hears that its lease is lost, and lets the body run on",
        law: laws::that_catches("effects-after-loss"),
        subject: |subject| {
            with(subject, |rules| WorkerRules {
                may_act: |now, deadline, _| now < deadline,
                after_renewal: |answer, held, timings| match worker::after_renewal(answer, held, timings) {
                    Renewal::Lost => Renewal::NotBelieved { next_in_ms: timings.renew_interval_ms() },
                    other => other,
                },
                ..rules
            })
        },
    },
    PlantedBug {
        name: "failed-when-lost",
        stands_for: "a worker that writes Failed when it loses its lease",
        law: laws::that_catches("failed-when-lost"),
        subject: |subject| {
            with(subject, |rules| WorkerRules {
                after_body: |end| match end {
                    BodyEnd::LeaseLost => NextStep::End {
                        output: ProcessAwaitOutput::Failure {
                            class: "lease lost".into(),
                            code: None,
                            message: "the lease was lost".into(),
                            raw: None,
                        },
                    },
                    end => worker::after_body(end),
                },
                ..rules
            })
        },
    },
    PlantedBug {
        name: "release-after-unknown-completion",
        stands_for: "an unknown answer to a completion is taken for a failure: the lease is released, the outcome dropped",
        law: laws::that_catches("release-after-unknown-completion"),
        subject: |subject| {
            with(subject, |rules| WorkerRules {
                after_completion: |answer| match answer {
                    Err(RegistryError::Unavailable { .. }) => NextStep::Release,
                    _ => worker::after_completion(answer),
                },
                ..rules
            })
        },
    },
    PlantedBug {
        name: "disposition-ignored",
        stands_for: "every row is run, whatever may happen to it",
        law: laws::that_catches("disposition-ignored"),
        subject: |subject| {
            with(subject, |rules| WorkerRules {
                after_read: |answer, _, _| match answer {
                    Ok(Some(record)) if !record.is_terminal() => NextStep::Start,
                    _ => NextStep::Release,
                },
                after_start: |answer, disposition, was_unknown| match answer {
                    // It has no owner whose start could be recorded.
                    Err(RegistryError::InvalidArgument { .. }) => NextStep::Run,
                    _ => worker::after_start(answer, disposition, was_unknown),
                },
                ..rules
            })
        },
    },
    PlantedBug {
        name: "started-is-no-reason",
        stands_for: "an owner-bound process that somebody started is started again",
        law: laws::that_catches("started-is-no-reason"),
        subject: |subject| {
            with(subject, |rules| WorkerRules {
                after_read: |answer, holder, dead| match answer {
                    Ok(Some(record)) if !record.is_terminal() && record.disposition().is_worker_run() => {
                        NextStep::Start
                    }
                    _ => worker::after_read(answer, holder, dead),
                },
                after_start: |answer, disposition, was_unknown| match answer {
                    Ok(_) => NextStep::Run,
                    _ => worker::after_start(answer, disposition, was_unknown),
                },
                ..rules
            })
        },
    },
    PlantedBug {
        name: "death-of-the-last-holder",
        stands_for: "the proof of death is asked of whoever held the lease last, not of whoever started the work",
        law: laws::that_catches("death-of-the-last-holder"),
        subject: |subject| {
            with(subject, |rules| WorkerRules {
                after_read: |answer, holder, dead| {
                    let is_dead = holder.is_some_and(dead);
                    worker::after_read(answer, holder, &|_| is_dead)
                },
                ..rules
            })
        },
    },
    PlantedBug {
        name: "failed-read-is-no-obstacle",
        stands_for: "a read that failed is taken for \"not terminal, not started\", and nothing is asked further",
        law: laws::that_catches("failed-read-is-no-obstacle"),
        subject: |subject| {
            believing(subject, |read, listed| match read {
                Err(error) if !error.is_refusal() => Some(ProcessRecord { first_started: None, ..listed }),
                _ => None,
            })
        },
    },
    PlantedBug {
        name: "effects-stamped-ahead",
        stands_for: "effects are stamped with a number that runs ahead of the fence: a successor's are refused",
        law: laws::that_catches("effects-stamped-ahead"),
        subject: |subject| {
            subject.worked_by(|mut workplace| {
                workplace.effects = Arc::new(StampsAhead(workplace.effects));
                Arc::new(InlineProcessRunHandle::new(workplace.worker()))
            })
        },
    },
    PlantedBug {
        name: "one-incarnation-for-all",
        stands_for: "a worker names its incarnation once and for ever: after a restart it re-enters the lease of its dead self",
        law: laws::that_catches("one-incarnation-for-all"),
        subject: |subject| {
            with(subject, |rules| WorkerRules { incarnation: |_| "the only one".to_owned(), ..rules })
        },
    },
    PlantedBug {
        name: "rows-one-after-another",
        stands_for: "a sweep runs each row to its end before it looks at the next",
        law: laws::that_catches("rows-one-after-another"),
        subject: |subject| {
            subject.worked_by(|mut workplace| {
                workplace.environment = Arc::new(OneByOne::new(workplace.environment));
                Arc::new(InlineProcessRunHandle::new(workplace.worker()))
            })
        },
    },
    PlantedBug {
        name: "unwraps-an-expiry",
        stands_for: "an answer that \"cannot happen\" is unwrapped",
        law: laws::that_catches("unwraps-an-expiry"),
        subject: |subject| {
            with(subject, |rules| WorkerRules {
                after_start: |answer, disposition, was_unknown| {
                    if matches!(
                        answer,
                        Err(RegistryError::LeaseExpired { .. } | RegistryError::LeaseSuperseded { .. })
                    ) {
                        std::panic::resume_unwind(Box::new(
                            "a lease that was just won has expired".to_owned(),
                        ));
                    }
                    worker::after_start(answer, disposition, was_unknown)
                },
                ..rules
            })
        },
    },
    PlantedBug {
        name: "permit-held-while-waiting",
        stands_for: "a parent keeps its place while it waits for a child that needs it",
        law: laws::that_catches("permit-held-while-waiting"),
        subject: |subject| {
            with(subject, |rules| WorkerRules { gives_permit_back_while_waiting: || false, ..rules })
        },
    },
];

fn with(subject: Subject, change: fn(WorkerRules) -> WorkerRules) -> Subject {
    Subject { attempt_rules: change(subject.attempt_rules), ..subject }
}
