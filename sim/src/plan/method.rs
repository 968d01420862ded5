//! The calls to the registry that a plan can name: to hold them back, or to send them late.

use std::fmt;
use std::str::FromStr;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Method {
    Claim,
    Renew,
    Start,
    Emit,
    Wait,
    Complete,
    Release,
}

impl Method {
    const ALL: [Self; 7] =
        [Self::Claim, Self::Renew, Self::Start, Self::Emit, Self::Wait, Self::Complete, Self::Release];

    fn name(self) -> &'static str {
        match self {
            Self::Claim => "claim",
            Self::Renew => "renew",
            Self::Start => "start",
            Self::Emit => "emit",
            Self::Wait => "wait",
            Self::Complete => "complete",
            Self::Release => "release",
        }
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Method {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|method| method.name() == text);
        found.ok_or_else(|| {
            format!("unknown call `{text}`; expected one of: {}", Self::ALL.map(Self::name).join(", "))
        })
    }
}
