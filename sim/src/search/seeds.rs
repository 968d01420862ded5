//! The seeds of a search: a range or a list, and one shard of it. A shard is every n-th seed, so all shards together run each
//! seed exactly once, even if only time ends the search.

use std::ops::Range;
use std::str::FromStr;
use std::sync::Arc;

/// One more than the largest seed. TOML and JSON readers can hold every number below it.
pub const END: u64 = 1 << 53;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seeds {
    all: SeedSet,
    shard: Shard,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum SeedSet {
    Range(Range<u64>),
    Listed { name: String, seeds: Arc<[u64]> },
}

/// Shard `number` of `of`, counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shard {
    number: u64,
    of: u64,
}

impl Seeds {
    pub fn range(range: Range<u64>) -> Self {
        Self { all: SeedSet::Range(range), shard: Shard::WHOLE }
    }

    /// The seeds of a file.
    pub fn listed(name: String, seeds: Vec<u64>) -> Self {
        Self { all: SeedSet::Listed { name, seeds: seeds.into() }, shard: Shard::WHOLE }
    }

    #[must_use]
    pub fn shard(self, shard: Shard) -> Self {
        Self { shard, ..self }
    }

    /// The seed at this place, if there are so many.
    pub fn nth(&self, place: u64) -> Option<u64> {
        let place = place.checked_mul(self.shard.of)?.checked_add(self.shard.number - 1)?;
        match &self.all {
            SeedSet::Range(range) => range.start.checked_add(place).filter(|seed| *seed < range.end),
            SeedSet::Listed { seeds, .. } => seeds.get(usize::try_from(place).ok()?).copied(),
        }
    }

    pub fn count(&self) -> u64 {
        let whole = match &self.all {
            SeedSet::Range(range) => range.end.saturating_sub(range.start),
            SeedSet::Listed { seeds, .. } => seeds.len() as u64,
        };
        let before = self.shard.number - 1;
        whole.saturating_sub(before).div_ceil(self.shard.of)
    }

    /// The range or the file that the seeds are from.
    pub fn name(&self) -> String {
        match &self.all {
            SeedSet::Range(range) if range.end >= END => format!("{}..", range.start),
            SeedSet::Range(range) => format!("{}..{}", range.start, range.end),
            SeedSet::Listed { name, .. } => name.clone(),
        }
    }
}

impl Shard {
    pub const WHOLE: Self = Self { number: 1, of: 1 };

    /// True, if the part at this place, counted from 0, belongs to this shard.
    pub fn has(self, place: u64) -> bool {
        place % self.of == self.number - 1
    }

    pub fn is_whole(self) -> bool {
        self == Self::WHOLE
    }
}

impl std::fmt::Display for Shard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.number, self.of)
    }
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parsed = text
            .split_once('/')
            .and_then(|(number, of)| Some(Self { number: number.parse().ok()?, of: of.parse().ok()? }));
        parsed
            .filter(|shard| 1 <= shard.number && shard.number <= shard.of)
            .ok_or_else(|| format!("`{text}` is no shard: say 1/4, 2/4, 3/4 or 4/4"))
    }
}

/// Parses `0..10000`, the end excluded, `5..=9`, the end included, or the one seed `5`.
pub fn parse_range(text: &str) -> Result<Range<u64>, String> {
    let number = |digits: &str| digits.parse::<u64>().ok();
    let after = |digits: &str| number(digits)?.checked_add(1);
    let ends = match text.split_once("..") {
        None => number(text).zip(after(text)),
        Some((from, to)) => number(from).zip(to.strip_prefix('=').map_or_else(|| number(to), after)),
    };
    match ends {
        Some((from, to)) if from < to && to <= END => Ok(from..to),
        Some((_, to)) if to > END => Err(too_large(text)),
        Some((from, to)) if to <= from => Err(format!("empty range `{text}`; use START..END, END excluded")),
        _ if has_large_number(text) => Err(too_large(text)),
        _ => Err(format!("`{text}` is no range of seeds: say 0..10000, 5..=9 or 5")),
    }
}

/// It reads as a range, but for a number that is too large to be any.
fn has_large_number(text: &str) -> bool {
    let is_number = |digits: &str| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    match text.split_once("..") {
        None => is_number(text),
        Some((from, to)) => is_number(from) && is_number(to.strip_prefix('=').unwrap_or(to)),
    }
}

fn too_large(text: &str) -> String {
    format!("`{text}` has a seed that is too large: seeds are below 2^53 = {END}")
}

/// Parses one seed.
pub fn parse(text: &str) -> Result<u64, String> {
    match text.parse() {
        Ok(seed) if seed < END => Ok(seed),
        _ if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) => {
            Err(format!("`{text}` is no seed: seeds are below 2^53 = {END}"))
        }
        _ => Err(format!("`{text}` is no seed: say a number such as 17")),
    }
}

/// Parses one seed a line; a `#` begins a comment.
pub fn parse_list(text: &str) -> Result<Vec<u64>, String> {
    let mut seeds = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let said = line.split('#').next().unwrap_or_default().trim();
        if said.is_empty() {
            continue;
        }
        let at = line.find(said).map_or(1, |at| line[..at].chars().count() + 1);
        let seed = parse(said).map_err(|why| format!("line {number}, column {at}: {why}"))?;
        seeds.push(seed);
    }
    if seeds.is_empty() { Err("it has no seed: write one a line".to_owned()) } else { Ok(seeds) }
}

/// The first seed that belongs to a commit, or to any other text. It is a number of 48 bits, which leaves room for any range
/// above it.
pub fn start_of(text: &str) -> u64 {
    let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    // Spreads the bits: texts that differ in their last letter differ in low bits only.
    (hash ^ hash >> 29).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 16
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn all(seeds: &Seeds) -> Vec<u64> {
        (0..).map_while(|place| seeds.nth(place)).collect()
    }

    #[test]
    fn shards_are_an_exact_partition_of_any_whole() {
        for whole in [
            Seeds::range(7..7 + 103),
            Seeds::listed("a file".to_owned(), vec![9, 4, 4, 1, 30]),
            Seeds::range(5..6),
        ] {
            for of in 1..=6 {
                let mut together = Vec::new();
                for number in 1..=of {
                    let shard = whole.clone().shard(Shard { number, of });
                    let part = all(&shard);
                    assert_eq!(part.len() as u64, shard.count(), "{number}/{of} of {}", whole.name());
                    together.extend(part);
                }
                together.sort_unstable();
                let mut wanted = all(&whole);
                wanted.sort_unstable();
                assert_eq!(together, wanted, "{of} shards of {}", whole.name());
            }
        }
    }

    #[test]
    fn the_last_seeds_there_are_can_be_named() {
        let last = Seeds::range(u64::MAX - 2..u64::MAX);
        assert_eq!(all(&last), [u64::MAX - 2, u64::MAX - 1]);
        assert_eq!(all(&last.shard(Shard { number: 2, of: 2 })), [u64::MAX - 1]);
    }

    #[test]
    fn a_list_is_a_seed_a_line_and_its_errors_have_a_place() {
        assert_eq!(parse_list("# from last week\n17\n\n  4 # slow\n"), Ok(vec![17, 4]));
        let why = parse_list("17\n  x4\n").unwrap_err();
        assert!(why.starts_with("line 2, column 3: `x4` is no seed"), "{why}");
        assert!(parse_list("# nothing\n").is_err());
    }

    #[test]
    fn seeds_end_where_files_can_no_longer_hold_them() {
        assert_eq!(parse_range("9007199254740990..9007199254740992"), Ok(END - 2..END));
        assert_eq!(
            [parse_range("5"), parse_range("5..=9"), parse_range("5..=5")],
            [Ok(5..6), Ok(5..10), Ok(5..6)]
        );
        let wrong = [
            "0..9007199254740993",
            "0..=9007199254740992",
            "0..=18446744073709551615",
            "9007199254740992",
            "99999999999999999999..0",
            "5..5",
            "5..=4",
            "9..1",
            "-1..5",
            "-4",
            "4=",
            "=4",
            "5..==9",
            "..",
            "..=",
            "",
        ];
        for text in wrong {
            assert!(
                parse_range(text).is_err_and(|why| ["empty range", "no range", "too large"]
                    .iter()
                    .any(|said| why.contains(said))),
                "{text}"
            );
        }
        let why = parse_range("0..99999999999999999999999").unwrap_err();
        assert!(why.contains("seeds are below 2^53 = 9007199254740992"), "{why}");
        assert_eq!(parse("9007199254740991"), Ok(END - 1));
        for text in ["9007199254740992", "99999999999999999999999", "-1", "", "x"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_no_shard_is_refused() {
        for text in ["0/4", "5/4", "1/0", "4", "a/b", "1/4/2", "-1/4"] {
            assert!(text.parse::<Shard>().is_err(), "{text}");
        }
        assert_eq!("4/4".parse(), Ok(Shard { number: 4, of: 4 }));
    }

    #[test]
    fn every_commit_has_a_start_of_its_own_far_from_others() {
        let starts: BTreeSet<u64> = (0..2_000).map(|number| start_of(&format!("{number:040x}"))).collect();
        assert_eq!(starts.len(), 2_000);
        let closest = starts.iter().zip(starts.iter().skip(1)).map(|(one, next)| next - one).min();
        assert!(closest > Some(10_000), "{closest:?}");
        assert!(starts.iter().all(|start| *start < 1 << 48));
    }
}
