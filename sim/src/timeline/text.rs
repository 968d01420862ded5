//! The timeline as text: a lane per node, the registry's last, time downwards. A call stands in its caller's lane and its
//! decision in the registry's, on one line; a call without a decision stands with its outcome. Of renewals in a row the
//! first of each grant is a line, and the rest are one. The breach is marked, with the law's sentence under it.

use std::collections::BTreeSet;
use std::fmt::Write;

use crate::history::History;
use crate::history::event::{CallKind, Event, EventKind, NO_PROCESS, What};
use crate::judge::Breach;
use crate::plan::Node;
use crate::timeline::calls::calls;
use crate::timeline::cause::{CauseLink, chain};
use crate::timeline::incarnations::GrantedLives;
use crate::timeline::unanswered::{UnansweredCalls, is_in_doubt};

/// The width of a lane, and the least one when lines must fit a terminal.
const LANE: usize = 22;
const LEAST_LANE: usize = 10;
/// Columns that a line needs beside its lanes: the time before them, and the decision behind them.
const BESIDE_LANES: usize = 13 + 36;

/// Draws the history up to the breach, or all of it.
pub fn draw(history: &History, broken: Option<&Breach>) -> String {
    let timeline = TextTimeline::of(history, broken);
    let mut text = timeline.header;
    text.push('\n');
    for row in timeline.rows {
        let _ = writeln!(text, "{}", row.line);
    }
    if let Some(broken) = broken {
        let _ = writeln!(text, "             {}: {}", broken.law, broken.sentence);
        let _ = writeln!(text, "             here: {}", broken.because);
    }
    text
}

pub(super) struct TextTimeline {
    pub header: String,
    pub rows: Vec<TimelineRow>,
    /// The events that lead to the breach.
    pub links: Vec<CauseLink>,
}

pub(super) struct TimelineRow {
    pub line: String,
    /// The place of its event; none for a line that sums up others.
    pub place: Option<usize>,
    pub is_renewal: bool,
}

impl TextTimeline {
    /// The whole timeline.
    pub fn of(history: &History, broken: Option<&Breach>) -> Self {
        Self::drawn(history, broken, None, None)
    }

    /// For a report: with a width the lanes are made narrower, so that most lines fit, and grants name the life of their
    /// worker where two lives of one are involved.
    pub fn for_report(history: &History, broken: &Breach, width: Option<usize>) -> Self {
        let breach = usize::try_from(broken.at).ok();
        let process = breach.and_then(|at| history.events.get(at)).map(|event| event.process);
        let lives = process.zip(breach).map(|(process, end)| GrantedLives::of(history, process, end));
        Self::drawn(history, Some(broken), width, lives)
    }

    fn drawn(
        history: &History,
        broken: Option<&Breach>,
        width: Option<usize>,
        lives: Option<GrantedLives>,
    ) -> Self {
        let calls = calls(history);
        let breach = broken.and_then(|broken| usize::try_from(broken.at).ok());
        let end = breach.map_or(history.events.len(), |at| (at + 1).min(history.events.len()));
        let writer = RowWriter {
            history,
            lanes: Vec::new(),
            lane: LANE,
            lives: None,
            unanswered: UnansweredCalls::of(history, &calls, end),
            breach,
            at_issue: breach.and_then(|at| history.events.get(at)).map(|event| event.process),
        };
        let mut lanes: Vec<Node> = history.plan.nodes().filter(|node| *node != Node::Registry).collect();
        let events =
            || history.events[..end].iter().enumerate().filter(|(place, event)| writer.shows(*place, event));
        lanes.retain(|lane| events().any(|(_, event)| event.node == lane.code()));
        let shown: Vec<(usize, &Event)> = events().collect();
        let lane = width.map_or(LANE, |width| lane_within(width, lanes.len()));
        let writer = RowWriter { lanes, lane, lives, ..writer };
        let links = broken.map_or_else(Vec::new, |broken| chain(history, &calls, broken));
        let is_link = |place| links.iter().any(|link| link.place == place);

        let mut header = format!("{:>11}  ", "ms");
        for node in &writer.lanes {
            let _ = write!(header, "{:<1$} ", node.to_string(), writer.lane);
        }
        header.push_str("registry");
        let mut rows = Vec::new();
        let mut renewals = RenewalRun::default();
        for (place, event) in shown {
            let mark = if breach == Some(place) { 'x' } else { ' ' };
            let line = format!("{mark} {:>9}  {}", event.at_us / 1_000, writer.row(place, event));
            let is_renewal = event.kind() == EventKind::Renewed && breach != Some(place);
            let row = TimelineRow { line, place: Some(place), is_renewal };
            if is_renewal {
                renewals.add(row, event, is_link(place));
            } else {
                renewals.end(&mut rows);
                rows.push(row);
            }
        }
        renewals.end(&mut rows);
        let is_drawn = |place: usize| rows.iter().any(|row| row.place == Some(place));
        assert!(breach.is_none_or(|at| at >= end || is_drawn(at)), "the breach has no row");
        Self { header, rows, links }
    }
}

/// The widest lane with which a line of so many lanes fits.
fn lane_within(width: usize, lanes: usize) -> usize {
    let each = width.saturating_sub(BESIDE_LANES) / lanes.max(1);
    each.saturating_sub(1).clamp(LEAST_LANE, LANE)
}

/// Renewals with nothing else between them.
#[derive(Default)]
struct RenewalRun {
    /// Each with whether it has a line of its own.
    rows: Vec<(TimelineRow, bool)>,
    grants: BTreeSet<u32>,
}

impl RenewalRun {
    fn add(&mut self, row: TimelineRow, event: &Event, is_link: bool) {
        let is_first = self.grants.insert(event.grant.0);
        self.rows.push((row, is_first || is_link));
    }

    /// Sums up the renewals without a line of their own; a single one is drawn, since its sum would be a line, too.
    fn end(&mut self, rows: &mut Vec<TimelineRow>) {
        self.grants.clear();
        let more = self.rows.iter().filter(|(_, has_line)| !has_line).count();
        rows.extend(self.rows.drain(..).filter(|(_, has_line)| *has_line || more == 1).map(|(row, _)| row));
        if more > 1 {
            let line = format!("{:>11}  (and {more} more renewals)", "");
            rows.push(TimelineRow { line, place: None, is_renewal: true });
        }
    }
}

/// Decides which events have a row, and writes it.
struct RowWriter<'a> {
    history: &'a History,
    lanes: Vec<Node>,
    /// The width of each lane.
    lane: usize,
    /// The lives of workers that were granted the process at issue, for a report.
    lives: Option<GrantedLives>,
    unanswered: UnansweredCalls,
    breach: Option<usize>,
    /// The process that the breach is about.
    at_issue: Option<u16>,
}

impl RowWriter<'_> {
    /// Reads, lists, evidence and calls that are decided later have no row.
    fn shows(&self, place: usize, event: &Event) -> bool {
        if self.breach == Some(place) {
            return true;
        }
        match event.what() {
            // Requests of somebody's client to the store behind it.
            What::Sent { call: CallKind::Other, .. } | What::Heard { call: CallKind::Other, .. } => {
                self.at_issue.is_none_or(|process| process == event.process) && self.told(place).is_some()
            }
            What::Sent { call, .. } => self.unanswered.outcome(place).is_some() && self.matters(event, call),
            What::Heard { call, .. } => is_in_doubt(event) && self.matters(event, call),
            // The row of a worker's call says whether it was lost.
            What::Lost { .. } => {
                let is_hosts = matches!(Node::from_code(event.node), Node::Host(_));
                is_hosts && self.at_issue == Some(event.process) && event.process != NO_PROCESS
            }
            // A sweep that came too late, or asks again, is an everyday event.
            What::Busy => false,
            What::Refused { call, .. } => call != CallKind::Claim,
            What::Showed { .. }
            | What::EffectStarted { .. }
            | What::ReadBack { .. }
            | What::LeaseAfter
            | What::Observed { .. }
            | What::TokenDrawn { .. }
            | What::Appended { .. }
            | What::Replayed { .. }
            | What::Repeated { .. }
            | What::FromEarlierLife { .. }
            | What::LogRead { .. }
            | What::LogShown { .. }
            | What::Claims { .. }
            | What::Completes { .. }
            | What::Unfenced { .. }
            | What::AnswersJudged { .. }
            | What::Survived { .. }
            | What::SurvivedLease { .. }
            | What::Believed { .. } => false,
            What::Registered { .. }
            | What::Granted { .. }
            | What::Reclaimed { .. }
            | What::Reentered { .. }
            | What::Renewed { .. }
            | What::Released
            | What::Wrote { .. }
            | What::Ended { .. }
            | What::Failed { .. }
            | What::Pruned
            | What::Asked { .. }
            | What::GivesUp { .. }
            | What::StoreWaited { .. }
            | What::TransferIsPartial { .. }
            | What::TurnedOut { .. }
            | What::Answered { .. }
            | What::AnswerDiffers { .. }
            | What::AppliedAgain { .. }
            | What::SpanBegan { .. }
            | What::SpanEnded { .. }
            | What::LeaseShown { .. }
            | What::BodyBegan { .. }
            | What::BodyEnded { .. }
            | What::EffectTaken { .. }
            | What::EffectRefused { .. }
            | What::WaitBegan { .. }
            | What::WaitEnded { .. }
            | What::Drained { .. }
            | What::StepTaken { .. }
            | What::Crashed { .. }
            | What::Restarted { .. }
            | What::Paused
            | What::Resumed
            | What::Panicked
            | What::LivenessBegan { .. }
            | What::LivenessAsked
            | What::Remained { .. }
            | What::Exhausted
            | What::Finished => true,
        }
    }

    /// True, if the outcome of an unanswered call matters to a reader. A read never does; a claim, which every sweep makes
    /// again, only where the breach is about its process.
    fn matters(&self, event: &Event, call: CallKind) -> bool {
        match call {
            CallKind::Read | CallKind::Other => false,
            CallKind::Claim => self.at_issue == Some(event.process),
            CallKind::Reclaim
            | CallKind::Renew
            | CallKind::Release
            | CallKind::Start
            | CallKind::Emit
            | CallKind::SetWait
            | CallKind::ClearWait
            | CallKind::Complete
            | CallKind::UnfencedStart
            | CallKind::UnfencedEmit
            | CallKind::UnfencedSetWait
            | CallKind::UnfencedClearWait
            | CallKind::UnfencedComplete
            | CallKind::Register
            | CallKind::Abandon
            | CallKind::Prune
            | CallKind::GrantHandle
            | CallKind::Transfer
            | CallKind::Ack => event.process != NO_PROCESS,
        }
    }

    /// As [`decided_call`], but a reclaim that was answered busy is called a reclaim: the evidence before it says so.
    fn decided_call(&self, place: usize, event: &Event) -> Option<&'static str> {
        let is_own = |earlier: &&Event| (earlier.node, earlier.process) == (event.node, event.process);
        let is_evidence = |earlier: &&Event| {
            matches!(
                earlier.kind(),
                EventKind::Claims | EventKind::Observed | EventKind::StoreWaited | EventKind::Spanned
            )
        };
        let mut evidence = self.history.events[..place].iter().rev().filter(is_own).take_while(is_evidence);
        match event.what() {
            What::Busy if evidence.any(|earlier| earlier.kind() == EventKind::Observed) => Some("reclaim"),
            _ => decided_call(event),
        }
    }

    /// The node whose lease a call presents, if another node sent it: a late call of an earlier holder, which the world sends.
    fn presented_as(&self, event: &Event) -> Option<Node> {
        match event.what() {
            // The grant is the answer here, and not what the call presented.
            What::Busy | What::Granted { .. } | What::Reclaimed { .. } => None,
            _ => {
                let grant = event.grant.index().and_then(|index| self.history.grants.get(index))?;
                (grant.node != event.node).then(|| Node::from_code(grant.node))
            }
        }
    }

    /// A request to a store or its answer, in the store's own words.
    fn told(&self, place: usize) -> Option<&str> {
        self.history
            .notes_of(place as u64)
            .find(|note| note.starts_with("asks: ") || note.starts_with("answer: "))
    }

    fn row(&self, place: usize, event: &Event) -> String {
        let mut phrase = match self.told(place) {
            Some(told) => told.to_owned(),
            None => self.history.phrase(event).to_string(),
        };
        if let Some(life) = self.lives.as_ref().and_then(|lives| lives.at(place)) {
            phrase.push_str(&format!(" (life {life})"));
        }
        let lane = self.lanes.iter().position(|lane| lane.code() == event.node);
        let Some(lane) = lane else {
            let gap = self.lanes.len() * (self.lane + 1);
            return if event.node == Node::Ledger.code() {
                format!("{:gap$}ledger: {phrase}", "")
            } else {
                format!("{:gap$}{phrase}", "")
            };
        };
        let before = lane * (self.lane + 1);
        let outcome = self.unanswered.outcome(place).filter(|_| self.breach != Some(place));
        let sent = match event.what() {
            What::Sent { call, .. } if outcome.is_some() => Some(call.name()),
            _ => None,
        };
        let Some(call) = sent.or_else(|| self.decided_call(place, event)) else {
            return format!("{:before$}{phrase}", "");
        };
        let after = (self.lanes.len() - lane) * (self.lane + 1);
        let mut asked = match (event.process, self.presented_as(event)) {
            (NO_PROCESS, _) => format!("{call} "),
            (process, None) => format!("{call} p{process} "),
            (process, Some(holder)) => format!("{call} p{process} as {holder} "),
        };
        let tip = if outcome.is_some() { ">" } else { "." };
        while asked.chars().count() < after - 2 {
            asked.push('.');
        }
        let answer = match outcome {
            Some(outcome) => outcome.to_owned(),
            None if self.unanswered.is_answer_lost(place) => format!("{phrase}, answer lost"),
            None => phrase,
        };
        format!("{:before$}{asked}{tip} {answer}", "")
    }
}

/// The call that the registry decided with this event; none, if the event is no decision.
fn decided_call(event: &Event) -> Option<&'static str> {
    match event.what() {
        What::Registered { .. } => Some("register"),
        What::Granted { .. } | What::Reentered { .. } | What::Busy => Some("claim"),
        What::Reclaimed { .. } => Some("reclaim"),
        What::Renewed { .. } => Some("renew"),
        What::Released => Some("release"),
        What::Wrote { .. } => Some("write"),
        What::Asked { .. } => Some("ask"),
        What::Ended { .. } => Some("complete"),
        What::Refused { call, .. } | What::Failed { call, .. } => Some(call.name()),
        What::Pruned => Some("prune"),
        What::Answered { method, .. } => Some(method.name()),
        What::Showed { .. }
        | What::ReadBack { .. }
        | What::LeaseAfter
        | What::Observed { .. }
        | What::TokenDrawn { .. }
        | What::GivesUp { .. }
        | What::Appended { .. }
        | What::Replayed { .. }
        | What::StoreWaited { .. }
        | What::LogRead { .. }
        | What::LogShown { .. }
        | What::TransferIsPartial { .. }
        | What::TurnedOut { .. }
        | What::Survived { .. }
        | What::SurvivedLease { .. }
        | What::Claims { .. }
        | What::Completes { .. }
        | What::Unfenced { .. }
        | What::AnswerDiffers { .. }
        | What::AppliedAgain { .. }
        | What::AnswersJudged { .. }
        | What::SpanBegan { .. }
        | What::SpanEnded { .. }
        | What::LeaseShown { .. }
        | What::Sent { .. }
        | What::Heard { .. }
        | What::BodyBegan { .. }
        | What::BodyEnded { .. }
        | What::EffectStarted { .. }
        | What::EffectTaken { .. }
        | What::EffectRefused { .. }
        | What::WaitBegan { .. }
        | What::WaitEnded { .. }
        | What::Drained { .. }
        | What::StepTaken { .. }
        | What::Crashed { .. }
        | What::Restarted { .. }
        | What::Paused
        | What::Resumed
        | What::Panicked
        | What::Repeated { .. }
        | What::FromEarlierLife { .. }
        | What::Lost { .. }
        | What::LivenessBegan { .. }
        | What::LivenessAsked
        | What::Remained { .. }
        | What::Exhausted
        | What::Finished
        | What::Believed { .. } => None,
    }
}
