//! The timeline as text: a lane per node, the registry's last, time downwards. A call that was decided stands in its
//! caller's lane, and what was decided in the registry's, on one line. Renewals in a row are one line. The breach is
//! marked, with the law's sentence under it.

use std::fmt::Write;

use crate::event::{CallKind, Event, Kind, NO_PROCESS};
use crate::history::History;
use crate::judge::Broken;
use crate::plan::Node;

const LANE: usize = 22;

/// Draws what happened up to some time after the breach, or everything.
pub fn draw(history: &History, broken: Option<&Broken>) -> String {
    let mut lanes: Vec<Node> = history.plan.nodes().filter(|node| *node != Node::Registry).collect();
    lanes.retain(|lane| history.events.iter().any(|event| event.node == lane.code() && is_shown(event)));
    let mut text = String::new();
    let _ = write!(text, "{:>11}  ", "ms");
    for lane in &lanes {
        let _ = write!(text, "{:<LANE$} ", lane.to_string());
    }
    text.push_str("registry\n");
    let breach = broken.and_then(|broken| usize::try_from(broken.at).ok());
    let end = breach.map_or(history.events.len(), |at| (at + 1).min(history.events.len()));
    let mut renewals: Option<(u32, u64)> = None;
    for (place, event) in history.events[..end].iter().enumerate() {
        let is_breach = breach == Some(place);
        if !is_breach && !is_shown(event) {
            continue;
        }
        if !is_breach && event.kind == Kind::Renewed {
            match &mut renewals {
                Some((grant, count)) if *grant == event.grant.0 => {
                    *count += 1;
                    continue;
                }
                _ => renewals = Some((event.grant.0, 1)),
            }
        } else if event.process != NO_PROCESS
            && let Some((_, count)) = renewals.take()
            && count > 1
        {
            let _ = writeln!(text, "{:>11}  (and {} more renewals)", "", count - 1);
        }
        let mark = if is_breach { 'x' } else { ' ' };
        let _ = write!(text, "{mark} {:>9}  ", event.at_us / 1_000);
        text.push_str(&row(history, &lanes, event));
        text.push('\n');
    }
    if let Some(broken) = broken {
        let _ = writeln!(text, "             {}: {}", broken.law, broken.sentence);
        let _ = writeln!(text, "             here: {}", broken.because);
    }
    text
}

/// What tells nothing of leases is left out: reads, lists, and the sending of what is decided later.
fn is_shown(event: &Event) -> bool {
    match event.kind {
        Kind::Sent | Kind::Heard | Kind::Showed | Kind::EffectStarted | Kind::Lost => false,
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

fn row(history: &History, lanes: &[Node], event: &Event) -> String {
    let said = history.said(event).to_string();
    let lane = lanes.iter().position(|lane| lane.code() == event.node);
    let Some(lane) = lane else {
        let gap = lanes.len() * (LANE + 1);
        return if event.node == Node::Ledger.code() {
            format!("{:gap$}ledger: {said}", "")
        } else {
            format!("{:gap$}{said}", "")
        };
    };
    let before = lane * (LANE + 1);
    match call(event) {
        None => format!("{:before$}{said}", ""),
        Some(call) => {
            let after = (lanes.len() - lane) * (LANE + 1);
            let mut asked = format!("{call} p{} ", event.process);
            while asked.chars().count() < after - 1 {
                asked.push('.');
            }
            format!("{:before$}{asked} {said}", "")
        }
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
