//! Work in numbered parts on several threads. A run never leaves its thread; results are handed on in the order of the parts,
//! whichever thread was first. A panic of the harness is caught and ends the work.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;

use crate::support::panics;

/// Does the parts of these numbers and hands each result to `each`, in order, until it breaks. A part that gives none was
/// interrupted: it and all later ones are left. The error is the message of a panic.
pub fn in_order<T: Send>(
    parts: &[usize],
    jobs: usize,
    work: &(dyn Fn(usize) -> Option<T> + Sync),
    mut each: impl FnMut(usize, T) -> ControlFlow<()>,
) -> Result<(), String> {
    let (next, is_over) = (AtomicUsize::new(0), AtomicBool::new(false));
    let (sender, receiver) = mpsc::sync_channel(64);
    std::thread::scope(|scope| {
        for _ in 0..jobs.clamp(1, parts.len().max(1)) {
            let sender = sender.clone();
            let (next, is_over) = (&next, &is_over);
            scope.spawn(move || {
                while !is_over.load(Ordering::Relaxed) {
                    let place = next.fetch_add(1, Ordering::Relaxed);
                    let Some(part) = parts.get(place) else { return };
                    let done = catch_unwind(AssertUnwindSafe(|| work(*part)));
                    let done = done.map_err(|payload| panics::told(payload.as_ref()));
                    // After a panic the thread's world is in an unknown state.
                    let has_panicked = done.is_err();
                    if sender.send((place, done)).is_err() || has_panicked {
                        return;
                    }
                }
            });
        }
        drop(sender);
        let end = hand_on(parts, &receiver, &mut each);
        is_over.store(true, Ordering::Relaxed);
        // Threads that wait to send must not wait for ever.
        drop(receiver);
        end
    })
}

fn hand_on<T>(
    parts: &[usize],
    receiver: &mpsc::Receiver<(usize, Result<Option<T>, String>)>,
    each: &mut impl FnMut(usize, T) -> ControlFlow<()>,
) -> Result<(), String> {
    let (mut early, mut awaited) = (BTreeMap::new(), 0);
    for (place, done) in receiver {
        early.insert(place, done);
        while let Some(done) = early.remove(&awaited) {
            let Some(result) = done? else { return Ok(()) };
            if each(parts[awaited], result).is_break() {
                return Ok(());
            }
            awaited += 1;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn done(parts: &[usize], jobs: usize, work: &(dyn Fn(usize) -> Option<usize> + Sync)) -> Vec<usize> {
        let mut seen = Vec::new();
        let end = in_order(parts, jobs, work, |part, result| {
            assert_eq!(part * 10, result);
            seen.push(part);
            ControlFlow::Continue(())
        });
        assert_eq!(end, Ok(()));
        seen
    }

    #[test]
    fn results_come_in_order_and_end_at_the_first_that_was_interrupted() {
        let parts: Vec<usize> = (0..300).rev().collect();
        assert_eq!(done(&parts, 3, &|part| Some(part * 10)), parts);
        assert_eq!(done(&parts, 3, &|part| (part > 200).then_some(part * 10)), parts[..99]);
        assert!(done(&[], 3, &|part| Some(part * 10)).is_empty());
    }

    #[test]
    fn a_panic_is_told() {
        let work = |part: usize| {
            assert!(part != 7, "a world in pieces");
            Some(part)
        };
        let end = in_order(&(0..30).collect::<Vec<_>>(), 2, &work, |_, _| ControlFlow::Continue(()));
        assert!(end.is_err_and(|said| said.contains("a world in pieces")));
    }
}
