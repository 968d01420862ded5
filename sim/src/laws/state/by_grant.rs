//! A value for each grant.

use crate::history::event::GrantNo;

/// A value for each grant, there when it is first asked for; and one for events that present no grant.
#[derive(Debug, Clone, Default)]
pub struct ByGrant<T> {
    grants: Vec<T>,
    of_none: T,
}

impl<T: Default> ByGrant<T> {
    pub fn of(&mut self, grant: GrantNo) -> &mut T {
        let Some(place) = grant.index() else { return &mut self.of_none };
        if self.grants.len() <= place {
            self.grants.resize_with(place + 1, T::default);
        }
        &mut self.grants[place]
    }

    /// None if neither this grant nor any later one was asked for.
    pub fn get(&self, grant: GrantNo) -> Option<&T> {
        self.grants.get(grant.index()?)
    }
}
