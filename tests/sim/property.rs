//! Plans drawn by proptest: the true system keeps every law over them, and a broken one fails with a small plan.

use fencepost_sim::check::property::{config, holds, plans};
use fencepost_sim::plan::Store;
use fencepost_sim::planted;
use fencepost_sim::subject::Subject;
use proptest::test_runner::TestRunner;

proptest::proptest! {
    #![proptest_config(config(100))]

    #[test]
    fn the_true_system_keeps_every_law(plan in plans(Store::Memory)) {
        holds(&plan, &Subject::fencepost())?;
    }
}

#[test]
fn a_broken_subject_fails_with_a_small_plan_and_how_to_replay_it() {
    let subject = planted::by_name("renew-the-expired").unwrap().subject();
    let failed = TestRunner::new(config(500)).run(&plans(Store::Memory), |plan| holds(&plan, &subject));
    let said = failed.expect_err("it breaks laws").to_string();
    assert!(said.contains("`renew-the-expired` breaks it: process p") && said.contains(" replay "), "{said}");
    let steps = said.lines().skip_while(|line| !line.starts_with("the plan's steps")).skip(1);
    let steps = steps.take_while(|line| !line.starts_with("clock faults")).count();
    assert!((1..=8).contains(&steps), "{said}");
}
