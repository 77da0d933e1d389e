//! How a test makes outages: `cargo run -p services --example outages` kills, pauses and holds back real servers, and
//! checks what they remember.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use services::{Ground, Server, kafka, mail, mariadb, redis};

fn main() -> Result<()> {
    let ground = Ground::temporary()?;
    a_killed_database_keeps_what_it_committed(&ground)?;
    a_replica_falls_behind_and_catches_up(&ground)?;
    a_redis_cluster_loses_a_node_and_finds_it_again(&ground)?;
    println!("mail:    {}", there_and_back(&mail::start(&ground)?.server)?);
    println!("kafka:   {}", there_and_back(&kafka::start(&ground)?)?);
    Ok(())
}

fn a_killed_database_keeps_what_it_committed(ground: &Ground) -> Result<()> {
    let database = mariadb::primary(ground)?;
    database.sql("CREATE DATABASE shop; CREATE TABLE shop.orders (id INT PRIMARY KEY) ENGINE=InnoDB")?;
    database.sql("INSERT INTO shop.orders VALUES (1), (2)")?;
    database.server.kill()?;
    ensure!(database.sql("SELECT 1").is_err(), "a killed server answers");
    let back = database.server.start()?;
    ensure!(database.sql("SELECT COUNT(*) FROM shop.orders")? == "2", "committed rows are gone");
    println!("mariadb: back {} ms after a kill, with its rows", back.as_millis());
    Ok(())
}

fn a_replica_falls_behind_and_catches_up(ground: &Ground) -> Result<()> {
    let primary = mariadb::primary(ground)?;
    let replica = mariadb::replica(ground, &primary, Duration::from_secs(3600))?;
    primary
        .sql("CREATE DATABASE shop; CREATE TABLE shop.stock (sku INT); INSERT INTO shop.stock VALUES (1)")?;
    ensure!(!replica.catch_up(&primary, Duration::from_secs(1))?, "the replica is not held back");
    replica.hold_behind(Duration::ZERO)?;
    ensure!(replica.catch_up(&primary, Duration::from_secs(30))?, "the replica does not catch up");
    ensure!(replica.sql("SELECT sku FROM shop.stock")? == "1");
    // A kill of either breaks nothing.
    replica.server.kill()?;
    primary.server.kill()?;
    primary.server.start()?;
    primary.sql("INSERT INTO shop.stock VALUES (2)")?;
    replica.server.start()?;
    ensure!(replica.catch_up(&primary, Duration::from_secs(30))?, "the replica does not follow after a kill");
    ensure!(replica.sql("SELECT COUNT(*) FROM shop.stock")? == "2");
    // Nor does a primary that stands still.
    primary.server.pause()?;
    ensure!(replica.sql("SELECT COUNT(*) FROM shop.stock")? == "2");
    primary.server.resume()?;
    primary.sql("INSERT INTO shop.stock VALUES (3)")?;
    ensure!(
        replica.catch_up(&primary, Duration::from_secs(30))?,
        "the replica does not follow after a pause"
    );
    println!("replica: held back, killed with its primary, and level again");
    Ok(())
}

fn a_redis_cluster_loses_a_node_and_finds_it_again(ground: &Ground) -> Result<()> {
    let cluster = redis::cluster(ground)?;
    // The slot of this key belongs to one of the three; -c follows to it.
    cluster.ask(0, &["-c", "set", "cart", "full"])?;
    for node in &cluster.nodes {
        node.kill()?;
        node.start()?;
    }
    cluster.agree()?;
    ensure!(cluster.ask(0, &["-c", "get", "cart"])?.trim() == "full", "the key is gone");
    println!("cluster: each node killed once, and the key is there");
    Ok(())
}

/// Kill, start, pause, resume, restart: each on the same port.
fn there_and_back(server: &Server) -> Result<String> {
    let url = server.url().to_owned();
    server.kill()?;
    ensure!(server.pid().is_none(), "it has a process after a kill");
    let after_kill = server.start()?;
    server.pause()?;
    server.resume()?;
    let begin = Instant::now();
    server.restart()?;
    ensure!(server.url() == url && server.pid().is_some());
    Ok(format!(
        "back {} ms after a kill, restarted in {} ms",
        after_kill.as_millis(),
        begin.elapsed().as_millis()
    ))
}
