//! Values that processes share, in a real Redis and a real cluster.

#![expect(clippy::unwrap_used, reason = "what cannot be set up fails the test where it stands")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use cache::{Kind, Remote, Tier};
use services::{Ground, Server, Service};
use tokio::task::JoinSet;

const NUMBERS: fn() -> Kind<u64> = || Kind::new("number", 1);

/// Whether Redis is here; where `CI=true` it must be.
fn redis_is_here() -> bool {
    let Err(missing) = Service::Redis.install() else { return true };
    assert!(std::env::var("CI").as_deref() != Ok("true"), "{missing}");
    eprintln!("SKIPPED: a shared cache: {missing}");
    false
}

fn one_server() -> (Server, String) {
    let server = services::redis::start(&Ground::temporary().unwrap()).unwrap();
    let url = server.url().to_owned();
    (server, url)
}

fn tier(url: &str, age: Duration) -> Tier<u64> {
    let remote = Remote::at(url, PATIENCE).unwrap();
    // Nobody is given up because the machine does much else.
    Tier::new(remote, "test", NUMBERS(), "numbers".to_owned(), age).patient(LONG, LONG)
}

const LONG: Duration = Duration::from_secs(600);
const PATIENCE: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread")]
async fn many_who_ask_at_once_load_once_whatever_process_they_are_in() {
    if !redis_is_here() {
        return;
    }
    let (_server, url) = one_server();
    loads_once_and_forgets(&url).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn on_a_cluster_it_is_the_same() {
    if !redis_is_here() {
        return;
    }
    let cluster = services::redis::cluster(&Ground::temporary().unwrap()).unwrap();
    loads_once_and_forgets(&format!("redis+cluster://{}", cluster.urls().replace("redis://", ""))).await;
}

async fn loads_once_and_forgets(url: &str) {
    let processes = [0; 4].map(|_| tier(url, LONG));
    let loads = Arc::new(AtomicU64::new(0));
    for round in 1..=20 {
        let name = format!("name {round}");
        let asked = (0..80).map(|number| {
            let (tier, loads, name) = (processes[number % 4].clone(), loads.clone(), name.clone());
            async move {
                let load = async {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                    Ok::<_, ()>(loads.fetch_add(1, Ordering::SeqCst))
                };
                tier.get_or_load(name.as_bytes(), load).await.unwrap()
            }
        });
        let answers = asked.collect::<JoinSet<_>>().join_all().await;
        assert_eq!(answers, vec![round - 1; 80], "a stampede in round {round}");
    }

    // What is forgotten in one process is forgotten in all, also what another one is loading.
    let [one, other, ..] = &processes;
    assert_eq!(one.get_or_load(b"name 1", async { Ok::<_, ()>(100) }).await, Ok(0));
    let (begun, forgotten) = (tokio::sync::Notify::new(), tokio::sync::Notify::new());
    let old = other.get_or_load(b"another", async {
        begun.notify_one();
        forgotten.notified().await;
        Ok::<_, ()>(1)
    });
    let forget = async {
        begun.notified().await;
        one.forget().await.unwrap();
        forgotten.notify_one();
    };
    assert_eq!(tokio::join!(old, forget).0, Ok(1));
    for tier in &processes {
        assert_eq!(tier.get_or_load(b"name 1", async { Ok::<_, ()>(100) }).await, Ok(100));
        assert_eq!(tier.get_or_load(b"another", async { Ok::<_, ()>(2) }).await, Ok(2));
    }
    // What could not be loaded is loaded by the next at once.
    assert_eq!(one.get_or_load(b"failing", async { Err::<u64, _>("no") }).await, Err("no"));
    assert_eq!(other.get_or_load(b"failing", async { Ok::<_, &str>(3) }).await, Ok(3));
    // Another shop on the same server has its own.
    let remote = Remote::at(url, PATIENCE).unwrap().for_tenant("another");
    let elsewhere = Tier::new(remote, "test", NUMBERS(), "numbers".to_owned(), LONG);
    assert_eq!(elsewhere.get_or_load(b"name 1", async { Ok::<_, ()>(7) }).await, Ok(7));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_is_renewed_by_one_who_comes_early_while_the_others_still_get_it() {
    if !redis_is_here() {
        return;
    }
    let (_server, url) = one_server();
    let tier = tier(&url, LONG);
    let client = redis::Client::open(url).unwrap();
    let link = client.get_multiplexed_async_connection().await.unwrap();
    let ask = async |answer: u64| tier.get_or_load(b"name", async { Ok::<_, ()>(answer) }).await.unwrap();
    let send = async |command: &redis::Cmd| command.query_async::<()>(&mut link.clone()).await.unwrap();
    assert_eq!(ask(1).await, 1);
    let values: Vec<String> =
        redis::cmd("KEYS").arg("techpotli:number.1:*").query_async(&mut link.clone()).await.unwrap();
    let [value] = values.as_slice() else { panic!("one value: {values:?}") };
    let took = |millis: u128| {
        let mut command = redis::cmd("HSET");
        command.arg(value).arg("took").arg(millis.to_string());
        command
    };

    // What is loaded quickly is not renewed while it has long to live.
    send(&took(1)).await;
    for _ in 0..100 {
        assert_eq!(ask(2).await, 1);
    }
    // What takes ten times as long as it has left is renewed by nine of ten, but for somebody who does it already.
    send(&took(10 * LONG.as_millis())).await;
    let claim = value.replace("number.1", "cache-claim.1");
    send(redis::cmd("SET").arg(&claim).arg("somebody")).await;
    for _ in 0..100 {
        assert_eq!(ask(3).await, 1, "two renew it");
    }
    send(redis::cmd("DEL").arg(&claim)).await;
    let mut answers = Vec::new();
    for number in 4..104 {
        answers.push(ask(number).await);
        if answers.last() != Some(&1) {
            break;
        }
    }
    assert!(answers.last() > Some(&1), "nobody renews it: {answers:?}");
    // It was put with the time that it took now, which is short.
    assert_eq!(Some(&ask(200).await), answers.last());
}

#[tokio::test(flavor = "multi_thread")]
async fn while_redis_is_away_everything_is_loaded_and_nothing_old_comes_back() {
    if !redis_is_here() {
        return;
    }
    let (server, url) = one_server();
    let tier = tier(&url, LONG);
    assert_eq!(tier.get_or_load(b"name", async { Ok::<_, ()>(1) }).await, Ok(1));
    server.kill().unwrap();
    assert_eq!(tier.get_or_load(b"name", async { Ok::<_, ()>(2) }).await, Ok(2));
    assert!(tier.forget().await.is_err(), "it must be known that it is owed");
    server.start().unwrap();
    for _ in 0..3_000 {
        if tier.forget().await.is_ok() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(tier.get_or_load(b"name", async { Ok::<_, ()>(3) }).await, Ok(3));
    assert_eq!(tier.get_or_load(b"name", async { Ok::<_, ()>(4) }).await, Ok(3));
}
