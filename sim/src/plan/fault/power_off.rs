//! `power-off registry at disk call 3 for 3s`: the registry's machine dies, and whatever its disk had not synced is lost
//! or torn.

use std::fmt;

use crate::plan::draw::{Draft, Drawing, Drawn, FaultDraw, Generated};
use crate::plan::fault::registry_crash::{self, RegistryCrash};
use crate::plan::header::Store;
use crate::plan::simulation::Simulation;
use crate::plan::span::Span;
use crate::plan::step_kind::Simpler;
use crate::plan::step_kind::{Action, Group, Part, Shown, StepKind};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PowerOff {
    pub at_disk_call: Option<u64>,
    pub span: Span,
}

fn draw(drawing: &mut Drawing, draft: Draft) -> Action {
    let span = drawing.downtime();
    if drawing.dice.percent(30) {
        // After a crash that left pages unsynced, and some answers from them.
        let before_ms = draft.at_ms.saturating_sub(drawing.dice.between(100, 1_500));
        let (at_disk_call, span) = (drawing.disk_call(), Span::Ms(drawing.dice.between(1, 50)));
        drawing.add(before_ms, RegistryCrash { at_disk_call, span });
    }
    PowerOff { at_disk_call: drawing.disk_call(), span }.into()
}

impl fmt::Display for PowerOff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("power-off")?;
        registry_crash::display(f, self.at_disk_call, self.span)
    }
}

impl Drawn for PowerOff {
    fn generated() -> Generated {
        // Two tickets: the interesting thing about a disk is how it fails.
        let draw = FaultDraw { store: Some(Store::Sqlite), tickets: 2, ..FaultDraw::new(draw) };
        Generated::ByItself(draw)
    }
}

impl StepKind for PowerOff {
    fn examples() -> &'static [&'static str] {
        &["1.2s power-off registry for 3s", "1.2s power-off registry at disk call 3 for 3s"]
    }

    fn parse(words: &[&str]) -> Result<Option<Self>, String> {
        let ["power-off", "registry", rest @ ..] = words else { return Ok(None) };
        let (at_disk_call, span) = registry_crash::parse_rest(rest)?;
        Ok(Some(Self { at_disk_call, span }))
    }

    fn group(&self) -> Group {
        Group::Crash
    }

    fn parts(&mut self) -> Vec<Part<'_>> {
        vec![Part::Span(&mut self.span)]
    }

    fn carry_out(&self, _number: usize, world: &mut dyn Simulation) {
        world.power_off_registry(self.at_disk_call, self.span);
    }

    fn shown(&self) -> Shown {
        Shown::UntilItsEvent
    }

    /// Without the disk call first, then as a crash of the process.
    fn simpler(&self, _ttl_ms: u64) -> Vec<Simpler> {
        let plainer = |power_off: &Self| match *power_off {
            Self { at_disk_call: Some(_), span } => Self { at_disk_call: None, span }.into(),
            Self { at_disk_call: None, span } => RegistryCrash { at_disk_call: None, span }.into(),
        };
        vec![Simpler::replaced("a plain kind", plainer)]
    }

    fn unusual(&self) -> usize {
        1 + usize::from(self.at_disk_call.is_some())
    }

    fn counted(&self) -> u64 {
        self.at_disk_call.unwrap_or(0)
    }
}
