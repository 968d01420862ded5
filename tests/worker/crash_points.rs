//! A worker dies at every point of an attempt, and another finishes: the outcome is written once, and an owner-bound
//! body never begins twice.

use fencepost::model::process::*;
use serde_json::json;

use crate::stage::*;

/// Where the worker stands when it dies: the call, and whether it was applied.
const POINTS: [(&str, &str, Option<Fault>); 9] = [
    ("after the list", "claim_process_lease", Some(Fault::HangsBefore)),
    ("after the claim", "claim_process_lease", Some(Fault::HangsAfter)),
    ("after the read", "record_first_started_with_lease", Some(Fault::HangsBefore)),
    ("after the first start", "record_first_started_with_lease", Some(Fault::HangsAfter)),
    ("in mid-run", "", None),
    ("after the last renewal", "renew_process_lease", Some(Fault::HangsAfter)),
    ("before the terminal write", "complete_process_with_lease", Some(Fault::HangsBefore)),
    ("after the terminal write", "complete_process_with_lease", Some(Fault::HangsAfter)),
    ("before the release", "complete_process_lease", Some(Fault::HangsBefore)),
];

fn dies(point: &str, method: &'static str, fault: Option<Fault>, disposition: RecoveryDisposition) -> Stage {
    let stage = Stage::new();
    let input = match point {
        "before the release" => json!({"do": "steps the second time", "steps": 3, "step_ms": 400}),
        _ => steps(3, 400),
    };
    stage.register("p", disposition, input);
    let (first, director) = stage.worker("first");
    if let Some(fault) = fault {
        director.plan(method, 1, fault);
    }
    stage.sweep(&first);
    let lives_for_ms = match point {
        "in mid-run" => 600,
        "after the last renewal" => RENEW_MS,
        "before the terminal write" | "after the terminal write" => 1_300,
        _ => 0,
    };
    stage.pass_ms(lives_for_ms);
    assert!(method.is_empty() || director.made(method) >= 1, "it died {point} and never came there");
    stage.environment.drop_tasks();
    stage
}

fn count(stage: &Stage, wanted: &str) -> usize {
    stage.events("p").iter().filter(|event| *event == wanted).count()
}

#[test]
fn a_rerunnable_process_is_finished_by_another_from_every_crash_point() {
    for (point, method, fault) in POINTS {
        let stage = dies(point, method, fault, RecoveryDisposition::Rerunnable);
        if point == "before the release" {
            assert!(stage.lease("p").is_some());
        }
        stage.sleep_through_ms(TTL_MS);
        let (second, _) = stage.worker("second");
        stage.sweep(&second);
        stage.pass_ms(2_000);
        assert_eq!(count(&stage, "process.completed"), 1, "died {point}");
        let was_written = point == "after the terminal write";
        let was_held = !matches!(point, "after the list");
        let fence = if was_written || !was_held { 1 } else { 2 };
        assert_eq!(stage.output("p"), success(json!({"by fence": fence})), "died {point}");
    }
}

#[test]
fn an_owner_bound_body_never_begins_twice_whatever_the_crash_point() {
    for (point, method, fault) in POINTS {
        let stage = dies(point, method, fault, RecoveryDisposition::OwnerBound);
        let starter = stage.record("p").first_started.map(|started| started.owner);
        stage.sleep_through_ms(TTL_MS);
        let (second, _) = stage.worker("second");
        stage.sweep(&second);
        stage.pass_ms(2_000);
        assert!(stage.bodies_begun("p") <= 1, "died {point}");
        assert!(count(&stage, "process.started") <= 1, "died {point}");
        match (&starter, point) {
            (None, _) => assert!(stage.record("p").is_terminal(), "died {point}: nobody had started it"),
            (Some(_), "after the terminal write") => assert!(stage.record("p").is_terminal()),
            (Some(starter), _) => {
                assert!(!stage.record("p").is_terminal(), "died {point}: time alone ends nothing");
                stage.environment.declare_dead(starter);
                stage.sweep(&second);
                let ended = stage.record("p");
                assert_eq!(ended.status.name(), "abandoned", "died {point}");
            }
        }
        assert_eq!(stage.lease("p"), None);
    }
}
