//! A session beside the store: a neighbour that holds a lock, a vandal, an administrator.

use fencepost::store::PostgresOptions;
use fencepost::testing::postgres_server::PostgresServer;
use tokio::runtime::Runtime;
use tokio_postgres::{Client, NoTls, SimpleQueryMessage};

pub struct Sql {
    runtime: Runtime,
    client: Client,
}

impl Sql {
    /// As the store connects: to the same database and schema.
    pub fn connect(server: &PostgresServer, options: &PostgresOptions) -> Self {
        let mut sql = Self::connect_to(&server.url("postgres"));
        sql.run(&format!("SET search_path = {}", options.schema));
        sql
    }

    pub fn connect_to(url: &str) -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let (client, connection) = runtime.block_on(tokio_postgres::connect(url, NoTls)).expect("a session");
        drop(runtime.spawn(connection));
        Self { runtime, client }
    }

    pub fn run(&mut self, statements: &str) {
        self.try_run(statements).expect(statements);
    }

    pub fn try_run(&mut self, statements: &str) -> Result<(), tokio_postgres::Error> {
        self.runtime.block_on(self.client.batch_execute(statements))
    }

    /// The first column of the first row.
    pub fn text(&mut self, query: &str) -> String {
        let answers = self.runtime.block_on(self.client.simple_query(query)).expect(query);
        let first = answers.iter().find_map(|answer| match answer {
            SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
            _ => None,
        });
        first.unwrap_or_default()
    }
}
