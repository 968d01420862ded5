//! Reports for people: a broken law in at most forty lines, enough to find its cause without knowing the project; the tables
//! of laws and coverage marks, the short summary and the verdict of a search. A width makes tables and lanes narrower.

use std::fmt::Write;

use crate::report::failure::Failure;
use crate::report::summary::{LeaseClaims, Summary, Timings};
use crate::search::tally::{LawTally, TimedSeed};
use crate::search::{Conclusion, Reproducer};
use crate::shrink::necessity::{Need, Needs};
use crate::support::plural::counted;
use crate::timeline::excerpt::excerpt;
use crate::timeline::incarnations::lives_involved;

/// Commands to type after a breach.
#[derive(Debug, Clone)]
pub struct NextCommands {
    pub replay: String,
    pub debug: String,
    pub keep: String,
    /// Replays the run from its seed, for readers who do not have the files that the other commands name.
    pub elsewhere: Option<String>,
}

/// The labels of these commands, as lines begin.
pub const NEXT_STEPS: [&str; 4] = ["replay it:", "debug it:", "keep it:", "elsewhere:"];

/// Beside the figure, for readers who do not know the word.
pub const ZOMBIE_WINDOW: &str = "how long a worker acted after its lease was over";

/// Forty with the empty line that follows.
const MOST_LINES: usize = 39;
const MOST_BELIEFS: usize = 5;
const MOST_LIVES: usize = 2;
/// Lines around the beliefs: the empty one before them, their head and the clocks, the empty one after, four commands.
const AROUND_BELIEFS: usize = 8;
/// The timeline always gets this many lines.
const LEAST_OF_TIMELINE: usize = 8;

/// The columns of the table of laws: the name and five numbers. The narrow ones fit 80 columns.
const COLUMNS: [usize; 6] = [34, 12, 8, 8, 10, 12];
const NARROW_COLUMNS: [usize; 6] = [31, 11, 6, 6, 9, 11];
/// The least width for the wide columns, and for two columns of marks.
const WIDE_TABLE: usize = 89;
const TWO_COLUMNS_OF_MARKS: usize = 135;

/// The report of a broken law.
pub fn failure(failure: &Failure, next: &NextCommands, width: Option<usize>) -> String {
    let Reproducer { breach, history, .. } = &failure.reproducer;
    let mut before = vec![
        format!("{}: {}", breach.law, breach.sentence),
        format!("  here: {}", one_line(&breach.because)),
    ];
    if let Some(panicked) = &failure.reproducer.panicked {
        before.push(format!("  the last panic said: {}", one_line(panicked)));
    }
    before.extend(history.notes_of(breach.at).map(|note| format!("  {note}")));
    before.extend(history.clock_hint().map(|hint| format!("  hint: {hint}")));
    before.push(facts(failure));
    if let (Some(process), Ok(at)) = (failure.reproducer.process(), usize::try_from(breach.at)) {
        let lives = lives_involved(history, process.0, at);
        let skipped = lives.len().saturating_sub(MOST_LIVES);
        before.extend(lives.into_iter().skip(skipped).map(|life| format!("  {life}")));
    }
    before.push(String::new());
    before.extend(steps(failure));
    before.push(clock_faults(failure).to_owned());
    before.push(String::new());

    let mut after = vec![String::new()];
    if let Some(snapshot) = &failure.snapshot {
        let told = snapshot.to_string();
        let told: Vec<&str> = told.lines().collect();
        let (head, rest) = told.split_at(told.len().min(1));
        let (beliefs, clocks) = rest.split_at(rest.len().saturating_sub(1));
        after.extend(head.iter().map(|line| format!("who believed what, {line}")));
        let room = MOST_LINES.saturating_sub(before.len() + AROUND_BELIEFS + LEAST_OF_TIMELINE);
        after.extend(beliefs.iter().take(room.clamp(1, MOST_BELIEFS)).map(|line| (*line).to_owned()));
        after.extend(clocks.iter().map(|line| (*line).to_owned()));
        after.push(String::new());
    }
    let [replay, debug, keep, elsewhere] = NEXT_STEPS;
    let mut offer = |label: &str, line: &str| after.push(format!("{label:<11} {line}"));
    offer(replay, &next.replay);
    offer(debug, &next.debug);
    offer(keep, &next.keep);
    if let Some(line) = &next.elsewhere {
        offer(elsewhere, line);
    }

    let left = MOST_LINES.saturating_sub(before.len() + after.len()).max(LEAST_OF_TIMELINE);
    let timeline = excerpt(history, breach, left, width);
    let lines = before.into_iter().chain(timeline).chain(after);
    lines.fold(String::new(), |mut report, line| {
        let _ = writeln!(report, "{}", line.trim_end());
        report
    })
}

/// The verdict on a run in which so many laws were broken.
pub fn broken_laws(count: usize) -> String {
    match count {
        0 | 1 => "BROKEN: a law is broken".to_owned(),
        count => format!("BROKEN: {count} laws are broken"),
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn facts(failure: &Failure) -> String {
    let Reproducer { seed, store, steps_before, runs, .. } = &failure.reproducer;
    let process = failure.reproducer.process();
    let about = process.map_or_else(String::new, |process| format!("process {process}, "));
    let steps = failure.reproducer.plan().steps.len();
    let size = match runs {
        0 => counted(steps, "step"),
        runs => {
            format!("shrunk from {} to {steps}, in {}", counted(*steps_before, "step"), counted(*runs, "run"))
        }
    };
    let from = match &failure.scope {
        Some(scope) => format!("scope {scope}"),
        None => format!("seed {seed} on {}", store.name()),
    };
    let at_fault = failure.at_fault.map_or_else(String::new, |side| format!("; at fault: {side}"));
    format!("  `{}` breaks it: {about}{from}; {size}{at_fault}", failure.subject)
}

fn steps(failure: &Failure) -> Vec<String> {
    let Needs { whole, steps, facts } = &failure.needs;
    let Need { breaks, tried, .. } = whole;
    let mut lines = Vec::new();
    if steps.is_empty() {
        lines.push("the plan has no step: the world alone does it".to_owned());
    } else {
        let head =
            format!("the plan's steps (with other message delays it breaks in {breaks} of {tried} runs)");
        let said = steps.iter().map(|need| need.what.chars().count());
        let width = said.max().unwrap_or(0).max(head.chars().count() - 4);
        lines.push(format!("{head:<width$}    still broken without it", width = width + 4));
        for (number, need) in (1..).zip(steps) {
            lines.push(format!("{number:>3} {:<width$}    {}", need.what, need.breaks_without()));
        }
    }
    let untold = failure.reproducer.plan().steps.len().saturating_sub(steps.len());
    if untold > 0 {
        lines.push(format!("    and {untold} more"));
    }
    let facts: Vec<&str> =
        facts.iter().filter(|fact| fact.is_needed()).map(|fact| fact.what.as_str()).collect();
    if !facts.is_empty() {
        lines.push(format!("and of its header: {}", facts.join(", ")));
    }
    lines
}

fn clock_faults(failure: &Failure) -> &'static str {
    match failure.reproducer.without_clock_faults {
        None => "clock faults: the plan has none",
        Some(true) => "clock faults: not needed, the law is broken without them too",
        Some(false) => "clock faults: needed, the law holds without them",
    }
}

/// The tables of laws and of coverage marks.
pub fn tables(summary: &Summary, width: Option<usize>) -> String {
    let mut table = String::new();
    laws_table(&mut table, &summary.laws, width);
    table.push('\n');
    let marks: Vec<String> =
        summary.marks.iter().map(|mark| format!("{:<56} {:>9}", mark.mark, mark.hit)).collect();
    let columns = if width.is_some_and(|width| width < TWO_COLUMNS_OF_MARKS) { 1 } else { 2 };
    let rows = marks.len().div_ceil(columns);
    for (place, left) in marks[..rows].iter().enumerate() {
        let right = marks.get(rows + place).map_or("", String::as_str);
        let _ = writeln!(table, "{}", format!("{left}   {right}").trim_end());
    }
    table.push('\n');
    table
}

/// The table of laws alone.
pub fn law_table(laws: &[LawTally], width: Option<usize>) -> String {
    let mut table = String::new();
    laws_table(&mut table, laws, width);
    table
}

fn laws_table(table: &mut String, laws: &[LawTally], width: Option<usize>) {
    let widths = if width.is_some_and(|width| width < WIDE_TABLE) { NARROW_COLUMNS } else { COLUMNS };
    let mut row = |cells: [&str; 6]| {
        let [law, numbers @ ..] = cells;
        let [wide, rest @ ..] = widths;
        let _ = write!(table, "{law:<wide$}");
        for (cell, width) in numbers.iter().zip(rest).filter(|(cell, _)| !cell.is_empty()) {
            let _ = write!(table, " {cell:>width$}");
        }
        table.push('\n');
    };
    row(["law", "checked", "held", "broken", "undecided", "not reached"]);
    for law in laws {
        if !law.is_claimed {
            row([law.law, "not claimed", "", "", "", ""]);
        } else if law.is_not_reached() {
            row([law.law, "not reached", "", "", "", ""]);
        } else {
            let cells = [law.checked, law.held, law.broken, law.undecided, law.not_reached];
            let [checked, held, broken, undecided, not_reached] = cells.map(|cell| cell.to_string());
            row([law.law, &checked, &held, &broken, &undecided, &not_reached]);
        }
    }
}

/// The summary of a search in a few lines that are the same on every machine.
pub fn short_summary(summary: &Summary) -> String {
    let mut text = String::new();
    for searched in &summary.searches {
        let run = match searched.wanted {
            None => counted(searched.run, "seed"),
            Some(wanted) => format!("{} of {}", searched.run, counted(wanted, "seed")),
        };
        let shard = if summary.shard == "1/1" { String::new() } else { format!(", shard {}", summary.shard) };
        let _ = writeln!(text, "{run} of {} on {}{shard}", searched.seeds, searched.store.name());
    }
    let _ = writeln!(
        text,
        "{}, {} decided, {}, {}; combined hash: {}",
        counted(summary.seeds, "seed"),
        counted(summary.calls, "call"),
        counted(summary.faults, "fault"),
        counted(summary.events, "event"),
        summary.hash
    );
    if let Some(window) = &summary.longest_zombie_window {
        let _ = writeln!(text, "longest zombie window: {} ({ZOMBIE_WINDOW})", longest(window));
    }
    if let Some(overlap) = &summary.longest_overlap {
        let _ = writeln!(text, "longest overlap of two holders: {}", longest(overlap));
    }
    if let Some(claims) = &summary.lease_claims {
        text.push_str(&lease_claims(claims));
    }
    text
}

/// The tables in one line, for a search that does not end with them.
pub fn tables_in_a_line(summary: &Summary) -> String {
    let count = |is_counted: fn(&LawTally) -> bool| {
        summary.laws.iter().filter(|law| law.is_claimed && is_counted(law)).count()
    };
    let reached = summary.marks.iter().filter(|mark| mark.hit > 0).count();
    format!(
        "laws: {} broken, {} undecided, {} not reached, of {}; {reached} of {} coverage marks reached \
         (`--verbose` shows the tables)\n",
        count(|law| law.broken > 0),
        count(|law| law.broken == 0 && law.undecided > 0),
        count(LawTally::is_not_reached),
        count(|_| true),
        summary.marks.len()
    )
}

fn lease_claims(claims: &LeaseClaims) -> String {
    let joined = |said: &[&str]| if said.is_empty() { "nothing".to_owned() } else { said.join("; ") };
    let apart = match claims.clocks_apart_ms {
        Some(ms) => format!(", where clocks are at most {ms} ms apart"),
        None => String::new(),
    };
    let mut lines = format!("claimed{apart}: {}\n", joined(&claims.claimed));
    if !claims.not_claimed.is_empty() {
        let _ = writeln!(lines, "not claimed, so not judged: {}", joined(&claims.not_claimed));
    }
    lines
}

/// The line of timings, which differs from machine to machine.
pub fn speed(summary: &Summary, timings: &Timings) -> String {
    let slowest = timings
        .slowest_seed
        .as_ref()
        .map_or_else(String::new, |slowest| format!("; slowest: {}", longest(slowest)));
    format!(
        "{} s simulated in {}.{:02} s of CPU ({} : 1), {} a second{slowest}\n",
        summary.simulated_us / 1_000_000,
        timings.cpu_us / 1_000_000,
        timings.cpu_us / 10_000 % 100,
        timings.simulated_to_real,
        counted(timings.seeds_per_second, "seed")
    )
}

fn longest(line: &TimedSeed) -> String {
    let (s, ms) = (line.us / 1_000_000, line.us / 1_000 % 1_000);
    format!("{s}.{ms:03} s, seed {} on {}", line.seed, line.store.name())
}

/// The last lines: the reasons and the verdict.
pub fn verdict(summary: &Summary) -> String {
    let mut lines = String::new();
    for why in &summary.why {
        let _ = writeln!(lines, "{why}");
    }
    lines.push_str(&last_line(summary.verdict, summary.laws_broken.len()));
    lines
}

/// The line that ends a run in which so many laws were broken.
pub fn last_line(conclusion: Conclusion, laws_broken: usize) -> String {
    let broken = broken_laws(laws_broken);
    let said = match conclusion {
        Conclusion::Holds => "HOLDS: no law is broken",
        Conclusion::Broken => broken.as_str(),
        Conclusion::Inconclusive => "INCONCLUSIVE: no law is broken, and it was not shown that none is",
        Conclusion::NotDeterministic => "NOT DETERMINISTIC: `determinism` shows the first event that differs",
        Conclusion::Failed => "NO VERDICT: the harness itself failed",
    };
    format!("{said}\n")
}
