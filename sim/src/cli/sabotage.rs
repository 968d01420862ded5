//! `sabotage`: every planted bug, the law that catches it, and how many seeds that took.

use std::sync::Arc;

use super::{End, say};
use crate::generate::generate;
use crate::judge::judge;
use crate::sabotage;
use crate::seed::Seed;

/// Where the searches for each planted bug start.
const STARTS: [u64; 5] = [0, 1_000_000, 2_000_000, 3_000_000, 4_000_000];

pub fn kill(most: u64) -> End {
    let mut survivors = 0;
    say::line(format_args!(
        "{:<34} {:<34} {:>8} {:>8}   seeds needed",
        "sabotage", "killed by", "median", "worst"
    ));
    for sabotage in sabotage::all() {
        let subject = sabotage.subject();
        let mut needed: Vec<u64> = STARTS
            .iter()
            .map(|start| {
                let seeds = *start..*start + most;
                let killed = seeds.into_iter().position(|seed| {
                    judge(&Arc::new(generate(Seed(seed), subject.store_needed)), &subject)
                        .breaks(sabotage.law)
                });
                killed.map_or(most + 1, |place| place as u64 + 1)
            })
            .collect();
        needed.sort_unstable();
        let shown = |seeds: u64| if seeds > most { format!("> {most}") } else { seeds.to_string() };
        let (median, worst) = (needed[needed.len() / 2], needed[needed.len() - 1]);
        let verdict = if median > most { "SURVIVED" } else { sabotage.law };
        survivors += u64::from(worst > most);
        say::line(format_args!(
            "{:<34} {verdict:<34} {:>8} {:>8}",
            sabotage.name,
            shown(median),
            shown(worst)
        ));
    }
    if survivors == 0 { End::Holds } else { End::Broken }
}
