//! Keycloak with the shop's realm, or with one of the caller's.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::cache::{Cache, copy};
use crate::ground::{Ground, Port, password};
use crate::install::java::Java;
use crate::install::{bound, maven, run_showing};
use crate::process::Launch;
use crate::server::{Parts, Ready, Server};

const VERSION: &str = "26.7.3";

const JAVA_FLAGS: [&str; 16] = [
    "-Xms64m",
    "-Xmx192m",
    "-XX:MaxMetaspaceSize=256m",
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-Xshare:auto",
    "-XX:-UsePerfData",
    "-XX:+ExitOnOutOfMemoryError",
    "-Dfile.encoding=UTF-8",
    "-Djava.util.logging.manager=org.jboss.logmanager.LogManager",
    "-Djava.util.concurrent.ForkJoinPool.common.threadFactory=io.quarkus.bootstrap.forkjoin.QuarkusForkJoinWorkerThreadFactory",
    "-Dpicocli.disable.closures=true",
    "--add-opens=java.base/java.util=ALL-UNNAMED",
    "--add-opens=java.base/java.util.concurrent=ALL-UNNAMED",
    "--add-opens=java.base/java.security=ALL-UNNAMED",
    "--add-opens=java.base/java.lang=ALL-UNNAMED",
];

const MAIN: &str = "io.quarkus.bootstrap.runner.QuarkusEntryPoint";

/// The secret of the web client in a realm that asks for one by its variable. It opens what a test started.
pub const CLIENT_SECRET: &str = "the-secret-of-a-test";

/// What a realm file may leave open: Keycloak puts these in at the import, as the deployment does with its own.
const PLACEHOLDERS: [(&str, &str); 2] =
    [("TECHPOTLI_OIDC_CLIENT_SECRET", CLIENT_SECRET), ("TECHPOTLI_PUBLIC_URL", "http://127.0.0.1:4000")];

/// A Keycloak.
#[derive(Debug)]
pub struct Keycloak {
    /// The process. Its URL is the base, without a realm.
    pub server: Server,
    /// The name of the realm from the file.
    pub realm: String,
    /// The password of the user `admin` in the realm `master`.
    pub admin_password: String,
}

/// The shop's realm, which deployments import too.
pub fn realm() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../gateway/keycloak/techpotli-realm.json")
}

/// Fetches and builds what is missing.
pub fn install() -> Result<()> {
    distribution().map(drop)
}

/// A Keycloak that holds the realm of this file. The first start with a file imports it and keeps the result, which
/// later starts begin with.
pub fn start(ground: &Ground, realm: &Path) -> Result<Keycloak> {
    let text = std::fs::read_to_string(realm).with_context(|| format!("cannot read {}", realm.display()))?;
    let name = realm_name(&text).with_context(|| format!("{} is no realm file", realm.display()))?;
    let home = distribution()?;
    let imported = imported(&home, &text)?;
    let room = ground.room("keycloak")?;
    furnish(&room, &home)?;
    if !room.join("data/h2").exists() {
        copy(&imported, &room.join("data"))?;
    }
    let server = launch(ground, room, &[], &[])?;
    let admin_password = password(&server.folder().join("data/admin-password"))?;
    Ok(Keycloak { server, realm: name, admin_password })
}

impl Keycloak {
    /// The issuer of the realm's tokens; its discovery document is below.
    pub fn issuer(&self) -> String {
        format!("{}/realms/{}", self.server.url(), self.realm)
    }
}

fn launch(ground: &Ground, room: PathBuf, flags: &[&str], variables: &[(&str, &str)]) -> Result<Server> {
    let port = Port::free()?;
    let url = format!("http://{}", port.address());
    let mut launch = program(Launch::new(Java::runtime()?.program("java"), &room), &room)
        .arguments(["start", "--optimized", "--cache=local", "--http-enabled=true", "--http-host=127.0.0.1"])
        .argument(format!("--http-port={}", port.number()))
        .argument(format!("--hostname={url}"))
        .arguments(flags);
    for (name, value) in variables {
        launch = launch.variable(name, value);
    }
    // Its health page answers too early.
    let parts = Parts { name: "Keycloak", url, port, launch, room, ready: Ready::Log("Listening on") };
    Server::started(ground, parts)
}

fn program(launch: Launch, home: &Path) -> Launch {
    launch
        .arguments(JAVA_FLAGS)
        .argument(format!("-Dkc.home.dir={}", home.display()))
        .argument(format!("-Djboss.server.config.dir={}", home.join("conf").display()))
        .argument("-cp")
        .argument(home.join("lib/quarkus-run.jar"))
        .argument(MAIN)
}

/// A home folder that shares the distribution's libraries and has data of its own.
fn furnish(room: &Path, home: &Path) -> Result<()> {
    std::fs::create_dir_all(room.join("data"))?;
    for shared in ["lib", "providers", "themes", "conf"] {
        let link = room.join(shared);
        if link.symlink_metadata().is_ok() {
            std::fs::remove_file(&link)?;
        }
        symlink(home.join(shared), link)?;
    }
    Ok(())
}

/// The data after the import of a realm, made once for each version and file.
fn imported(home: &Path, realm: &str) -> Result<PathBuf> {
    let mut hasher = DefaultHasher::new();
    (realm, VERSION, PLACEHOLDERS).hash(&mut hasher);
    Cache::open()?.kept(&format!("keycloak-realm-{:016x}", hasher.finish()), |part| {
        eprintln!("Importing the realm into Keycloak ...");
        let ground = Ground::temporary()?;
        let room = ground.room("keycloak")?;
        furnish(&room, home)?;
        std::fs::create_dir_all(room.join("data/import"))?;
        std::fs::write(room.join("data/import/realm.json"), realm)?;
        let admin = password(&part.join("admin-password"))?;
        let admin =
            [("KC_BOOTSTRAP_ADMIN_USERNAME", "admin"), ("KC_BOOTSTRAP_ADMIN_PASSWORD", admin.as_str())];
        let variables = [admin, PLACEHOLDERS].concat();
        let server = launch(&ground, room, &["--import-realm"], &variables)?;
        server.stop()?;
        copy(&server.folder().join("data/h2"), &part.join("h2"))
    })
}

fn distribution() -> Result<PathBuf> {
    let java = Java::runtime()?;
    let cache = Cache::open()?;
    cache.kept(&format!("keycloak-{VERSION}"), |part| {
        let artifact = format!("org.keycloak:keycloak-quarkus-dist:{VERSION}:tar.gz");
        let whole = tempfile::tempdir_in(part)?;
        maven::archive(
            &format!("Fetching Keycloak {VERSION} (Maven, 176 MB)"),
            &artifact,
            None,
            whole.path(),
        )?;
        for entry in std::fs::read_dir(whole.path().join(format!("keycloak-{VERSION}")))?.flatten() {
            std::fs::rename(entry.path(), part.join(entry.file_name()))?;
        }
        let mut build = bound("sh");
        build.arg(part.join("bin/kc.sh")).args(["build", "--db=dev-file"]);
        build.env("JAVA_HOME", java.home()).env_remove("JAVA");
        run_showing("Building Keycloak", build, &cache.folder("logs")?.join("keycloak"), &[])
    })
}

fn realm_name(text: &str) -> Result<String> {
    let realm: serde_json::Value = serde_json::from_str(text)?;
    Ok(realm.get("realm").and_then(|name| name.as_str()).context("it has no text 'realm'")?.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_realm_file_names_its_realm() {
        assert_eq!(realm_name(&std::fs::read_to_string(realm()).unwrap()).unwrap(), "techpotli");
        assert_eq!(realm_name(r#"{"realm": 1}"#).unwrap_err().to_string(), "it has no text 'realm'");
        assert!(realm_name("realm: shop").is_err());
    }
}
