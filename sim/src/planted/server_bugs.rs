//! Bugs of the server in front of the registry: it applies a call again that its client has sent once.

use std::sync::Arc;

use async_trait::async_trait;
use fencepost::registry::remote::{RegistryServer, Request, Response, Seat};

use crate::laws;
use crate::planted::planted_bug::PlantedBug;
use crate::subject::{Core, RequestServer};

pub const ALL: &[PlantedBug] = &[
    PlantedBug {
        name: "server-readmits-old-requests",
        stands_for: "a restarted server takes requests that were sent to its earlier life, whose answers it has forgotten",
        law: laws::that_catches("server-readmits-old-requests"),
        subject: |subject| {
            subject.served_by(|core, environment| {
                Arc::new(Readmits(RegistryServer::new(core, environment.as_ref())))
            })
        },
    },
    PlantedBug {
        name: "server-forgets-its-answers",
        stands_for: "a server does not remember what it has answered: a request that arrives twice is applied twice",
        law: laws::that_catches("server-forgets-its-answers"),
        subject: |subject| {
            subject.served_by(|core, environment| {
                let server = RegistryServer::new(Arc::clone(&core), environment.as_ref());
                Arc::new(ForgetsItsAnswers { server, core })
            })
        },
    },
];

/// Gives a client of an earlier life a seat in this one, and answers its request.
struct Readmits(RegistryServer<Core>);

impl Readmits {
    async fn new_seat(&self, client_life: &Arc<str>) -> Option<Seat> {
        let hello = Request::Hello { client_life: Arc::clone(client_life) };
        match self.0.handle(hello).await {
            Some(Response::Welcome { seat }) => Some(seat),
            _ => None,
        }
    }
}

#[async_trait]
impl RequestServer for Readmits {
    async fn handle(&self, request: Request) -> Option<Response> {
        let request = match request {
            Request::Submit { seat, client_life, number, lowest_awaited, call }
                if seat.server_life.as_ref() != self.0.life() =>
            {
                let seat = self.new_seat(&client_life).await?;
                Request::Submit { seat, client_life, number, lowest_awaited, call }
            }
            other => other,
        };
        self.0.handle(request).await
    }

    fn life(&self) -> &str {
        self.0.life()
    }
}

struct ForgetsItsAnswers {
    server: RegistryServer<Core>,
    core: Core,
}

#[async_trait]
impl RequestServer for ForgetsItsAnswers {
    async fn handle(&self, request: Request) -> Option<Response> {
        match request {
            Request::Submit { seat, number, call, .. } if seat.server_life.as_ref() == self.server.life() => {
                let answer = self.core.submit(call).await;
                Some(Response::Answer { number, answer })
            }
            other => self.server.handle(other).await,
        }
    }

    fn life(&self) -> &str {
        self.server.life()
    }
}
