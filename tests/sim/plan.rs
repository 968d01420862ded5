//! A plan, from its text to a run: read this test first. It is a tour of everything that a plan can say.

use std::sync::Arc;

use fencepost_sim::judge::{judge, record};
use fencepost_sim::plan::fault::pause::Pause;
use fencepost_sim::plan::span::Span;
use fencepost_sim::plan::step_kind::Group;
use fencepost_sim::plan::{Node, Plan, Process, Store, all_kinds};
use fencepost_sim::subject::Subject;
use fencepost_sim::timeline::text;

/// One worker loses its lease while it stands still, and another one takes over.
const TEXT: &str = r#"
format = 1
seed = 7
workers = "1 2"
hosts = "1"
ttl_ms = 3000
renew_ms = 1000
sweep_ms = 1000
bound = 4
horizon_ms = 12000
clocks = ["worker-2 +250ms -40ppm"]
steps = [
    "0ms register p1 rerunnable 8 steps of 1s",
    "2s pause worker-1 until p1 expires +2s",
    "2s pause worker-2 for 100ms",
]

[links]
fastest_us = 500
slowest_us = 3000
"#;

#[test]
fn a_plan_is_text_that_is_read_changed_and_run() {
    // The header describes the world: which nodes there are, how long a lease lasts, how good links and clocks are.
    let mut plan: Plan = TEXT.parse().unwrap();
    assert_eq!((plan.ttl_ms, plan.store), (3_000, Store::Memory));
    assert!(plan.has(Node::Worker(2)) && !plan.has(Node::Worker(3)));

    // Steps are lines: an instant of true time, and what happens then. Work asks for something; all else is a fault.
    let lines: Vec<String> = plan.steps.iter().map(ToString::to_string).collect();
    assert_eq!(lines[1], "2s pause worker-1 until p1 expires +2s");
    let groups: Vec<Group> = plan.steps.iter().map(|step| step.action.group()).collect();
    assert_eq!(groups, [Group::Work, Group::Standstill, Group::Standstill]);

    // A step knows its parts, whatever its kind.
    let pause = &plan.steps[1];
    assert_eq!((pause.action.nodes(), pause.action.processes()), (vec![Node::Worker(1)], vec![Process(1)]));
    let until_late = Span::UntilExpiry { process: Process(1), offset_ms: 2_000 };
    assert_eq!(pause.action.span(), Some(until_late));

    // A plan is a value: it is changed as one, written as text, and read back as the same plan.
    plan.steps.pop();
    plan.steps.push("9s prune".parse().unwrap());
    plan.steps[1].action = Pause { node: Node::Worker(1), span: Span::Ms(6_000) }.into();
    assert_eq!(plan.to_string().parse(), Ok(plan.clone()));

    // It runs: the same plan gives the same history, always.
    let plan = Arc::new(plan);
    let history = record(&plan, &Subject::fencepost());
    assert_eq!(record(&plan, &Subject::fencepost()).events, history.events);

    // The timeline shows the steps, and the laws judge the run.
    let drawn = text::draw(&history, None);
    assert!(drawn.contains("[pause worker-1 for 6s]") && drawn.contains("worker-2"), "{drawn}");
    assert_eq!(judge(&plan, &Subject::fencepost()).broken(), None);
}

#[test]
fn a_text_that_is_no_plan_is_refused_with_its_place_and_the_reason() {
    let wrong = |from: &str, to: &str| TEXT.replace(from, to).parse::<Plan>().unwrap_err().to_string();
    assert_eq!(
        wrong("pause worker-2 for", "explode worker-2 for").split("; expected").next(),
        Some("line 15, column 5: `2s explode worker-2 for 100ms` is no step: unknown step `explode`")
    );
    assert_eq!(
        wrong("pause worker-2", "pause worker-9"),
        "line 15, column 5: `2s pause worker-9 for 100ms` names worker-9, which is not in this world"
    );
    assert!(wrong("renew_ms = 1000", "renew_ms = 2000").contains("at least three times renew_ms"));
}

/// `fencepost steps` prints these lines: one of every form that a step can have.
#[test]
fn every_kind_of_step_can_be_carried_out() {
    let mut plan = Plan { store: Store::Sqlite, ..Plan::quiet(1) };
    plan.steps = all_kinds::examples().map(|line| line.parse().unwrap()).collect();
    plan.steps.sort_by_key(|step| step.at_ms);
    plan.check().unwrap();
    let plan = Arc::new(plan);
    let history = record(&plan, &Subject::fencepost());
    let taken = text::draw(&history, None);
    assert!(taken.contains("[prune]") && taken.contains("[power-off registry for 3s]"), "{taken}");
}
