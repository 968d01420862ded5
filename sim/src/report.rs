//! What a search says to people: one breach, so that its cause can be seen; or the table of what was shown.

use std::fmt::Write;

use crate::history::History;
use crate::judge::{Broken, Verdict};
use crate::marks::{Hits, Mark};
use crate::timeline::text;

/// A breach, with the small plan that shows it and the lines that lead on from here.
pub fn breach(
    broken: &Broken,
    history: &History,
    with: &str,
    seed: u64,
    runs: u64,
    original: usize,
) -> String {
    let mut report = String::new();
    let _ = writeln!(report, "{}: {}", broken.law, broken.sentence);
    let _ = writeln!(report, "  {}", broken.because);
    let steps = history.plan.steps.len();
    let _ = writeln!(report, "  seed {seed}, shrunk from {original} steps to {steps} in {runs} runs");
    let _ = writeln!(report);
    for step in &history.plan.steps {
        let _ = writeln!(report, "    {step}");
    }
    let _ = writeln!(report);
    report.push_str(&text::draw(history, Some(broken)));
    let _ = writeln!(report);
    let _ = writeln!(report, "replay it:  cargo run --release -- replay {seed}{with} --timeline text");
    let _ = writeln!(
        report,
        "keep it:    cargo run --release -- shrink {seed}{with} --out regressions/{}-….toml",
        broken.law
    );
    report
}

/// Sums over the verdicts of a search.
#[derive(Default)]
pub struct Tally {
    pub seeds: u64,
    pub calls: u64,
    pub events: u64,
    pub faults: u64,
    pub simulated_us: u64,
    pub laws: Vec<(&'static str, u64, u64)>,
    pub hits: Hits,
}

impl Tally {
    pub fn add(&mut self, verdict: &Verdict) {
        self.seeds += 1;
        self.hits.add(&verdict.hits);
        self.calls += verdict.outcome.calls;
        self.events += verdict.events;
        self.faults += verdict.outcome.faults;
        self.simulated_us += verdict.outcome.simulated_us;
        if self.laws.is_empty() {
            self.laws = verdict.findings.iter().map(|judged| (judged.law, 0, 0)).collect();
        }
        for (law, judged) in self.laws.iter_mut().zip(&verdict.findings) {
            law.1 += judged.checked;
            law.2 += u64::from(!matches!(judged.finding, crate::laws::Finding::Holds));
        }
    }

    /// The table at the end of a search.
    pub fn table(&self, cpu_us: u64, wall_us: u64) -> String {
        let mut table = String::new();
        let _ = writeln!(table, "{:<30} {:>12} {:>8}", "law", "checked", "broken");
        for (law, checked, broken) in &self.laws {
            let _ = writeln!(table, "{law:<30} {checked:>12} {broken:>8}");
        }
        table.push('\n');
        let marks: Vec<String> =
            Mark::ALL.iter().map(|mark| format!("{:<56} {:>9}", mark.name(), self.hits.of(*mark))).collect();
        let half = marks.len().div_ceil(2);
        for (place, left) in marks[..half].iter().enumerate() {
            let right = marks.get(half + place).map_or("", String::as_str);
            let _ = writeln!(table, "{left}   {right}");
        }
        let per = |part: u64, whole: u64| part.checked_div(whole).unwrap_or(0);
        let _ = writeln!(
            table,
            "\n{} seeds, {} calls decided, {} faults, {} events",
            self.seeds, self.calls, self.faults, self.events
        );
        let _ = writeln!(
            table,
            "{} s simulated in {}.{:02} s of CPU ({} : 1), {} seeds a second",
            self.simulated_us / 1_000_000,
            cpu_us / 1_000_000,
            cpu_us / 10_000 % 100,
            per(self.simulated_us, cpu_us),
            per(self.seeds * 1_000_000, wall_us),
        );
        table
    }
}
