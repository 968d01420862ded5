//! Reports of live runs for people: what was done, the tables of laws and marks, the verdict, and for a broken law the excerpt
//! and the beliefs that a search's report has. A live run has no plan that could be made smaller, so there are no steps.

use std::fmt::Write;

use crate::coverage::Mark;
use crate::history::History;
use crate::judge::{Breach, HistoryVerdict};
use crate::laws;
use crate::laws::{CARDS, Finding};
use crate::live::{LiveRequest, LiveRun, NOT_JUDGED};
use crate::report::human;
use crate::search::Conclusion;
use crate::search::tally::LawTally;
use crate::support::plural::counted;
use crate::timeline::excerpt::excerpt;
use crate::timeline::incarnations::lives_involved;
use crate::timeline::snapshot::Snapshot;

/// Lines of the timeline in the report of a broken law.
const LINES_OF_TIMELINE: usize = 20;
const MOST_LIVES: usize = 3;

/// Tells in a few lines which faults there were and what they showed.
pub fn short_summary(request: &LiveRequest, run: &LiveRun, verdict: &HistoryVerdict) -> String {
    let LiveRun { merged, faults, .. } = run;
    let mut text = String::new();
    let _ = writeln!(
        text,
        "{} s on {}: {}, {}, seed {}; a live run cannot be replayed from its seed",
        request.seconds,
        request.store.name(),
        counted(u64::from(request.workers), "worker"),
        counted(u64::from(request.hosts), "host"),
        request.seed
    );
    let done = [
        (faults.kills, "kill"),
        (faults.stops, "stop"),
        (faults.held_locks, "held lock"),
        (faults.cuts, "cut"),
        (faults.delays, "delay"),
        (faults.ended_sessions, "ended session"),
        (faults.server_crashes, "server crash"),
    ];
    let done: Vec<String> = done
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| match (count, what) {
            (2.., "server crash") => format!("{count} server crashes"),
            _ => counted(count, what),
        })
        .collect();
    let _ = writeln!(text, "{}", if done.is_empty() { "no faults".to_owned() } else { done.join(", ") });
    let _ = writeln!(
        text,
        "{} decided, {}; lost answers: {} applied, {} not applied; {} not judged, because a write overlapped them",
        counted(merged.decided, "call"),
        counted(merged.history.events.len() as u64, "event"),
        merged.unheard_applied,
        merged.unheard_not_applied,
        counted(merged.unplaced_reads, "read"),
    );
    let (s, ms) = (verdict.zombie_us / 1_000_000, verdict.zombie_us / 1_000 % 1_000);
    let _ = writeln!(text, "longest zombie window: {s}.{ms:03} s ({})", human::ZOMBIE_WINDOW);
    text
}

/// The tables of laws and of the marks that the run reached.
pub fn tables(verdict: &HistoryVerdict, width: Option<usize>) -> String {
    let laws: Vec<LawTally> = CARDS.iter().map(|card| tally(card.name, verdict)).collect();
    let mut text = human::law_table(&laws, width);
    for unjudged in NOT_JUDGED {
        let _ = writeln!(text, "{} is not judged: {}", unjudged.law, unjudged.because);
    }
    text.push('\n');
    let reached: Vec<&Mark> = Mark::ALL.iter().filter(|mark| verdict.hits.of(**mark) > 0).collect();
    for mark in &reached {
        let _ = writeln!(text, "{:<56} {:>9}", mark.name(), verdict.hits.of(**mark));
    }
    let _ = writeln!(
        text,
        "{} of {} coverage marks reached; the others are about simulated clocks, networks and disks, or did not come up\n",
        reached.len(),
        Mark::ALL.len()
    );
    text
}

fn tally(law: &'static str, verdict: &HistoryVerdict) -> LawTally {
    let judged = verdict.findings.iter().find(|judged| judged.law == law);
    let mut tally = LawTally {
        law,
        is_claimed: judged.is_some(),
        checked: judged.map_or(0, |judged| judged.checked),
        held: 0,
        broken: 0,
        undecided: 0,
        not_reached: 0,
    };
    match judged.map(|judged| &judged.finding) {
        None => {}
        Some(Finding::Holds) if tally.checked == 0 => tally.not_reached = 1,
        Some(Finding::Holds) => tally.held = 1,
        Some(Finding::Broken { .. }) => tally.broken = 1,
        Some(Finding::Undecided { .. }) => tally.undecided = 1,
    }
    tally
}

/// The report of a broken law.
pub fn breach(history: &History, broken: &Breach, width: Option<usize>) -> String {
    let mut lines =
        vec![format!("{}: {}", broken.law, broken.sentence), format!("  here: {}", broken.because)];
    lines.extend(laws::side_of(broken.law).map(|side| format!("  at fault: {}", side.name())));
    let place = usize::try_from(broken.at).unwrap_or(usize::MAX);
    let process = history.events.get(place).map(|event| event.process);
    if let Some(process) = process {
        let lives = lives_involved(history, process, place);
        let skipped = lives.len().saturating_sub(MOST_LIVES);
        lines.extend(lives.into_iter().skip(skipped).map(|life| format!("  {life}")));
    }
    lines.push(String::new());
    lines.extend(excerpt(history, broken, LINES_OF_TIMELINE, width));
    lines.push(String::new());
    if let Some(snapshot) = Snapshot::before(history, place, process) {
        lines.extend(snapshot.to_string().lines().map(str::to_owned));
    }
    lines.into_iter().fold(String::new(), |mut report, line| {
        let _ = writeln!(report, "{}", line.trim_end());
        report
    })
}

/// The reasons, and the conclusion they lead to.
pub fn conclusion(run: &LiveRun, verdict: &HistoryVerdict) -> (Vec<String>, Conclusion) {
    let mut why = Vec::new();
    let mut conclusions = vec![Conclusion::of_findings(&verdict.findings)];
    for judged in &verdict.findings {
        if let Finding::Undecided { because } = &judged.finding {
            why.push(format!("it cannot be told whether {} holds: {because}", judged.law));
        }
    }
    if run.merged.doubtful > 0 {
        let calls = counted(run.merged.doubtful, "call");
        why.push(format!(
            "of {calls} nobody can tell whether it was applied: nothing that came after shows it"
        ));
        conclusions.push(Conclusion::Inconclusive);
    }
    if run.was_interrupted {
        why.push(
            "it was interrupted: what is said holds for what was run, and nothing had to end".to_owned(),
        );
        conclusions.push(Conclusion::Inconclusive);
    }
    (why, Conclusion::gravest(conclusions))
}
