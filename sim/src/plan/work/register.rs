//! `register p1 rerunnable 5 steps of 200ms`: a host registers a process, with the body that it runs.

use std::fmt;

use fencepost::model::process::RecoveryDisposition;

use crate::plan::body::Body;
use crate::plan::draw::{Drawn, Generated};
use crate::plan::names::Process;
use crate::plan::simulation::Simulation;
use crate::plan::step_kind::Simpler;
use crate::plan::step_kind::{Group, Part, StepKind};

const HOUR_MS: u64 = 3_600_000;

const DISPOSITIONS: [(RecoveryDisposition, &str); 3] = [
    (RecoveryDisposition::Rerunnable, "rerunnable"),
    (RecoveryDisposition::OwnerBound, "owner-bound"),
    (RecoveryDisposition::ExternallyOwned, "externally-owned"),
];

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Register {
    pub process: Process,
    pub disposition: RecoveryDisposition,
    pub body: Body,
}

fn parse_disposition(text: &str) -> Result<RecoveryDisposition, String> {
    let found = DISPOSITIONS.iter().find(|(_, name)| *name == text).map(|(disposition, _)| *disposition);
    found
        .ok_or_else(|| format!("`{text}` is no disposition: say rerunnable, owner-bound or externally-owned"))
}

impl fmt::Display for Register {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known = DISPOSITIONS.iter().find(|(known, _)| *known == self.disposition);
        let disposition = known.map_or("unknown", |(_, name)| name);
        write!(f, "register {} {disposition} {}", self.process, self.body)
    }
}

impl Drawn for Register {
    fn generated() -> Generated {
        Generated::WithOthers
    }
}

impl StepKind for Register {
    fn examples() -> &'static [&'static str] {
        &[
            "0ms register p1 rerunnable 5 steps of 200ms",
            "1ms register p2 owner-bound 3 emits of 50ms",
            "2ms register p3 externally-owned waits",
            "3ms register p4 rerunnable awaits p2",
            "4ms register p5 rerunnable until cancelled",
            "5ms register p6 rerunnable panics",
            "6ms register p7 rerunnable breaks",
        ]
    }

    fn parse(words: &[&str]) -> Result<Option<Self>, String> {
        let ["register", process, disposition, body @ ..] = words else { return Ok(None) };
        Ok(Some(Self {
            process: process.parse()?,
            disposition: parse_disposition(disposition)?,
            body: Body::parse(body)?,
        }))
    }

    fn group(&self) -> Group {
        Group::Work
    }

    fn parts(&mut self) -> Vec<Part<'_>> {
        let mut parts = vec![Part::Process(&mut self.process)];
        match &mut self.body {
            Body::Steps { rest_ms, .. } | Body::Emits { rest_ms, .. } => parts.push(Part::Ms(rest_ms)),
            Body::Awaits { child } => parts.push(Part::OtherProcess(child)),
            Body::Waits | Body::UntilCancelled | Body::Panics | Body::Breaks => {}
        }
        parts
    }

    fn carry_out(&self, number: usize, world: &mut dyn Simulation) {
        world.register(number, self.process, self.disposition);
    }

    fn impossible(&self) -> Option<String> {
        (self.body.longest_ms() > HOUR_MS).then(|| "has a body that takes longer than an hour".to_owned())
    }

    fn simpler(&self, ttl_ms: u64) -> Vec<Simpler> {
        let rerunnable = |register: &mut Self| register.disposition = RecoveryDisposition::Rerunnable;
        let mut simpler = vec![Simpler::new("any disposition", rerunnable)];
        for plain in self.body.plainer(ttl_ms) {
            let becomes_plain = move |register: &mut Self| register.body = plain;
            simpler.push(Simpler::new(format!("`{plain}` for its body"), becomes_plain));
        }
        simpler
    }

    fn unusual(&self) -> usize {
        self.body.unusual() + usize::from(self.disposition != RecoveryDisposition::Rerunnable)
    }

    fn counted(&self) -> u64 {
        match self.body {
            Body::Steps { count, .. } | Body::Emits { count, .. } => u64::from(count),
            Body::Waits | Body::Awaits { .. } | Body::UntilCancelled | Body::Panics | Body::Breaks => 0,
        }
    }

    fn registers(&self) -> Option<(Process, &Body)> {
        Some((self.process, &self.body))
    }
}
