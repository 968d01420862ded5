//! An excerpt of the timeline in so many lines at most, for a report. It keeps the events that lead to the breach first, then
//! pauses and crashes, then the events nearest to the breach that are about its process; renewals are left out first. A line
//! of dots stands where something is left out. With a width the lanes are made narrower.

use crate::history::History;
use crate::history::event::{Event, EventKind};
use crate::judge::Breach;
use crate::timeline::text::{TextTimeline, TimelineRow};

pub fn excerpt(history: &History, broken: &Breach, most: usize, width: Option<usize>) -> Vec<String> {
    let timeline = TextTimeline::for_report(history, broken, width);
    let kept = rows_to_keep(history, broken, &timeline, most);
    let mut lines = vec![timeline.header];
    let mut is_gap = false;
    for (row, is_kept) in timeline.rows.into_iter().zip(kept) {
        if is_kept {
            lines.push(row.line);
        } else if !is_gap {
            lines.push(format!("{:>11}", "..."));
        }
        is_gap = !is_kept;
    }
    lines
}

/// For each row, whether it stays. The header takes a line, too.
fn rows_to_keep(history: &History, broken: &Breach, timeline: &TextTimeline, most: usize) -> Vec<bool> {
    let rows = &timeline.rows;
    if rows.len() < most {
        return vec![true; rows.len()];
    }
    let breach = usize::try_from(broken.at).ok().and_then(|at| history.events.get(at));
    let rank = |row: &TimelineRow| {
        let is_of_node = |event: &Event| {
            matches!(event.kind(), EventKind::Paused | EventKind::Resumed | EventKind::Crashed)
        };
        let event = row.place.and_then(|place| history.events.get(place));
        let is_own = |event: &Event| breach.is_some_and(|breach| breach.process == event.process);
        match event {
            _ if timeline.links.iter().any(|link| row.place == Some(link.place)) => 0,
            Some(event) if is_of_node(event) => 1,
            Some(event) if is_own(event) && !row.is_renewal => 2,
            Some(event) if is_own(event) => 3,
            // The report lists the steps beside the timeline.
            Some(event) if event.kind() == EventKind::StepTaken => 5,
            Some(_) if !row.is_renewal => 4,
            _ => 6,
        }
    };
    let mut order: Vec<usize> = (0..rows.len()).rev().collect();
    // Stable: among equals, what is nearer to the breach comes first.
    order.sort_by_key(|number| rank(&rows[*number]));
    let mut kept = vec![false; rows.len()];
    for number in order {
        kept[number] = true;
        if 1 + count_of_lines(&kept) > most {
            kept[number] = false;
            break;
        }
    }
    // Dots that stand for one row would save nothing.
    for at in 0..kept.len() {
        let is_kept_beside =
            |beside: Option<usize>| beside.and_then(|at| kept.get(at)).is_none_or(|kept| *kept);
        if is_kept_beside(at.checked_sub(1)) && is_kept_beside(Some(at + 1)) {
            kept[at] = true;
        }
    }
    kept
}

/// The lines of the rows that are kept, and one for each gap.
fn count_of_lines(kept: &[bool]) -> usize {
    let gaps = kept.iter().enumerate().filter(|(at, is_kept)| !**is_kept && (*at == 0 || kept[at - 1]));
    kept.iter().filter(|is_kept| **is_kept).count() + gaps.count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::event::{BodyOutcome, GrantNo, NO_PROCESS, What, Write};
    use crate::timeline::test_events::{self, history};

    const GRANTED: What = What::Granted { expires_ms: 0, fence: 0 };
    const RENEWED: What = What::Renewed { expires_ms: 0, asked_ms: 0 };
    const BEGAN: What = What::BodyBegan { fence: 0 };
    const ENDED: What = What::BodyEnded { outcome: BodyOutcome::Output, output: 0 };
    const WROTE: What = What::Wrote { write: Write::Progress };

    fn event(at_ms: u64, node: u8, process: u16, what: What, grant: u32) -> Event {
        test_events::event(at_ms * 1_000, node, process, GrantNo(grant), what)
    }

    #[test]
    fn an_excerpt_keeps_what_leads_to_the_breach_and_says_where_it_leaves_out() {
        let mut events = vec![event(1, 1, 1, GRANTED, 0), event(2, 2, 1, GRANTED, 1)];
        events.extend((3..90).map(|at_ms| event(at_ms, 3, 2, BEGAN, 2)));
        events.push(event(90, 1, NO_PROCESS, What::Paused, u32::MAX));
        events.extend((91..100).map(|at_ms| event(at_ms, 3, 2, ENDED, 2)));
        events.push(event(100, 1, 1, WROTE, 0));
        let at = events.len() as u64 - 1;
        let history = history(events);
        let broken = Breach { law: "stale-writer-refused", sentence: "", at, because: String::new() };
        for most in 8..40 {
            let lines = excerpt(&history, &broken, most, None);
            assert!(lines.len() <= most, "{most}: {lines:#?}");
            let text = lines.join("\n");
            assert!(text.contains("          1  claim") && text.contains("          2  "), "{text}");
            assert!(
                text.contains("|| paused") && text.contains("x       100") && text.contains("..."),
                "{text}"
            );
        }
        assert_eq!(excerpt(&history, &broken, 1_000, None).len(), 1 + history.events.len());
    }

    #[test]
    fn dots_stand_for_more_than_one_row_and_renewals_go_before_bodies() {
        let mut events: Vec<Event> = (1..20).map(|at_ms| event(at_ms, 3, 2, BEGAN, 2)).collect();
        events.extend(
            (20..60).map(|at_ms| event(at_ms.into(), 3 + u8::from(at_ms % 2 == 1), 2, RENEWED, at_ms)),
        );
        events.push(event(60, 1, 1, WROTE, 0));
        let at = events.len() as u64 - 1;
        let history = history(events);
        let broken = Breach { law: "stale-writer-refused", sentence: "", at, because: String::new() };
        for most in 25..61 {
            let lines = excerpt(&history, &broken, most, None);
            assert!(lines.len() <= most, "{most}: {lines:#?}");
            assert_eq!(lines.iter().filter(|line| line.contains("body begins")).count(), 19, "{lines:#?}");
            let times: Vec<u64> =
                lines.iter().filter_map(|line| line[1..].split_whitespace().next()?.parse().ok()).collect();
            assert!(
                times.windows(2).all(|pair| pair[1] == pair[0] + 1 || pair[1] > pair[0] + 2),
                "{lines:#?}"
            );
        }
    }
}
