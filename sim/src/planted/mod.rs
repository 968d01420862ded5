//! Planted bugs: the true system with one wrong decision in it, a few lines each. They prove that the alarm rings; the system
//! itself knows nothing of them. Beside them the controls, which must survive, stay unseen or die at once.

mod answer_bugs;
mod controls;
#[cfg(feature = "live")]
pub mod live;
mod planted_bug;
mod registry_bugs;
mod server_bugs;
mod store_bugs;
mod wait_bugs;
mod worker_bugs;
mod worker_wrappers;
mod wrapped_core;
mod wrong_answers;
mod wrong_rules;

pub use planted_bug::{ExpectedEnd, PlantedBug};

/// Subjects that check the table itself: some must survive, one must not even be reached, and one must be killed at once.
pub fn controls() -> &'static [(PlantedBug, ExpectedEnd)] {
    controls::ALL
}

/// Every planted bug.
pub fn all() -> impl Iterator<Item = &'static PlantedBug> {
    let of_registry = registry_bugs::ALL.iter().chain(store_bugs::ALL).chain(answer_bugs::ALL);
    let of_registry = of_registry.chain(server_bugs::ALL);
    of_registry.chain(worker_bugs::ALL).chain(wait_bugs::ALL)
}

pub fn by_name(name: &str) -> Option<&'static PlantedBug> {
    let controls = controls::ALL.iter().map(|(control, _)| control);
    all().chain(controls).find(|sabotage| sabotage.name == name)
}
