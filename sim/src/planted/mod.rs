//! Planted bugs: the true system with one wrong decision in it, a few lines each. They prove that the alarm rings; the system
//! itself knows nothing of them. Beside them the controls, which must survive, stay unseen or die at once.

mod controls;
mod planted_bug;
mod registry;
mod store;
mod surroundings;
mod waiting;
mod worker;
mod wrapped_core;
mod wrong_rules;

pub use planted_bug::{ExpectedEnd, PlantedBug};

/// What the table itself is checked with: values that must survive, one that must not
/// even be seen, and one that must die at once.
pub fn controls() -> &'static [(PlantedBug, ExpectedEnd)] {
    controls::ALL
}

/// Every planted bug.
pub fn all() -> impl Iterator<Item = &'static PlantedBug> {
    registry::ALL.iter().chain(store::ALL).chain(worker::ALL).chain(waiting::ALL)
}

pub fn by_name(name: &str) -> Option<&'static PlantedBug> {
    let controls = controls::ALL.iter().map(|(control, _)| control);
    all().chain(controls).find(|sabotage| sabotage.name == name)
}
