//! The data of the page's script: the events as columns, and beside them all that lasts, such as leases and bodies. Columns of
//! numbers are a fifth of the size of objects and are read as quickly as the text can be parsed; each phrase stands once, in
//! one list.

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};

use crate::history::History;
use crate::history::event::{NO_PROCESS, Status, What};
use crate::judge::{Judged, rejudge};
use crate::laws::bodies_overlap_within_bound::BodiesOverlapWithinBound;
use crate::laws::law::Law;
use crate::plan::Node;
use crate::plan::clock::Stretch;
use crate::plan::step_kind::{Action, Shown};
use crate::timeline::beliefs::{WorkerBelief, beliefs};
use crate::timeline::bodies::{BodyRun, OverlapBar, Standstill, bodies, overlaps, standstills};
use crate::timeline::calls::CallTrace;
use crate::timeline::cause::CauseLink;
use crate::timeline::clocks::{EPOCH_MS, NodeClocks};
use crate::timeline::glyphs::Glyph;
use crate::timeline::leases::{LeaseSpan, ProcessLife, STATUSES, leases, lives};

#[derive(Serialize)]
pub struct PageData {
    epoch_ms: i64,
    nodes: Vec<PageLane>,
    glyphs: [Glyph; Glyph::ALL.len()],
    /// The node, fence and owner of each grant.
    grants: Vec<(u8, ExactNumber, String)>,
    statuses: [&'static str; STATUSES.len()],
    /// Each phrase once.
    phrases: Vec<String>,
    /// The time since the event before.
    after_us: Vec<u64>,
    glyph: Vec<u8>,
    node: Vec<u8>,
    process: Vec<NumberOrNone>,
    grant: Vec<NumberOrNone>,
    /// The number of each event's phrase.
    phrase: Vec<u32>,
    /// The places at which each call was sent, decided and heard.
    calls: Vec<[NumberOrNone; 3]>,
    leases: Vec<LeaseSpan>,
    lives: Vec<ProcessLife>,
    beliefs: Vec<WorkerBelief>,
    bodies: Vec<BodyRun>,
    overlaps: Vec<OverlapBar>,
    standstills: Vec<Standstill>,
    steps: Vec<TakenStep>,
    /// Where the ledger saw a fence that was higher than any before: place, process, fence.
    outside: Vec<(usize, u16, ExactNumber)>,
    chain: Vec<(usize, &'static str, bool)>,
    /// True, if bodies that run at once do so within the bound of the law of overlap.
    overlaps_are_lawful: bool,
    /// True, if the run is drawn only up to an event before its end.
    is_cut: bool,
    readings: u64,
    differing: u64,
}

#[derive(Serialize)]
struct PageLane {
    code: u8,
    name: String,
    role: &'static str,
    clock: Vec<Stretch>,
}

/// A step that was taken.
#[derive(Serialize)]
struct TakenStep {
    place: usize,
    action: String,
    nodes: Vec<u8>,
    for_us: Option<u64>,
}

/// A number that JavaScript would round above 2^53.
struct ExactNumber(u64);

impl Serialize for ExactNumber {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

/// A number, or -1.
#[derive(Clone, Copy)]
struct NumberOrNone(Option<u32>);

impl Serialize for NumberOrNone {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i64(self.0.map_or(-1, i64::from))
    }
}

impl PageData {
    pub fn of(history: &History, calls: Vec<CallTrace>, links: &[CauseLink], is_cut: bool) -> Self {
        let clocks = NodeClocks::of(history);
        let bodies = bodies(history);
        let overlaps = overlaps(history, &bodies);
        let mut phrases = PhraseTable::default();
        let mut columns = Self {
            epoch_ms: EPOCH_MS,
            nodes: lanes(history, &clocks),
            glyphs: Glyph::ALL,
            grants: grants(history),
            statuses: STATUSES.map(Status::name),
            phrases: Vec::new(),
            after_us: Vec::new(),
            glyph: Vec::new(),
            node: Vec::new(),
            process: Vec::new(),
            grant: Vec::new(),
            phrase: Vec::new(),
            calls: Vec::new(),
            leases: leases(history, &clocks),
            lives: lives(history),
            beliefs: beliefs(history, &clocks),
            overlaps_are_lawful: are_within_bound(history, &bodies, &overlaps),
            overlaps,
            bodies,
            standstills: standstills(history),
            steps: steps(history),
            outside: outside(history),
            chain: links.iter().map(|link| (link.place, link.role, link.is_key)).collect(),
            is_cut,
            readings: clocks.readings,
            differing: clocks.differing,
        };
        let mut before_us = 0;
        for event in &history.events {
            columns.after_us.push(event.at_us.saturating_sub(before_us));
            before_us = event.at_us;
            columns.glyph.push(Glyph::of(event, &history.plan).number());
            columns.node.push(event.node);
            columns.process.push(NumberOrNone((event.process != NO_PROCESS).then_some(event.process.into())));
            columns.grant.push(NumberOrNone(event.grant.is_some().then_some(event.grant.0)));
            columns.phrase.push(phrases.number(history.phrase(event).to_string()));
        }
        let place = |place: Option<usize>| NumberOrNone(place.and_then(|place| u32::try_from(place).ok()));
        for call in calls {
            // A call that is hidden at first, as an everyday one, is hidden from its sending on.
            let everyday = [call.decided, call.heard]
                .into_iter()
                .flatten()
                .any(|place| [Glyph::Busy.number(), Glyph::Read.number()].contains(&columns.glyph[place]));
            if everyday && let Some(decided) = call.decided.or(call.heard) {
                for part in [call.sent, call.heard].into_iter().flatten() {
                    columns.glyph[part] = columns.glyph[decided];
                }
            }
            columns.calls.push([place(call.sent), place(call.decided), place(call.heard)]);
        }
        columns.phrases = phrases.list;
        columns.check(links);
        columns
    }

    /// The script relies on columns of one length, and on links to events that are drawn.
    fn check(&self, links: &[CauseLink]) {
        let events = self.after_us.len();
        let columns =
            [self.glyph.len(), self.node.len(), self.process.len(), self.grant.len(), self.phrase.len()];
        assert!(columns.iter().all(|length| *length == events), "columns of {columns:?} for {events} events");
        assert!(links.iter().all(|link| link.place < events), "a link leads beyond the {events} events");
    }

    /// As text that may stand in a script element.
    pub fn json(&self) -> String {
        // Nothing in here can fail: no maps, no floats.
        serde_json::to_string(self).unwrap_or_default().replace('<', "\\u003c")
    }
}

/// Each phrase once, with its number.
#[derive(Default)]
struct PhraseTable {
    list: Vec<String>,
    numbers: BTreeMap<String, u32>,
}

impl PhraseTable {
    fn number(&mut self, phrase: String) -> u32 {
        let next = u32::try_from(self.list.len()).unwrap_or(u32::MAX);
        *self.numbers.entry(phrase).or_insert_with_key(|phrase| {
            self.list.push(phrase.clone());
            next
        })
    }
}

fn lanes(history: &History, clocks: &NodeClocks) -> Vec<PageLane> {
    let nodes = history.plan.nodes().chain([Node::Ledger]);
    let lane = |node: Node| {
        let role = match node {
            Node::Registry => "store",
            Node::Worker(_) => "worker",
            Node::Host(_) => "host",
            Node::Ledger => "ledger",
        };
        PageLane {
            code: node.code(),
            name: node.to_string(),
            role,
            clock: clocks.stretches(node).copied().collect(),
        }
    };
    nodes.map(lane).collect()
}

fn grants(history: &History) -> Vec<(u8, ExactNumber, String)> {
    history.grants.iter().map(|name| (name.node, ExactNumber(name.fence), name.incarnation.clone())).collect()
}

fn steps(history: &History) -> Vec<TakenStep> {
    let mut steps = Vec::new();
    for (place, event) in history.events.iter().enumerate() {
        let What::StepTaken { step } = event.what() else { continue };
        if let Some(step) = usize::try_from(step).ok().and_then(|step| history.plan.steps.get(step)) {
            let action = step.action.to_string();
            let nodes = step.action.nodes().into_iter().map(Node::code).collect();
            steps.push(TakenStep { place, action, nodes, for_us: lasts_us(&step.action) });
        }
    }
    steps
}

/// How long its bar is, if it has one.
fn lasts_us(action: &Action) -> Option<u64> {
    match action.shown() {
        Shown::Bar(ms) => Some(ms.saturating_mul(1_000)),
        Shown::Instant | Shown::UntilItsEvent => None,
    }
}

/// Judged by the law itself, even if the subject does not claim it, and with every doubt, since a history does not say whose
/// registry it was. The law judges an overlap at its end; nothing is known of one that a cut run leaves open.
fn are_within_bound(history: &History, bodies: &[BodyRun], overlaps: &[OverlapBar]) -> bool {
    let is_over = |overlap: &OverlapBar| {
        let (earlier, later) = overlap.bodies;
        bodies[earlier].to.is_some() || bodies[later].to.is_some()
    };
    const NOTHING: &[&str] = &[];
    let of_overlap = |judged: &Judged| judged.law == BodiesOverlapWithinBound::CARD.name;
    !overlaps.is_empty()
        && overlaps.iter().all(is_over)
        && rejudge(history, false, NOTHING).iter().any(|judged| of_overlap(judged) && judged.holds())
}

fn outside(history: &History) -> Vec<(usize, u16, ExactNumber)> {
    let mut highest: BTreeMap<u16, u64> = BTreeMap::new();
    let mut seen = Vec::new();
    for (place, event) in history.events.iter().enumerate() {
        let What::EffectTaken { fence, .. } = event.what() else { continue };
        let known = highest.get(&event.process).copied();
        if known.is_none_or(|known| fence > known) {
            highest.insert(event.process, fence);
            seen.push((place, event.process, ExactNumber(fence)));
        }
    }
    seen
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::event::{BodyOutcome, CallKind, CallResult, GrantName, GrantNo};
    use crate::plan::Plan;
    use crate::timeline::calls::calls;
    use crate::timeline::test_events::{self, NO_GRANT, event};

    #[test]
    fn data_cannot_end_its_script_and_keeps_large_numbers() {
        let name = GrantName {
            process: 1,
            node: 1,
            fence: u64::MAX,
            incarnation: "</script><b>".into(),
            token: String::new(),
            was_granted: true,
        };
        let history =
            History { plan: Plan::quiet(1), grants: vec![name], events: Vec::new(), notes: Vec::new() };
        let json = PageData::of(&history, Vec::new(), &[], false).json();
        assert!(!json.contains('<') && json.contains("\\u003c/script>\\u003cb>"));
        assert!(json.contains("\"18446744073709551615\""));
        let back: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(back["grants"][0][2], "</script><b>");
    }

    #[test]
    fn a_claim_that_was_kept_out_is_everyday_from_its_sending_on() {
        let call = CallKind::Claim;
        let history = test_events::history(vec![
            event(5, 1, 1, NO_GRANT, What::Sent { call, number: 1 }),
            event(7, 1, 1, NO_GRANT, What::Busy),
            event(9, 1, 1, NO_GRANT, What::Heard { call, result: CallResult::Busy, number: 1 }),
            event(9, 1, 1, NO_GRANT, What::Sent { call: CallKind::Renew, number: 2 }),
        ]);
        let data = PageData::of(&history, calls(&history), &[], false);
        let busy = Glyph::Busy.number();
        assert_eq!(data.glyph, [busy, busy, busy, Glyph::Sent.number()]);
        assert_eq!(data.after_us, [5, 2, 2, 0]);
    }

    #[test]
    fn bodies_are_within_the_bound_only_once_they_were_judged() {
        let body = |at_us, grant, what| event(at_us, 1, 1, GrantNo(grant), what);
        let began = What::BodyBegan { fence: 0 };
        let ended = What::BodyEnded { outcome: BodyOutcome::Output, output: 0 };
        let events = [
            body(10, 0, began),
            body(20, 1, began),
            body(30, 1, What::EffectStarted { fence: 0 }),
            body(40, 0, ended),
            body(60, 1, ended),
        ];
        let are_lawful = |drawn: usize| {
            let history = test_events::history(events[..drawn].to_vec());
            let data = PageData::of(&history, Vec::new(), &[], false);
            (data.overlaps.len(), data.overlaps_are_lawful)
        };
        assert_eq!((are_lawful(5), are_lawful(4)), ((1, true), (1, true)));
        assert_eq!(are_lawful(3), (1, false), "it still goes on where the run is cut");
    }

    #[test]
    fn only_a_higher_fence_is_news_outside() {
        let taken = |fence| event(1, 255, 1, NO_GRANT, What::EffectTaken { fence, highest: 0 });
        let history = test_events::history(vec![taken(1), taken(1), taken(3), taken(2)]);
        let seen: Vec<_> = outside(&history).iter().map(|(place, _, fence)| (*place, fence.0)).collect();
        assert_eq!(seen, [(0, 1), (2, 3)]);
    }
}
