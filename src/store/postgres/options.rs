//! How long a store waits for its server, where its tables are, and what each of its sessions is set to.

use std::time::Duration;

use tokio_postgres::Config;
use tokio_postgres::config::SslMode;

use crate::model::error::{RegistryError, RegistryResult};

/// Every wait ends: a call takes at most two round trips, or three if it is about many processes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostgresOptions {
    /// The schema that holds the tables: lower-case letters, digits and underscores.
    pub schema: String,
    /// How long to wait for a connection.
    pub connect_timeout: Duration,
    /// How long a call waits for another call on the same process.
    pub lock_timeout: Duration,
    /// How long the server works on one statement, waits for locks included.
    pub statement_timeout: Duration,
    /// After this long in the middle of a call a silent client loses its connection, and its locks with it. So a
    /// worker that is stopped there holds up nobody for longer.
    pub idle_in_transaction_timeout: Duration,
    /// How long to wait for all the answers of one round trip, when neither answer nor error comes.
    pub answer_timeout: Duration,
}

impl Default for PostgresOptions {
    fn default() -> Self {
        Self {
            schema: "fencepost".to_owned(),
            connect_timeout: Duration::from_secs(5),
            lock_timeout: Duration::from_secs(5),
            statement_timeout: Duration::from_secs(10),
            idle_in_transaction_timeout: Duration::from_secs(5),
            answer_timeout: Duration::from_secs(15),
        }
    }
}

pub(super) const OPEN: &str = "open the database";

impl PostgresOptions {
    /// The URL and these options as the driver takes them. What is wrong with a URL is not quoted: a part of the
    /// password may stand anywhere in it.
    pub(super) fn config(&self, url: &str, has_tls: bool) -> RegistryResult<Config> {
        if !is_plain_name(&self.schema) {
            let why =
                "a schema's name has 1 to 63 lower-case letters, digits and underscores, no digit first";
            return Err(RegistryError::invalid("schema", why));
        }
        let is_url = url.starts_with("postgres://") || url.starts_with("postgresql://");
        let mut config = match url.parse::<Config>() {
            Ok(config) if is_url => config,
            _ => {
                return Err(RegistryError::invalid(
                    "url",
                    "it must be postgres://user:password@host:port/database, special characters percent-encoded, \
                     options of the driver after a `?`",
                ));
            }
        };
        if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
            return Err(RegistryError::invalid("url", "it names no host"));
        }
        if config.get_ssl_mode() == SslMode::Require && !has_tls {
            return Err(RegistryError::invalid(
                "url",
                "it asks for TLS (`sslmode=require`): open the store with `open_with_tls` and a connector",
            ));
        }
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(self.connect_timeout);
        }
        if config.get_application_name().is_none() {
            config.application_name("fencepost");
        }
        let settings = self.session_settings();
        let options = match config.get_options() {
            Some(given) => format!("{given} {settings}"),
            None => settings,
        };
        config.options(options);
        Ok(config)
    }

    pub(super) fn search_path(&self) -> String {
        format!("{},pg_temp", self.schema)
    }

    /// Sent with the first message, so a session is never without them. A pooler that gives each transaction another
    /// session could not keep them: it refuses them, or ignores them, which is noticed.
    fn session_settings(&self) -> String {
        let mut settings = vec![
            ("search_path", self.search_path()),
            ("default_transaction_isolation", "read\\ committed".to_owned()),
            // A plan made while the tables were small would look at every row, and be kept when they are large.
            ("plan_cache_mode", "force_generic_plan".to_owned()),
        ];
        for way in ["enable_seqscan", "enable_bitmapscan", "enable_hashjoin", "enable_mergejoin"] {
            settings.push((way, "off".to_owned()));
        }
        for (name, timeout) in [
            ("lock_timeout", self.lock_timeout),
            ("statement_timeout", self.statement_timeout),
            ("idle_in_transaction_session_timeout", self.idle_in_transaction_timeout),
        ] {
            // Zero would be "for ever", and Postgres keeps an `i32`.
            let timeout_ms = timeout.as_millis().clamp(1, i32::MAX as u128);
            settings.push((name, timeout_ms.to_string()));
        }
        let written = settings.iter().map(|(name, value)| format!("-c {name}={value}"));
        written.collect::<Vec<_>>().join(" ")
    }
}

fn is_plain_name(name: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    (1..=63).contains(&name.len())
        && name.bytes().all(is_plain)
        && !name.starts_with(|first: char| first.is_ascii_digit())
        && !name.starts_with("pg_")
}

#[cfg(test)]
mod tests {
    use super::PostgresOptions;

    fn refusal(url: &str) -> String {
        PostgresOptions::default().config(url, false).expect_err("a bad URL").to_string()
    }

    #[test]
    fn a_url_that_is_none_is_refused_and_not_quoted() {
        for url in [
            "",
            "registry.db",
            "host=localhost user=me password=hunter2",
            "postgres://me:hun@ter2@localhost:port/db",
            "postgres://me:hunter2@localhost:port/db",
            "mysql://me:hunter2@localhost/db",
        ] {
            let told = refusal(url);
            assert!(told.contains("postgres://user:password@host"), "{told}");
            assert!(!told.contains("hun") && !told.contains("ter2"), "{told}");
        }
        assert!(refusal("postgres:///db").contains("names no host"));
        assert!(refusal("postgres://h/db?sslmode=require").contains("open_with_tls"));
    }

    /// The driver reads everything before the `@` as the password, so a question mark in it begins no options.
    #[test]
    fn a_question_mark_in_a_password_belongs_to_it() {
        let config = PostgresOptions::default().config("postgres://me:hun?ter2@localhost/db", false).unwrap();
        assert_eq!(config.get_password(), Some(b"hun?ter2".as_slice()));
        assert_eq!(config.get_dbname(), Some("db"));
    }

    #[test]
    fn a_schema_is_a_plain_name() {
        for schema in ["", "Upper", "with space", "1st", "a;drop", "pg_own", &"x".repeat(64)] {
            let options = PostgresOptions { schema: schema.to_owned(), ..PostgresOptions::default() };
            assert!(options.config("postgres://h/db", false).is_err(), "{schema}");
        }
    }

    #[test]
    fn settings_of_the_url_stand_before_the_stores_own() {
        let config =
            PostgresOptions::default().config("postgres://h/db?options=-c%20work_mem%3D8MB", false).unwrap();
        assert!(
            config.get_options().unwrap().starts_with("-c work_mem=8MB -c search_path=fencepost,pg_temp ")
        );
    }
}
