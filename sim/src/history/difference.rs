//! Where two histories part: the first event that differs.

use crate::history::History;

impl History {
    /// The place of the first event that differs from another history's. Where one history ends and the other goes on, it is
    /// the length of the shorter one.
    pub fn first_difference(&self, other: &Self) -> Option<usize> {
        let shorter = self.events.len().min(other.events.len());
        let is_longer = self.events.len() != other.events.len();
        let pairs = self.events.iter().zip(&other.events);
        let place = pairs.take_while(|(ours, theirs)| ours == theirs).count();
        assert!(
            place <= shorter,
            "the first difference, {place}, is beyond the shorter history of {shorter}"
        );
        (place < shorter || is_longer).then_some(place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::event::{Context, Event, GrantNo, NO_PROCESS, What};
    use crate::plan::Plan;

    fn history(steps: &[u64]) -> History {
        let event = |step: &u64| {
            let context = Context { at_us: 1, clock: 1, node: 0, process: NO_PROCESS, grant: GrantNo::NONE };
            Event::new(context, What::StepTaken { step: *step })
        };
        History {
            plan: Plan::quiet(1),
            grants: Vec::new(),
            events: steps.iter().map(event).collect(),
            notes: Vec::new(),
        }
    }

    #[test]
    fn histories_differ_at_the_first_unequal_event_or_where_one_of_them_ends() {
        let differ = |ours: &[u64], theirs: &[u64]| history(ours).first_difference(&history(theirs));
        assert_eq!(differ(&[1, 2, 3], &[1, 2, 3]), None);
        assert_eq!(differ(&[1, 2, 3], &[1, 7, 8]), Some(1));
        assert_eq!(differ(&[1, 2], &[1, 2, 3]), Some(2));
        assert_eq!(differ(&[1], &[]), Some(0));
    }
}
