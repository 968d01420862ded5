//! Planted bugs: the true system with one value replaced, a few lines each. They prove that the alarm rings; the system
//! itself knows nothing of them. Beside them the controls, which must survive or die at once.

mod controls;
mod registry;
mod store;
mod waiting;
mod worker;

use crate::subject::Subject;

/// What must come of a planted value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// Its law catches it.
    Killed,
    /// It is no bug: whatever objects is wrong.
    Survives,
    /// Nobody can miss it: the first seeds must catch it.
    DiesAtOnce,
}

/// One planted bug, or control.
pub struct Sabotage {
    pub name: &'static str,
    /// The real bug it stands for.
    pub stands_for: &'static str,
    /// The law that must catch it.
    pub law: &'static str,
    subject: fn(Subject) -> Subject,
}

impl Sabotage {
    pub fn subject(&self) -> Subject {
        Subject { name: self.name, ..(self.subject)(Subject::fencepost()) }
    }
}

/// What the table itself is checked with: values that must survive, and one that must die at once.
pub fn controls() -> &'static [(Sabotage, Fate)] {
    controls::ALL
}

/// Every planted bug.
pub fn all() -> impl Iterator<Item = &'static Sabotage> {
    registry::ALL.iter().chain(store::ALL).chain(worker::ALL).chain(waiting::ALL)
}

pub fn by_name(name: &str) -> Option<&'static Sabotage> {
    let controls = controls::ALL.iter().map(|(control, _)| control);
    all().chain(controls).find(|sabotage| sabotage.name == name)
}
