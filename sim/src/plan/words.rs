//! Words that several kinds of step read and write: times, changes of time, shares, workers.

use std::fmt;

use crate::plan::digits::unsigned;
use crate::plan::names::Node;

/// Milliseconds, written in seconds where that is shorter.
pub struct Ms(pub u64);

impl fmt::Display for Ms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, part) = (self.0 / 1_000, self.0 % 1_000);
        match (whole, part) {
            (0, _) => write!(f, "{part}ms"),
            (_, 0) => write!(f, "{whole}s"),
            _ => write!(f, "{whole}.{}s", format!("{part:03}").trim_end_matches('0')),
        }
    }
}

pub fn parse_ms(text: &str) -> Result<u64, String> {
    let wrong = || format!("`{text}` is no time: say 350ms or 1.2s");
    if let Some(digits) = text.strip_suffix("ms") {
        return unsigned(digits).ok_or_else(wrong);
    }
    let seconds = text.strip_suffix('s').ok_or_else(wrong)?;
    let (whole, part) = seconds.split_once('.').unwrap_or((seconds, "0"));
    if part.is_empty() || part.len() > 3 || !part.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(wrong());
    }
    let whole: u64 = unsigned(whole).ok_or_else(wrong)?;
    let part: u64 = format!("{part:0<3}").parse().map_err(|_| wrong())?;
    whole.checked_mul(1_000).and_then(|ms| ms.checked_add(part)).ok_or_else(wrong)
}

/// A change of time, with its sign.
pub struct SignedMs(pub i64);

impl fmt::Display for SignedMs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", if self.0 < 0 { '-' } else { '+' }, Ms(self.0.unsigned_abs()))
    }
}

pub fn parse_signed_ms(text: &str) -> Result<i64, String> {
    let wrong = || format!("`{text}` is no change of time: say +350ms or -1.2s");
    let (sign, size) = match text.split_at_checked(1) {
        Some(("+", size)) => (1, size),
        Some(("-", size)) => (-1, size),
        _ => return Err(wrong()),
    };
    let size = i64::try_from(parse_ms(size).map_err(|_| wrong())?).map_err(|_| wrong())?;
    Ok(sign * size)
}

pub fn parse_percent(text: &str) -> Result<u64, String> {
    let number = text.strip_suffix('%').and_then(unsigned);
    number.filter(|number| *number <= 100).ok_or_else(|| format!("`{text}` is no share: say 30%"))
}

/// The number of a message on its link; the first is 1.
pub fn parse_message(text: &str) -> Result<u64, String> {
    let number = unsigned(text).filter(|number| *number > 0);
    number.ok_or_else(|| format!("`{text}` is no number of a message: the first on a link is 1"))
}

pub fn parse_worker(text: &str) -> Result<Node, String> {
    match text.parse()? {
        worker @ Node::Worker(_) => Ok(worker),
        other @ (Node::Registry | Node::Host(_) | Node::Ledger) => Err(format!("{other} is no worker")),
    }
}
