//! A real MariaDB that goes away and comes back: nobody waits for it meanwhile, and nobody fails afterwards.

#![expect(clippy::unwrap_used, reason = "what cannot be set up fails the test where it stands")]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use common::{Fault, FaultCode};
use database::{Database, Options, ScopedFutureExt as _};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use sea_orm::{ConnectionTrait as _, Statement};
use services::{Ground, Service};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// Connections of the pool.
const CONNECTIONS: u32 = 8;
/// Questions that are refused before the server is started again.
const REFUSED: u64 = 200;
/// How long to wait for somebody to look before that counts as never.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often is looked whether it is back.
const PAUSE: Duration = Duration::from_millis(50);
const LOOKS: u32 = 1_200;

/// Whether MariaDB is here; where `CI=true` it must be.
fn mariadb_is_here() -> bool {
    let Err(missing) = Service::Mariadb.install() else { return true };
    assert!(std::env::var("CI").as_deref() != Ok("true"), "{missing}");
    eprintln!("SKIPPED: a database that goes away: {missing}");
    false
}

async fn run(database: &Database, text: &str) -> Result<(), Fault> {
    database.schema().execute_unprepared(text).await.map(drop).map_err(Fault::from)
}

async fn ask(database: &Database, text: &str) -> Result<(), Fault> {
    let statement = Statement::from_string(database.backend(), text);
    database.read().query_all_raw(statement).await.map(drop).map_err(Fault::from)
}

/// Asks on all connections at once.
async fn ask_all(database: &Database) -> Result<Vec<()>, Fault> {
    futures::future::try_join_all((0..CONNECTIONS).map(|_| ask(database, "SELECT SLEEP(0.2)"))).await
}

/// Asks in vain until somebody connects to where the server was; whoever asks then is cancelled.
async fn cancelled_look(database: &Database, place: &TcpListener) -> TcpStream {
    let until_met = async {
        loop {
            tokio::select! {
                biased;
                met = place.accept() => return met.unwrap().0,
                asked = ask(database, "SELECT 1") => {
                    assert_eq!(asked.unwrap_err().code, FaultCode::Unavailable);
                }
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, until_met).await.expect("nobody looks any more")
}

/// The value of a metric of the breaker.
fn breaker(metrics: &PrometheusHandle, name: &str) -> u64 {
    let text = metrics.render();
    let start = format!("techpotli_breaker_{name}{{of=\"database shop\"}} ");
    let value = text.lines().find_map(|line| line.strip_prefix(&start));
    value.unwrap_or_else(|| panic!("no {start} in {text}")).parse().unwrap()
}

#[tokio::test]
async fn nobody_waits_for_a_database_that_is_away_and_nobody_fails_when_it_is_back() {
    if !mariadb_is_here() {
        return;
    }
    let recorder = PrometheusBuilder::new().build_recorder();
    let metrics = recorder.handle();
    let _counting = metrics::set_default_local_recorder(&recorder);
    let mariadb = services::mariadb::primary(&Ground::temporary().unwrap()).unwrap();
    let url = format!("{}/shop", mariadb.server.url());
    let options = Options { connections: CONNECTIONS, ..Options::new(url) };
    let database = Database::open(&options).await.unwrap();
    run(&database, "CREATE TABLE thing (id INT PRIMARY KEY)").await.unwrap();
    run(&database, "INSERT INTO thing VALUES (1)").await.unwrap();

    // What the server says is an answer, whatever it says.
    let slow = "SET STATEMENT max_statement_time = 0.01 FOR SELECT COUNT(*) FROM thing WHERE SLEEP(60) = 0";
    for wrong in ["SELEC", "SELECT nothing FROM thing", "INSERT INTO thing VALUES (1)", slow] {
        for _ in 0..4 {
            run(&database, wrong).await.unwrap_err();
        }
    }
    assert_eq!([breaker(&metrics, "open"), breaker(&metrics, "refused_total")], [0, 0]);

    // It dies with all connections open. Some find out.
    ask_all(&database).await.unwrap();
    mariadb.server.kill().unwrap();
    while breaker(&metrics, "open") == 0 {
        assert_eq!(ask(&database, "SELECT 1").await.unwrap_err().code, FaultCode::Unavailable);
    }

    // Somebody else counts who connects. One who looks and goes away leaves that to the next one.
    let place = TcpListener::bind(("127.0.0.1", mariadb.server.port())).await.unwrap();
    drop(cancelled_look(&database, &place).await);
    drop(cancelled_look(&database, &place).await);
    let looks = Arc::new(AtomicUsize::new(0));
    let mut counting = JoinSet::new();
    counting.spawn({
        let looks = looks.clone();
        async move {
            while let Ok((met, _)) = place.accept().await {
                looks.fetch_add(1, Ordering::SeqCst);
                drop(met);
            }
        }
    });
    let (before, mut asked) = (breaker(&metrics, "refused_total"), 0);
    while breaker(&metrics, "refused_total") < before + REFUSED {
        asked += 1;
        let begun = database.transaction(|_| async { panic!("it was begun") }.scope_boxed());
        let fault: Fault = begun.await.map(|()| panic!("it was done")).unwrap_err();
        assert_eq!(fault.code, FaultCode::Unavailable);
        assert!(fault.chain().contains("did not answer lately"), "{}", fault.chain());
    }
    assert_eq!(looks.load(Ordering::SeqCst) as u64, asked - REFUSED, "the others connect to nothing");
    counting.shutdown().await;

    // Once it is back for one, it is for all, on whatever connection.
    mariadb.server.start().unwrap();
    let mut left = LOOKS;
    while let Err(fault) = ask(&database, "SELECT 1").await {
        assert_eq!(fault.code, FaultCode::Unavailable);
        left = left.checked_sub(1).expect("it is never asked again");
        tokio::time::sleep(PAUSE).await;
    }
    for _ in 0..3 {
        ask_all(&database).await.unwrap();
    }
    run(&database, "INSERT INTO thing VALUES (2)").await.unwrap();
    assert_eq!(mariadb.sql("SELECT COUNT(*) FROM shop.thing").unwrap(), "2");
    assert_eq!(breaker(&metrics, "open"), 0);
}
