//! The world of this thread. The code under test holds only a node's name, and finds the world here without a lock.

use std::cell::RefCell;

use crate::world::state::world::World;

thread_local! {
    static WORLD: RefCell<Option<Box<World>>> = const { RefCell::new(None) };
}

/// Makes this the thread's world.
pub fn enter(world: World) {
    WORLD.with(|place| *place.borrow_mut() = Some(Box::new(world)));
}

/// Takes the thread's world out.
pub fn leave() -> Box<World> {
    match WORLD.with(|place| place.borrow_mut().take()) {
        Some(world) => world,
        None => unreachable!("a run takes its own world out, once"),
    }
}

/// The world, for as long as `look` takes. Nothing is polled, woken or dropped in there.
pub fn with<T>(look: impl FnOnce(&mut World) -> T) -> T {
    match try_with(look) {
        Some(seen) => seen,
        None => unreachable!("nothing of a run is polled outside of its world, or while the world is in use"),
    }
}

/// As [`with`], for values that may be dropped after the world.
pub fn try_with<T>(look: impl FnOnce(&mut World) -> T) -> Option<T> {
    // While a thread ends, its world may be gone before the values in it.
    WORLD.try_with(|world| world.try_borrow_mut().ok()?.as_deref_mut().map(look)).ok()?
}
