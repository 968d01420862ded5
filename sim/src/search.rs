//! Many seeds, on several threads: one run never leaves its thread, and results are handed on in the order of seeds,
//! whatever thread was first. So a search of the same seeds says the same, with any number of jobs.

use std::collections::BTreeMap;
use std::ops::{ControlFlow, Range};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc;

use crate::generate::generate;
use crate::judge::{Verdict, judge};
use crate::plan::Store;
use crate::seed::Seed;
use crate::subject::Subject;

/// Which runs to make.
#[derive(Clone)]
pub struct Search {
    pub seeds: Range<u64>,
    pub jobs: usize,
    pub store: Store,
    pub subject: Subject,
}

/// Runs every seed, and hands each verdict on in order until `each` has enough.
pub fn search(search: &Search, mut each: impl FnMut(u64, Verdict) -> ControlFlow<()>) {
    let next = AtomicU64::new(search.seeds.start);
    let is_over = AtomicBool::new(false);
    let (found, finds) = mpsc::sync_channel(1_024);
    std::thread::scope(|scope| {
        for _ in 0..search.jobs.max(1) {
            let found = found.clone();
            let (next, is_over) = (&next, &is_over);
            scope.spawn(move || {
                loop {
                    let more = |seed: u64| (seed < search.seeds.end).then(|| seed + 1);
                    let taken = next.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more);
                    let Ok(seed) = taken else { return };
                    if is_over.load(Ordering::Relaxed) {
                        return;
                    }
                    let plan = Arc::new(generate(Seed(seed), search.store));
                    if found.send((seed, judge(&plan, &search.subject))).is_err() {
                        return;
                    }
                }
            });
        }
        drop(found);
        let mut early = BTreeMap::new();
        let mut awaited = search.seeds.start;
        for (seed, verdict) in finds {
            early.insert(seed, verdict);
            while let Some(verdict) = early.remove(&awaited) {
                if each(awaited, verdict).is_break() {
                    // Dropping the receiver stops whoever waits to send.
                    is_over.store(true, Ordering::Relaxed);
                    return;
                }
                awaited += 1;
            }
        }
    });
}
