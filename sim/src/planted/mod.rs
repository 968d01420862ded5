//! Planted bugs: the true system with one wrong decision in it, a few lines each. They prove that the alarm rings; the system
//! itself knows nothing of them. Beside them the controls, which must survive, stay unseen or die at once.

mod controls;
mod registry;
mod store;
mod surroundings;
mod waiting;
mod worker;
mod wrapped_core;
mod wrong_rules;

use std::fmt;

use serde::{Serialize, Serializer};

use crate::subject::Subject;

/// What must come of a planted value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExpectedEnd {
    /// Its law catches it.
    Killed,
    /// It is no bug: whatever objects is wrong.
    Survives,
    /// It is the true system: no run may differ.
    IsInert,
    /// Nobody can miss it: the first seeds must catch it.
    DiesAtOnce,
}

impl fmt::Display for ExpectedEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Killed => "is killed",
            Self::Survives => "survives",
            Self::IsInert => "is inert",
            Self::DiesAtOnce => "dies at once",
        })
    }
}

impl Serialize for ExpectedEnd {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// One planted bug, or control.
pub struct PlantedBug {
    pub name: &'static str,
    /// The real bug it stands for.
    pub stands_for: &'static str,
    /// The law that must catch it, by name. Its card claims the bug.
    pub law: &'static str,
    /// Plants it in the true system.
    pub subject: fn(Subject) -> Subject,
}

impl PlantedBug {
    pub fn subject(&self) -> Subject {
        Subject { name: self.name, ..(self.subject)(Subject::fencepost()) }
    }
}

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
