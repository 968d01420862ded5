//! The draws that faults share: which node, which link, which span. The order of draws is part of the meaning of a seed:
//! changing it changes every generated plan.

use crate::plan::chance::Dice;
use crate::plan::header::Store;
use crate::plan::names::{Link, Node, Process};
use crate::plan::span::Span;
use crate::plan::step::Step;
use crate::plan::step_kind::Action;

/// A kind of step, as the generator knows it.
pub trait Drawn {
    /// How the generator comes by it.
    fn generated() -> Generated;
}

/// How the generator comes by a kind of step.
pub enum Generated {
    /// A kind of fault that is on or off in a seed.
    ByItself(FaultDraw),
    /// As a part of the generated work, or of another fault's draw.
    WithOthers,
    /// Never: it stands in plans that people write.
    Never,
}

/// How the generator draws a kind of fault.
#[derive(Debug, Clone, Copy)]
pub struct FaultDraw {
    /// Adds the fault's other steps, if it has any, and gives the fault itself.
    pub draw: fn(&mut Drawing, Draft) -> Action,
    /// Only in worlds with this store.
    pub store: Option<Store>,
    /// How many tickets it has among the kinds of a seed; each is on or off by itself.
    pub tickets: usize,
    /// Off in most seeds: it breaks an assumption, and most seeds should be judged by every law.
    pub is_rare: bool,
}

impl FaultDraw {
    pub const fn new(draw: fn(&mut Drawing, Draft) -> Action) -> Self {
        Self { draw, store: None, tickets: 1, is_rare: false }
    }
}

/// Drawn for every fault before its kind takes over.
#[derive(Debug, Clone, Copy)]
pub struct Draft {
    pub at_ms: u64,
    pub short: Span,
}

/// A plan while it is drawn.
pub struct Drawing {
    pub dice: Dice,
    pub workers: u8,
    pub hosts: u8,
    pub processes: u16,
    pub horizon_ms: u64,
    pub ttl_ms: u64,
    pub steps: Vec<Step>,
}

impl Drawing {
    pub fn add(&mut self, at_ms: u64, action: impl Into<Action>) {
        self.steps.push(Step { at_ms, action: action.into() });
    }

    /// Early enough to matter.
    pub fn instant(&mut self) -> u64 {
        self.dice.below(self.horizon_ms * 9 / 10)
    }

    pub fn process(&mut self) -> Process {
        Process(self.dice.between(1, u64::from(self.processes)) as u16)
    }

    pub fn worker(&mut self) -> Node {
        Node::Worker(self.dice.between(1, u64::from(self.workers)) as u8)
    }

    pub fn node(&mut self) -> Node {
        match self.dice.below(10) {
            0 => Node::Registry,
            1 => Node::Host(self.dice.between(1, u64::from(self.hosts)) as u8),
            _ => self.worker(),
        }
    }

    pub fn link(&mut self) -> Link {
        let node = if self.dice.percent(85) {
            self.worker()
        } else {
            Node::Host(self.dice.between(1, u64::from(self.hosts)) as u8)
        };
        if self.dice.percent(50) {
            Link { from: node, to: Node::Registry }
        } else {
            Link { from: Node::Registry, to: node }
        }
    }

    /// One millisecond to either side of an expiry, or on it.
    pub fn aim_ms(&mut self) -> i64 {
        *self.dice.one_of(&[-1, -1, 0, 0, 0, 1, 1, 2, 5])
    }

    /// Past the expiry, when another may hold the lease.
    pub fn late_ms(&mut self) -> i64 {
        *self.dice.one_of(&[1, 300, 800, 1_500])
    }

    pub fn span(&mut self) -> Span {
        match self.dice.below(10) {
            0..=3 => Span::UntilExpiry { process: self.process(), offset_ms: self.aim_ms() },
            4..=6 => Span::Ms(self.dice.between(1, self.ttl_ms)),
            _ => Span::Ms(self.dice.between(self.ttl_ms, 2 * self.ttl_ms)),
        }
    }

    /// How long the registry is down.
    pub fn downtime(&mut self) -> Span {
        Span::Ms(self.dice.between(1, 1_500))
    }

    /// In the middle of a call, one time in two: a commit takes a handful of disk calls.
    pub fn disk_call(&mut self) -> Option<u64> {
        self.dice.percent(50).then(|| self.dice.between(0, 12))
    }
}
