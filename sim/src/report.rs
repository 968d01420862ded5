//! What a search says to people: one breach, so that its cause can be seen; or the table of what was shown.

use std::fmt::Write;

use crate::history::History;
use crate::judge::{Broken, Verdict};
use crate::laws::Finding;
use crate::marks::{Hits, Mark};
use crate::plan::Store;
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
    pub laws: Vec<LawTally>,
    pub hits: Hits,
    /// The longest zombie window, and whose it is.
    pub zombie: (u64, u64, Store),
}

/// What a search says of one law.
pub struct LawTally {
    pub law: &'static str,
    pub checked: u64,
    pub broken: u64,
    pub undecided: u64,
}

impl Tally {
    pub fn add(&mut self, verdict: &Verdict, store: Store) {
        if verdict.zombie_us > self.zombie.0 {
            self.zombie = (verdict.zombie_us, verdict.seed, store);
        }
        self.seeds += 1;
        self.hits.add(&verdict.hits);
        self.calls += verdict.outcome.calls;
        self.events += verdict.events;
        self.faults += verdict.outcome.faults;
        self.simulated_us += verdict.outcome.simulated_us;
        if self.laws.is_empty() {
            let untouched = |law| LawTally { law, checked: 0, broken: 0, undecided: 0 };
            self.laws = verdict.findings.iter().map(|judged| untouched(judged.law)).collect();
        }
        for (law, judged) in self.laws.iter_mut().zip(&verdict.findings) {
            law.checked += judged.checked;
            law.broken += u64::from(matches!(judged.finding, Finding::Broken { .. }));
            law.undecided += u64::from(matches!(judged.finding, Finding::Undecided { .. }));
        }
    }

    pub fn undecided(&self) -> u64 {
        self.laws.iter().map(|law| law.undecided).sum()
    }

    /// The table at the end of a search.
    pub fn table(&self, cpu_us: u64, wall_us: u64) -> String {
        let mut table = String::new();
        let _ = writeln!(table, "{:<34} {:>12} {:>8} {:>10}", "law", "checked", "broken", "undecided");
        for LawTally { law, checked, broken, undecided } in &self.laws {
            let _ = writeln!(table, "{law:<34} {checked:>12} {broken:>8} {undecided:>10}");
        }
        table.push('\n');
        let marks: Vec<String> =
            Mark::ALL.iter().map(|mark| format!("{:<56} {:>9}", mark.name(), self.hits.of(*mark))).collect();
        let half = marks.len().div_ceil(2);
        for (place, left) in marks[..half].iter().enumerate() {
            let right = marks.get(half + place).map_or("", String::as_str);
            let _ = writeln!(table, "{left}   {right}");
        }
        let (zombie_us, seed, store) = self.zombie;
        let store = match store {
            Store::Memory => "memory",
            Store::Sqlite => "sqlite",
        };
        let _ = writeln!(
            table,
            "\nlongest zombie window: {}.{:03} s, in seed {seed} on {store}",
            zombie_us / 1_000_000,
            zombie_us / 1_000 % 1_000
        );
        let per = |part: u64, whole: u64| part.checked_div(whole).unwrap_or(0);
        let _ = writeln!(
            table,
            "{} seeds, {} calls decided, {} faults, {} events",
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
