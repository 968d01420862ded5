//! A table with a value for each process, which grows as processes are first named.

#[derive(Default)]
pub struct PerProcess<T> {
    values: Vec<T>,
}

impl<T: Default> PerProcess<T> {
    #[inline]
    pub fn of(&mut self, process: u16) -> &mut T {
        let place = usize::from(process);
        if self.values.len() <= place {
            self.values.resize_with(place + 1, T::default);
        }
        &mut self.values[place]
    }

    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.values.iter()
    }

    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.values.iter_mut()
    }
}
