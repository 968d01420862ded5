//! Asks a lease service, after each decision, which grants of the key hold it. Only a change of mind is recorded, and those who
//! no longer hold it come first: at one instant a key may pass from one to the other.

use crate::history::event::{NO_PROCESS, What};
use crate::plan::Node;
use crate::world::state::with;

/// Asks about the key of a call that was just decided.
pub fn ask(process: u16) {
    let service = with(|world| world.services.registry.beliefs.clone());
    let Some(service) = service.filter(|_| process != NO_PROCESS) else { return };
    let mut beliefs = service.beliefs_about(&format!("p{process}"));
    beliefs.sort_by_key(|belief| belief.holds);
    with(|world| {
        for belief in beliefs {
            let grant = world.records.grants.of_lease(process, &belief.lease);
            let believed = &mut world.records.believed;
            let is_news = match belief.holds {
                true => believed.insert(grant),
                false => believed.remove(&grant),
            };
            if is_news {
                world.note(Node::Registry, process, grant, What::Believed { holds: belief.holds });
            }
        }
    });
}
