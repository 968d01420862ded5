//! The lease: who may work on a process, and until when. Nothing here decides anything: `rules/leases.rs`
//! decides whether a lease is live, at a time that it is handed. Read next: `event.rs`.

use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::model::process_id::ProcessId;

/// The shape that is written today. Older shapes are read, never written.
pub const LEASE_SCHEMA_VERSION: u32 = 2;

/// One acquisition's durable record. Registry and worker compare [`Grant`]s, never whole leases.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProcessLease {
    pub schema_version: u32,
    pub process_id: ProcessId,
    pub owner: LeaseOwnerIdentity,
    pub lease_token: String,
    pub fencing_token: u64,
    pub claimed_at_epoch_ms: u64,
    pub expires_at_epoch_ms: u64,
}

/// The holder of a lease. A restart is a new incarnation of the same owner.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeaseOwnerIdentity {
    pub owner_id: String,
    #[serde(default)]
    pub incarnation_id: String,
    /// Shared: owners are copied with every lease and every first start, and it says the same in all of them.
    #[serde(default)]
    pub liveness: Arc<LeaseOwnerLiveness>,
}

/// Evidence by which others can tell whether a holder that no longer answers is dead.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum LeaseOwnerLiveness {
    /// An operating system process that a probe on the same host and boot can look up.
    LocalProcess { host_id: String, boot_id: String, pid: u32, process_start: String },
    /// Nothing can be asked: only time ends such a lease.
    #[default]
    Opaque,
}

/// Two leases with equal grants are the same acquisition. Renewal and re-entry keep it, a new claim makes a new one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Grant {
    pub owner_id: String,
    pub incarnation_id: String,
    pub lease_token: String,
    pub fencing_token: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum ProcessLeaseClaimOutcome {
    Acquired(ProcessLease),
    Busy { holder: ProcessLease },
}

/// Names the grant to release: a token is drawn for one grant only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessLeaseCompletion {
    pub process_id: ProcessId,
    pub lease_token: String,
}

impl LeaseOwnerIdentity {
    /// An owner about which nothing can be asked.
    pub fn opaque(owner_id: impl Into<String>, incarnation_id: impl Into<String>) -> Self {
        Self { owner_id: owner_id.into(), incarnation_id: incarnation_id.into(), liveness: Arc::default() }
    }
}

/// Liveness is evidence about an owner, not part of who it is.
pub fn same_incarnation(a: &LeaseOwnerIdentity, b: &LeaseOwnerIdentity) -> bool {
    a.owner_id == b.owner_id && a.incarnation_id == b.incarnation_id
}

impl ProcessLease {
    pub fn grant(&self) -> Grant {
        Grant {
            owner_id: self.owner.owner_id.clone(),
            incarnation_id: self.owner.incarnation_id.clone(),
            lease_token: self.lease_token.clone(),
            fencing_token: self.fencing_token,
        }
    }

    pub fn completion(&self) -> ProcessLeaseCompletion {
        ProcessLeaseCompletion { process_id: self.process_id.clone(), lease_token: self.lease_token.clone() }
    }
}

impl Serialize for ProcessLease {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct WrittenLease<'a> {
            schema_version: u32,
            process_id: &'a str,
            owner_id: &'a str,
            incarnation_id: &'a str,
            liveness: &'a LeaseOwnerLiveness,
            lease_token: &'a str,
            fencing_token: u64,
            claimed_at_epoch_ms: u64,
            expires_at_epoch_ms: u64,
        }
        WrittenLease {
            schema_version: self.schema_version,
            process_id: &self.process_id,
            owner_id: &self.owner.owner_id,
            incarnation_id: &self.owner.incarnation_id,
            liveness: &self.owner.liveness,
            lease_token: &self.lease_token,
            fencing_token: self.fencing_token,
            claimed_at_epoch_ms: self.claimed_at_epoch_ms,
            expires_at_epoch_ms: self.expires_at_epoch_ms,
        }
        .serialize(serializer)
    }
}

/// Three shapes were published: the owner flattened (today), nested under `owner`, and a bare `owner_id` from before
/// incarnations. The last reads as an empty incarnation, which can be shown but never be granted.
impl<'de> Deserialize<'de> for ProcessLease {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct AnyShape {
            schema_version: u32,
            process_id: ProcessId,
            owner: Option<LeaseOwnerIdentity>,
            owner_id: Option<String>,
            #[serde(default)]
            incarnation_id: String,
            #[serde(default)]
            liveness: Arc<LeaseOwnerLiveness>,
            lease_token: String,
            fencing_token: u64,
            claimed_at_epoch_ms: u64,
            expires_at_epoch_ms: u64,
        }
        let shape = AnyShape::deserialize(deserializer)?;
        let owner = match (shape.owner, shape.owner_id) {
            (Some(_), Some(_)) => {
                return Err(serde::de::Error::custom("a lease has either `owner` or `owner_id`, not both"));
            }
            (Some(owner), None) => owner,
            (None, Some(owner_id)) => LeaseOwnerIdentity {
                owner_id,
                incarnation_id: shape.incarnation_id,
                liveness: shape.liveness,
            },
            (None, None) => return Err(serde::de::Error::missing_field("owner_id")),
        };
        Ok(Self {
            schema_version: shape.schema_version,
            process_id: shape.process_id,
            owner,
            lease_token: shape.lease_token,
            fencing_token: shape.fencing_token,
            claimed_at_epoch_ms: shape.claimed_at_epoch_ms,
            expires_at_epoch_ms: shape.expires_at_epoch_ms,
        })
    }
}
