//! Random damage to plans and to histories. Reading them back must end in a value or in a sentence, never in a panic; a plan
//! that is read back is written and read to the same plan, and laws judge every history that is read.
//!
//! A plain test run spends a second on each. `FENCEPOST_FUZZ_SECONDS=600 cargo test --release --test sim fuzz -- --nocapture`
//! spends ten minutes on each and prints how many texts it tried. A failure prints the seed of its text.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;

use fencepost_sim::generate::generate;
use fencepost_sim::history::stored::StoredHistory;
use fencepost_sim::judge::{record, rejudge};
use fencepost_sim::plan::chance::{Dice, Purpose, Seed};
use fencepost_sim::plan::{Plan, Store};
use fencepost_sim::search::clocks::wall_us;
use fencepost_sim::subject::Subject;

/// Numbers at which arithmetic overflows or a check ends.
const NUMBERS: [&str; 14] = [
    "0",
    "1",
    "-1",
    "2",
    "255",
    "256",
    "65535",
    "65536",
    "4294967295",
    "9007199254740993",
    "9223372036854775807",
    "9223372036854775808",
    "18446744073709551615",
    "1e999",
];

/// Pieces of plans and of JSON, put in anywhere.
const PIECES: [&str; 20] = [
    "until expiry",
    "for 1s",
    "renamed",
    "asleep",
    "registry",
    "worker-1",
    "worker-9",
    "host-1",
    "p1",
    "p65535",
    "%",
    "µ",
    "\u{0}",
    "\"",
    "[",
    "]",
    "{",
    "}",
    "null",
    "\n",
];

fn seconds() -> u64 {
    std::env::var("FENCEPOST_FUZZ_SECONDS").ok().and_then(|text| text.parse().ok()).unwrap_or(1)
}

/// The place of a random character.
fn place(dice: &mut Dice, text: &str) -> usize {
    let mut at = dice.below(text.len() as u64 + 1) as usize;
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// The range of a run of digits at or after a random place.
fn number(dice: &mut Dice, text: &str) -> Option<std::ops::Range<usize>> {
    let from = place(dice, text);
    let start = from + text[from..].find(|letter: char| letter.is_ascii_digit())?;
    let length = text[start..].find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len() - start);
    Some(start..start + length)
}

/// Changes the text in one to eight places.
fn damaged(dice: &mut Dice, text: &str, other: &str) -> String {
    let mut text = text.to_owned();
    for _ in 0..dice.between(1, 8) {
        let (one, two) = (place(dice, &text), place(dice, &text));
        let (start, end) = (one.min(two), one.max(two).min(one.min(two) + 200));
        let end = (start..=end).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(start);
        match dice.below(8) {
            0 | 1 => {
                if let Some(range) = number(dice, &text) {
                    text.replace_range(range, dice.one_of::<&str>(&NUMBERS));
                }
            }
            2 => text.insert_str(start, dice.one_of::<&str>(&PIECES)),
            3 => text.replace_range(start..end, ""),
            4 => {
                let piece = text[start..end].to_owned();
                let at = place(dice, &text);
                text.insert_str(at, &piece);
            }
            5 => {
                let from = place(dice, other);
                let to = (from..=(from + 120).min(other.len())).rev().find(|at| other.is_char_boundary(*at));
                text.replace_range(start..end, &other[from..to.unwrap_or(from)]);
            }
            6 => text.truncate(start),
            _ => {
                // Two lines change places.
                let mut lines: Vec<&str> = text.lines().collect();
                let (a, b) = (
                    dice.below(lines.len() as u64 + 1) as usize,
                    dice.below(lines.len() as u64 + 1) as usize,
                );
                if a < lines.len() && b < lines.len() {
                    lines.swap(a, b);
                    text = lines.join("\n");
                }
            }
        }
    }
    text
}

/// Tries damaged texts for as long as it was asked to. `try_text` says whether a text could be read.
fn fuzz(name: &str, texts: &[String], try_text: impl Fn(&str) -> bool) {
    let began_us = wall_us();
    let (mut tried, mut read) = (0_u64, 0_u64);
    while wall_us().saturating_sub(began_us) < seconds() * 1_000_000 {
        let mut dice = Dice::new(Seed(tried).stream(Purpose::Generate, [0xf022, texts.len() as u64]));
        let text = dice.one_of(texts).clone();
        let other = dice.one_of(texts).clone();
        let text = damaged(&mut dice, &text, &other);
        let outcome = catch_unwind(AssertUnwindSafe(|| try_text(&text)));
        let is_read = outcome.unwrap_or_else(|_| panic!("{name}: text {tried} made it panic:\n{text}"));
        tried += 1;
        read += u64::from(is_read);
    }
    eprintln!("{name}: {tried} texts, of which {read} could be read");
    assert!(tried > 20 && read > 0, "{name}: {tried} {read}");
}

fn plans() -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut texts = Vec::new();
    for seed in 0..60 {
        let store = if seed % 2 == 0 { Store::Memory } else { Store::Sqlite };
        texts.push(generate(Seed(seed), store).to_string());
    }
    for entry in std::fs::read_dir(root.join("scopes")).unwrap() {
        texts.push(std::fs::read_to_string(entry.unwrap().path()).unwrap());
    }
    texts.sort();
    texts
}

#[test]
fn a_damaged_plan_is_read_or_refused_in_a_sentence() {
    fuzz("plans", &plans(), |text| match text.parse::<Plan>() {
        Ok(plan) => {
            plan.check().unwrap();
            assert_eq!(plan.to_string().parse(), Ok(plan));
            true
        }
        Err(why) => {
            assert!(!why.to_string().is_empty());
            false
        }
    });
}

#[test]
fn a_damaged_history_is_judged_or_refused_in_a_sentence() {
    let recorded = |seed: u64| {
        let plan = Arc::new(generate(Seed(seed), Store::Memory));
        serde_json::to_string(&record(&plan, &Subject::fencepost())).unwrap()
    };
    let mut texts: Vec<String> = (0..60).map(recorded).filter(|text| text.len() < 60_000).collect();
    texts.sort_by_key(String::len);
    texts.truncate(12);
    fuzz("histories", &texts, |text| match StoredHistory::parse(text) {
        Ok(StoredHistory { history, is_ours, not_claimed, .. }) => {
            drop(rejudge(&history, is_ours, &not_claimed));
            true
        }
        Err(why) => {
            assert!(!why.to_string().is_empty());
            false
        }
    });
}
