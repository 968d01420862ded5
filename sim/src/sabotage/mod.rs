//! Planted bugs: the true system with one value replaced, a few lines each. They prove that the alarm rings; the system
//! itself knows nothing of them. Beside them the controls, which must survive or die at once.

mod registry;
mod store;
mod worker;

use crate::subject::Subject;

/// One planted bug.
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

/// Every planted bug.
pub fn all() -> impl Iterator<Item = &'static Sabotage> {
    registry::ALL.iter().chain(store::ALL).chain(worker::ALL)
}

pub fn by_name(name: &str) -> Option<&'static Sabotage> {
    all().find(|sabotage| sabotage.name == name)
}
