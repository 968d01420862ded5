//! An excerpt of the timeline in so many lines at most, for a report. Rows that repeat are folded first. Of the others it keeps
//! the events that lead to the breach and all of its grant, then pauses and crashes, then the events nearest to the breach that
//! are about its process; renewals are left out first. A line of dots stands where something is left out. With a width the
//! lanes are made narrower.

use crate::history::History;
use crate::history::event::{Event, EventKind};
use crate::judge::Breach;
use crate::timeline::text::{TextTimeline, TimelineRow};

pub fn excerpt(history: &History, broken: &Breach, most: usize, width: Option<usize>) -> Vec<String> {
    let mut timeline = TextTimeline::for_report(history, broken, width);
    if timeline.rows.len() >= most {
        fold_repeated(history, broken, &mut timeline);
    }
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

fn is_of_breaking_grant(event: &Event, breach: Option<&Event>) -> bool {
    breach.is_some_and(|breach| {
        breach.grant.is_some() && (breach.grant, breach.process) == (event.grant, event.process)
    })
}

/// The most rows that repeat together.
const LONGEST_CYCLE: usize = 8;
/// Rows that come so often in a row, but for their times and fences, are folded.
const LEAST_TIMES: usize = 3;

/// Keeps the first of rows that repeat, such as a claim and a release, and puts one line in place of the others.
fn fold_repeated(history: &History, broken: &Breach, timeline: &mut TextTimeline) {
    let breach = usize::try_from(broken.at).ok().and_then(|at| history.events.get(at));
    let can_fold = |row: &TimelineRow| {
        let event = row.place.and_then(|place| history.events.get(place));
        let is_link = timeline.links.iter().any(|link| row.place == Some(link.place));
        !row.is_renewal && !is_link && event.is_some_and(|event| !is_of_breaking_grant(event, breach))
    };
    let keys: Vec<Option<String>> =
        timeline.rows.iter().map(|row| can_fold(row).then(|| without_fence(text_of(row)))).collect();
    let times_at = |at: usize, length: usize| {
        let cycle = &keys[at..(at + length).min(keys.len())];
        let is_cycle = |other: &&[Option<String>]| *other == cycle && other.iter().all(Option::is_some);
        keys[at..].chunks_exact(length).take_while(is_cycle).count()
    };
    let (mut rows, mut at) = (Vec::new(), 0);
    let mut left: Vec<Option<TimelineRow>> =
        std::mem::take(&mut timeline.rows).into_iter().map(Some).collect();
    while at < left.len() {
        let cycles = (1..=LONGEST_CYCLE).map(|length| (length, times_at(at, length)));
        let repeated = cycles
            .filter(|(_, times)| *times >= LEAST_TIMES)
            // Of those that fold as many rows, the shortest.
            .max_by_key(|(length, times)| (length * times, std::cmp::Reverse(*length)));
        let Some((length, times)) = repeated else {
            rows.extend(left[at].take());
            at += 1;
            continue;
        };
        let end = at + length * times;
        let names: Vec<String> =
            left[at..at + length].iter().flatten().map(|row| name_of(text_of(row))).collect();
        let last_ms = left[end - 1].as_ref().map_or("", |row| row.line.get(1..11).unwrap_or_default().trim());
        let line =
            format!("{:>11}  ({}: {} times more, until {last_ms} ms)", "", names.join(", "), times - 1);
        rows.extend(left[at..at + length].iter_mut().filter_map(Option::take));
        rows.push(TimelineRow { line, place: None, is_renewal: false });
        at = end;
    }
    timeline.rows = rows;
}

/// The row without its mark and time.
fn text_of(row: &TimelineRow) -> &str {
    row.line.get(13..).unwrap_or_default()
}

/// The text with a sign in place of the number of each fence.
fn without_fence(text: &str) -> String {
    let mut parts = text.split("fence ");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |told, part| {
        format!("{told}fence #{}", part.trim_start_matches(|c: char| c.is_ascii_digit()))
    })
}

/// The call or event of a row: what stands before the process it is about.
fn name_of(text: &str) -> String {
    let text = text.trim_start();
    text.split(" p").next().unwrap_or(text).to_owned()
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
            Some(event) if is_of_breaking_grant(event, breach) && !row.is_renewal => 0,
            Some(event) if is_of_node(event) => 1,
            Some(event) if is_own(event) && !row.is_renewal => 2,
            Some(event) if is_own(event) => 3,
            // The report lists the steps beside the timeline.
            Some(event) if event.kind() == EventKind::StepTaken => 5,
            Some(_) if !row.is_renewal => 4,
            None if !row.is_renewal => 4,
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
        // Of many processes: rows that repeat would be folded.
        events.extend((3..90_u16).map(|at_ms| event(at_ms.into(), 3, at_ms, BEGAN, 2)));
        events.push(event(90, 1, NO_PROCESS, What::Paused, u32::MAX));
        events.extend((91..100_u16).map(|at_ms| event(at_ms.into(), 3, at_ms, ENDED, 2)));
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
        let mut events: Vec<Event> =
            (1..20_u16).map(|at_ms| event(at_ms.into(), 3, 1 + at_ms, BEGAN, 2)).collect();
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

    #[test]
    fn rows_that_repeat_are_folded_before_anything_is_left_out() {
        let released = What::Released;
        let mut events = vec![event(1, 2, 1, GRANTED, 50)];
        for number in 0..20_u32 {
            events.push(event(u64::from(10 + 2 * number), 1, 1, GRANTED, number));
            events.push(event(u64::from(11 + 2 * number), 1, 1, released, number));
        }
        events.push(event(100, 2, 1, WROTE, 50));
        let at = events.len() as u64 - 1;
        let history = history(events);
        let broken = Breach { law: "nothing-after-the-end", sentence: "", at, because: String::new() };
        let lines = excerpt(&history, &broken, 12, None);
        let text = lines.join("\n");
        let is_left_out = |line: &String| line.trim() == "...";
        assert!(lines.len() <= 12 && !lines.iter().any(is_left_out), "{text}");
        assert!(text.contains("(claim, release: ") && text.contains(" times more, until "), "{text}");
    }

    #[test]
    fn no_event_of_the_breaking_grant_is_left_out() {
        let mut events = vec![event(1, 1, 1, GRANTED, 0)];
        events.extend((2..8).map(|at_ms| event(at_ms, 1, 1, WROTE, 0)));
        events.extend((10..90).map(|at_ms| event(at_ms, 3 + (at_ms % 3) as u8, 1, BEGAN, 2)));
        events.push(event(100, 1, 1, ENDED, 0));
        let at = events.len() as u64 - 1;
        let history = history(events);
        let broken = Breach { law: "ends-once", sentence: "", at, because: String::new() };
        let lines = excerpt(&history, &broken, 14, None);
        for at_ms in (1..8).chain([100]) {
            let has_time =
                |line: &&String| line.get(1..11).is_some_and(|time| time.trim() == at_ms.to_string());
            assert_eq!(lines.iter().filter(has_time).count(), 1, "{at_ms}: {lines:#?}");
        }
    }
}
