//! Which kinds of fault a seed has at all.

use crate::plan::Store;
use crate::plan::all_kinds;
use crate::plan::chance::Dice;
use crate::plan::draw::FaultDraw;
use crate::plan::draw::Generated;

pub struct Swarm {
    pub kinds: Vec<FaultDraw>,
    pub has_clocks: bool,
    /// Calls are held back until the expiry of the lease they are about, beside whatever else is on.
    pub has_aim: bool,
}

impl Swarm {
    pub fn draw(dice: &mut Dice, store: Store) -> Self {
        let all = all_kinds::all().filter_map(|kind| match (kind.generated)() {
            Generated::ByItself(draw) => Some(draw),
            Generated::WithOthers | Generated::Never => None,
        });
        let fits = all.filter(|kind| kind.store.is_none_or(|needed| needed == store));
        let tickets: Vec<FaultDraw> = fits.flat_map(|kind| std::iter::repeat_n(kind, kind.tickets)).collect();
        let mut kinds: Vec<FaultDraw> = tickets.iter().copied().filter(|_| dice.percent(45)).collect();
        if dice.percent(60) {
            kinds.retain(|kind| !kind.is_rare);
        }
        if kinds.is_empty() {
            kinds.extend(tickets.first());
        }
        Self { kinds, has_clocks: dice.percent(50), has_aim: dice.percent(75) }
    }
}
