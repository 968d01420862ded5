//! `crash registry at disk call 7 for 3s`: the registry's process dies, at once or in the middle of a disk call. What it
//! wrote and did not sync stays with its machine.

use std::fmt;

use crate::plan::digits::unsigned;
use crate::plan::draw::{Draft, Drawing, Drawn, FaultDraw, Generated};
use crate::plan::simulation::Simulation;
use crate::plan::span::Span;
use crate::plan::step_kind::Simpler;
use crate::plan::step_kind::{Action, Group, Part, Shown, StepKind};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegistryCrash {
    pub at_disk_call: Option<u64>,
    pub span: Span,
}

fn draw(drawing: &mut Drawing, _draft: Draft) -> Action {
    let span = drawing.downtime();
    RegistryCrash { at_disk_call: drawing.disk_call(), span }.into()
}

/// ` registry at disk call 7 for 3s`, after the word that says what dies.
pub fn display(f: &mut fmt::Formatter<'_>, at_disk_call: Option<u64>, span: Span) -> fmt::Result {
    f.write_str(" registry")?;
    if let Some(call) = at_disk_call {
        write!(f, " at disk call {call}")?;
    }
    write!(f, " {span}")
}

pub fn parse_rest(words: &[&str]) -> Result<(Option<u64>, Span), String> {
    match words {
        ["at", "disk", "call", call, span @ ..] => {
            let number = unsigned(call).ok_or_else(|| format!("`{call}` is no number of a disk call"))?;
            Ok((Some(number), Span::parse(span)?))
        }
        span => Ok((None, Span::parse(span)?)),
    }
}

impl fmt::Display for RegistryCrash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("crash")?;
        display(f, self.at_disk_call, self.span)
    }
}

impl Drawn for RegistryCrash {
    fn generated() -> Generated {
        Generated::ByItself(FaultDraw::new(draw))
    }
}

impl StepKind for RegistryCrash {
    fn examples() -> &'static [&'static str] {
        &["1.2s crash registry for 3s", "1.2s crash registry at disk call 7 for 3s"]
    }

    fn parse(words: &[&str]) -> Result<Option<Self>, String> {
        let ["crash", "registry", rest @ ..] = words else { return Ok(None) };
        let (at_disk_call, span) = parse_rest(rest)?;
        Ok(Some(Self { at_disk_call, span }))
    }

    fn group(&self) -> Group {
        Group::Crash
    }

    fn parts(&mut self) -> Vec<Part<'_>> {
        vec![Part::Span(&mut self.span)]
    }

    fn carry_out(&self, _number: usize, world: &mut dyn Simulation) {
        world.crash_registry(self.at_disk_call, self.span);
    }

    fn shown(&self) -> Shown {
        Shown::UntilItsEvent
    }

    fn simpler(&self, _ttl_ms: u64) -> Vec<Simpler> {
        vec![Simpler::new("a plain kind", |crash: &mut Self| crash.at_disk_call = None)]
    }

    fn unusual(&self) -> usize {
        usize::from(self.at_disk_call.is_some())
    }

    fn counted(&self) -> u64 {
        self.at_disk_call.unwrap_or(0)
    }
}
