//! The scheduler: ready tasks, and an agenda of what falls due. It knows tasks, instants and machines, and nothing of
//! registries. A [`Schedule`] orders tasks that are ready at the same instant; nothing here depends on addresses or on the
//! order of spawns. The tasks of a paused machine are held, those of a crashed one are dropped.

use std::cell::RefCell;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;
use std::task::{Wake, Waker};

use fencepost::environment::BoxFuture;

use crate::subject::{Schedule, Wakeup};

pub type Task = BoxFuture<'static, ()>;

/// Polls, entries and readings of clocks in one simulated second: a hundred times what the busiest generated world takes.
const MAX_TURNS_PER_SECOND: u64 = 1_000_000;

/// Turns of a whole run. A plan that takes more is too large.
const MAX_TURNS: u64 = 30_000_000;

/// Names a task for as long as it lives; its place may be given to another later.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TaskId {
    place: u32,
    generation: u32,
}

struct TaskSlot {
    generation: u32,
    machine: u8,
    number: u64,
    wakes: u64,
    is_ready: bool,
    /// Not there while it is polled, and once it is done.
    future: Option<Task>,
    waker: Waker,
}

/// Names an entry of the agenda, to cancel it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    place: u32,
    generation: u32,
}

pub struct Kernel<D> {
    pub now_us: u64,
    schedule: Box<dyn Schedule>,
    tasks: Vec<TaskSlot>,
    free_tasks: Vec<u32>,
    ready: Vec<(u64, TaskId)>,
    agenda: BinaryHeap<Reverse<(u64, u64, u32)>>,
    due: Vec<(u32, Option<D>)>,
    free_due: Vec<u32>,
    entries: u64,
    /// Machines whose tasks run in the opposite order, and until when.
    reversed: Vec<(u8, u64)>,
    /// Tasks polled, entries taken and clocks read in the present second, and in all seconds.
    turns: u64,
    all_turns: u64,
    second: u64,
}

/// The next thing to do.
pub enum Turn<D> {
    Poll(TaskId, Task, Waker),
    Due(D),
    /// Nothing is ready and nothing will fall due.
    Over,
}

thread_local! {
    /// Apart from the kernel: a task may be woken while something of the kernel is in use.
    static WOKEN: RefCell<Vec<TaskId>> = const { RefCell::new(Vec::new()) };
}

struct TaskWaker(TaskId);

impl Wake for TaskWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        // After the end of the thread there is nobody to wake.
        let _ = WOKEN.try_with(|woken| woken.borrow_mut().push(self.0));
    }
}

impl<D> Kernel<D> {
    pub fn new(schedule: Box<dyn Schedule>) -> Self {
        WOKEN.with(|woken| woken.borrow_mut().clear());
        Self {
            now_us: 0,
            schedule,
            tasks: Vec::new(),
            free_tasks: Vec::new(),
            ready: Vec::new(),
            agenda: BinaryHeap::new(),
            due: Vec::new(),
            free_due: Vec::new(),
            entries: 0,
            reversed: Vec::new(),
            turns: 0,
            all_turns: 0,
            second: 0,
        }
    }

    /// A new task, not ready yet. `number` is its number among those the machine ever spawned.
    pub fn spawn(&mut self, machine: u8, number: u64, future: Task) -> TaskId {
        if let Some(place) = self.free_tasks.pop() {
            let slot = &mut self.tasks[place as usize];
            let id = TaskId { place, generation: slot.generation };
            slot.machine = machine;
            slot.number = number;
            slot.wakes = 0;
            slot.is_ready = false;
            slot.future = Some(future);
            slot.waker = Waker::from(Arc::new(TaskWaker(id)));
            return id;
        }
        let id = TaskId { place: self.tasks.len() as u32, generation: 0 };
        self.tasks.push(TaskSlot {
            generation: 0,
            machine,
            number,
            wakes: 0,
            is_ready: false,
            future: Some(future),
            waker: Waker::from(Arc::new(TaskWaker(id))),
        });
        id
    }

    pub fn wake(&mut self, id: TaskId) {
        let slot = &mut self.tasks[id.place as usize];
        if slot.generation != id.generation || slot.is_ready {
            return;
        }
        slot.is_ready = true;
        slot.wakes += 1;
        let wakeup = Wakeup { machine: slot.machine, task: slot.number, wakes: slot.wakes };
        let place = self.schedule.place(wakeup);
        let is_reversed = self
            .reversed
            .iter()
            .any(|(machine, until_us)| *machine == wakeup.machine && self.now_us < *until_us);
        self.ready.push((if is_reversed { !place } else { place }, id));
    }

    /// The machine's tasks that become ready until then run in the opposite order.
    pub fn reverse(&mut self, machine: u8, until_us: u64) {
        self.reversed.push((machine, until_us));
    }

    /// From now on no machine's tasks do.
    pub fn end_reversals(&mut self) {
        self.reversed.clear();
    }

    pub fn at(&mut self, at_us: u64, due: D) -> Entry {
        let place = match self.free_due.pop() {
            Some(place) => {
                let replaced = self.due[place as usize].1.replace(due);
                assert!(replaced.is_none(), "an entry that had not fallen due was overwritten");
                place
            }
            None => {
                self.due.push((0, Some(due)));
                (self.due.len() - 1) as u32
            }
        };
        self.entries += 1;
        self.agenda.push(Reverse((at_us.max(self.now_us), self.entries, place)));
        Entry { place, generation: self.due[place as usize].0 }
    }

    /// The entry, if it has not fallen due. Its line in the agenda stays until its time and then says nothing.
    pub fn cancel(&mut self, entry: Entry) -> Option<D> {
        let (generation, due) = &mut self.due[entry.place as usize];
        if *generation == entry.generation { due.take() } else { None }
    }

    pub fn due_mut(&mut self, entry: Entry) -> Option<&mut D> {
        let (generation, due) = &mut self.due[entry.place as usize];
        if *generation == entry.generation { due.as_mut() } else { None }
    }

    /// The next ready task of a machine that is not `held`, or what falls due next, moving time there. Tasks of held
    /// machines stay ready.
    pub fn next(&mut self, held: impl Fn(u8) -> bool) -> Turn<D> {
        let turn = self.pick(held);
        let second = self.now_us / 1_000_000;
        if second != self.second {
            self.second = second;
            self.turns = 0;
        }
        turn
    }

    fn pick(&mut self, held: impl Fn(u8) -> bool) -> Turn<D> {
        WOKEN.with(|woken| {
            let mut woken = woken.borrow_mut();
            for place in 0..woken.len() {
                self.wake(woken[place]);
            }
            woken.clear();
        });
        self.turns += 1;
        self.all_turns += 1;
        let mut first: Option<(u64, usize)> = None;
        for (at, (place, id)) in self.ready.iter().enumerate() {
            let is_earlier = first.is_none_or(|(lowest, _)| *place < lowest);
            if is_earlier && !held(self.tasks[id.place as usize].machine) {
                first = Some((*place, at));
            }
        }
        if let Some((_, at)) = first {
            let (_, id) = self.ready.swap_remove(at);
            let slot = &mut self.tasks[id.place as usize];
            slot.is_ready = false;
            if slot.generation == id.generation
                && let Some(future) = slot.future.take()
            {
                return Turn::Poll(id, future, slot.waker.clone());
            }
            return self.pick(held);
        }
        while let Some(Reverse((at_us, _, place))) = self.agenda.pop() {
            let (generation, due) = &mut self.due[place as usize];
            *generation += 1;
            self.free_due.push(place);
            assert!(self.now_us <= at_us, "an entry of the agenda fell due in the past");
            if let Some(due) = due.take() {
                self.now_us = at_us;
                return Turn::Due(due);
            }
        }
        Turn::Over
    }

    /// Something runs in circles: more happens in one simulated second, or in the run, than in any real one.
    pub fn has_run_away(&self) -> bool {
        self.is_second_too_busy() || self.all_turns > MAX_TURNS
    }

    pub fn is_second_too_busy(&self) -> bool {
        self.turns > MAX_TURNS_PER_SECOND
    }

    /// Counts a reading of a clock. False when a task reads clocks without end, in one poll: it must be stopped.
    pub fn count_clock_reading(&mut self) -> bool {
        self.turns += 1;
        self.turns <= MAX_TURNS_PER_SECOND + 1
    }

    /// Gives a task that is not done back its place.
    pub fn keep(&mut self, id: TaskId, future: Task) {
        let slot = &mut self.tasks[id.place as usize];
        assert_eq!(slot.generation, id.generation, "a task that is over was kept");
        let replaced = slot.future.replace(future);
        assert!(replaced.is_none(), "a task was kept in the place of another");
    }

    pub fn finish(&mut self, id: TaskId) {
        let slot = &mut self.tasks[id.place as usize];
        assert_eq!(slot.generation, id.generation, "a task was finished twice");
        slot.generation += 1;
        slot.waker = Waker::noop().clone();
        self.free_tasks.push(id.place);
    }

    /// Takes every task of a machine out. The caller drops them while nothing of the world is in use.
    pub fn take_tasks_of(&mut self, machine: u8) -> Vec<Task> {
        let mut taken = Vec::new();
        for place in 0..self.tasks.len() {
            if self.tasks[place].machine == machine
                && let Some(future) = self.tasks[place].future.take()
            {
                taken.push(future);
                self.finish(TaskId { place: place as u32, generation: self.tasks[place].generation });
            }
        }
        let tasks = &self.tasks;
        self.ready.retain(|(_, id)| tasks[id.place as usize].generation == id.generation);
        taken
    }

    /// When the first of these falls due.
    pub fn earliest(&self, which: impl Fn(&D) -> bool) -> Option<u64> {
        let due = |place: u32| self.due[place as usize].1.as_ref();
        let times = self.agenda.iter().filter(|Reverse((_, _, place))| due(*place).is_some_and(&which));
        times.map(|Reverse((at_us, ..))| *at_us).min()
    }

    /// When the last of these falls due.
    pub fn latest(&self, which: impl Fn(&D) -> bool) -> Option<u64> {
        let due = |place: u32| self.due[place as usize].1.as_ref();
        let times = self.agenda.iter().filter(|Reverse((_, _, place))| due(*place).is_some_and(&which));
        times.map(|Reverse((at_us, ..))| *at_us).max()
    }

    /// Takes everything out, at the end of a run.
    pub fn take_all(&mut self) -> (Vec<Task>, Vec<D>) {
        let tasks = self.tasks.iter_mut().filter_map(|slot| slot.future.take()).collect();
        let due = self.due.iter_mut().filter_map(|(_, due)| due.take()).collect();
        (tasks, due)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::subject::FirstReadyFirst;

    /// The tasks in the order in which they run, by number; each is its machine's, and all are ready at once.
    fn order(machines: &[u8], reversed: Option<u8>) -> Vec<u64> {
        let mut kernel: Kernel<()> = Kernel::new(Box::new(FirstReadyFirst::default()));
        if let Some(machine) = reversed {
            kernel.reverse(machine, 1);
        }
        for (number, machine) in (1..).zip(machines) {
            let id = kernel.spawn(*machine, number, Box::pin(std::future::pending()));
            kernel.wake(id);
        }
        let mut order = Vec::new();
        while let Turn::Poll(id, ..) = kernel.next(|_| false) {
            order.push(kernel.tasks[id.place as usize].number);
        }
        order
    }

    #[test]
    fn ready_tasks_run_in_their_order_or_once_in_the_opposite() {
        assert_eq!(order(&[1, 1, 1], None), [1, 2, 3]);
        assert_eq!(order(&[1, 1, 1], Some(1)), [3, 2, 1]);
        assert_eq!(order(&[1, 2, 1, 2], Some(1)), [2, 4, 3, 1]);
    }
}
