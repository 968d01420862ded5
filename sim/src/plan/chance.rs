//! Chance. Every draw is keyed by what it decides, never taken from one stream: the fate of message 7 on a link is the
//! same whatever else happened before it, so a plan that loses a step keeps the rest of its luck. Fates come from a keyed
//! hash; purposes that draw many numbers (the generator, a node's entropy) have a ChaCha8 stream each.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// The number that all chance of a run is keyed by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Seed(pub u64);

/// The decision a draw is for. The number is part of every key, so it is never reused.
#[derive(Debug, Clone, Copy)]
#[repr(u64)]
pub enum Purpose {
    Generate = 1,
    Entropy = 2,
    Fate = 3,
    Order = 4,
    Sweep = 5,
    Effect = 6,
    InFlight = 7,
    Guard = 8,
    Disk = 9,
    Asks = 10,
    Leases = 11,
    Tokio = 12,
    Clients = 13,
    LostAnswers = 14,
}

impl Seed {
    /// A number that depends on nothing but the seed and the key.
    pub fn draw(self, purpose: Purpose, key: [u64; 2]) -> u64 {
        let first = fold(self.0 ^ 0x9e37_79b9_7f4a_7c15, purpose as u64 ^ 0xd1b5_4a32_d192_ed03);
        fold(fold(first ^ key[0], 0xa076_1d64_78bd_642f) ^ key[1], first | 1)
    }

    /// A stream of its own for a purpose that draws much.
    pub fn stream(self, purpose: Purpose, key: [u64; 2]) -> ChaCha8Rng {
        let mut bytes = [0; 32];
        for (place, chunk) in (0..).zip(bytes.chunks_exact_mut(8)) {
            let word = self.draw(purpose, [key[0] ^ (place << 56), key[1]]);
            chunk.copy_from_slice(&word.to_le_bytes());
        }
        ChaCha8Rng::from_seed(bytes)
    }
}

/// Multiplies to twice the width and folds: every bit of the result depends on every bit of both. Two rounds, since one
/// alone is blind to a factor of zero.
fn fold(a: u64, b: u64) -> u64 {
    let wide = u128::from(a ^ 0x2d35_8dcc_aa6c_78a5) * u128::from(b ^ 0x8bb8_4b93_962e_acc9);
    let once = (wide as u64) ^ ((wide >> 64) as u64);
    let wide = u128::from(once ^ 0x4b33_a62e_d433_d4a3) * u128::from(0x4d5a_2da5_1de1_aa47_u64);
    (wide as u64) ^ ((wide >> 64) as u64)
}

/// A drawn number as a place in `0..below`; 0 when there is none.
pub fn below(drawn: u64, below: u64) -> u64 {
    ((u128::from(drawn) * u128::from(below)) >> 64) as u64
}

/// Draws for the generator, in the words it thinks in.
pub struct Dice(ChaCha8Rng);

impl Dice {
    pub fn new(stream: ChaCha8Rng) -> Self {
        Self(stream)
    }

    pub fn below(&mut self, end: u64) -> u64 {
        below(self.0.next_u64(), end)
    }

    /// Both ends included.
    pub fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.below(high - low + 1)
    }

    pub fn percent(&mut self, chance: u64) -> bool {
        self.below(100) < chance
    }

    pub fn one_of<'a, T>(&mut self, choices: &'a [T]) -> &'a T {
        &choices[self.below(choices.len() as u64) as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_draw_depends_on_seed_purpose_and_each_part_of_its_key() {
        let draw = |seed, purpose, key| Seed(seed).draw(purpose, key);
        let one = draw(1, Purpose::Fate, [2, 3]);
        assert_eq!(one, draw(1, Purpose::Fate, [2, 3]));
        let others = [
            draw(2, Purpose::Fate, [2, 3]),
            draw(1, Purpose::Order, [2, 3]),
            draw(1, Purpose::Fate, [3, 3]),
            draw(1, Purpose::Fate, [2, 4]),
            draw(1, Purpose::Fate, [3, 2]),
        ];
        assert!(others.iter().all(|other| *other != one));
    }

    /// Coarse, but a hash that forgets a bit of its key fails it: every bit of the draw is set about half of the time, and
    /// neighbours share about half of their bits.
    #[test]
    fn draws_look_like_chance() {
        let draws: Vec<u64> = (0..4_096).map(|n| Seed(7).draw(Purpose::Fate, [0, n])).collect();
        for bit in 0..64 {
            let set = draws.iter().filter(|draw| *draw >> bit & 1 == 1).count();
            assert!((1_850..2_250).contains(&set), "bit {bit} was set {set} times");
        }
        let shared: u32 = draws.windows(2).map(|pair| (pair[0] ^ pair[1]).count_ones()).sum();
        assert!((31 * 4_095..33 * 4_095).contains(&shared));
    }

    #[test]
    fn a_place_is_always_below_its_end() {
        assert_eq!((below(u64::MAX, 10), below(0, 10), below(5, 0), below(u64::MAX, 1)), (9, 0, 0, 0));
    }
}
