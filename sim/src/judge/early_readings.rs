//! Doubts about decisions that took time. Nobody knows at which instant of such a decision another's registry reads its clock.
//! So the main judgement takes the reading at the decision's end, and the one here the reading at its beginning. A breach
//! that both find at the same event stands; any other is a doubt. Where decisions about a process overlapped, their order
//! is unknown as well: from there on only a law whose card says so can be broken.

use std::collections::BTreeMap;

use crate::history::event::{Event, EventKind, NO_PROCESS, What, Witness};
use crate::laws::{Finding, LawCard, Laws};
use crate::plan::{Node, Plan};

pub struct EarlyReadings {
    pub laws: Laws,
    /// The process of each event, and whether a decision about that process went on at the time.
    processes: Vec<(u16, bool)>,
    /// The processes of decisions that go on.
    open: Vec<u16>,
    /// The first event at which two decisions about the process overlapped.
    overlapped: BTreeMap<u16, u64>,
    last_span: Option<EndedSpan>,
    /// Some decision took time, so there may be doubts.
    pub is_needed: bool,
    is_all_unclear: bool,
}

/// A decision that took time and has ended.
#[derive(Clone, Copy)]
struct EndedSpan {
    node: u8,
    process: u16,
    ended_us: u64,
    began_ms: u64,
}

impl EarlyReadings {
    pub fn new(plan: &Plan) -> Self {
        Self {
            laws: Laws::new(plan),
            processes: Vec::new(),
            open: Vec::new(),
            overlapped: BTreeMap::new(),
            last_span: None,
            is_needed: false,
            is_all_unclear: false,
        }
    }

    /// Why a law's finding is in doubt; `early` is its finding by the readings at the beginning.
    pub fn doubt(&self, card: &LawCard, finding: &Finding, early: &Finding) -> Option<&'static str> {
        let broken_at = broken_at(finding);
        if broken_at != self::broken_at(early) {
            Some("it depends on when, within a call that took time, the registry read its clock")
        } else if !card.judges_unordered && broken_at.is_some_and(|at| self.is_after_an_overlap(at)) {
            Some("calls about the process overlapped before, and nobody knows the order they were decided in")
        } else {
            None
        }
    }

    fn is_after_an_overlap(&self, at: u64) -> bool {
        let event = usize::try_from(at).ok().and_then(|at| self.processes.get(at));
        let Some((process, was_open)) = event else { return false };
        let is_unclear = self.overlapped.get(process).is_some_and(|first| *first <= at);
        is_unclear || *was_open || self.is_all_unclear
    }

    fn overlaps(&mut self, process: u16, number: u64) {
        self.overlapped.entry(process).or_insert(number);
        self.is_needed = true;
    }

    fn span(&mut self, event: &Event, began_ms: u64, is_over: bool) {
        if event.process == NO_PROCESS {
            // A prune that takes time: which decisions come before it is unclear, about all processes.
            self.is_all_unclear = true;
            self.is_needed = true;
        }
        if !is_over {
            self.open.push(event.process);
        } else if let Some(place) = self.open.iter().position(|process| *process == event.process) {
            self.open.swap_remove(place);
        }
        if is_over && began_ms != event.clock {
            let (node, process, ended_us) = (event.node, event.process, event.at_us);
            self.last_span = Some(EndedSpan { node, process, ended_us, began_ms });
            self.is_needed = true;
        }
    }

    /// The event with the reading at which its decision began.
    fn early(&self, event: &Event) -> Event {
        let of_event = |span: &EndedSpan| {
            (span.node, span.process, span.ended_us) == (event.node, event.process, event.at_us)
        };
        match self.last_span.filter(of_event) {
            Some(span) if event.kind().is_decided() => event.with_clock(span.began_ms),
            Some(_) | None => *event,
        }
    }
}

impl Witness for EarlyReadings {
    fn see(&mut self, event: &Event) {
        let number = self.processes.len() as u64;
        self.processes.push((event.process, self.open.contains(&event.process)));
        if event.kind() == EventKind::Crashed && event.node == Node::Registry.code() {
            // Nobody knows what became of the calls it was deciding.
            for process in std::mem::take(&mut self.open) {
                self.overlaps(process, number);
            }
        }
        // A span that begins counts itself among those that go on.
        let mut counted = 0;
        if let What::Spanned { began_ms, is_over } = event.what() {
            self.span(event, began_ms, is_over);
            counted = 1;
        }
        // A decision that is made at once while another goes on overlaps with it as well.
        let open = self.open.iter().filter(|process| **process == event.process).count();
        if open > counted && event.kind().is_decided() {
            self.overlaps(event.process, number);
        }
        self.laws.see(&self.early(event));
    }
}

fn broken_at(finding: &Finding) -> Option<u64> {
    match finding {
        Finding::Broken { at, .. } => Some(*at),
        Finding::Holds | Finding::Undecided { .. } => None,
    }
}
