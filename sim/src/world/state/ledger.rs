//! The ledger outside: it takes effects, and refuses a fence below the highest that it saw for the process.

use crate::world::state::exchanges::Exchanges;

#[derive(Default)]
pub struct Ledger {
    /// The highest fence seen, by process.
    highest: Vec<u64>,
    /// Effects sent, by process.
    sent: Vec<u64>,
    pub exchanges: Exchanges<Result<(), u64>>,
}

impl Ledger {
    /// The number of the next effect of the process, counted from 1.
    pub fn count_sent(&mut self, process: u16) -> u64 {
        let sent = entry(&mut self.sent, process);
        *sent += 1;
        *sent
    }

    /// Offers an effect with this fence. Returns the highest fence seen before, and the answer.
    pub fn offer(&mut self, process: u16, fence: u64) -> (u64, Result<(), u64>) {
        let highest = entry(&mut self.highest, process);
        let before = *highest;
        if fence < before {
            return (before, Err(before));
        }
        *highest = fence;
        (before, Ok(()))
    }
}

fn entry(table: &mut Vec<u64>, process: u16) -> &mut u64 {
    let place = usize::from(process);
    if table.len() <= place {
        table.resize(place + 1, 0);
    }
    &mut table[place]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lower_fence_is_refused_and_an_equal_one_is_not() {
        let mut ledger = Ledger::default();
        assert_eq!(ledger.offer(1, 5), (0, Ok(())));
        assert_eq!(ledger.offer(1, 5), (5, Ok(())));
        assert_eq!(ledger.offer(1, 4), (5, Err(5)));
        assert_eq!(ledger.offer(2, 1), (0, Ok(())));
    }
}
