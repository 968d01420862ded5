//! Exchanges whose caller still waits for an answer. A place is reused when nobody waits there any more.

use std::task::{Context, Poll, Waker};

/// Names one exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExchangeId {
    place: u32,
    generation: u32,
}

pub struct Exchanges<T> {
    slots: Vec<Slot<T>>,
    free: Vec<u32>,
}

struct Slot<T> {
    generation: u32,
    waker: Option<Waker>,
    answer: Option<T>,
}

impl<T> Default for Exchanges<T> {
    fn default() -> Self {
        Self { slots: Vec::new(), free: Vec::new() }
    }
}

impl<T> Exchanges<T> {
    pub fn open(&mut self) -> ExchangeId {
        match self.free.pop() {
            Some(place) => {
                let slot = &self.slots[place as usize];
                assert!(slot.waker.is_none() && slot.answer.is_none(), "a closed exchange was answered");
                ExchangeId { place, generation: slot.generation }
            }
            None => {
                self.slots.push(Slot { generation: 0, waker: None, answer: None });
                ExchangeId { place: (self.slots.len() - 1) as u32, generation: 0 }
            }
        }
    }

    /// The first answer counts. The waker is the caller's to wake.
    pub fn answer(&mut self, id: ExchangeId, answer: T) -> Option<Waker> {
        let slot = &mut self.slots[id.place as usize];
        assert!(id.generation <= slot.generation, "an answer came to an exchange that is not open yet");
        if slot.generation != id.generation || slot.answer.is_some() {
            return None;
        }
        slot.answer = Some(answer);
        slot.waker.take()
    }

    pub fn poll(&mut self, id: ExchangeId, task: &Context<'_>) -> Poll<T> {
        let slot = &mut self.slots[id.place as usize];
        assert_eq!(slot.generation, id.generation, "a closed exchange was polled");
        match slot.answer.take() {
            Some(answer) => Poll::Ready(answer),
            None => {
                slot.waker = Some(task.waker().clone());
                Poll::Pending
            }
        }
    }

    /// Takes out what the exchange holds, for the caller to drop.
    pub fn close(&mut self, id: ExchangeId) -> (Option<Waker>, Option<T>) {
        let slot = &mut self.slots[id.place as usize];
        assert_eq!(slot.generation, id.generation, "an exchange was closed twice");
        slot.generation += 1;
        self.free.push(id.place);
        (slot.waker.take(), slot.answer.take())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_that_comes_after_the_close_is_dropped() {
        let mut exchanges = Exchanges::default();
        let first = exchanges.open();
        drop(exchanges.close(first));
        let second = exchanges.open();
        assert!(exchanges.answer(first, 1).is_none());
        let task = Context::from_waker(Waker::noop());
        assert!(exchanges.poll(second, &task).is_pending());
        assert!(exchanges.answer(second, 2).is_some());
        assert!(exchanges.answer(second, 3).is_none(), "only the first answer counts");
        assert_eq!(exchanges.poll(second, &task), Poll::Ready(2));
    }

    #[test]
    #[should_panic(expected = "closed twice")]
    fn an_exchange_is_closed_once() {
        let mut exchanges = Exchanges::<u8>::default();
        let id = exchanges.open();
        drop(exchanges.close(id));
        drop(exchanges.close(id));
    }
}
