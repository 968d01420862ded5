//! How long a worker asks for a lease, and how often it renews it.

use serde::{Deserialize, Deserializer, Serialize};

use crate::model::error::RegistryError;

/// How long a lease lasts and how often it is renewed. A holder must be able to miss two renewals and live.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct LeaseTimings {
    ttl_ms: u64,
    renew_interval_ms: u64,
}

impl LeaseTimings {
    pub fn new(ttl_ms: u64, renew_interval_ms: u64) -> Result<Self, RegistryError> {
        if ttl_ms == 0 || renew_interval_ms == 0 {
            return Err(RegistryError::invalid("lease timings", "both must be at least 1 ms"));
        }
        if renew_interval_ms.checked_mul(3).is_none_or(|least| ttl_ms < least) {
            return Err(RegistryError::invalid(
                "lease timings",
                format!("ttl {ttl_ms} ms must be at least three renewals of {renew_interval_ms} ms"),
            ));
        }
        Ok(Self { ttl_ms, renew_interval_ms })
    }

    pub fn ttl_ms(&self) -> u64 {
        self.ttl_ms
    }

    pub fn renew_interval_ms(&self) -> u64 {
        self.renew_interval_ms
    }
}

impl Default for LeaseTimings {
    fn default() -> Self {
        Self { ttl_ms: 30_000, renew_interval_ms: 10_000 }
    }
}

impl<'de> Deserialize<'de> for LeaseTimings {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct WrittenTimings {
            ttl_ms: u64,
            renew_interval_ms: u64,
        }
        let written = WrittenTimings::deserialize(deserializer)?;
        Self::new(written.ttl_ms, written.renew_interval_ms).map_err(serde::de::Error::custom)
    }
}
