//! `stale-call p1 complete`: somebody who once held a process calls the registry under a grant that is no longer stored, aims
//! a call at the expiry of the stored lease, forges a lease, or asks again for less than it has.

use std::fmt;

use crate::plan::draw::{Drawing, Drawn, Generated};
use crate::plan::method::Method;
use crate::plan::names::Process;
use crate::plan::simulation::{Forgery, Simulation, StaleCallKind};
use crate::plan::step_kind::{Group, Part, StepKind};
use crate::plan::words::{Ms, SignedMs, parse_ms, parse_signed_ms};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StaleCall {
    pub process: Process,
    pub kind: StaleCallKind,
}

impl StaleCall {
    pub fn draw(drawing: &mut Drawing, process: Process) -> Self {
        use Method::{Claim, Complete, Emit, Release, Renew, Start, Wait};
        let methods = [Complete, Complete, Emit, Release, Release, Renew, Start, Wait];
        let kind = match drawing.dice.below(28) {
            0..=3 => StaleCallKind::AtExpiry { method: Claim, offset_ms: drawing.aim_ms() },
            4..=7 => StaleCallKind::AtExpiry { method: Renew, offset_ms: drawing.aim_ms() },
            8..=9 => StaleCallKind::Returns,
            10..=15 => {
                let other = drawing.process();
                let is_crossed = other != process && drawing.dice.percent(50);
                let forgery = if is_crossed { Forgery::LeaseOf(other) } else { Forgery::OtherToken };
                StaleCallKind::Forged { method: *drawing.dice.one_of(&methods), forgery }
            }
            16..=17 => {
                let asked_ms = drawing.dice.between(1, drawing.ttl_ms / 2);
                StaleCallKind::Again { method: *drawing.dice.one_of(&[Claim, Renew]), asked_ms }
            }
            _ => StaleCallKind::Late(*drawing.dice.one_of(&methods)),
        };
        Self { process, kind }
    }
}

impl fmt::Display for StaleCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "stale-call {} ", self.process)?;
        match self.kind {
            StaleCallKind::Late(method) => write!(f, "{method}"),
            StaleCallKind::AtExpiry { method, offset_ms } => {
                write!(f, "{method} at expiry {}", SignedMs(offset_ms))
            }
            StaleCallKind::Returns => f.write_str("returns"),
            StaleCallKind::Forged { method, forgery: Forgery::OtherToken } => {
                write!(f, "{method} with another token")
            }
            StaleCallKind::Forged { method, forgery: Forgery::LeaseOf(other) } => {
                write!(f, "{method} with the lease of {other}")
            }
            StaleCallKind::Again { method, asked_ms } => write!(f, "{method} again for {}", Ms(asked_ms)),
        }
    }
}

fn parse_kind(process: Process, words: &[&str]) -> Result<StaleCallKind, String> {
    Ok(match words {
        ["returns"] => StaleCallKind::Returns,
        [method, "at", "expiry", offset] => {
            let method = renew_or_claim(method, "aimed at an expiry")?;
            StaleCallKind::AtExpiry { method, offset_ms: parse_signed_ms(offset)? }
        }
        [method, "again", "for", asked] => {
            let method = renew_or_claim(method, "repeated")?;
            StaleCallKind::Again { method, asked_ms: parse_ms(asked)? }
        }
        [method, "with", "another", "token"] => {
            StaleCallKind::Forged { method: under_a_grant(method)?, forgery: Forgery::OtherToken }
        }
        [method, "with", "the", "lease", "of", other] => {
            let other: Process = other.parse()?;
            if other == process {
                return Err(format!(
                    "the lease of {process} is not forged for {process}; name another process"
                ));
            }
            StaleCallKind::Forged { method: under_a_grant(method)?, forgery: Forgery::LeaseOf(other) }
        }
        [method] => StaleCallKind::Late(under_a_grant(method)?),
        _ => return Err(format!("`{}` is no stale call: say complete, or returns", words.join(" "))),
    })
}

fn renew_or_claim(method: &str, how: &str) -> Result<Method, String> {
    match method.parse()? {
        method @ (Method::Renew | Method::Claim) => Ok(method),
        method => Err(format!("a stale {method} cannot be {how}: only renew and claim can")),
    }
}

fn under_a_grant(method: &str) -> Result<Method, String> {
    match method.parse()? {
        Method::Claim => {
            Err("a claim is made under no grant, so none is late: say `claim at expiry +0ms`".into())
        }
        method => Ok(method),
    }
}

impl Drawn for StaleCall {
    /// Beside whatever kinds of fault are on in a seed.
    fn generated() -> Generated {
        Generated::WithOthers
    }
}

impl StepKind for StaleCall {
    fn examples() -> &'static [&'static str] {
        &[
            "11ms stale-call p1 complete",
            "11ms stale-call p1 wait",
            "11ms stale-call p1 renew at expiry -1ms",
            "11ms stale-call p1 returns",
            "11ms stale-call p1 complete with another token",
            "11ms stale-call p1 release with the lease of p2",
            "11ms stale-call p1 claim again for 100ms",
        ]
    }

    fn parse(words: &[&str]) -> Result<Option<Self>, String> {
        let ["stale-call", process, kind @ ..] = words else { return Ok(None) };
        let process = process.parse()?;
        Ok(Some(Self { process, kind: parse_kind(process, kind)? }))
    }

    fn group(&self) -> Group {
        Group::Call
    }

    fn parts(&mut self) -> Vec<Part<'_>> {
        let mut parts = vec![Part::Process(&mut self.process)];
        match &mut self.kind {
            StaleCallKind::AtExpiry { offset_ms, .. } => parts.push(Part::SignedMs(offset_ms)),
            StaleCallKind::Forged { forgery: Forgery::LeaseOf(other), .. } => {
                parts.push(Part::OtherProcess(other));
            }
            StaleCallKind::Again { asked_ms, .. } => parts.push(Part::Ms(asked_ms)),
            StaleCallKind::Late(_)
            | StaleCallKind::Returns
            | StaleCallKind::Forged { forgery: Forgery::OtherToken, .. } => {}
        }
        parts
    }

    fn carry_out(&self, _number: usize, world: &mut dyn Simulation) {
        world.send_stale_call(self.process, self.kind);
    }

    fn unusual(&self) -> usize {
        match self.kind {
            StaleCallKind::AtExpiry { .. } | StaleCallKind::Forged { .. } | StaleCallKind::Again { .. } => 1,
            StaleCallKind::Late(_) | StaleCallKind::Returns => 0,
        }
    }
}
