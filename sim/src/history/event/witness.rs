//! Everything that judges or shows a run is a [`Witness`] of one stream of events: laws, coverage, the recorder, and the
//! running hash by which two runs are compared.

use super::Event;

/// Sees each event once, in order.
pub trait Witness {
    fn see(&mut self, event: &Event);
}

/// Nobody looks.
impl Witness for () {
    fn see(&mut self, _: &Event) {}
}

impl<A: Witness, B: Witness> Witness for (A, B) {
    fn see(&mut self, event: &Event) {
        self.0.see(event);
        self.1.see(event);
    }
}

impl<W: Witness + ?Sized> Witness for &mut W {
    fn see(&mut self, event: &Event) {
        W::see(self, event);
    }
}

/// Remembers everything.
impl Witness for Vec<Event> {
    fn see(&mut self, event: &Event) {
        self.push(*event);
    }
}

/// Equal streams give equal hashes, and streams that differ anywhere practically never do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunningHash {
    state: u64,
    pub events: u64,
}

impl Default for RunningHash {
    fn default() -> Self {
        Self { state: 0x6c62_272e_07bb_0142, events: 0 }
    }
}

impl RunningHash {
    pub fn value(&self) -> u64 {
        self.state
    }

    fn mix(&mut self, word: u64) {
        let wide = u128::from(self.state ^ word) * u128::from(0x9e37_79b9_7f4a_7c15_u64);
        self.state = (wide as u64) ^ ((wide >> 64) as u64).rotate_left(23) ^ word.rotate_left(41);
    }
}

impl Witness for RunningHash {
    fn see(&mut self, event: &Event) {
        self.events += 1;
        for word in event.words() {
            self.mix(word);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{EventKind, GrantNo};
    use super::*;

    const EVENT: Event = Event {
        at_us: 1,
        clock: 2,
        a: 3,
        b: 4,
        grant: GrantNo(5),
        process: 6,
        node: 7,
        kind: EventKind::Renewed,
    };

    #[test]
    fn the_hash_sees_every_field_and_the_order() {
        let hash = |events: &[Event]| {
            let mut hash = RunningHash::default();
            events.iter().for_each(|event| hash.see(event));
            hash.value()
        };
        let others = [
            Event { at_us: 9, ..EVENT },
            Event { clock: 9, ..EVENT },
            Event { a: 9, ..EVENT },
            Event { b: 9, ..EVENT },
            Event { grant: GrantNo(9), ..EVENT },
            Event { process: 9, ..EVENT },
            Event { node: 9, ..EVENT },
            Event { kind: EventKind::Ended, ..EVENT },
        ];
        for other in others {
            assert_ne!(hash(&[EVENT]), hash(&[other]), "{other:?}");
            assert_ne!(hash(&[EVENT, other]), hash(&[other, EVENT]), "{other:?}");
        }
        assert_ne!(hash(&[EVENT]), hash(&[EVENT, EVENT]));
    }
}
