//! `stale-call p1 complete`: somebody who once held a process calls the registry under a grant that is no longer stored, or
//! aims a call at the expiry of the stored lease.

use std::fmt;

use crate::plan::draw::{Drawing, Drawn, Generated};
use crate::plan::method::Method;
use crate::plan::names::Process;
use crate::plan::simulation::{Simulation, StaleCallKind};
use crate::plan::step_kind::{Group, Part, StepKind};
use crate::plan::words::{SignedMs, parse_signed_ms};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StaleCall {
    pub process: Process,
    pub kind: StaleCallKind,
}

impl StaleCall {
    pub fn draw(drawing: &mut Drawing, process: Process) -> Self {
        use Method::{Claim, Complete, Emit, Release, Renew, Start, Wait};
        let kind = match drawing.dice.below(20) {
            0..=3 => StaleCallKind::AtExpiry { method: Claim, offset_ms: drawing.aim_ms() },
            4..=7 => StaleCallKind::AtExpiry { method: Renew, offset_ms: drawing.aim_ms() },
            8..=9 => StaleCallKind::Returns,
            _ => {
                let methods = [Complete, Complete, Emit, Release, Release, Renew, Start, Wait];
                StaleCallKind::Late(*drawing.dice.one_of(&methods))
            }
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
        }
    }
}

fn parse_kind(words: &[&str]) -> Result<StaleCallKind, String> {
    Ok(match words {
        ["returns"] => StaleCallKind::Returns,
        [method, "at", "expiry", offset] => {
            let method = method.parse()?;
            if !matches!(method, Method::Renew | Method::Claim) {
                return Err(format!(
                    "a stale {method} cannot be aimed at an expiry: only renew and claim can"
                ));
            }
            StaleCallKind::AtExpiry { method, offset_ms: parse_signed_ms(offset)? }
        }
        [method] => match method.parse()? {
            Method::Claim => {
                return Err(
                    "a claim is made under no grant, so none is late: say `claim at expiry +0ms`".into()
                );
            }
            method => StaleCallKind::Late(method),
        },
        _ => return Err(format!("`{}` is no stale call: say complete, or returns", words.join(" "))),
    })
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
        ]
    }

    fn parse(words: &[&str]) -> Result<Option<Self>, String> {
        let ["stale-call", process, kind @ ..] = words else { return Ok(None) };
        Ok(Some(Self { process: process.parse()?, kind: parse_kind(kind)? }))
    }

    fn group(&self) -> Group {
        Group::Call
    }

    fn parts(&mut self) -> Vec<Part<'_>> {
        let mut parts = vec![Part::Process(&mut self.process)];
        if let StaleCallKind::AtExpiry { offset_ms, .. } = &mut self.kind {
            parts.push(Part::SignedMs(offset_ms));
        }
        parts
    }

    fn carry_out(&self, _number: usize, world: &mut dyn Simulation) {
        world.send_stale_call(self.process, self.kind);
    }

    fn unusual(&self) -> usize {
        match self.kind {
            StaleCallKind::AtExpiry { .. } => 1,
            StaleCallKind::Late(_) | StaleCallKind::Returns => 0,
        }
    }
}
