//! Remembers the last panic and its place instead of printing it. The caller prints it together with the seed. Nobody who
//! searches ten thousand seeds wants a backtrace for each.

use std::any::Any;
use std::cell::RefCell;
use std::panic;

thread_local! {
    static LAST: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// From now on panics of this program print nothing.
pub fn remember_instead_of_printing() {
    panic::set_hook(Box::new(|info| {
        let place = info.location().map(|at| format!(" at {}:{}", at.file(), at.line()));
        let said = format!("{}{}", text(info.payload()), place.unwrap_or_default());
        drop(LAST.try_with(|last| last.replace(Some(said))));
    }));
}

/// A caught panic becomes the last one, even if nobody remembers them or it went past whoever does.
pub fn remember(payload: &(dyn Any + Send)) {
    let said = text(payload);
    LAST.with_borrow_mut(|last| match last {
        Some(told) if told.starts_with(&said) => {}
        _ => *last = Some(said),
    });
}

/// The last panic of this thread, which is then forgotten.
pub fn take_last() -> Option<String> {
    LAST.with(|last| last.borrow_mut().take())
}

/// Remembers what another thread took, if it took anything.
pub fn put_last(taken: Option<String>) {
    if taken.is_some() {
        LAST.set(taken);
    }
}

/// The message of a caught panic, and its place if that was remembered.
pub fn told(payload: &(dyn Any + Send)) -> String {
    take_last().unwrap_or_else(|| text(payload))
}

fn text(payload: &(dyn Any + Send)) -> String {
    let said = payload.downcast_ref::<&str>().map(|said| (*said).to_owned());
    let said = said.or_else(|| payload.downcast_ref::<String>().cloned());
    said.unwrap_or_else(|| "something that is no text".to_owned())
}
