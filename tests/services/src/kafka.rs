//! Apache Kafka: one node that is broker and controller, without automatic topics.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::cache::{Cache, copy};
use crate::ground::{Ground, Port};
use crate::install::java::Java;
use crate::install::{bound, maven, run_showing};
use crate::process::Launch;
use crate::server::{Parts, Ready, Server};

const VERSION: &str = "4.4.0";

const JAVA_FLAGS: [&str; 6] = [
    "-Xms128m",
    "-Xmx128m",
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-Xshare:auto",
    // No shared memory file in the temporary folder: a kill would leave it there.
    "-XX:-UsePerfData",
];

/// Small and quick, for one node. The heartbeats matter after a kill: by default a broker that comes back waits nine
/// seconds until its former self is given up.
const SETTINGS: [(&str, &str); 24] = [
    ("process.roles", "broker,controller"),
    ("node.id", "1"),
    ("controller.listener.names", "CONTROLLER"),
    // Nobody listens there: a single node needs no address of the quorum, and the setting must not be empty.
    ("controller.quorum.bootstrap.servers", "127.0.0.1:1"),
    ("auto.create.topics.enable", "false"),
    ("num.partitions", "1"),
    ("default.replication.factor", "1"),
    ("min.insync.replicas", "1"),
    ("offsets.topic.replication.factor", "1"),
    ("offsets.topic.num.partitions", "4"),
    ("transaction.state.log.replication.factor", "1"),
    ("transaction.state.log.min.isr", "1"),
    ("transaction.state.log.num.partitions", "4"),
    ("share.coordinator.state.topic.replication.factor", "1"),
    ("share.coordinator.state.topic.min.isr", "1"),
    ("group.initial.rebalance.delay.ms", "0"),
    ("group.min.session.timeout.ms", "1000"),
    ("group.consumer.heartbeat.interval.ms", "300"),
    ("group.consumer.min.heartbeat.interval.ms", "100"),
    ("group.consumer.min.session.timeout.ms", "1000"),
    ("broker.session.timeout.ms", "3000"),
    ("broker.heartbeat.interval.ms", "300"),
    ("log.cleaner.dedupe.buffer.size", "4194304"),
    ("log.cleaner.io.buffer.size", "131072"),
];

/// Fetches what is missing.
pub fn install() -> Result<()> {
    Java::runtime()?;
    jars().map(drop)
}

/// One node. Its URL is what clients call the bootstrap server, `127.0.0.1:PORT`.
pub fn start(ground: &Ground) -> Result<Server> {
    let java = Java::runtime()?.program("java");
    let class_path = format!("{}/*", jars()?.display());
    let room = ground.room("kafka")?;
    let port = Port::free()?;
    let (settings, data) = (room.join("server.properties"), room.join("data"));
    std::fs::write(&settings, properties(&data, &port.address())?)?;
    std::fs::write(room.join("log4j2.properties"), include_str!("../java/log4j2.properties"))?;
    if !data.exists() {
        let part = room.join("data.part");
        copy(&formatted(&java, &class_path)?, &part)?;
        std::fs::rename(&part, &data)?;
    }
    let launch = Launch::new(java, &room)
        .arguments(JAVA_FLAGS)
        .arguments(["-Dlog4j2.configurationFile=log4j2.properties", "-cp", &class_path, "kafka.Kafka"])
        .argument(&settings);
    let url = port.address();
    // A connection succeeds long before it can be used.
    let parts = Parts { name: "Kafka", url, port, launch, room, ready: Ready::Log("Kafka Server started") };
    Server::started(ground, parts)
}

/// The storage of a node that has never run, made once. Its port is not written into it.
fn formatted(java: &Path, class_path: &str) -> Result<PathBuf> {
    let cache = Cache::open()?;
    let folder = cache.kept(&format!("kafka-{VERSION}-data"), |part| {
        let (settings, data) = (part.join("server.properties"), part.join("data"));
        std::fs::write(&settings, properties(&data, "127.0.0.1:0")?)?;
        let mut format = bound(java);
        format.args(JAVA_FLAGS).args([
            "-cp",
            class_path,
            "kafka.tools.StorageTool",
            "format",
            "--standalone",
        ]);
        format.args(["-t", "dGVjaHBvdGxpLXNlcnZpYw", "-c"]).arg(&settings);
        run_showing("Formatting Kafka's storage", format, &cache.folder("logs")?.join("kafka"), &[])
    })?;
    Ok(folder.join("data"))
}

fn properties(data: &Path, address: &str) -> Result<String> {
    let mut text = String::new();
    writeln!(text, "listeners=PLAINTEXT://{address},CONTROLLER://127.0.0.1:0")?;
    writeln!(text, "advertised.listeners=PLAINTEXT://{address}")?;
    writeln!(text, "log.dirs={}", data.display())?;
    for (name, value) in SETTINGS {
        writeln!(text, "{name}={value}")?;
    }
    Ok(text)
}

fn jars() -> Result<PathBuf> {
    Cache::open()?.kept(&format!("kafka-{VERSION}"), |part| {
        let artifacts = [
            &format!("org.apache.kafka:kafka_2.13:{VERSION}"),
            "org.apache.logging.log4j:log4j-slf4j-impl:2.25.4",
        ];
        maven::jars(&format!("Fetching Kafka {VERSION} (Maven, 45 MB)"), &artifacts, part)
    })
}
