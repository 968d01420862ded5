//! The progress of a proof on standard error, if that is a terminal: a bar that is redrawn in place. A broken law is told at
//! once, on any standard error.

use indicatif::ProgressBar;

use crate::cli::terminal;
use crate::prove::{BreachWitness, LevelStatement, ProveWatcher};
use crate::search::clocks::wall_us;
use crate::support::plural::counted;

const SHOWN_EVERY_US: u64 = 100_000;

pub struct ProofProgress {
    bar: ProgressBar,
    deviations: usize,
    scopes: usize,
    is_quiet: bool,
    began_us: u64,
    shown_us: u64,
}

impl ProofProgress {
    pub fn begin(deviations: usize, scopes: usize, is_quiet: bool) -> Self {
        let now_us = wall_us();
        let bar = terminal::bar(Some(0), is_quiet);
        Self { bar, deviations, scopes, is_quiet, began_us: now_us, shown_us: now_us }
    }

    fn said(&self, scope: &str, level: &LevelStatement, now_us: u64) -> String {
        let LevelStatement { done, parts, deviations, runs, .. } = *level;
        let (of, all) = (self.deviations, counted(self.scopes, "scope"));
        let passed_s = now_us.saturating_sub(self.began_us) / 1_000_000;
        format!(
            "{scope} (of {all}), {deviations} of {of} deviations: {done}/{parts} parts, {runs} runs, {passed_s} s"
        )
    }
}

impl ProveWatcher for ProofProgress {
    fn part_done(&mut self, scope: &str, level: &LevelStatement) {
        let now_us = wall_us();
        if self.bar.is_hidden() || now_us.saturating_sub(self.shown_us) < SHOWN_EVERY_US {
            return;
        }
        self.shown_us = now_us;
        self.bar.set_length(level.parts as u64);
        self.bar.set_position(level.done as u64);
        self.bar.set_message(self.said(scope, level, now_us));
    }

    fn law_broken(&mut self, scope: &str, witness: &BreachWitness) {
        let steps = counted(witness.steps.len(), "deviation");
        if !self.is_quiet {
            terminal::say_above(&self.bar, &format!("{} is broken in {scope} with {steps}", witness.law));
        }
    }

    fn runs_done(&mut self) {
        self.bar.finish_and_clear();
    }
}
