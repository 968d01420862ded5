//! The five ways a search can end, each with its exit code. The other commands end in one of the same five ways.

use std::fmt;

use serde::{Serialize, Serializer};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Conclusion {
    /// No law is broken.
    Holds,
    /// A law is broken.
    Broken,
    /// No law is broken, and too little was seen to say that none is.
    Inconclusive,
    /// Two runs of one plan differ.
    NotDeterministic,
    /// The harness itself failed.
    Failed,
}

impl Conclusion {
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Holds => 0,
            Self::Broken => 1,
            Self::Inconclusive => 2,
            Self::NotDeterministic => 3,
            Self::Failed => 4,
        }
    }

    /// The word for it in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Holds => "holds",
            Self::Broken => "broken",
            Self::Inconclusive => "inconclusive",
            Self::NotDeterministic => "not deterministic",
            Self::Failed => "failed",
        }
    }
}

impl fmt::Display for Conclusion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Serialize for Conclusion {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}
