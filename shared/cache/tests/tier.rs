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
    let remote = Remote::at(url, Duration::from_secs(2)).unwrap();
    Tier::new(remote, "test", NUMBERS(), "numbers".to_owned(), age)
}

const LONG: Duration = Duration::from_secs(600);

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
    let remote = Remote::at(url, Duration::from_secs(2)).unwrap().for_tenant("another");
    let elsewhere = Tier::new(remote, "test", NUMBERS(), "numbers".to_owned(), LONG);
    assert_eq!(elsewhere.get_or_load(b"name 1", async { Ok::<_, ()>(7) }).await, Ok(7));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_that_is_asked_for_all_the_time_is_renewed_before_it_is_gone() {
    if !redis_is_here() {
        return;
    }
    let (_server, url) = one_server();
    let tier = tier(&url, Duration::from_millis(500));
    let client = redis::Client::open(url).unwrap();
    let link = client.get_multiplexed_async_connection().await.unwrap();
    // Whether the value was still there when somebody began to load it.
    let (early, late) = (AtomicU64::new(0), AtomicU64::new(0));
    let load = async || {
        let mut link = link.clone();
        let there: Vec<String> =
            redis::cmd("KEYS").arg("techpotli:number.1:*").query_async(&mut link).await.unwrap();
        let count = if there.is_empty() { &late } else { &early };
        tokio::time::sleep(Duration::from_millis(50)).await;
        Ok::<_, ()>(count.fetch_add(1, Ordering::SeqCst))
    };
    let mut requests = 0;
    while early.load(Ordering::SeqCst) + late.load(Ordering::SeqCst) < 9 {
        tier.get_or_load(b"name", load()).await.unwrap();
        requests += 1;
    }
    let (early, late) = (early.into_inner(), late.into_inner());
    println!(
        "{requests} requests for a value of half a second: loaded {early} times early, {late} times late"
    );
    assert!(early > late && requests > 10 * (early + late));
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
