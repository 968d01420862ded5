//! How a step reads and parses: `350ms pause worker-1 for 400ms`. The grammar is the two functions at the end, `Display`
//! of `Action` and `parse_action`; everything else serves them.

use std::fmt;
use std::str::FromStr;

use fencepost::model::process::RecoveryDisposition;

use crate::plan::step::{
    Action, Body, Crash, DiskFault, Haunt, Link, Method, Scope, Span, Step, StoreFailure,
};
use crate::plan::{Node, Process};

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", Ms(self.at_ms), self.action)
    }
}

impl FromStr for Step {
    type Err = String;

    fn from_str(line: &str) -> Result<Self, String> {
        let words: Vec<&str> = line.split_whitespace().collect();
        let (at, action) = words.split_first().ok_or("an empty line is no step")?;
        let at_ms = parse_ms(at).map_err(|why| format!("`{line}` is no step: {why}"))?;
        let action = parse_action(action).map_err(|why| format!("`{line}` is no step: {why}"))?;
        Ok(Self { at_ms, action })
    }
}

/// Milliseconds, in seconds where that is shorter.
struct Ms(u64);

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

fn parse_ms(text: &str) -> Result<u64, String> {
    let wrong = || format!("`{text}` is no time: say 350ms or 1.2s");
    if let Some(digits) = text.strip_suffix("ms") {
        return digits.parse().map_err(|_| wrong());
    }
    let seconds = text.strip_suffix('s').ok_or_else(wrong)?;
    let (whole, part) = seconds.split_once('.').unwrap_or((seconds, "0"));
    if part.is_empty() || part.len() > 3 || !part.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(wrong());
    }
    let whole: u64 = whole.parse().map_err(|_| wrong())?;
    let part: u64 = format!("{part:0<3}").parse().map_err(|_| wrong())?;
    whole.checked_mul(1_000).and_then(|ms| ms.checked_add(part)).ok_or_else(wrong)
}

fn parse_signed_ms(text: &str) -> Result<i64, String> {
    let wrong = || format!("`{text}` is no change of time: say +350ms or -1.2s");
    let (sign, size) = match text.split_at_checked(1) {
        Some(("+", size)) => (1, size),
        Some(("-", size)) => (-1, size),
        _ => return Err(wrong()),
    };
    let size = i64::try_from(parse_ms(size).map_err(|_| wrong())?).map_err(|_| wrong())?;
    Ok(sign * size)
}

fn signed(ms: i64) -> String {
    format!("{}{}", if ms < 0 { '-' } else { '+' }, Ms(ms.unsigned_abs()))
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ms(ms) => write!(f, "for {}", Ms(*ms)),
            Self::UntilExpiry { process, offset_ms } => {
                write!(f, "until {process} expires {}", signed(*offset_ms))
            }
        }
    }
}

fn parse_span(words: &[&str]) -> Result<Span, String> {
    match words {
        ["for", ms] => Ok(Span::Ms(parse_ms(ms)?)),
        ["until", process, "expires", offset] => {
            Ok(Span::UntilExpiry { process: process.parse()?, offset_ms: parse_signed_ms(offset)? })
        }
        _ => Err(format!("`{}` is no span: say `for 2s` or `until p1 expires +1ms`", words.join(" "))),
    }
}

impl fmt::Display for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}>{}", self.from, self.to)
    }
}

impl FromStr for Link {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is no link: one end is the registry, as in worker-1>registry");
        let (from, to) = text.split_once('>').ok_or_else(wrong)?;
        let link = Self { from: from.parse()?, to: to.parse()? };
        let ends = [link.from, link.to].iter().filter(|node| **node == Node::Registry).count();
        if ends == 1 { Ok(link) } else { Err(wrong()) }
    }
}

const METHODS: [(Method, &str); 7] = [
    (Method::Claim, "claim"),
    (Method::Renew, "renew"),
    (Method::Start, "start"),
    (Method::Emit, "emit"),
    (Method::Wait, "wait"),
    (Method::Complete, "complete"),
    (Method::Release, "release"),
];

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(METHODS[*self as usize].1)
    }
}

impl FromStr for Method {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = METHODS.iter().find(|(_, name)| *name == text).map(|(method, _)| *method);
        let names: Vec<&str> = METHODS.iter().map(|(_, name)| *name).collect();
        found.ok_or_else(|| format!("`{text}` cannot be held: say one of {}", names.join(", ")))
    }
}

const DISPOSITIONS: [(RecoveryDisposition, &str); 3] = [
    (RecoveryDisposition::Rerunnable, "rerunnable"),
    (RecoveryDisposition::OwnerBound, "owner-bound"),
    (RecoveryDisposition::ExternallyOwned, "externally-owned"),
];

pub fn disposition_name(disposition: RecoveryDisposition) -> &'static str {
    DISPOSITIONS.iter().find(|(known, _)| *known == disposition).map_or("unknown", |(_, name)| name)
}

fn parse_disposition(text: &str) -> Result<RecoveryDisposition, String> {
    let found = DISPOSITIONS.iter().find(|(_, name)| *name == text).map(|(disposition, _)| *disposition);
    found
        .ok_or_else(|| format!("`{text}` is no disposition: say rerunnable, owner-bound or externally-owned"))
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

fn parse_body(words: &[&str]) -> Result<Body, String> {
    let count = |digits: &str| digits.parse().map_err(|_| format!("`{digits}` is no number of steps"));
    Ok(match words {
        [number, "steps", "of", rest] => Body::Steps { count: count(number)?, rest_ms: parse_ms(rest)? },
        [number, "emits", "of", rest] => Body::Emits { count: count(number)?, rest_ms: parse_ms(rest)? },
        ["waits"] => Body::Waits,
        ["awaits", child] => Body::Awaits { child: child.parse()? },
        ["until", "cancelled"] => Body::UntilCancelled,
        ["panics"] => Body::Panics,
        ["breaks"] => Body::Breaks,
        _ => {
            return Err(format!(
                "`{}` is no body: say `5 steps of 200ms`, `3 emits of 100ms`, `waits`, `awaits p2`, `until cancelled`, \
                 `panics` or `breaks`",
                words.join(" ")
            ));
        }
    })
}

impl fmt::Display for StoreFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Before => "fails",
            Self::UnknownBefore => "loses",
            Self::UnknownAfter => "forgets to answer",
            Self::Reads => "fails to read",
        })
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "s{}", self.0)
    }
}

impl FromStr for Scope {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = text.strip_prefix('s').and_then(|digits| digits.parse().ok());
        number.map(Self).ok_or_else(|| format!("`{text}` is no scope: say s1"))
    }
}

const DISK_FAULTS: [(DiskFault, &str); 6] = [
    (DiskFault::FailsToRead, "fails to read"),
    (DiskFault::FailsToWrite, "fails to write"),
    (DiskFault::FailsToSync, "fails to sync"),
    (DiskFault::Shaky, "shaky"),
    (DiskFault::Full, "full"),
    (DiskFault::LiesAboutSyncs, "lies about syncs"),
];

impl fmt::Display for DiskFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(DISK_FAULTS[*self as usize].1)
    }
}

/// The fault, and the words after it.
fn parse_disk_fault<'a>(words: &'a [&'a str]) -> Result<(DiskFault, &'a [&'a str]), String> {
    let said = words.join(" ");
    let found = DISK_FAULTS.iter().find(|(_, name)| said.starts_with(name));
    let (fault, name) = found.ok_or_else(|| {
        let names: Vec<&str> = DISK_FAULTS.iter().map(|(_, name)| *name).collect();
        format!("`disk {said}` is no fault of a disk: say one of {}", names.join(", "))
    })?;
    Ok((*fault, &words[name.split(' ').count()..]))
}

impl fmt::Display for Haunt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Late(method) => write!(f, "{method}"),
            Self::AtExpiry { method, offset_ms } => write!(f, "{method} at expiry {}", signed(*offset_ms)),
            Self::Returns => f.write_str("returns"),
        }
    }
}

fn parse_haunt(words: &[&str]) -> Result<Haunt, String> {
    Ok(match words {
        ["returns"] => Haunt::Returns,
        [method, "at", "expiry", offset] => {
            let method = method.parse()?;
            if !matches!(method, Method::Renew | Method::Claim) {
                return Err(format!("a ghost cannot {method} at an expiry: only renew and claim"));
            }
            Haunt::AtExpiry { method, offset_ms: parse_signed_ms(offset)? }
        }
        [method] => match method.parse()? {
            Method::Claim => return Err("a ghost's claim is no late call: say `claim at expiry +0ms`".into()),
            method => Haunt::Late(method),
        },
        _ => return Err(format!("`{}` is nothing that a ghost does", words.join(" "))),
    })
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Register { process, disposition, body } => {
                write!(f, "register {process} {} {body}", disposition_name(*disposition))
            }
            Self::Cancel { process } => write!(f, "cancel {process}"),
            Self::Signal { process } => write!(f, "signal {process}"),
            Self::Abandon { process } => write!(f, "abandon {process}"),
            Self::Await { process } => write!(f, "await {process}"),
            Self::AwaitAtHome { process } => write!(f, "await {process} at home"),
            Self::Prune => write!(f, "prune"),
            Self::GrantHandle { process, to } => write!(f, "grant {process} to {to}"),
            Self::TransferHandles { processes, from, to } => {
                let names: Vec<String> = processes.iter().map(Process::to_string).collect();
                write!(f, "transfer {} from {from} to {to}", names.join(" "))
            }
            Self::Wakes { process } => write!(f, "wakes {process}"),
            Self::Ghost { process, haunt } => write!(f, "ghost {process} {haunt}"),
            Self::Sweep { worker } => write!(f, "sweep {worker}"),
            Self::Drain { worker } => write!(f, "drain {worker}"),
            Self::Pause { node, span } => write!(f, "pause {node} {span}"),
            Self::Crash { node, span, renamed: false } => write!(f, "crash {node} {span}"),
            Self::Crash { node, span, renamed: true } => write!(f, "crash {node} renamed {span}"),
            Self::CrashRegistry { of, at_disk_call, span } => {
                f.write_str(match of {
                    Crash::Process => "crash registry",
                    Crash::Machine => "power-off registry",
                })?;
                if let Some(call) = at_disk_call {
                    write!(f, " at disk call {call}")?;
                }
                write!(f, " {span}")
            }
            Self::Disk { how, span } => write!(f, "disk {how} {span}"),
            Self::LateStart { node, by_ms, span } => {
                write!(f, "start-late {node} by {} {span}", Ms(*by_ms))
            }
            Self::Cut { link, span } => write!(f, "cut {link} {span}"),
            Self::Lose { link, percent, span } => write!(f, "lose {percent}% {link} {span}"),
            Self::Repeat { link, percent, span } => write!(f, "repeat {percent}% {link} {span}"),
            Self::Delay { link, by_ms, span } => write!(f, "delay {link} by {} {span}", Ms(*by_ms)),
            Self::Hold { process, method, offset_ms, asleep } => {
                let asleep = if *asleep { " asleep" } else { "" };
                write!(f, "hold {method} {process} until expiry {}{asleep}", signed(*offset_ms))
            }
            Self::StepClock { node, by_ms } => write!(f, "step {node} by {}", signed(*by_ms)),
            Self::Drift { node, ppm } => write!(f, "drift {node} {ppm:+}ppm"),
            Self::SlowStore { by_ms, span } => write!(f, "store slow by {} {span}", Ms(*by_ms)),
            Self::FailStore { how, span } => write!(f, "store {how} {span}"),
            Self::Lie { about, to_workers_only: false, span } => write!(f, "probe lies about {about} {span}"),
            Self::Lie { about, to_workers_only: true, span } => {
                write!(f, "probe lies to workers about {about} {span}")
            }
        }
    }
}

fn parse_action(words: &[&str]) -> Result<Action, String> {
    let percent = |text: &str| {
        let number = text.strip_suffix('%').and_then(|digits| digits.parse().ok());
        number.filter(|number| *number <= 100).ok_or_else(|| format!("`{text}` is no share: say 30%"))
    };
    let disk_call = |text: &str| text.parse().map_err(|_| format!("`{text}` is no number of a disk call"));
    let worker = |text: &str| match text.parse()? {
        worker @ Node::Worker(_) => Ok(worker),
        other => Err(format!("{other} is no worker")),
    };
    Ok(match words {
        ["register", process, disposition, body @ ..] => Action::Register {
            process: process.parse()?,
            disposition: parse_disposition(disposition)?,
            body: parse_body(body)?,
        },
        ["cancel", process] => Action::Cancel { process: process.parse()? },
        ["signal", process] => Action::Signal { process: process.parse()? },
        ["abandon", process] => Action::Abandon { process: process.parse()? },
        ["await", process, "at", "home"] => Action::AwaitAtHome { process: process.parse()? },
        ["await", process] => Action::Await { process: process.parse()? },
        ["prune"] => Action::Prune,
        ["grant", process, "to", scope] => {
            Action::GrantHandle { process: process.parse()?, to: scope.parse()? }
        }
        ["transfer", processes @ .., "from", from, "to", to] if !processes.is_empty() => {
            Action::TransferHandles {
                processes: processes.iter().map(|process| process.parse()).collect::<Result<_, _>>()?,
                from: from.parse()?,
                to: to.parse()?,
            }
        }
        ["wakes", process] => Action::Wakes { process: process.parse()? },
        ["ghost", process, haunt @ ..] => {
            Action::Ghost { process: process.parse()?, haunt: parse_haunt(haunt)? }
        }
        ["sweep", node] => Action::Sweep { worker: worker(node)? },
        ["drain", node] => Action::Drain { worker: worker(node)? },
        ["pause", node, span @ ..] => Action::Pause { node: node.parse()?, span: parse_span(span)? },
        ["crash", "registry", "at", "disk", "call", call, span @ ..] => Action::CrashRegistry {
            of: Crash::Process,
            at_disk_call: Some(disk_call(call)?),
            span: parse_span(span)?,
        },
        ["power-off", "registry", "at", "disk", "call", call, span @ ..] => Action::CrashRegistry {
            of: Crash::Machine,
            at_disk_call: Some(disk_call(call)?),
            span: parse_span(span)?,
        },
        ["power-off", "registry", span @ ..] => {
            Action::CrashRegistry { of: Crash::Machine, at_disk_call: None, span: parse_span(span)? }
        }
        ["disk", fault @ ..] => {
            let (how, span) = parse_disk_fault(fault)?;
            Action::Disk { how, span: parse_span(span)? }
        }
        ["crash", "registry", span @ ..] => {
            Action::CrashRegistry { of: Crash::Process, at_disk_call: None, span: parse_span(span)? }
        }
        ["crash", node, "renamed", span @ ..] => {
            Action::Crash { node: node.parse()?, span: parse_span(span)?, renamed: true }
        }
        ["crash", node, span @ ..] => {
            Action::Crash { node: node.parse()?, span: parse_span(span)?, renamed: false }
        }
        ["start-late", node, "by", by, span @ ..] => {
            Action::LateStart { node: node.parse()?, by_ms: parse_ms(by)?, span: parse_span(span)? }
        }
        ["cut", link, span @ ..] => Action::Cut { link: link.parse()?, span: parse_span(span)? },
        ["lose", share, link, span @ ..] => {
            Action::Lose { link: link.parse()?, percent: percent(share)?, span: parse_span(span)? }
        }
        ["repeat", share, link, span @ ..] => {
            Action::Repeat { link: link.parse()?, percent: percent(share)?, span: parse_span(span)? }
        }
        ["delay", link, "by", by, span @ ..] => {
            Action::Delay { link: link.parse()?, by_ms: parse_ms(by)?, span: parse_span(span)? }
        }
        ["hold", method, process, "until", "expiry", offset, asleep @ ..]
            if asleep.is_empty() || asleep == ["asleep"] =>
        {
            Action::Hold {
                process: process.parse()?,
                method: method.parse()?,
                offset_ms: parse_signed_ms(offset)?,
                asleep: !asleep.is_empty(),
            }
        }
        ["step", node, "by", by] => Action::StepClock { node: node.parse()?, by_ms: parse_signed_ms(by)? },
        ["drift", node, ppm] => {
            let number = ppm.strip_suffix("ppm").and_then(|digits| digits.parse().ok());
            let in_range = number.filter(|ppm: &i32| ppm.unsigned_abs() <= 100_000);
            let ppm =
                in_range.ok_or_else(|| format!("`{ppm}` is no drift: say +40ppm, at most 100000ppm"))?;
            Action::Drift { node: node.parse()?, ppm }
        }
        ["store", "slow", "by", by, span @ ..] => {
            Action::SlowStore { by_ms: parse_ms(by)?, span: parse_span(span)? }
        }
        ["store", "fails", "to", "read", span @ ..] => {
            Action::FailStore { how: StoreFailure::Reads, span: parse_span(span)? }
        }
        ["store", "fails", span @ ..] => {
            Action::FailStore { how: StoreFailure::Before, span: parse_span(span)? }
        }
        ["store", "loses", span @ ..] => {
            Action::FailStore { how: StoreFailure::UnknownBefore, span: parse_span(span)? }
        }
        ["store", "forgets", "to", "answer", span @ ..] => {
            Action::FailStore { how: StoreFailure::UnknownAfter, span: parse_span(span)? }
        }
        ["probe", "lies", "about", node, span @ ..] => {
            Action::Lie { about: worker(node)?, to_workers_only: false, span: parse_span(span)? }
        }
        ["probe", "lies", "to", "workers", "about", node, span @ ..] => {
            Action::Lie { about: worker(node)?, to_workers_only: true, span: parse_span(span)? }
        }
        _ => return Err(said_otherwise(words)),
    })
}

/// What there is instead of a step that nobody understands.
fn said_otherwise(words: &[&str]) -> String {
    let first = words.first().copied().unwrap_or_default();
    let begins = |line: &'static str| line.split_whitespace().nth(1).unwrap_or_default();
    let alike: Vec<String> =
        EXAMPLES.iter().filter(|line| begins(line) == first).map(|line| format!("`{line}`")).collect();
    if !alike.is_empty() {
        return format!("that is said like {}", alike.join(", "));
    }
    let mut known: Vec<&str> = Vec::new();
    for line in EXAMPLES {
        if !known.contains(&begins(line)) {
            known.push(begins(line));
        }
    }
    format!("nothing that can happen is called so: say one of {}", known.join(", "))
}

/// A line of every kind.
pub const EXAMPLES: &[&str] = &[
    "0ms register p1 rerunnable 5 steps of 200ms",
    "1ms register p2 owner-bound 3 emits of 50ms",
    "2ms register p3 externally-owned waits",
    "3ms register p4 rerunnable awaits p2",
    "4ms register p5 rerunnable until cancelled",
    "5ms register p6 rerunnable panics",
    "6ms register p7 rerunnable breaks",
    "7ms cancel p1",
    "8ms signal p1",
    "9ms abandon p1",
    "10ms await p1",
    "10ms await p1 at home",
    "11ms prune",
    "11ms grant p1 to s1",
    "11ms transfer p1 p2 from s1 to s2",
    "11ms wakes p1",
    "11ms ghost p1 complete",
    "11ms ghost p1 wait",
    "11ms ghost p1 renew at expiry -1ms",
    "11ms ghost p1 returns",
    "12ms sweep worker-2",
    "13ms drain worker-1",
    "350ms pause worker-1 for 400ms",
    "351ms pause worker-1 until p1 expires -1ms",
    "1.2s crash registry for 3s",
    "1.2s crash registry at disk call 7 for 3s",
    "1.2s power-off registry for 3s",
    "1.2s power-off registry at disk call 3 for 3s",
    "1.2s disk fails to sync for 3s",
    "1.2s disk shaky for 3s",
    "1.2s disk full for 3s",
    "1.2s disk lies about syncs for 3s",
    "1.25s crash worker-3 renamed for 3.005s",
    "2s start-late worker-1 by 40ms for 1s",
    "2s cut registry>worker-2 for 3s",
    "2s lose 30% worker-2>registry for 3s",
    "2s repeat 30% worker-2>registry for 3s",
    "2s delay host-1>registry by 1s for 3s",
    "2s hold renew p1 until expiry +0ms",
    "2s hold complete p1 until expiry +1ms asleep",
    "2s step registry by -1.5s",
    "2s step worker-1 by +10ms",
    "2s drift worker-1 -250ppm",
    "2s store slow by 100ms for 1s",
    "2s store fails for 1s",
    "2s store fails to read for 1s",
    "2s store loses for 1s",
    "2s store forgets to answer for 1s",
    "2s probe lies about worker-1 for 1s",
    "2s probe lies to workers about worker-1 for 1s",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_step_reads_back_as_it_was_written() {
        for line in EXAMPLES {
            let step: Step = line.parse().unwrap_or_else(|why| panic!("{why}"));
            assert_eq!(step.to_string(), *line);
        }
    }

    #[test]
    fn what_is_no_step_says_why() {
        let cases = [
            ("", "an empty line"),
            ("350 pause worker-1 for 1s", "`350` is no time"),
            ("1.2345s prune", "`1.2345s` is no time"),
            ("1s pause worker-100 for 1s", "`worker-100` is no node"),
            ("1s pause worker-1", "is no span"),
            ("1s cut worker-1>worker-2 for 1s", "one end is the registry"),
            ("1s lose 101% worker-1>registry for 1s", "`101%` is no share"),
            ("1s register q rerunnable panics", "`q` is no process"),
            ("1s register p1 eternal panics", "`eternal` is no disposition"),
            ("1s register p1 rerunnable dances", "`dances` is no body"),
            ("1s hold prune p1 until expiry +1ms", "`prune` cannot be held"),
            ("1s drain host-1", "host-1 is no worker"),
            ("1s ghost p1 complete at expiry +1ms", "only renew and claim"),
            ("1s ghost p1 claim", "is no late call"),
            ("1s disk melts for 1s", "is no fault of a disk"),
            ("1s transfer p1 from x to s2", "`x` is no scope"),
            ("1s crash registry at disk call x for 1s", "is no number of a disk call"),
            ("1s crash worker-1 renamed", "is no span"),
            ("1s explode", "nothing that can happen is called so: say one of register, cancel, signal, "),
            (
                "1s step registry",
                "that is said like `2s step registry by -1.5s`, `2s step worker-1 by +10ms`",
            ),
        ];
        for (line, why) in cases {
            let error = line.parse::<Step>().expect_err(line);
            assert!(error.contains(why), "{line}: {error}");
        }
    }
}
