//! The lawful rules: the only ones to run. Tests and the simulation replace single fields of them, to plant a bug.

use crate::model::lease::same_incarnation;
use crate::rules::table::Rules;
use crate::rules::{events, handles, leases, retention, writes};

impl Rules {
    pub const LAWFUL: Self = Self {
        is_live: leases::is_live,
        same_incarnation,
        next_fence: leases::next_fence,
        token: leases::token,
        admit_holder: leases::admit_holder,
        claim: leases::claim,
        reclaim: leases::reclaim,
        renew: leases::renew,
        releases: leases::releases,
        authorize: leases::authorize,
        register: writes::register,
        admit: writes::admit,
        first_start: writes::first_start,
        wait_changes: writes::wait_changes,
        abandonment: writes::abandonment,
        request_abandon: writes::request_abandon,
        set_external_ref: writes::set_external_ref,
        append: events::append,
        next_sequence: events::next_sequence,
        transfer: handles::transfer,
        prune_through: retention::prune_through,
        survives_prune: retention::survives_prune,
    };
}

impl Default for Rules {
    fn default() -> Self {
        Self::LAWFUL
    }
}
