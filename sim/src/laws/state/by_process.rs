//! A value for each process.

use crate::history::event::NO_PROCESS;

/// A value for each process, there when it is first asked for; and one for events that are about no process.
#[derive(Debug, Clone, Default)]
pub struct ByProcess<T> {
    rows: Vec<T>,
    of_none: T,
}

impl<T: Default> ByProcess<T> {
    pub fn of(&mut self, process: u16) -> &mut T {
        if process == NO_PROCESS {
            return &mut self.of_none;
        }
        let place = usize::from(process);
        if self.rows.len() <= place {
            self.rows.resize_with(place + 1, T::default);
        }
        &mut self.rows[place]
    }

    pub fn all(&mut self) -> impl Iterator<Item = &mut T> {
        self.rows.iter_mut()
    }
}
