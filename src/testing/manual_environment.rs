//! An environment that stands still until a test turns it: two clocks, an agenda of sleepers, a queue of ready tasks,
//! all on one thread and in one order. Time moves only in [`HandEnvironment::advance`], and in
//! [`HandEnvironment::run`] when nothing is ready.

use std::collections::{BTreeMap, VecDeque};
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use crate::environment::{BoxFuture, Environment};
use crate::model::lease::LeaseOwnerIdentity;

/// Clones are the same environment.
#[derive(Clone, Default)]
pub struct HandEnvironment(Arc<Shared>);

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    ready: Mutex<VecDeque<u64>>,
}

#[derive(Default)]
struct State {
    wall_ms: u64,
    monotonic: Duration,
    /// Sleepers by the instant they wake, then by who lay down first.
    agenda: BTreeMap<(Duration, u64), Waker>,
    tasks: BTreeMap<u64, BoxFuture<'static, ()>>,
    next_number: u64,
    entropy_drawn: u64,
    dead: Vec<LeaseOwnerIdentity>,
}

impl HandEnvironment {
    pub fn at_epoch_ms(wall_ms: u64) -> Self {
        let environment = Self::default();
        environment.set_wall(wall_ms);
        environment
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn ready(&self) -> MutexGuard<'_, VecDeque<u64>> {
        self.0.ready.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sets the wall clock. The monotonic clock stays as it is.
    pub fn set_wall(&self, wall_ms: u64) {
        self.state().wall_ms = wall_ms;
    }

    /// Moves both clocks and wakes who slept until then; runs nothing.
    pub fn advance(&self, by: Duration) {
        let due = {
            let mut state = self.state();
            state.monotonic += by;
            let by_ms = u64::try_from(by.as_millis()).unwrap_or(u64::MAX);
            state.wall_ms = state.wall_ms.saturating_add(by_ms);
            let still_asleep = (state.monotonic, u64::MAX);
            let later = state.agenda.split_off(&still_asleep);
            std::mem::replace(&mut state.agenda, later)
        };
        due.into_values().for_each(Waker::wake);
    }

    /// From now on the probe has proof that this owner, with this liveness, is dead.
    pub fn declare_dead(&self, owner: &LeaseOwnerIdentity) {
        self.state().dead.push(owner.clone());
    }

    /// How many bytes of entropy were drawn so far.
    pub fn entropy_drawn(&self) -> u64 {
        self.state().entropy_drawn
    }

    /// Drops every task where it stands, as the death of their process would.
    pub fn drop_tasks(&self) {
        // Drop the tasks outside the lock, because dropping one may take the lock again.
        let tasks = std::mem::take(&mut self.state().tasks);
        drop(tasks);
    }

    /// Lets time pass for everyone: moves from sleeper to sleeper, and runs what is ready at each.
    pub fn pass(&self, duration: Duration) {
        let until = self.monotonic().saturating_add(duration);
        loop {
            self.settle();
            let next = self.state().agenda.keys().next().map(|(instant, _)| *instant);
            let now = self.monotonic();
            match next.filter(|next| *next <= until) {
                Some(next) => self.advance(next.saturating_sub(now)),
                None => {
                    self.advance(until.saturating_sub(now));
                    self.settle();
                    return;
                }
            }
        }
    }

    /// Runs every task until none is ready; time stands still.
    pub fn settle(&self) {
        while self.poll_next() {}
    }

    /// Runs `future` and every task, moving time to the next sleeper whenever nothing is ready. `None` when `future`
    /// waits for something that no task and no sleeper will bring.
    pub fn run<T>(&self, future: impl Future<Output = T>) -> Option<T> {
        let mut future = std::pin::pin!(future);
        let waker = Waker::from(Arc::new(Ready { task: u64::MAX, of: Arc::clone(&self.0) }));
        self.ready().push_back(u64::MAX);
        loop {
            if self.ready().front() == Some(&u64::MAX) {
                self.ready().pop_front();
                if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
                    return Some(output);
                }
            } else if !self.poll_next() {
                let next = self.state().agenda.keys().next().map(|(instant, _)| *instant);
                let wait = next?.saturating_sub(self.monotonic());
                self.advance(wait);
            }
        }
    }

    pub(super) fn has_sleepers(&self) -> bool {
        !self.state().agenda.is_empty()
    }

    /// How many sleepers will wake this very task.
    pub(super) fn sleepers_with(&self, waker: &Waker) -> usize {
        self.state().agenda.values().filter(|sleeper| sleeper.will_wake(waker)).count()
    }

    /// Polls the task that has been ready longest. False when none was.
    fn poll_next(&self) -> bool {
        let Some(number) = self.ready().pop_front() else {
            return false;
        };
        // Take the task out of the table while it runs, because it may spawn others.
        let Some(mut task) = self.state().tasks.remove(&number) else {
            return true;
        };
        let waker = Waker::from(Arc::new(Ready { task: number, of: Arc::clone(&self.0) }));
        if task.as_mut().poll(&mut Context::from_waker(&waker)).is_pending() {
            self.state().tasks.insert(number, task);
        }
        true
    }
}

struct Ready {
    task: u64,
    of: Arc<Shared>,
}

impl Wake for Ready {
    fn wake(self: Arc<Self>) {
        let mut ready = self.of.ready.lock().unwrap_or_else(PoisonError::into_inner);
        if !ready.contains(&self.task) {
            ready.push_back(self.task);
        }
    }
}

struct Sleep {
    environment: HandEnvironment,
    until: Duration,
    place: Option<u64>,
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let environment = self.environment.clone();
        let mut state = environment.state();
        if state.monotonic >= self.until {
            return Poll::Ready(());
        }
        let place = *self.place.get_or_insert_with(|| {
            state.next_number += 1;
            state.next_number
        });
        state.agenda.insert((self.until, place), context.waker().clone());
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let Some(place) = self.place {
            self.environment.state().agenda.remove(&(self.until, place));
        }
    }
}

impl Environment for HandEnvironment {
    fn now_epoch_ms(&self) -> u64 {
        self.state().wall_ms
    }

    fn monotonic(&self) -> Duration {
        self.state().monotonic
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        let until = self.monotonic().saturating_add(duration);
        Box::pin(Sleep { environment: self.clone(), until, place: None })
    }

    fn spawn(&self, task: BoxFuture<'static, ()>) {
        let number = {
            let mut state = self.state();
            state.next_number += 1;
            let number = state.next_number;
            state.tasks.insert(number, task);
            number
        };
        self.ready().push_back(number);
    }

    /// Fills the bytes with values that differ at every call and are the same in every run.
    fn fill_entropy(&self, bytes: &mut [u8]) {
        let mut state = self.state();
        for chunk in bytes.chunks_mut(8) {
            state.entropy_drawn += chunk.len() as u64;
            let drawn = state.entropy_drawn.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes();
            chunk.copy_from_slice(&drawn[..chunk.len()]);
        }
    }

    fn is_definitely_dead(&self, owner: &LeaseOwnerIdentity) -> bool {
        self.state().dead.contains(owner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sleepers_wake_in_the_order_of_their_instants() {
        let environment = HandEnvironment::default();
        let woken = Arc::new(Mutex::new(Vec::new()));
        for wait_ms in [30, 10, 20] {
            let (inside, woken) = (environment.clone(), Arc::clone(&woken));
            environment.spawn(Box::pin(async move {
                inside.sleep(Duration::from_millis(wait_ms)).await;
                woken.lock().unwrap().push((wait_ms, inside.now_epoch_ms()));
            }));
        }
        let inside = environment.clone();
        assert_eq!(environment.run(async move { inside.sleep(Duration::from_millis(40)).await }), Some(()));
        assert_eq!(*woken.lock().unwrap(), [(10, 10), (20, 20), (30, 30)]);
    }

    #[test]
    fn a_wait_for_nothing_ends() {
        assert_eq!(HandEnvironment::default().run(std::future::pending::<()>()), None);
    }

    #[test]
    fn time_stands_still_until_it_is_turned() {
        let environment = HandEnvironment::at_epoch_ms(5);
        environment.settle();
        assert_eq!(environment.now_epoch_ms(), 5);
        environment.advance(Duration::from_millis(7));
        assert_eq!((environment.now_epoch_ms(), environment.monotonic()), (12, Duration::from_millis(7)));
    }

    #[test]
    fn a_sleeper_that_gives_up_leaves_the_agenda() {
        let environment = HandEnvironment::default();
        let mut sleep = environment.sleep(Duration::from_secs(1));
        let _ = sleep.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        drop(sleep);
        assert!(environment.state().agenda.is_empty());
    }
}
