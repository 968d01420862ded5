//! The progress of a proof on standard error: a bar on a terminal, and a plain line every few seconds anywhere else.

use std::io::{IsTerminal, Write};

use crate::cli::progress::bar;
use crate::prove::{BreachWitness, LevelStatement, ProveWatcher};
use crate::search::clocks::wall_us;
use crate::support::plural::counted;

const BAR_EVERY_US: u64 = 100_000;
const LINE_EVERY_US: u64 = 5_000_000;

pub struct ProofProgress {
    is_terminal: bool,
    deviations: usize,
    scopes: usize,
    began_us: u64,
    said_us: u64,
}

impl ProofProgress {
    pub fn begin(deviations: usize, scopes: usize) -> Self {
        let is_dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        let is_terminal = std::io::stderr().is_terminal() && !is_dumb;
        let now_us = wall_us();
        Self { is_terminal, deviations, scopes, began_us: now_us, said_us: now_us }
    }

    fn clear(&self) {
        if self.is_terminal {
            drop(write!(std::io::stderr().lock(), "\r\x1b[K"));
        }
    }

    fn said(&self, scope: &str, level: &LevelStatement, now_us: u64) -> String {
        let LevelStatement { done, parts, deviations, runs, .. } = *level;
        let drawn = match self.is_terminal {
            true => format!("[{}] ", bar(done as u64, parts as u64)),
            false => String::new(),
        };
        let (of, all) = (self.deviations, counted(self.scopes, "scope"));
        let passed_s = now_us.saturating_sub(self.began_us) / 1_000_000;
        format!(
            "{drawn}{scope} (of {all}), {deviations} of {of} deviations: {done}/{parts} parts, {runs} runs, {passed_s} s"
        )
    }
}

impl ProveWatcher for ProofProgress {
    fn part_done(&mut self, scope: &str, level: &LevelStatement) {
        let now_us = wall_us();
        let every_us = if self.is_terminal { BAR_EVERY_US } else { LINE_EVERY_US };
        if now_us.saturating_sub(self.said_us) < every_us {
            return;
        }
        self.said_us = now_us;
        let said = self.said(scope, level, now_us);
        // Progress that cannot be shown is not worth an error.
        drop(if self.is_terminal {
            write!(std::io::stderr().lock(), "\r\x1b[K{said}")
        } else {
            writeln!(std::io::stderr().lock(), "{said}")
        });
    }

    fn law_broken(&mut self, scope: &str, witness: &BreachWitness) {
        self.clear();
        let steps = counted(witness.steps.len(), "deviation");
        drop(writeln!(std::io::stderr().lock(), "{} is broken in {scope} with {steps}", witness.law));
    }

    fn runs_done(&mut self) {
        self.clear();
    }
}
