//! The nodes of a run: each with its life, its clock and its entropy.

use rand_chacha::ChaCha8Rng;

use crate::plan::chance::{Purpose, Seed};
use crate::plan::clock::Clock;
use crate::plan::{Node, Plan};
use crate::world::state::due::Due;

/// A node with one of its lives: the caller of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Caller {
    pub node: Node,
    pub life: u64,
}

impl Caller {
    /// The world itself, which looks at the registry beside the run.
    pub const WORLD: Self = Self { node: Node::Registry, life: 0 };
}

/// Probes that call a living node dead.
#[derive(Debug, Clone, Copy, Default)]
pub struct ProbeLies {
    pub until_us: u64,
    /// An earlier lie may be acted on later.
    pub were_told: bool,
}

impl ProbeLies {
    pub fn tell(&mut self, until_us: u64) {
        self.until_us = self.until_us.max(until_us);
        self.were_told = true;
    }
}

pub struct NodeState {
    pub node: Node,
    /// Grows at every crash.
    pub life: u64,
    pub is_up: bool,
    /// Pauses so far; only the end of the last one counts.
    pub pauses: u64,
    pub is_paused: bool,
    pub clock: Clock,
    pub entropy: ChaCha8Rng,
    /// In bytes, over all lives.
    pub entropy_drawn: u64,
    /// Tasks spawned in this life.
    pub spawned: u64,
    /// Tokio runtimes started, over all lives.
    pub spawned_runtimes: u64,
    /// Calls sent in this life.
    pub calls: u64,
    /// Lies of the probes of workers, and of the registry's, about this node.
    pub lied_about: ProbeLies,
    pub lied_to_registry: ProbeLies,
    /// Delay in µs of tasks that are spawned before an instant.
    pub late_start: (u64, u64),
    /// Arrivals during a pause, in order.
    pub inbox: Vec<Due>,
}

impl NodeState {
    fn new(node: Node, plan: &Plan, seed: Seed) -> Self {
        let setting = plan.clocks.iter().find(|clock| clock.node == node);
        let (offset_ms, drift_ppm) = setting.map_or((0, 0), |clock| (clock.offset_ms, clock.drift_ppm));
        Self {
            node,
            life: 1,
            is_up: false,
            pauses: 0,
            is_paused: false,
            clock: Clock::new(offset_ms, drift_ppm),
            entropy: entropy_of(seed, node, 1),
            entropy_drawn: 0,
            spawned: 0,
            spawned_runtimes: 0,
            calls: 0,
            lied_about: ProbeLies::default(),
            lied_to_registry: ProbeLies::default(),
            late_start: (0, 0),
            inbox: Vec::new(),
        }
    }

    /// Ends the present life. Returns the next one's number, and the messages that nobody reads any more.
    pub fn die(&mut self, seed: Seed) -> (u64, Vec<Due>) {
        assert!(self.is_up, "{} died twice", self.node);
        self.is_up = false;
        self.is_paused = false;
        self.life += 1;
        self.spawned = 0;
        self.calls = 0;
        self.entropy = entropy_of(seed, self.node, self.life);
        (self.life, std::mem::take(&mut self.inbox))
    }

    pub fn start(&mut self) {
        assert!(!self.is_up, "{} was started twice", self.node);
        self.is_up = true;
    }

    /// Takes the messages that arrived during the pause with this number; `None` if a later one goes on.
    pub fn resume(&mut self, pause: u64) -> Option<Vec<Due>> {
        assert!(pause <= self.pauses, "{} resumes from a pause that has not begun", self.node);
        if !self.is_paused || self.pauses != pause {
            return None;
        }
        self.is_paused = false;
        Some(std::mem::take(&mut self.inbox))
    }
}

fn entropy_of(seed: Seed, node: Node, life: u64) -> ChaCha8Rng {
    seed.stream(Purpose::Entropy, [u64::from(node.code()), life])
}

/// All nodes of a plan, found by their codes.
pub struct Nodes {
    states: Vec<NodeState>,
    places: [u8; 256],
}

impl Nodes {
    pub fn new(plan: &Plan, seed: Seed) -> Self {
        let mut places = [u8::MAX; 256];
        let mut states = Vec::new();
        for node in plan.nodes() {
            places[usize::from(node.code())] = states.len() as u8;
            states.push(NodeState::new(node, plan, seed));
        }
        Self { states, places }
    }

    pub fn get_mut(&mut self, node: Node) -> &mut NodeState {
        &mut self.states[usize::from(self.places[usize::from(node.code())])]
    }

    pub fn is_paused(&self, machine: u8) -> bool {
        let place = usize::from(self.places[usize::from(machine)]);
        self.states.get(place).is_some_and(|node| node.is_paused)
    }

    pub fn iter(&self) -> impl Iterator<Item = &NodeState> {
        self.states.iter()
    }

    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut NodeState> {
        self.states.iter_mut()
    }
}
