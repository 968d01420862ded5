//! The grants of a run, numbered in the order in which they were first seen.

use std::collections::BTreeSet;

use fencepost::model::lease::{LeaseOwnerLiveness, ProcessLease};

use crate::history::event::{GrantName, GrantNo};
use crate::plan::Node;

#[derive(Default)]
pub struct Grants {
    pub names: Vec<GrantName>,
    /// As each was first seen.
    leases: Vec<ProcessLease>,
    /// Grants that nobody was given: they are never found by their owner, incarnation or fence.
    forged: BTreeSet<u32>,
    /// Grants that were found stored after their claim had died with the registry.
    left: BTreeSet<u32>,
    by_process: Vec<Vec<u32>>,
}

impl Grants {
    fn of(&self, process: u16) -> &[u32] {
        self.by_process.get(usize::from(process)).map_or(&[], Vec::as_slice)
    }

    /// The number of the grant a lease stands for: the same for every lease of the grant.
    pub fn of_lease(&mut self, process: u16, lease: &ProcessLease) -> GrantNo {
        let known = self.of(process).iter().rev().find(|number| {
            let name = &self.names[**number as usize];
            name.fence == lease.fencing_token
                && name.token == lease.lease_token
                && name.incarnation == lease.owner.incarnation_id
        });
        if let Some(number) = known {
            return GrantNo(*number);
        }
        let node = match lease.owner.liveness.as_ref() {
            LeaseOwnerLiveness::LocalProcess { pid, .. } => u8::try_from(*pid).unwrap_or(u8::MAX),
            LeaseOwnerLiveness::Opaque => u8::MAX,
        };
        let number = self.names.len() as u32;
        assert_eq!(self.names.len(), self.leases.len(), "a grant lacks its lease or its name");
        self.names.push(GrantName {
            process,
            node,
            fence: lease.fencing_token,
            incarnation: lease.owner.incarnation_id.clone(),
            token: lease.lease_token.clone(),
            was_granted: false,
        });
        self.leases.push(lease.clone());
        let place = usize::from(process);
        if self.by_process.len() <= place {
            self.by_process.resize_with(place + 1, Vec::new);
        }
        self.by_process[place].push(number);
        GrantNo(number)
    }

    /// Its claim may have died with the registry: then nobody saw its token drawn.
    pub fn was_left(&self, grant: GrantNo) -> bool {
        self.left.contains(&grant.0)
    }

    /// The lease was found stored after a crash of the registry.
    pub fn found(&mut self, process: u16, lease: &ProcessLease) {
        let GrantNo(number) = self.of_lease(process, lease);
        if !self.names[number as usize].was_granted {
            self.left.insert(number);
        }
    }

    /// Makes it known as a lease that the world has forged.
    pub fn forge(&mut self, process: u16, lease: &ProcessLease) {
        let known = self.names.len();
        let GrantNo(number) = self.of_lease(process, lease);
        // One that was known before is none of ours.
        if number as usize == known {
            self.forged.insert(number);
        }
    }

    /// The grants of a process that were not forged, the latest first.
    fn true_of(&self, process: u16) -> impl Iterator<Item = &u32> {
        self.of(process).iter().rev().filter(|number| !self.forged.contains(number))
    }

    /// The last grant of this incarnation.
    pub fn last_of(&self, process: u16, owner_id: &str, incarnation_id: &str) -> GrantNo {
        let is_theirs = |number: &&u32| {
            let owner = &self.leases[**number as usize].owner;
            owner.incarnation_id == incarnation_id && owner.owner_id == owner_id
        };
        self.true_of(process).find(is_theirs).map_or(GrantNo::NONE, |number| GrantNo(*number))
    }

    /// The last grant with this token.
    pub fn of_token(&self, process: u16, token: &str) -> GrantNo {
        let found = self.of(process).iter().rev().find(|number| self.names[**number as usize].token == token);
        found.map_or(GrantNo::NONE, |number| GrantNo(*number))
    }

    pub fn lease(&self, grant: GrantNo) -> ProcessLease {
        self.leases[grant.0 as usize].clone()
    }

    /// The last one that was granted and is not the one that is stored.
    pub fn last_granted_except(&self, process: u16, stored: Option<GrantNo>) -> Option<ProcessLease> {
        let was_granted = |number: &&u32| self.names[**number as usize].was_granted;
        let is_past = |number: &&u32| Some(GrantNo(**number)) != stored;
        let last = self.of(process).iter().rev().filter(was_granted).find(is_past)?;
        Some(self.lease(GrantNo(*last)))
    }

    /// Marks that the registry gave it out. True the first time.
    pub fn mark_granted(&mut self, grant: GrantNo) -> bool {
        !std::mem::replace(&mut self.names[grant.0 as usize].was_granted, true)
    }

    /// The latest grant of this fence at this node.
    pub fn of_fence(&self, process: u16, fence: u64, node: Node) -> GrantNo {
        let found = self.true_of(process).find(|number| {
            let name = &self.names[**number as usize];
            name.fence == fence && name.node == node.code()
        });
        found.map_or(GrantNo::NONE, |number| GrantNo(*number))
    }
}
