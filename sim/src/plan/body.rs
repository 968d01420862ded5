//! The body of a process: the work that a plan gives it.

use std::fmt;

use crate::plan::digits::unsigned;
use crate::plan::names::Process;
use crate::plan::words::{Ms, parse_ms};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Body {
    /// An effect, then a rest, so many times.
    Steps {
        count: u16,
        rest_ms: u64,
    },
    /// An event, then a rest, so many times.
    Emits {
        count: u16,
        rest_ms: u64,
    },
    /// Waits for a signal, then has one effect.
    Waits,
    /// Waits for another process to end.
    Awaits {
        child: Process,
    },
    UntilCancelled,
    Panics,
    /// The infrastructure fails in the first attempt at the process; the next one has four steps of 300 ms.
    Breaks,
}

impl Body {
    /// Without waiting for others.
    pub fn longest_ms(&self) -> u64 {
        match self {
            Self::Steps { count, rest_ms } | Self::Emits { count, rest_ms } => {
                u64::from(*count).saturating_mul(*rest_ms)
            }
            Self::Breaks => 1_200,
            Self::Waits | Self::Awaits { .. } | Self::UntilCancelled | Self::Panics => 0,
        }
    }

    pub fn parse(words: &[&str]) -> Result<Self, String> {
        let count =
            |digits: &str| unsigned(digits).ok_or_else(|| format!("`{digits}` is no number of steps"));
        Ok(match words {
            [number, "steps", "of", rest] => Self::Steps { count: count(number)?, rest_ms: parse_ms(rest)? },
            [number, "emits", "of", rest] => Self::Emits { count: count(number)?, rest_ms: parse_ms(rest)? },
            ["waits"] => Self::Waits,
            ["awaits", child] => Self::Awaits { child: child.parse()? },
            ["until", "cancelled"] => Self::UntilCancelled,
            ["panics"] => Self::Panics,
            ["breaks"] => Self::Breaks,
            _ => {
                return Err(format!(
                    "`{}` is no body: say `5 steps of 200ms`, `3 emits of 100ms`, `waits`, `awaits p2`, `until cancelled`, \
                     `panics` or `breaks`",
                    words.join(" ")
                ));
            }
        })
    }

    /// How far it is from plain steps, for the shrinker.
    pub fn unusual(&self) -> usize {
        match self {
            Self::Steps { .. } => 0,
            Self::Emits { .. } | Self::Panics => 1,
            Self::Waits | Self::UntilCancelled => 2,
            Self::Awaits { .. } | Self::Breaks => 3,
        }
    }

    /// Simpler bodies for the shrinker to try, from the plainest on.
    pub fn plainer(&self, ttl_ms: u64) -> Vec<Self> {
        let steps = |count, rest_ms| Self::Steps { count, rest_ms };
        let mut bodies = vec![steps(1, 0), steps(1, 10), steps(1, 1_000), steps(1, 2 * ttl_ms)];
        match *self {
            Self::Steps { count, rest_ms } => {
                let whole_ms = u64::from(count).saturating_mul(rest_ms);
                bodies.push(steps(1, whole_ms.next_multiple_of(1_000)));
                bodies.extend(fewer(count).map(|fewer| steps(fewer, rest_ms)));
                bodies.push(steps(count, rest_ms));
            }
            Self::Emits { count, rest_ms } => {
                let whole_ms = u64::from(count).saturating_mul(rest_ms);
                bodies.push(steps(1, whole_ms.next_multiple_of(1_000)));
                for fewer in fewer(count) {
                    bodies.extend([steps(fewer, rest_ms), Self::Emits { count: fewer, rest_ms }]);
                }
                bodies.extend([steps(count, rest_ms), Self::Emits { count: 1, rest_ms: whole_ms }]);
            }
            Self::Breaks => bodies.push(steps(4, 300)),
            Self::Awaits { .. } => bodies.push(Self::UntilCancelled),
            Self::Waits | Self::UntilCancelled | Self::Panics => {}
        }
        bodies
    }
}

fn fewer(count: u16) -> [u16; 3] {
    [1, count / 2, count.saturating_sub(1)].map(|fewer| fewer.max(1))
}

impl fmt::Display for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Steps { count, rest_ms } => write!(f, "{count} steps of {}", Ms(*rest_ms)),
            Self::Emits { count, rest_ms } => write!(f, "{count} emits of {}", Ms(*rest_ms)),
            Self::Waits => f.write_str("waits"),
            Self::Awaits { child } => write!(f, "awaits {child}"),
            Self::UntilCancelled => f.write_str("until cancelled"),
            Self::Panics => f.write_str("panics"),
            Self::Breaks => f.write_str("breaks"),
        }
    }
}
