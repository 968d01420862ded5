//! A real tokio runtime on one thread, whose clock stands and is moved on by the world. It has two moves: it runs until nothing
//! in it is ready, and it moves its clock on to its next timer, without running what that timer wakes. `Instant` is tokio's here: it
//! shows the paused clock, never the machine's.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Wake, Waker};
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::world::std_clock::NodeStdClock;

/// A runtime counts in whole milliseconds since its start, as tokio's timers do.
pub struct TokioNode {
    runtime: Runtime,
    hooks: Arc<ParkHooks>,
    started: Instant,
    elapsed_ms: u64,
    std_clock: NodeStdClock,
}

impl TokioNode {
    /// Whatever in it is drawn is drawn from this seed.
    pub fn start(seed: u64) -> std::io::Result<Self> {
        let hooks = Arc::new(ParkHooks::default());
        let mut builder = Builder::new_current_thread();
        // Without I/O: whoever opens a socket is told that it is disabled.
        builder.enable_time().start_paused(true);
        let (parking, unparked) = (Arc::clone(&hooks), Arc::clone(&hooks));
        builder
            .on_thread_park(move || parking.before_park())
            .on_thread_unpark(move || unparked.after_unpark());
        // Else `select!` draws from a generator that nobody can seed.
        #[cfg(tokio_unstable)]
        builder.rng_seed(tokio::runtime::RngSeed::from_bytes(&seed.to_le_bytes()));
        let runtime = builder.build()?;
        let started = runtime.block_on(async { Instant::now() });
        Ok(Self { runtime, hooks, started, elapsed_ms: 0, std_clock: NodeStdClock::new(seed) })
    }

    pub fn elapsed_ms(&self) -> u64 {
        self.elapsed_ms
    }

    pub fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) -> JoinHandle<()> {
        self.runtime.spawn(task)
    }

    /// Moves the clock to `elapsed_ms` and runs until nothing is ready. Std's clock shows `wall_ms` meanwhile.
    pub fn settle(&mut self, elapsed_ms: u64, wall_ms: u64) {
        assert!(self.elapsed_ms <= elapsed_ms, "a tokio node was moved past what reached it");
        let ahead_ms = elapsed_ms - self.elapsed_ms;
        self.elapsed_ms = elapsed_ms;
        let hooks = &self.hooks;
        hooks.begin(RuntimeMove::Settle);
        let settled = async {
            if ahead_ms > 0 {
                tokio::time::advance(Duration::from_millis(ahead_ms)).await;
            }
            // Parked twice: once to fire the timers that are due, and once more when nothing was left.
            poll_fn(|task| hooks.poll(task.waker(), 2)).await;
        };
        self.std_clock.during(wall_ms, || self.runtime.block_on(settled));
        hooks.begin(RuntimeMove::None);
    }

    /// Moves the clock on to the next timer, and at most to `limit_ms`. What the timer wakes does not run yet. Returns where
    /// the clock stands.
    pub fn seek(&mut self, limit_ms: u64) -> u64 {
        let (started, hooks) = (self.started, &self.hooks);
        hooks.begin(RuntimeMove::Seek);
        let until = started + Duration::from_millis(limit_ms);
        let sought = async {
            let before = Instant::now();
            let mut limit = pin!(tokio::time::sleep_until(until));
            let mut tries = 0;
            poll_fn(|task| {
                // A waker from outside keeps the first parking from moving the clock.
                if Instant::now() > before || tries == 3 {
                    return Poll::Ready(());
                }
                tries += 1;
                let _ = limit.as_mut().poll(task);
                hooks.wait(task.waker());
                Poll::Pending
            })
            .await;
            Instant::now() - started
        };
        let elapsed = self.runtime.block_on(sought);
        hooks.begin(RuntimeMove::None);
        self.elapsed_ms = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
        self.elapsed_ms
    }
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum RuntimeMove {
    #[default]
    None,
    Settle,
    Seek,
}

/// Tells the future that drives a runtime when the runtime has nothing left to run.
#[derive(Default)]
struct ParkHooks(Mutex<HookState>);

#[derive(Default)]
struct HookState {
    present: RuntimeMove,
    parks: u32,
    driver: Option<Waker>,
}

impl ParkHooks {
    fn state(&self) -> MutexGuard<'_, HookState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn begin(&self, present: RuntimeMove) {
        *self.state() = HookState { present, ..HookState::default() };
    }

    fn wait(&self, driver: &Waker) {
        self.state().driver = Some(driver.clone());
    }

    fn poll(&self, driver: &Waker, parks: u32) -> Poll<()> {
        if self.state().parks >= parks {
            return Poll::Ready(());
        }
        self.wait(driver);
        Poll::Pending
    }

    /// A driver that is woken here keeps the runtime from moving its own clock.
    fn before_park(&self) {
        self.called(RuntimeMove::Settle);
    }

    /// A driver that is woken here is polled before any task that a timer woke.
    fn after_unpark(&self) {
        self.called(RuntimeMove::Seek);
    }

    fn called(&self, during: RuntimeMove) {
        let driver = {
            let mut state = self.state();
            if state.present != during {
                return;
            }
            state.parks += 1;
            state.driver.clone()
        };
        driver.into_iter().for_each(Waker::wake);
    }
}

/// Wakes a node: from outside of its runtime, or because its clock may be moved on.
#[derive(Clone)]
pub struct NodeAlarm(Arc<AlarmState>);

#[derive(Default)]
struct AlarmState {
    has_news: AtomicBool,
    may_move: AtomicBool,
    task: Mutex<Option<Waker>>,
}

impl AlarmState {
    fn wake_task(&self) {
        let task = self.task.lock().unwrap_or_else(PoisonError::into_inner).clone();
        task.into_iter().for_each(Waker::wake);
    }
}

impl NodeAlarm {
    pub fn new() -> Self {
        let state = AlarmState { has_news: AtomicBool::new(true), ..AlarmState::default() };
        Self(Arc::new(state))
    }

    /// The world's task that polls the node.
    pub fn watched_by(&self, task: &Waker) {
        *self.0.task.lock().unwrap_or_else(PoisonError::into_inner) = Some(task.clone());
    }

    /// Something reached the node.
    pub fn ring(&self) {
        self.0.has_news.store(true, Ordering::Relaxed);
        self.0.wake_task();
    }

    pub fn take_news(&self) -> bool {
        self.0.has_news.swap(false, Ordering::Relaxed)
    }

    pub fn take_move(&self) -> bool {
        self.0.may_move.swap(false, Ordering::Relaxed)
    }

    /// Wakes because something reached the node.
    pub fn news_waker(&self) -> Waker {
        Waker::from(Arc::new(NewsWaker(self.clone())))
    }

    /// Wakes because the node's clock may be moved on.
    pub fn move_waker(&self) -> Waker {
        Waker::from(Arc::new(MoveWaker(self.clone())))
    }
}

struct NewsWaker(NodeAlarm);

impl Wake for NewsWaker {
    fn wake(self: Arc<Self>) {
        self.0.ring();
    }
}

struct MoveWaker(NodeAlarm);

impl Wake for MoveWaker {
    fn wake(self: Arc<Self>) {
        let NodeAlarm(state) = &self.0;
        state.may_move.store(true, Ordering::Relaxed);
        state.wake_task();
    }
}

/// Wakes a tokio task, and the node whose runtime must run it.
pub struct BothWakers {
    task: Waker,
    alarm: NodeAlarm,
}

impl BothWakers {
    pub fn waker(task: &Waker, alarm: &NodeAlarm) -> Waker {
        Waker::from(Arc::new(Self { task: task.clone(), alarm: alarm.clone() }))
    }
}

impl Wake for BothWakers {
    fn wake(self: Arc<Self>) {
        self.task.wake_by_ref();
        self.alarm.ring();
    }
}
