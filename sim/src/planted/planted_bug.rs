//! One planted bug or control: its name, the law that must catch it, and how it is planted in the true system.

use std::fmt;

use serde::{Serialize, Serializer};

use crate::subject::Subject;

/// The expected end of a planted bug or control.
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
