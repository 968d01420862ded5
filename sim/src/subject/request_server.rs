//! The server that answers requests on the registry's node: ours is [`RegistryServer`]. A subject may put another in its place.

use std::sync::Arc;

use async_trait::async_trait;
use fencepost::environment::Environment;
use fencepost::registry::calls::Submit;
use fencepost::registry::remote::{RegistryServer, Request, Response};

use crate::subject::factories::Core;

/// One life of a server. A crash of the registry's node ends it, and another one is made.
#[async_trait]
pub trait RequestServer: Send + Sync {
    /// None, if the request is not answered.
    async fn handle(&self, request: Request) -> Option<Response>;

    /// The name of this life: the seats that it gives carry it.
    fn life(&self) -> &str;
}

#[async_trait]
impl<S: Submit> RequestServer for RegistryServer<S> {
    async fn handle(&self, request: Request) -> Option<Response> {
        Self::handle(self, request).await
    }

    fn life(&self) -> &str {
        Self::life(self)
    }
}

/// Makes the server in front of the registry, for one life of the registry's node.
pub type MakeServer = Arc<dyn Fn(Core, Arc<dyn Environment>) -> Arc<dyn RequestServer> + Send + Sync>;
