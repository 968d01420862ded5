//! What the page's script gets: the events as columns, and beside them what lasts. Columns of numbers are a fifth of the size
//! of objects and are read as quickly as the text can be parsed; words that repeat stand in one list.

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};

use crate::history::History;
use crate::history::event::{Kind, NO_PROCESS, status};
use crate::judge::{Judged, rejudge};
use crate::plan::Node;
use crate::plan::clock::Stretch;
use crate::plan::step_kind::{Action, Shown};
use crate::timeline::beliefs::{Belief, beliefs};
use crate::timeline::bodies::{Body, Overlap, Standstill, bodies, overlaps, standstills};
use crate::timeline::calls::Call;
use crate::timeline::cause::Link;
use crate::timeline::clocks::{Clocks, EPOCH_MS};
use crate::timeline::leases::{Lease, Life, leases, lives};
use crate::timeline::marks::Mark;

#[derive(Serialize)]
pub struct Data {
    epoch_ms: i64,
    nodes: Vec<Lane>,
    marks: [Mark; Mark::ALL.len()],
    /// Node, fence and owner of each.
    grants: Vec<(u8, Exact, String)>,
    statuses: [&'static str; 5],
    words: Vec<String>,
    /// Since the event before.
    after_us: Vec<u64>,
    mark: Vec<u8>,
    node: Vec<u8>,
    process: Vec<Optional>,
    grant: Vec<Optional>,
    said: Vec<u32>,
    calls: Vec<[Optional; 3]>,
    leases: Vec<Lease>,
    lives: Vec<Life>,
    beliefs: Vec<Belief>,
    bodies: Vec<Body>,
    overlaps: Vec<Overlap>,
    standstills: Vec<Standstill>,
    steps: Vec<Taken>,
    /// Where something outside saw a fence that was higher than any before: place, process, fence.
    outside: Vec<(usize, u16, Exact)>,
    chain: Vec<(usize, &'static str, bool)>,
    /// Whether bodies that run at once do so within what the law of overlap allows.
    overlaps_are_lawful: bool,
    /// Whether the run was drawn to an event before its end.
    is_cut: bool,
    readings: u64,
    differing: u64,
}

#[derive(Serialize)]
struct Lane {
    code: u8,
    name: String,
    role: &'static str,
    clock: Vec<Stretch>,
}

/// A step that was taken.
#[derive(Serialize)]
struct Taken {
    place: usize,
    action: String,
    nodes: Vec<u8>,
    for_us: Option<u64>,
}

/// A number that JavaScript would round above 2^53.
struct Exact(u64);

impl Serialize for Exact {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

/// A number, or -1.
#[derive(Clone, Copy)]
struct Optional(Option<u32>);

impl Serialize for Optional {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i64(self.0.map_or(-1, i64::from))
    }
}

impl Data {
    pub fn of(history: &History, calls: Vec<Call>, links: &[Link], is_cut: bool) -> Self {
        let clocks = Clocks::of(history);
        let bodies = bodies(history);
        let overlaps = overlaps(history, &bodies);
        let mut words = Words::default();
        let mut columns = Self {
            epoch_ms: EPOCH_MS,
            nodes: lanes(history, &clocks),
            marks: Mark::ALL,
            grants: grants(history),
            statuses: [
                status::name(status::RUNNING),
                status::name(status::COMPLETED),
                status::name(status::FAILED),
                status::name(status::CANCELLED),
                status::name(status::ABANDONED),
            ],
            words: Vec::new(),
            after_us: Vec::new(),
            mark: Vec::new(),
            node: Vec::new(),
            process: Vec::new(),
            grant: Vec::new(),
            said: Vec::new(),
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
            columns.mark.push(Mark::of(event, &history.plan) as u8);
            columns.node.push(event.node);
            columns.process.push(Optional((event.process != NO_PROCESS).then_some(event.process.into())));
            columns.grant.push(Optional(event.grant.is_some().then_some(event.grant.0)));
            columns.said.push(words.number(history.said(event).to_string()));
        }
        let place = |place: Option<usize>| Optional(place.and_then(|place| u32::try_from(place).ok()));
        for call in calls {
            // A call that is everyday is so from its sending on.
            let everyday = [call.decided, call.heard]
                .into_iter()
                .flatten()
                .any(|place| [Mark::Busy as u8, Mark::Read as u8].contains(&columns.mark[place]));
            if everyday && let Some(decided) = call.decided.or(call.heard) {
                for part in [call.sent, call.heard].into_iter().flatten() {
                    columns.mark[part] = columns.mark[decided];
                }
            }
            columns.calls.push([place(call.sent), place(call.decided), place(call.heard)]);
        }
        columns.words = words.list;
        columns
    }

    /// As text that may stand in a script element.
    pub fn json(&self) -> String {
        // Nothing in here can fail: no maps, no floats.
        serde_json::to_string(self).unwrap_or_default().replace('<', "\\u003c")
    }
}

/// Each word once.
#[derive(Default)]
struct Words {
    list: Vec<String>,
    numbers: BTreeMap<String, u32>,
}

impl Words {
    fn number(&mut self, word: String) -> u32 {
        let next = self.list.len() as u32;
        *self.numbers.entry(word).or_insert_with_key(|word| {
            self.list.push(word.clone());
            next
        })
    }
}

fn lanes(history: &History, clocks: &Clocks) -> Vec<Lane> {
    let nodes = history.plan.nodes().chain([Node::Ledger]);
    let lane = |node: Node| {
        let role = match node {
            Node::Registry => "store",
            Node::Worker(_) => "worker",
            Node::Host(_) => "host",
            Node::Ledger => "ledger",
        };
        Lane {
            code: node.code(),
            name: node.to_string(),
            role,
            clock: clocks.stretches(node).copied().collect(),
        }
    };
    nodes.map(lane).collect()
}

fn grants(history: &History) -> Vec<(u8, Exact, String)> {
    history.grants.iter().map(|name| (name.node, Exact(name.fence), name.incarnation.clone())).collect()
}

fn steps(history: &History) -> Vec<Taken> {
    let mut steps = Vec::new();
    for (place, event) in history.events.iter().enumerate() {
        let step = usize::try_from(event.a).ok().and_then(|number| history.plan.steps.get(number));
        if let (Kind::StepTaken, Some(step)) = (event.kind, step) {
            let action = step.action.to_string();
            let nodes = step.action.nodes().into_iter().map(Node::code).collect();
            steps.push(Taken { place, action, nodes, for_us: lasts_us(&step.action) });
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

/// By the law itself, which a subject that does not claim it is not judged by. It judges an overlap at its end: of one that a
/// cut run leaves open nothing is known.
fn are_within_bound(history: &History, bodies: &[Body], overlaps: &[Overlap]) -> bool {
    let is_over = |overlap: &Overlap| {
        let (earlier, later) = overlap.bodies;
        bodies[earlier].to.is_some() || bodies[later].to.is_some()
    };
    let of_overlap = |judged: &Judged| judged.law == "bodies-overlap-within-bound";
    !overlaps.is_empty()
        && overlaps.iter().all(is_over)
        && rejudge(history).iter().any(|judged| of_overlap(judged) && judged.holds())
}

fn outside(history: &History) -> Vec<(usize, u16, Exact)> {
    let mut highest: BTreeMap<u16, u64> = BTreeMap::new();
    let mut seen = Vec::new();
    for (place, event) in history.events.iter().enumerate() {
        let known = highest.get(&event.process).copied();
        if event.kind == Kind::EffectTaken && known.is_none_or(|known| event.a > known) {
            highest.insert(event.process, event.a);
            seen.push((place, event.process, Exact(event.a)));
        }
    }
    seen
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::event::{CallKind, Event, GrantName, GrantNo, refusal};
    use crate::plan::Plan;
    use crate::timeline::calls::calls;

    fn event(at_us: u64, node: u8, kind: Kind, a: u64, b: u64) -> Event {
        Event { at_us, clock: 0, a, b, grant: GrantNo::NONE, process: 1, node, kind }
    }

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
        let history = History { plan: Plan::quiet(1), grants: vec![name], events: Vec::new() };
        let json = Data::of(&history, Vec::new(), &[], false).json();
        assert!(!json.contains('<') && json.contains("\\u003c/script>\\u003cb>"));
        assert!(json.contains("\"18446744073709551615\""));
        let back: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(back["grants"][0][2], "</script><b>");
    }

    #[test]
    fn a_claim_that_was_kept_out_is_everyday_from_its_sending_on() {
        let claim = CallKind::Claim as u64;
        let events = vec![
            event(5, 1, Kind::Sent, claim, 1),
            event(7, 1, Kind::Busy, 0, 0),
            event(9, 1, Kind::Heard, claim << 8 | refusal::BUSY, 1),
            event(9, 1, Kind::Sent, CallKind::Renew as u64, 2),
        ];
        let history = History { plan: Plan::quiet(1), grants: Vec::new(), events };
        let data = Data::of(&history, calls(&history), &[], false);
        let busy = Mark::Busy as u8;
        assert_eq!(data.mark, [busy, busy, busy, Mark::Sent as u8]);
        assert_eq!(data.after_us, [5, 2, 2, 0]);
    }

    #[test]
    fn bodies_are_within_the_bound_only_once_they_were_judged() {
        let body = |at_us, grant, kind| Event { grant: GrantNo(grant), ..event(at_us, 1, kind, 0, 0) };
        let events = [
            body(10, 0, Kind::BodyBegan),
            body(20, 1, Kind::BodyBegan),
            body(30, 1, Kind::EffectStarted),
            body(40, 0, Kind::BodyEnded),
            body(60, 1, Kind::BodyEnded),
        ];
        let are_lawful = |drawn: usize| {
            let events = events[..drawn].to_vec();
            let history = History { plan: Plan::quiet(1), grants: Vec::new(), events };
            let data = Data::of(&history, Vec::new(), &[], false);
            (data.overlaps.len(), data.overlaps_are_lawful)
        };
        assert_eq!((are_lawful(5), are_lawful(4)), ((1, true), (1, true)));
        assert_eq!(are_lawful(3), (1, false), "it still goes on where the run is cut");
    }

    #[test]
    fn only_a_higher_fence_is_news_outside() {
        let taken = |fence| event(1, 255, Kind::EffectTaken, fence, 0);
        let events = vec![taken(1), taken(1), taken(3), taken(2)];
        let history = History { plan: Plan::quiet(1), grants: Vec::new(), events };
        let seen: Vec<_> = outside(&history).iter().map(|(place, _, fence)| (*place, fence.0)).collect();
        assert_eq!(seen, [(0, 1), (2, 3)]);
    }
}
