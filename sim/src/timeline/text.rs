//! The timeline as text: a lane per node, the registry's last, time downwards. A call that was decided stands in its
//! caller's lane, and what was decided in the registry's, on one line; one that was not, with what became of it. Of
//! renewals in a row the first of each grant is a line, and the rest are one. The breach is marked, with the law's sentence
//! under it.

use std::collections::BTreeSet;
use std::fmt::Write;

use crate::history::History;
use crate::history::event::{CallKind, Event, Kind, NO_PROCESS};
use crate::judge::Breach;
use crate::plan::Node;
use crate::timeline::calls::calls;
use crate::timeline::cause::{Link, chain};
use crate::timeline::unanswered::{Astray, is_in_doubt};

const LANE: usize = 22;

/// Draws what happened up to some time after the breach, or everything.
pub fn draw(history: &History, broken: Option<&Breach>) -> String {
    let drawing = Drawing::of(history, broken);
    let mut text = drawing.header;
    text.push('\n');
    for row in drawing.rows {
        let _ = writeln!(text, "{}", row.line);
    }
    if let Some(broken) = broken {
        let _ = writeln!(text, "             {}: {}", broken.law, broken.sentence);
        let _ = writeln!(text, "             here: {}", broken.because);
    }
    text
}

pub(super) struct Drawing {
    pub header: String,
    pub rows: Vec<Row>,
    /// What leads to the breach.
    pub links: Vec<Link>,
}

pub(super) struct Row {
    pub line: String,
    /// Its event's; of a line that sums up, none.
    pub place: Option<usize>,
    pub is_renewal: bool,
}

impl Drawing {
    pub fn of(history: &History, broken: Option<&Breach>) -> Self {
        let calls = calls(history);
        let breach = broken.and_then(|broken| usize::try_from(broken.at).ok());
        let end = breach.map_or(history.events.len(), |at| (at + 1).min(history.events.len()));
        let look = Look {
            history,
            lanes: Vec::new(),
            astray: Astray::of(history, &calls, end),
            breach,
            at_issue: breach.and_then(|at| history.events.get(at)).map(|event| event.process),
        };
        let mut lanes: Vec<Node> = history.plan.nodes().filter(|node| *node != Node::Registry).collect();
        let events =
            || history.events[..end].iter().enumerate().filter(|(place, event)| look.shows(*place, event));
        lanes.retain(|lane| events().any(|(_, event)| event.node == lane.code()));
        let shown: Vec<(usize, &Event)> = events().collect();
        let look = Look { lanes, ..look };
        let links = broken.map_or_else(Vec::new, |broken| chain(history, &calls, broken));
        let is_link = |place| links.iter().any(|link| link.place == place);

        let mut header = format!("{:>11}  ", "ms");
        for lane in &look.lanes {
            let _ = write!(header, "{:<LANE$} ", lane.to_string());
        }
        header.push_str("registry");
        let mut rows = Vec::new();
        let mut run = Renewals::default();
        for (place, event) in shown {
            let mark = if breach == Some(place) { 'x' } else { ' ' };
            let line = format!("{mark} {:>9}  {}", event.at_us / 1_000, look.row(place, event));
            let is_renewal = event.kind == Kind::Renewed && breach != Some(place);
            let row = Row { line, place: Some(place), is_renewal };
            if is_renewal {
                run.add(row, event, is_link(place));
            } else {
                run.end(&mut rows);
                rows.push(row);
            }
        }
        run.end(&mut rows);
        Self { header, rows, links }
    }
}

/// Those in a row, with nothing else between them.
#[derive(Default)]
struct Renewals {
    rows: Vec<(Row, bool)>,
    grants: BTreeSet<u32>,
}

impl Renewals {
    fn add(&mut self, row: Row, event: &Event, is_link: bool) {
        let is_first = self.grants.insert(event.grant.0);
        self.rows.push((row, is_first || is_link));
    }

    /// A line that stands for one other would save nothing.
    fn end(&mut self, rows: &mut Vec<Row>) {
        self.grants.clear();
        let more = self.rows.iter().filter(|(_, is_told)| !is_told).count();
        rows.extend(self.rows.drain(..).filter(|(_, is_told)| *is_told || more == 1).map(|(row, _)| row));
        if more > 1 {
            let line = format!("{:>11}  (and {more} more renewals)", "");
            rows.push(Row { line, place: None, is_renewal: true });
        }
    }
}

struct Look<'a> {
    history: &'a History,
    lanes: Vec<Node>,
    astray: Astray,
    breach: Option<usize>,
    /// The process that the breach is about.
    at_issue: Option<u16>,
}

impl Look<'_> {
    /// What tells nothing of leases is left out: reads, lists, and the sending of what is decided later.
    fn shows(&self, place: usize, event: &Event) -> bool {
        match event.kind {
            _ if self.breach == Some(place) => true,
            Kind::Sent => {
                self.astray.fate(place).is_some() && self.matters(event, CallKind::from_code(event.a))
            }
            Kind::Heard => is_in_doubt(event) && self.matters(event, CallKind::from_code(event.a >> 8)),
            // Of a worker's call its sending tells.
            Kind::Lost => {
                let is_hosts = matches!(Node::from_code(event.node), Node::Host(_));
                is_hosts && self.at_issue == Some(event.process) && event.process != NO_PROCESS
            }
            Kind::Showed | Kind::EffectStarted => false,
            // Evidence is for laws.
            Kind::ReadBack
            | Kind::LeaseAfter
            | Kind::Observed
            | Kind::TokenDrawn
            | Kind::Appended
            | Kind::Replayed
            | Kind::Repeated
            | Kind::FromEarlierLife
            | Kind::LogRead
            | Kind::LogShown
            | Kind::Claims
            | Kind::Completes
            | Kind::Unfenced
            | Kind::Survived
            | Kind::SurvivedLease => false,
            // A sweep that came too late, or asks again: everyday.
            Kind::Busy => false,
            Kind::Refused => CallKind::from_code(event.a) != CallKind::Claim,
            _ => true,
        }
    }

    /// Whether anybody asks what became of a call: not of a read, and of a claim, which every sweep makes again, only
    /// where the breach is about its process.
    fn matters(&self, event: &Event, call: CallKind) -> bool {
        match call {
            CallKind::Read | CallKind::Other => false,
            CallKind::Claim => self.at_issue == Some(event.process),
            _ => event.process != NO_PROCESS,
        }
    }

    fn row(&self, place: usize, event: &Event) -> String {
        let said = self.history.said(event).to_string();
        let lane = self.lanes.iter().position(|lane| lane.code() == event.node);
        let Some(lane) = lane else {
            let gap = self.lanes.len() * (LANE + 1);
            return if event.node == Node::Ledger.code() {
                format!("{:gap$}ledger: {said}", "")
            } else {
                format!("{:gap$}{said}", "")
            };
        };
        let before = lane * (LANE + 1);
        let fate = self.astray.fate(place).filter(|_| self.breach != Some(place));
        let call = fate.map(|_| CallKind::from_code(event.a).name()).or_else(|| call(event));
        let Some(call) = call else { return format!("{:before$}{said}", "") };
        let after = (self.lanes.len() - lane) * (LANE + 1);
        let mut asked = match event.process {
            NO_PROCESS => format!("{call} "),
            process => format!("{call} p{process} "),
        };
        let tip = if fate.is_some() { ">" } else { "." };
        while asked.chars().count() < after - 2 {
            asked.push('.');
        }
        let became = match fate {
            Some(fate) => fate.to_owned(),
            None if self.astray.is_answer_lost(place) => format!("{said}, answer lost"),
            None => said,
        };
        format!("{:before$}{asked}{tip} {became}", "")
    }
}

/// What was asked, of events that are decisions.
fn call(event: &Event) -> Option<&'static str> {
    Some(match event.kind {
        Kind::Registered => "register",
        Kind::Granted | Kind::Reentered | Kind::Busy => "claim",
        Kind::Reclaimed => "reclaim",
        Kind::Renewed => "renew",
        Kind::Released => "release",
        Kind::Wrote => "write",
        Kind::Asked => "ask",
        Kind::Ended => "complete",
        Kind::Refused | Kind::Failed => CallKind::from_code(event.a).name(),
        Kind::Pruned => "prune",
        _ => return None,
    })
}
