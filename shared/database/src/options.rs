//! What a database is opened with.

use std::time::Duration;

/// How a subgraph's database is opened.
#[derive(Clone)]
pub struct Options {
    /// `sqlite:PATH` (made where missing) or `mysql://user:password@host:port/name` (likewise).
    pub url: String,
    /// Whether a database that is missing is made.
    pub create: bool,
    /// Replicas of it, by URL; for MariaDB only.
    pub replicas: Vec<String>,
    /// How far behind a replica may be that is read.
    pub replica_lag: Duration,
    /// Connections to the primary, and as many to each replica.
    pub connections: u32,
    /// How long a statement may take before the server ends it; none of MySQL that writes.
    pub statement_timeout: Duration,
}

impl std::fmt::Debug for Options {
    /// URLs have passwords in them.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Options")
    }
}

impl Options {
    /// The defaults for the database of this URL.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            create: true,
            replicas: Vec::new(),
            replica_lag: Duration::from_secs(10),
            connections: 16,
            statement_timeout: Duration::from_secs(10),
        }
    }
}
