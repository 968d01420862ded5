//! `hold renew p1 until expiry +0ms asleep`: from the next such call about the process on, such calls arrive when the
//! registry's clock stands at the expiry of the lease that is stored then, plus this; and so do renewals, which would move
//! the expiry. The caller may sleep until then.

use std::fmt;

use crate::plan::draw::{Draft, Drawing, Drawn, FaultDraw, Generated};
use crate::plan::method::Method;
use crate::plan::names::Process;
use crate::plan::simulation::Simulation;
use crate::plan::step_kind::Simpler;
use crate::plan::step_kind::{Action, Group, HeldBack, Part, StepKind};
use crate::plan::words::{SignedMs, parse_signed_ms};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HoldCall {
    pub method: Method,
    pub process: Process,
    pub offset_ms: i64,
    pub is_caller_asleep: bool,
}

fn draw(drawing: &mut Drawing, _draft: Draft) -> Action {
    let process = drawing.process();
    HoldCall::draw(drawing, process).into()
}

impl HoldCall {
    pub fn draw(drawing: &mut Drawing, process: Process) -> Self {
        use Method::{Claim, Complete, Emit, Release, Renew, Start, Wait};
        let methods = [Claim, Renew, Renew, Start, Emit, Complete, Complete, Release];
        let method = *drawing.dice.one_of(&methods);
        let offset_ms = match method {
            Release => drawing.late_ms(),
            Claim | Renew | Start | Emit | Wait | Complete => drawing.aim_ms(),
        };
        Self { method, process, offset_ms, is_caller_asleep: drawing.dice.percent(50) }
    }
}

impl fmt::Display for HoldCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let asleep = if self.is_caller_asleep { " asleep" } else { "" };
        let offset = SignedMs(self.offset_ms);
        write!(f, "hold {} {} until expiry {offset}{asleep}", self.method, self.process)
    }
}

impl Drawn for HoldCall {
    fn generated() -> Generated {
        Generated::ByItself(FaultDraw::new(draw))
    }
}

impl StepKind for HoldCall {
    fn examples() -> &'static [&'static str] {
        &["2s hold renew p1 until expiry +0ms", "2s hold complete p1 until expiry +1ms asleep"]
    }

    fn parse(words: &[&str]) -> Result<Option<Self>, String> {
        let ["hold", method, process, "until", "expiry", offset, asleep @ ..] = words else {
            return Ok(None);
        };
        let is_caller_asleep = asleep == ["asleep"];
        if !asleep.is_empty() && !is_caller_asleep {
            return Ok(None);
        }
        Ok(Some(Self {
            process: process.parse()?,
            method: method.parse()?,
            offset_ms: parse_signed_ms(offset)?,
            is_caller_asleep,
        }))
    }

    fn group(&self) -> Group {
        Group::Call
    }

    fn holds_back(&self) -> Option<HeldBack> {
        Some(HeldBack::Calls { method: self.method, process: self.process })
    }

    fn parts(&mut self) -> Vec<Part<'_>> {
        vec![Part::Process(&mut self.process), Part::SignedMs(&mut self.offset_ms)]
    }

    fn carry_out(&self, _number: usize, world: &mut dyn Simulation) {
        world.hold_calls(self.method, self.process, self.offset_ms, self.is_caller_asleep);
    }

    fn simpler(&self, _ttl_ms: u64) -> Vec<Simpler> {
        vec![Simpler::new("a plain kind", |hold: &mut Self| hold.is_caller_asleep = false)]
    }

    fn unusual(&self) -> usize {
        usize::from(self.is_caller_asleep)
    }
}
