//! The timeline as text: a lane per node, the registry's last, time downwards. A call that was decided stands in its
//! caller's lane, and what was decided in the registry's, on one line. Renewals in a row are one line. The breach is
//! marked, with the law's sentence under it.

use std::fmt::Write;

use super::calls::calls;
use super::cause::chain;
use crate::event::{CallKind, Event, Kind, NO_PROCESS};
use crate::history::History;
use crate::judge::Broken;
use crate::plan::Node;

const LANE: usize = 22;

/// Draws what happened up to some time after the breach, or everything.
pub fn draw(history: &History, broken: Option<&Broken>) -> String {
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

/// The same in so many lines at most. What leads to the breach stays, then what is done to nodes, then what is nearest to
/// the breach and about its process; where something is left out there is a line of dots.
pub fn abridged(history: &History, broken: &Broken, most: usize) -> Vec<String> {
    let Drawing { header, rows } = Drawing::of(history, Some(broken));
    let mut lines = vec![header];
    if rows.len() < most {
        lines.extend(rows.into_iter().map(|row| row.line));
        return lines;
    }
    let chain = chain(history, &calls(history), broken);
    let breach = usize::try_from(broken.at).ok().and_then(|at| history.events.get(at));
    let mut order: Vec<usize> = (0..rows.len()).rev().collect();
    // Stable: among equals, what is nearer to the breach comes first.
    order.sort_by_key(|number| {
        let place = rows[*number].place;
        let event = place.and_then(|place| history.events.get(place));
        let is_own = event.map(|event| event.process) == breach.map(|breach| breach.process);
        match event {
            _ if chain.iter().any(|link| place == Some(link.place)) => 0,
            Some(event) if matches!(event.kind, Kind::Paused | Kind::Resumed | Kind::Crashed) => 1,
            Some(_) if is_own => 2,
            Some(event) if event.kind == Kind::StepTaken => 3,
            _ => 4,
        }
    });
    let mut kept = vec![false; rows.len()];
    for number in order {
        kept[number] = true;
        if 1 + count_of_lines(&kept) > most {
            kept[number] = false;
            break;
        }
    }
    let mut is_gap = false;
    for (row, is_kept) in rows.into_iter().zip(kept) {
        if is_kept {
            lines.push(row.line);
        } else if !is_gap {
            lines.push(format!("{:>11}", "..."));
        }
        is_gap = !is_kept;
    }
    lines
}

/// Those that are kept, and one for each gap.
fn count_of_lines(kept: &[bool]) -> usize {
    let gaps = kept.iter().enumerate().filter(|(at, is_kept)| !**is_kept && (*at == 0 || kept[at - 1]));
    kept.iter().filter(|is_kept| **is_kept).count() + gaps.count()
}

struct Drawing {
    header: String,
    rows: Vec<Row>,
}

struct Row {
    line: String,
    /// Its event's; of a line that sums up, none.
    place: Option<usize>,
}

impl Drawing {
    fn of(history: &History, broken: Option<&Broken>) -> Self {
        let mut lanes: Vec<Node> = history.plan.nodes().filter(|node| *node != Node::Registry).collect();
        lanes.retain(|lane| history.events.iter().any(|event| event.node == lane.code() && is_shown(event)));
        let mut header = format!("{:>11}  ", "ms");
        for lane in &lanes {
            let _ = write!(header, "{:<LANE$} ", lane.to_string());
        }
        header.push_str("registry");
        let mut rows = Vec::new();
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
                let line = format!("{:>11}  (and {} more renewals)", "", count - 1);
                rows.push(Row { line, place: None });
            }
            let mark = if is_breach { 'x' } else { ' ' };
            let line = format!("{mark} {:>9}  {}", event.at_us / 1_000, row(history, &lanes, event));
            rows.push(Row { line, place: Some(place) });
        }
        Self { header, rows }
    }
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
            let mut asked = match event.process {
                NO_PROCESS => format!("{call} "),
                process => format!("{call} p{process} "),
            };
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::GrantNo;
    use crate::plan::Plan;

    fn event(at_ms: u64, node: u8, process: u16, kind: Kind, grant: u32) -> Event {
        let grant = GrantNo(grant);
        Event { at_us: at_ms * 1_000, clock: 0, a: 0, b: 0, grant, process, node, kind }
    }

    #[test]
    fn an_abridged_timeline_keeps_what_leads_to_the_breach_and_says_where_it_leaves_out() {
        let mut events = vec![event(1, 1, 1, Kind::Granted, 0), event(2, 2, 1, Kind::Granted, 1)];
        events.extend((3..90).map(|at_ms| event(at_ms, 3, 2, Kind::BodyBegan, 2)));
        events.push(event(90, 1, NO_PROCESS, Kind::Paused, u32::MAX));
        events.extend((91..100).map(|at_ms| event(at_ms, 3, 2, Kind::BodyEnded, 2)));
        events.push(event(100, 1, 1, Kind::Wrote, 0));
        let at = events.len() as u64 - 1;
        let history = History { plan: Plan::quiet(1), grants: Vec::new(), events };
        let broken = Broken { law: "stale-writer-refused", sentence: "", at, because: String::new() };
        for most in 8..40 {
            let lines = abridged(&history, &broken, most);
            assert!(lines.len() <= most, "{most}: {lines:#?}");
            let text = lines.join("\n");
            assert!(text.contains("          1  claim") && text.contains("          2  "), "{text}");
            assert!(
                text.contains("|| paused") && text.contains("x       100") && text.contains("..."),
                "{text}"
            );
        }
        assert_eq!(abridged(&history, &broken, 1_000).len(), 1 + history.events.len());
    }
}
