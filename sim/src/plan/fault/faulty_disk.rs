//! `disk fails to sync for 3s`: the registry's disk is faulty for a while.

use std::fmt;

use crate::plan::draw::{Draft, Drawing, Drawn, FaultDraw, Generated};
use crate::plan::header::Store;
use crate::plan::simulation::{DiskFault, Simulation};
use crate::plan::span::Span;
use crate::plan::step_kind::Simpler;
use crate::plan::step_kind::{Action, Group, Part, Shown, StepKind};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FaultyDisk {
    pub how: DiskFault,
    pub span: Span,
}

const WORDS: [(DiskFault, &str); 6] = [
    (DiskFault::FailsToRead, "fails to read"),
    (DiskFault::FailsToWrite, "fails to write"),
    (DiskFault::FailsToSync, "fails to sync"),
    (DiskFault::Shaky, "shaky"),
    (DiskFault::Full, "full"),
    (DiskFault::LiesAboutSyncs, "lies about syncs"),
];

fn draw(drawing: &mut Drawing, _draft: Draft) -> Action {
    use DiskFault::{FailsToRead, FailsToSync, FailsToWrite, Full, Shaky};
    let how = *drawing.dice.one_of(&[FailsToSync, FailsToSync, FailsToWrite, FailsToRead, Shaky, Full]);
    FaultyDisk { how, span: Span::Ms(drawing.dice.between(5, 600)) }.into()
}

impl fmt::Display for FaultyDisk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let how = WORDS.iter().find(|(known, _)| *known == self.how).map_or("unknown", |(_, name)| name);
        write!(f, "disk {how} {}", self.span)
    }
}

impl Drawn for FaultyDisk {
    fn generated() -> Generated {
        let draw = FaultDraw { store: Some(Store::Sqlite), tickets: 2, ..FaultDraw::new(draw) };
        Generated::ByItself(draw)
    }
}

impl StepKind for FaultyDisk {
    fn examples() -> &'static [&'static str] {
        &[
            "1.2s disk fails to sync for 3s",
            "1.2s disk shaky for 3s",
            "1.2s disk full for 3s",
            "1.2s disk lies about syncs for 3s",
        ]
    }

    fn parse(words: &[&str]) -> Result<Option<Self>, String> {
        let ["disk", fault @ ..] = words else { return Ok(None) };
        let text = fault.join(" ");
        let is_said = |name: &str| {
            let words: Vec<&str> = name.split(' ').collect();
            fault.starts_with(&words)
        };
        let found = WORDS.iter().find(|(_, name)| is_said(name));
        let (how, name) = found.ok_or_else(|| {
            let names: Vec<&str> = WORDS.iter().map(|(_, name)| *name).collect();
            format!("unknown disk fault `{text}`; expected one of: {}", names.join(", "))
        })?;
        Ok(Some(Self { how: *how, span: Span::parse(&fault[name.split(' ').count()..])? }))
    }

    fn group(&self) -> Group {
        Group::Disk
    }

    fn parts(&mut self) -> Vec<Part<'_>> {
        vec![Part::Span(&mut self.span)]
    }

    fn carry_out(&self, _number: usize, world: &mut dyn Simulation) {
        let until_us = world.end_of(self.span);
        world.trouble_disk(self.how, until_us);
    }

    fn shown(&self) -> Shown {
        Shown::bar(self.span)
    }

    fn simpler(&self, _ttl_ms: u64) -> Vec<Simpler> {
        let is_plain = self.unusual() == 0;
        let plain = Simpler::new("a plain kind", |disk: &mut Self| disk.how = DiskFault::FailsToWrite);
        if is_plain { Vec::new() } else { vec![plain] }
    }

    fn unusual(&self) -> usize {
        match self.how {
            DiskFault::Shaky | DiskFault::LiesAboutSyncs => 1,
            DiskFault::FailsToRead | DiskFault::FailsToWrite | DiskFault::FailsToSync | DiskFault::Full => 0,
        }
    }

    fn is_lie_of_the_disk(&self) -> bool {
        self.how == DiskFault::LiesAboutSyncs
    }
}
