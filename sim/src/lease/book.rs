//! The grants that a service has given, key by key, each under the token by which the world knows it.

use std::collections::BTreeMap;

use fencepost::model::lease::{LEASE_SCHEMA_VERSION, LeaseOwnerIdentity, ProcessLease, same_incarnation};

/// One acquisition.
#[derive(Clone)]
pub(super) struct Granted<G> {
    /// The token that its holder presents to the service.
    pub grant: G,
    /// The same as the world knows it, with the last deadline that was answered.
    pub lease: ProcessLease,
    /// Its holder is done with it, and the service may not know. Nothing is asked of the service under it any more.
    pub is_given_up: bool,
}

/// All acquisitions of a run, in the order they were answered.
pub(super) struct GrantBook<G>(BTreeMap<String, Vec<Granted<G>>>);

impl<G> Default for GrantBook<G> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

/// An answer that grants a key.
pub(super) struct NewGrant<'a, G> {
    pub key: &'a str,
    pub owner: &'a LeaseOwnerIdentity,
    pub grant: G,
    /// None, if the service has no fences.
    pub fence: Option<u64>,
    pub at_ms: u64,
    pub until_ms: u64,
}

impl<G: Clone + PartialEq> GrantBook<G> {
    /// The acquisitions of a key, the first grant first.
    pub fn of(&self, key: &str) -> &[Granted<G>] {
        self.0.get(key).map_or(&[], Vec::as_slice)
    }

    pub fn by_token(&mut self, key: &str, token: &str) -> Option<&mut Granted<G>> {
        self.0.get_mut(key)?.iter_mut().find(|granted| granted.lease.lease_token == token)
    }

    /// Enters the answer, and gives the lease it stands for. The same grant to the same owner is the same acquisition.
    pub fn enter(&mut self, new: NewGrant<'_, G>) -> ProcessLease {
        let NewGrant { key, owner, grant, fence, at_ms, until_ms } = new;
        let of_key = self.0.entry(key.to_owned()).or_default();
        let is_again =
            |known: &&mut Granted<G>| known.grant == grant && same_incarnation(&known.lease.owner, owner);
        if let Some(known) = of_key.last_mut().filter(is_again) {
            known.lease.expires_at_epoch_ms = known.lease.expires_at_epoch_ms.max(until_ms);
            return known.lease.clone();
        }
        let number = of_key.len() as u64 + 1;
        let lease = ProcessLease {
            schema_version: LEASE_SCHEMA_VERSION,
            process_id: key.to_owned(),
            owner: owner.clone(),
            lease_token: format!("{key}#{number}"),
            fencing_token: fence.unwrap_or(number),
            claimed_at_epoch_ms: at_ms,
            expires_at_epoch_ms: until_ms,
        };
        of_key.push(Granted { grant, lease: lease.clone(), is_given_up: false });
        lease
    }
}
