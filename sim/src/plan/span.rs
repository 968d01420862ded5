//! How long a fault lasts: for a time, or until a lease expires.

use std::fmt;

use crate::plan::names::Process;
use crate::plan::words::{Ms, SignedMs, parse_ms, parse_signed_ms};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Span {
    Ms(u64),
    /// Until the registry's clock stands at the expiry of the process's stored lease plus this; at once if it has none.
    UntilExpiry {
        process: Process,
        offset_ms: i64,
    },
}

impl Span {
    pub fn parse(words: &[&str]) -> Result<Self, String> {
        match words {
            ["for", ms] => Ok(Self::Ms(parse_ms(ms)?)),
            ["until", process, "expires", offset] => {
                Ok(Self::UntilExpiry { process: process.parse()?, offset_ms: parse_signed_ms(offset)? })
            }
            _ => Err(format!("`{}` is no span: say `for 2s` or `until p1 expires +1ms`", words.join(" "))),
        }
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ms(ms) => write!(f, "for {}", Ms(*ms)),
            Self::UntilExpiry { process, offset_ms } => {
                write!(f, "until {process} expires {}", SignedMs(*offset_ms))
            }
        }
    }
}
