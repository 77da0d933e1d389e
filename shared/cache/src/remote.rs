//! A Redis server or cluster that several processes share. It is asked briefly: what does not answer in time counts as
//! away, and is then left alone for a moment, so that a server that is gone costs nobody a wait.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use common::Breaker;
use redis::aio::{ConnectionLike, ConnectionManager, ConnectionManagerConfig};
use redis::cluster::{ClusterClient, ClusterConfig};
use redis::cluster_async::ClusterConnection;
use redis::{Client, Cmd, FromRedisValue, RedisResult, ToRedisArgs};

use crate::key::{Key, Kind};

/// How long to wait for a connection.
const CONNECT: Duration = Duration::from_secs(2);

/// Whose everything is, where nothing else is said.
const TENANT: &str = "techpotli";

/// A Redis server or cluster. Clones share its connections.
#[derive(Clone)]
pub struct Remote {
    link: Link,
    tenant: Arc<str>,
    patience: Duration,
    breaker: Arc<Breaker>,
    lost: Arc<Mutex<Option<Instant>>>,
}

#[derive(Clone)]
enum Link {
    One(ConnectionManager),
    Cluster(ClusterConnection),
}

/// A URL that cannot be used. The text names no password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RemoteUrlError {
    /// Neither `redis:` nor `redis+cluster:`.
    #[error("'{0}' is no Redis URL: it must begin with redis:// or redis+cluster://")]
    Scheme(String),
    /// The rest cannot be read.
    #[error("the Redis URL cannot be used: {0}")]
    Unreadable(String),
}

/// Nothing was heard of the server: it may or may not have done what it was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("Redis does not answer")]
pub struct Away;

/// A script library of the server's (Redis Functions), loaded where it is missing.
#[derive(Debug, Clone, Copy)]
pub struct Library {
    /// The source, with its `#!lua name=…` line.
    pub source: &'static str,
}

/// What lies under the key of a stream.
#[derive(Debug)]
pub enum Stream {}

/// An entry of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its id, later than those of all before.
    pub id: String,
    /// When it was written, on the server's clock, in milliseconds.
    pub millis: u64,
    /// Names and values.
    pub fields: Vec<(String, String)>,
}

impl Remote {
    /// The server behind `redis://[user:password@]host:port[/db]`, or the cluster that one of
    /// `redis+cluster://[user:password@]host:port,host:port,…` belongs to. Connects when it is first asked, and waits for
    /// answers no longer than `patience`.
    pub fn at(url: &str, patience: Duration) -> Result<Self, RemoteUrlError> {
        let unreadable = |error: redis::RedisError| RemoteUrlError::Unreadable(error.category().to_owned());
        let link = if let Some(nodes) = url.strip_prefix("redis+cluster://") {
            let (login, nodes) = match nodes.rsplit_once('@') {
                Some((login, nodes)) => (format!("{login}@"), nodes),
                None => (String::new(), nodes),
            };
            let nodes = nodes.split(',').map(|node| format!("redis://{login}{}", node.trim_matches('/')));
            let client = ClusterClient::builder(nodes).retries(1).build().map_err(unreadable)?;
            let config = ClusterConfig::new().set_connection_timeout(CONNECT).set_response_timeout(patience);
            Link::Cluster(client.get_pending_async_connection_with_config(config))
        } else if url.starts_with("redis://") {
            let client = Client::open(url).map_err(unreadable)?;
            let config = ConnectionManagerConfig::new()
                .set_connection_timeout(Some(CONNECT))
                .set_response_timeout(Some(patience))
                .set_number_of_retries(1);
            Link::One(ConnectionManager::new_lazy_with_config(client, config).map_err(unreadable)?)
        } else {
            return Err(RemoteUrlError::Scheme(url.split(':').next().unwrap_or_default().to_owned()));
        };
        Ok(Self {
            link,
            tenant: TENANT.into(),
            patience,
            breaker: Arc::new(Breaker::new("redis")),
            lost: Arc::default(),
        })
    }

    /// The same server for what belongs to `tenant`: every key begins with it, so several shops can share a server.
    #[must_use]
    pub fn for_tenant(self, tenant: &str) -> Self {
        Self { tenant: tenant.into(), ..self }
    }

    /// Where the value of this name lies.
    pub fn key<V>(&self, kind: &Kind<V>, name: &str) -> Key<V> {
        kind.key(&self.tenant, name)
    }

    /// What lies there.
    pub async fn get<V: FromRedisValue>(&self, key: &Key<V>) -> Result<Option<V>, Away> {
        self.send(redis::cmd("GET").arg(key.as_str())).await
    }

    /// Puts a value there for so long.
    pub async fn set<V: ToRedisArgs>(&self, key: &Key<V>, value: &V, age: Duration) -> Result<(), Away> {
        let mut command = redis::cmd("SET");
        command.arg(key.as_str()).arg(value).arg("PX").arg(millis(age));
        self.send(&command).await
    }

    /// Puts a value there for so long, unless there is one; says whether it did.
    pub async fn claim<V: ToRedisArgs>(&self, key: &Key<V>, value: &V, age: Duration) -> Result<bool, Away> {
        let mut command = redis::cmd("SET");
        command.arg(key.as_str()).arg(value).arg("NX").arg("PX").arg(millis(age));
        let set: Option<String> = self.send(&command).await?;
        Ok(set.is_some())
    }

    /// At most `count` entries of a stream: from the millisecond `from`, or after an entry's id where that begins with a
    /// parenthesis.
    pub async fn entries(&self, key: &Key<Stream>, from: &str, count: usize) -> Result<Vec<Entry>, Away> {
        let mut command = redis::cmd("XRANGE");
        command.arg(key.as_str()).arg(from).arg("+").arg("COUNT").arg(count);
        let page: Vec<(String, Vec<(String, String)>)> = self.send(&command).await?;
        let entry = |(id, fields): (String, _)| {
            let millis = id.split('-').next().and_then(|millis| millis.parse().ok()).unwrap_or(0);
            Entry { id, millis, fields }
        };
        Ok(page.into_iter().map(entry).collect())
    }

    /// Takes away what lies there.
    pub async fn remove<V>(&self, key: &Key<V>) -> Result<(), Away> {
        self.send(redis::cmd("DEL").arg(key.as_str())).await
    }

    /// When the server was lost last: its connection broke, or nothing was heard three times in a row. What others told
    /// it until then it may have forgotten, or never heard.
    pub fn lost(&self) -> Option<Instant> {
        *self.lost.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lose(&self) {
        *self.lost.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }

    /// Whether keys of one command must share a slot, by a hash tag in braces.
    pub fn has_slots(&self) -> bool {
        matches!(self.link, Link::Cluster(_))
    }

    /// Sends a command.
    pub async fn send<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, Away> {
        self.guarded(command).await?.map_err(|error| {
            tracing::warn!(reason = %error, "Redis refused a command");
            Away
        })
    }

    /// Calls a function of `library` with these keys and arguments, and loads the library first where the server does
    /// not know it.
    pub async fn call<T: FromRedisValue>(
        &self,
        library: Library,
        function: &str,
        keys: &[&str],
        arguments: impl ToRedisArgs,
    ) -> Result<T, Away> {
        let mut command = redis::cmd("FCALL");
        command.arg(function).arg(keys.len()).arg(keys).arg(arguments);
        match self.guarded(&command).await? {
            Ok(answer) => Ok(answer),
            Err(error) if error.to_string().contains("Function not found") => {
                let mut load = redis::cmd("FUNCTION");
                load.arg("LOAD").arg("REPLACE").arg(library.source);
                self.send::<redis::Value>(&load).await?;
                self.send(&command).await
            }
            Err(error) => {
                tracing::warn!(reason = %error, function, "Redis refused a call");
                Err(Away)
            }
        }
    }

    /// `Err` where nothing was heard; an error that the server itself gave is inside.
    async fn guarded<T: FromRedisValue>(&self, command: &Cmd) -> Result<RedisResult<T>, Away> {
        crate::rely_on_others();
        let turn = self.breaker.turn(Instant::now()).ok_or(Away)?;
        let asked = async {
            match self.link.clone() {
                Link::One(mut link) => link.req_packed_command(command).await,
                Link::Cluster(mut link) => link.req_packed_command(command).await,
            }
        };
        let answer = tokio::time::timeout(self.patience, asked).await.ok();
        let is_broken = matches!(&answer, Some(Err(error)) if is_silence(error) && !error.is_timeout());
        match answer.filter(|answer| !answer.as_ref().is_err_and(is_silence)) {
            Some(answer) => {
                turn.succeeded();
                Ok(answer.and_then(|value| Ok(redis::from_redis_value(value)?)))
            }
            None => {
                turn.failed(Instant::now());
                if is_broken || !self.breaker.is_closed() {
                    self.lose();
                }
                Err(Away)
            }
        }
    }
}

impl fmt::Debug for Remote {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if self.has_slots() { "cluster" } else { "server" };
        formatter.debug_struct("Remote").field("kind", &kind).finish_non_exhaustive()
    }
}

fn millis(age: Duration) -> u64 {
    u64::try_from(age.as_millis()).unwrap_or(u64::MAX).max(1)
}

/// Whether an error means that the server was not reached, rather than that it refused.
fn is_silence(error: &redis::RedisError) -> bool {
    error.is_io_error()
        || error.is_timeout()
        || error.is_connection_dropped()
        || error.is_cluster_error()
        || error.is_unrecoverable_error()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_read_or_refused_without_its_password() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let _inside = runtime.enter();
        let at = |url: &str| Remote::at(url, Duration::from_millis(20));
        assert!(!at("redis://127.0.0.1:6379/1").unwrap().has_slots());
        assert!(at("redis+cluster://u:p@127.0.0.1:1,127.0.0.1:2").unwrap().has_slots());
        for url in ["http://secret@x", "redis://u:secret@host:port:7/x", "redis+cluster://u:secret@a:b"] {
            let error = at(url).err().unwrap().to_string();
            assert!(!error.contains("secret"), "{error}");
        }
    }
}
