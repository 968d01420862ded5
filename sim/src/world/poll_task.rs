//! Polls tasks of the code under test. A panic ends its task, and is recorded as an event.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::{Context, Poll, Waker};

use fencepost::environment::BoxFuture;

use crate::history::event::What;
use crate::plan::Node;
use crate::support::panics;
use crate::world::scheduler::{Task, TaskId};
use crate::world::state::{World, with};

/// Polls a task that is ready, and keeps it if it is not done.
pub fn poll(id: TaskId, mut task: Task, waker: &Waker) {
    let polled = catch_unwind(AssertUnwindSafe(|| task.as_mut().poll(&mut Context::from_waker(waker))));
    match polled {
        Ok(Poll::Pending) => with(|world| world.kernel.keep(id, task)),
        ended => {
            drop_quietly(task);
            with(|world| {
                world.kernel.finish(id);
                // One that was stopped for reading clocks without end is no panic of its own.
                if let Err(payload) = &ended
                    && !world.kernel.is_second_too_busy()
                {
                    world.panicked(payload.as_ref());
                }
            });
        }
    }
}

/// Begins work of the registry's node at once, without a task of its own; work that must wait becomes one.
pub fn run_at_registry(mut work: BoxFuture<'static, ()>) {
    let first =
        catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(&mut Context::from_waker(Waker::noop()))));
    match first {
        Ok(Poll::Ready(())) => {}
        Ok(Poll::Pending) => with(|world| world.spawn(Node::Registry, work)),
        Err(payload) => with(|world| world.panicked(payload.as_ref())),
    }
}

/// Drops values of the code under test, whose destructors may panic.
pub fn drop_quietly<T>(value: T) {
    drop(catch_unwind(AssertUnwindSafe(|| drop(value))));
}

impl World {
    fn panicked(&mut self, payload: &(dyn Any + Send)) {
        panics::remember(payload);
        self.note_at(Node::Registry, What::Panicked);
    }
}
