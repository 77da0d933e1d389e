//! A bench for one subgraph: a database in a folder that goes away, a clock that is moved by hand, counted ids.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_graphql::{Request, Variables};
use auth::{Caller, PassportSigner, SigningKey, Viewer};
use axum::body::Bytes;
use common::{Clock, Fault, Ids, Timestamp};
use database::{Database, Options, Step};
use messaging::Bus;
use runtime::Tasks;
use sea_orm::{ConnectionTrait as _, DbBackend, Statement};

use crate::execute::only_reads;
use crate::{Document, Keys, Peers, Ports, SearchUrl, Subgraph};

/// 2026-11-01T12:00:00Z: when tests begin.
pub const START: Timestamp = Timestamp(1_793_534_400_000_000);

/// A folder that is removed when the last one who uses it is gone.
#[derive(Clone)]
pub struct Folder(Arc<FolderInner>);

struct FolderInner(PathBuf);

impl Drop for FolderInner {
    fn drop(&mut self) {
        // What cannot be removed stays in the system's temporary folder.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

impl Folder {
    /// A new empty folder in the system's temporary one.
    pub fn new() -> std::io::Result<Self> {
        let path = std::env::temp_dir().join(format!("techpotli-{}", uuid::Uuid::new_v4()));
        std::fs::create_dir_all(&path)?;
        Ok(Self(Arc::new(FolderInner(path))))
    }

    /// Where it is.
    pub fn path(&self) -> &std::path::Path {
        &self.0.0
    }
}

/// Has a subgraph do its jobs until the tasks of `ports` end. Their ticks come by the system's clock, which does not
/// stand still.
pub fn work(subgraph: Subgraph, ports: &Ports) -> Subgraph {
    subgraph.work(&Ports { clock: Clock::system(), ..ports.clone() }, &ports.tasks);
    subgraph
}

/// Does one of a subgraph's jobs now, whatever its tick. It must go well.
pub async fn do_job(subgraph: &Subgraph, ports: &Ports, name: &str) {
    let job = subgraph.jobs.iter().find(|job| job.name() == name).expect("the subgraph has this job");
    assert!(ports.jobs().once(job).await.expect("the database answers"), "somebody else does {name}");
    let listed = jobs::list(&ports.database, false, None, 100, ports.clock.now()).await;
    let done = listed.expect("the database answers").into_iter().find(|listed| listed.name == name);
    assert_eq!(done.and_then(|job| job.last_error), None, "{name} failed");
}

/// Ports on a database of their own. On MariaDB where `TECHPOTLI_TEST_MYSQL` holds a server's URL, else on SQLite.
pub async fn ports(name: &'static str, steps: fn() -> Vec<Step>) -> (Ports, Folder) {
    let folder = Folder::new().expect("the temporary folder can be written");
    let url = match std::env::var("TECHPOTLI_TEST_MYSQL") {
        Ok(server) => format!("{}/t{}", server.trim_end_matches('/'), uuid::Uuid::new_v4().simple()),
        Err(_) => format!("sqlite:{}/{name}.sqlite", folder.path().display()),
    };
    let database = Ports::open_database(name, &Options::new(url), steps)
        .await
        .expect("a fresh database opens and migrates");
    let clock = Clock::manual(START);
    let keys = Keys { session: SigningKey::generate(), passport: SigningKey::generate() };
    let tasks = Tasks::new();
    let ports = Ports {
        name,
        memory: Ports::memory_of(&database, &tasks),
        database,
        bus: Bus::new(),
        peers: Peers::new(PassportSigner::new(&keys.passport, clock.clone())),
        clock,
        ids: Ids::counted(),
        keys,
        folder: folder.path().join(name),
        search: SearchUrl::Embedded,
        redis: None,
        warm_up: false,
        repeat_answers: Duration::from_secs(1),
        tasks,
    };
    (ports, folder)
}

/// Runs a document and returns the whole response as JSON with sorted keys. What a query finds in memory must be what it
/// would have found in the database, and what is told again what would be told anew.
pub async fn run(
    subgraph: &Subgraph,
    viewer: &Viewer,
    document: &str,
    variables: serde_json::Value,
) -> serde_json::Value {
    let execute = || run_amid_others(subgraph, viewer, document, variables.clone());
    if !only_reads(&mut Request::new(document)) || !subgraph.database.tells_of_others() {
        return execute().await;
    }
    let before = changes(&subgraph.database).await;
    let answer = execute().await;
    let read = cache::afresh(execute()).await;
    let mut told = Vec::new();
    // The second time it is remembered.
    for _ in 0..3 {
        told.push(ask(subgraph, viewer, document, &variables).await);
    }
    // Unless something was written meanwhile.
    if changes(&subgraph.database).await == before {
        assert_eq!(answer, read, "memory said otherwise than the database, of {document}");
        for told in told {
            assert_eq!(told, answer["data"], "what was told again is not what is, of {document}");
        }
    }
    answer
}

/// Asks as a gateway does, who may be told again what was told before. The data.
async fn ask(
    subgraph: &Subgraph,
    viewer: &Viewer,
    document: &str,
    variables: &serde_json::Value,
) -> serde_json::Value {
    let body = Bytes::from(serde_json::json!({ "query": document, "variables": variables }).to_string());
    let Ok(document) = Document::parse(document) else { return serde_json::Value::Null };
    let caller = Caller::from(viewer.clone());
    if let Some(known) = subgraph.known(&body, &caller) {
        let mut known: serde_json::Value = serde_json::from_slice(&known).expect("an answer is JSON");
        return sorted(known["data"].take());
    }
    let variables = Variables::from_json(variables.clone());
    let answer = subgraph.run(&document, variables, Some(body), caller, false).await;
    sorted(serde_json::to_value(answer.response.data).expect("data is JSON"))
}

/// Runs a document as [`run`] does, while others write: between their commit and what they do after it, memory may differ.
pub async fn run_amid_others(
    subgraph: &Subgraph,
    viewer: &Viewer,
    document: &str,
    variables: serde_json::Value,
) -> serde_json::Value {
    let request = Request::new(document).variables(Variables::from_json(variables));
    let answer = subgraph.execute(request, viewer.clone(), false).await;
    sorted(serde_json::to_value(&answer.response).expect("a response is JSON"))
}

/// How many rows were written in this process so far, of an SQLite database.
async fn changes(database: &Database) -> i64 {
    let ask = Statement::from_string(DbBackend::Sqlite, "SELECT total_changes()");
    let answer = database.schema().query_one_raw(ask).await.expect("the database answers");
    answer.and_then(|row| row.try_get_by_index(0).ok()).expect("it counts changes")
}

/// Runs a document and returns how many SQL statements it took.
pub async fn statements(
    subgraph: &Subgraph,
    viewer: &Viewer,
    document: &str,
    variables: serde_json::Value,
) -> u32 {
    let request = Request::new(document).variables(Variables::from_json(variables));
    subgraph.execute(request, viewer.clone(), false).await.statements.count
}

/// async-graphql writes fields in the order in which they were done; tests want one order.
fn sorted(value: serde_json::Value) -> serde_json::Value {
    match value {
        serde_json::Value::Object(fields) => {
            let mut fields: Vec<_> = fields.into_iter().map(|(key, value)| (key, sorted(value))).collect();
            fields.sort_by(|one, other| one.0.cmp(&other.0));
            serde_json::Value::Object(fields.into_iter().collect())
        }
        serde_json::Value::Array(items) => items.into_iter().map(sorted).collect(),
        other => other,
    }
}

/// Delivers what the outbox of `from` holds to `to`, once, and waits until it is applied.
pub async fn deliver(from: &Ports, to: &Subgraph) -> Result<(), Fault> {
    let events = messaging::pending(&from.database).await?;
    match &to.receiver {
        Some(receiver) => receiver.accept(&events).await,
        None => Ok(()),
    }
}
