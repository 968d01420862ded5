//! The conformance suite on the Postgres store: called inline, on a pool.

use std::sync::Arc;

use fencepost::ProcessRegistry;
use fencepost::testing::conformance::{Backend, run};
use fencepost::testing::manual_environment::HandEnvironment;
use fencepost::testing::postgres_server::PostgresServer;

use crate::LentSchema;

/// A schema of its own, and how it is called.
struct Postgres {
    server: &'static PostgresServer,
    schema: LentSchema,
    connections: usize,
}

impl Backend for Postgres {
    fn open(&mut self, environment: &HandEnvironment) -> Arc<dyn ProcessRegistry> {
        let registry = crate::registry_by_hand(self.server, &self.schema.0, environment);
        match self.connections {
            0 => Arc::new(registry.inline()),
            several => Arc::new(registry.pooled(several).expect("threads start")),
        }
    }

    fn reopen(&mut self, environment: &HandEnvironment) -> Option<Arc<dyn ProcessRegistry>> {
        Some(self.open(environment))
    }
}

fn show(name: &str, connections: usize) {
    if let Some(server) = crate::server() {
        run(name, Postgres { server, schema: LentSchema::new(server), connections });
    }
}

/// One test a case.
macro_rules! shown {
    ($connections:expr) => {
        fencepost::conformance_case_tests!(|name| super::show(name, $connections));
    };
}

mod inline {
    shown!(0);
}

mod pooled {
    shown!(3);
}
