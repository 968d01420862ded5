//! What the world itself knows of the registry's rows, from the answers the registry gave: enough to aim a fault at an
//! expiry, to tell whether a calm has done its work, and to give grants their numbers. Laws do not read it.

use fencepost::model::lease::{LeaseOwnerLiveness, ProcessLease};

use crate::history::event::{GrantName, GrantNo};
use crate::plan::step::Body;
use crate::plan::{Node, Process};
use crate::world::World;

#[derive(Default)]
pub struct Grants {
    pub names: Vec<GrantName>,
    /// As each was first seen.
    leases: Vec<ProcessLease>,
    of_process: Vec<Vec<u32>>,
}

#[derive(Debug, Clone, Default)]
pub struct RowView {
    /// The registration that made the present life, if there is one.
    pub body: Option<Body>,
    pub disposition: u64,
    pub is_terminal: bool,
    pub is_started: bool,
    pub started_by: Option<GrantNo>,
    pub is_asked: bool,
    /// It has no fence left: nobody can hold it again.
    pub is_exhausted: bool,
    pub signals: u64,
    pub cancels: u64,
    /// Expiry by the registry's clock.
    pub lease: Option<(u64, GrantNo)>,
    /// The last grant that each node presented.
    pub presented: Vec<(u8, GrantNo)>,
}

impl Grants {
    fn of(&self, process: u16) -> &[u32] {
        self.of_process.get(usize::from(process)).map_or(&[], Vec::as_slice)
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
        let node = match &lease.owner.liveness {
            LeaseOwnerLiveness::LocalProcess { pid, .. } => u8::try_from(*pid).unwrap_or(u8::MAX),
            LeaseOwnerLiveness::Opaque => u8::MAX,
        };
        let number = self.names.len() as u32;
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
        if self.of_process.len() <= place {
            self.of_process.resize_with(place + 1, Vec::new);
        }
        self.of_process[place].push(number);
        GrantNo(number)
    }

    /// The last grant of this incarnation.
    pub fn last_of(&self, process: u16, owner_id: &str, incarnation_id: &str) -> GrantNo {
        let is_theirs = |number: &&u32| {
            let owner = &self.leases[**number as usize].owner;
            owner.incarnation_id == incarnation_id && owner.owner_id == owner_id
        };
        self.of(process).iter().rev().find(is_theirs).map_or(GrantNo::NONE, |number| GrantNo(*number))
    }

    pub fn of_token(&self, process: u16, token: &str) -> GrantNo {
        let found = self.of(process).iter().rev().find(|number| self.names[**number as usize].token == token);
        found.map_or(GrantNo::NONE, |number| GrantNo(*number))
    }

    pub fn lease(&self, grant: GrantNo) -> ProcessLease {
        self.leases[grant.0 as usize].clone()
    }

    /// The last one that was granted and is not the one that is stored.
    pub fn last_but(&self, process: u16, stored: Option<GrantNo>) -> Option<ProcessLease> {
        let was_granted = |number: &&u32| self.names[**number as usize].was_granted;
        let is_past = |number: &&u32| Some(GrantNo(**number)) != stored;
        let last = self.of(process).iter().rev().filter(was_granted).find(is_past)?;
        Some(self.lease(GrantNo(*last)))
    }

    /// True the first time.
    pub fn was_granted(&mut self, grant: GrantNo) -> bool {
        !std::mem::replace(&mut self.names[grant.0 as usize].was_granted, true)
    }
}

impl World {
    pub fn row(&mut self, process: u16) -> &mut RowView {
        let place = usize::from(process);
        if self.rows.len() <= place {
            self.rows.resize_with(place + 1, RowView::default);
        }
        &mut self.rows[place]
    }

    /// The latest grant of this fence at this node.
    pub fn grant_by_fence(&self, process: u16, fence: u64, node: Node) -> GrantNo {
        let found = self.grants.of(process).iter().rev().find(|number| {
            let name = &self.grants.names[**number as usize];
            name.fence == fence && name.node == node.code()
        });
        found.map_or(GrantNo::NONE, |number| GrantNo(*number))
    }

    /// When the registry's clock will stand at the expiry of the process's stored lease plus an offset.
    pub fn true_us_of_expiry(&mut self, process: Process, offset_ms: i64) -> Option<u64> {
        let (expires_ms, _) = self.row(process.0).lease?;
        let wall_ms = expires_ms.saturating_add_signed(offset_ms);
        let now_us = self.kernel.now_us;
        Some(self.node(Node::Registry).clock.true_us_at_wall_ms(now_us, wall_ms))
    }
}
