//! A lease service as a subject: how it is opened, and what its author promises.

use std::sync::Arc;

use fencepost::registry::calls::Facade;

use crate::lease::{ALWAYS_JUDGED, Beliefs, LeaseClaim, LeasePlace, LeaseRegistry, LeaseService};
use crate::subject::factories::{OpenRegistry, OpenedRegistry};

/// The promises of a lease service.
#[derive(Debug, Clone)]
pub struct LeaseDoor {
    pub claims: Vec<LeaseClaim>,
    /// It promises all this only where no two clocks are further apart; none: however far they are.
    pub clocks_apart_ms: Option<u64>,
}

impl LeaseDoor {
    pub fn is_judged_by(&self, law: &str) -> bool {
        ALWAYS_JUDGED.contains(&law) || self.claims.iter().any(|claim| claim.laws().contains(&law))
    }

    /// Everything that it could promise.
    pub fn claimable(&self) -> &'static [LeaseClaim] {
        let is_of_client = self.claims.iter().any(|claim| LeaseClaim::OF_CLIENTS.contains(claim));
        if is_of_client { LeaseClaim::OF_CLIENTS } else { LeaseClaim::ALL }
    }

    /// Opens the service as a registry.
    pub(super) fn opened_by<S: LeaseService>(
        &self,
        open: impl Fn(LeasePlace) -> S + Send + Sync + 'static,
    ) -> OpenRegistry {
        let claims_fences = self.claims.contains(&LeaseClaim::FencesGrow);
        Arc::new(move |place| {
            let place = LeasePlace::new(place.environment, place.callers_clock_ms);
            let leases = Arc::new(LeaseRegistry::open(place, claims_fences, &open));
            let beliefs: Arc<dyn Beliefs> = Arc::clone(&leases) as _;
            Ok(OpenedRegistry { registry: Arc::new(Facade(leases)), beliefs: Some(beliefs) })
        })
    }
}
