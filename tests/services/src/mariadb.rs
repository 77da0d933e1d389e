//! MariaDB: a primary, and replicas that follow it by GTID.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::cache::{Cache, copy};
use crate::ground::{Ground, Port, password};
use crate::install::{bound, debian, run_showing};
use crate::process::Launch;
use crate::server::{Parts, Ready, Server};

/// Without Debian's `mariadb-server`, which would also start a server of its own on port 3306.
const PACKAGES: [&str; 2] = ["mariadb-server-core", "mariadb-client-core"];

/// A MariaDB server. Its URL is that of the user `techpotli`, who may do everything but administer the server, and so
/// cannot write on a replica.
#[derive(Debug)]
pub struct MariaDb {
    /// The process.
    pub server: Server,
    client: PathBuf,
    root_password: String,
}

/// Fetches what is missing.
pub fn install() -> Result<()> {
    for program in ["mariadbd", "mariadb-install-db", "mariadb"] {
        debian::program(program, &PACKAGES)?;
    }
    Ok(())
}

/// A primary, with a binary log from its first statement on.
pub fn primary(ground: &Ground) -> Result<MariaDb> {
    MariaDb::start(ground, "mariadb", "MariaDB", &[])
}

/// A read-only replica that has caught up with the primary. `behind` holds it back by so much.
pub fn replica(ground: &Ground, primary: &MariaDb, behind: Duration) -> Result<MariaDb> {
    let flags = ["--read-only=1", "--log-slave-updates=1", "--relay-log=relay", "--slave-net-timeout=10"];
    let replica = MariaDb::start(ground, "mariadb-replica", "MariaDB replica", &flags)?;
    replica.sql(&format!(
        "STOP SLAVE; CHANGE MASTER TO MASTER_HOST='127.0.0.1', MASTER_PORT={}, MASTER_USER='root', \
         MASTER_PASSWORD='{}', MASTER_USE_GTID=slave_pos, MASTER_CONNECT_RETRY=1; START SLAVE",
        primary.server.port(),
        primary.root_password
    ))?;
    if !replica.catch_up(primary, Duration::from_secs(60))? {
        let status = replica.sql("SHOW SLAVE STATUS\\G")?;
        bail!("the MariaDB replica does not follow its primary:\n{status}");
    }
    replica.hold_behind(behind)?;
    Ok(replica)
}

impl MariaDb {
    /// Runs statements as root and gives the rows of their results, columns separated by tabs.
    pub fn sql(&self, statements: &str) -> Result<String> {
        let output = Command::new(&self.client)
            .args([
                "--no-defaults",
                "--protocol=tcp",
                "--host=127.0.0.1",
                "--user=root",
                "--skip-column-names",
            ])
            .args([&format!("--port={}", self.server.port()), "--batch", "--connect-timeout=10", "--execute"])
            .arg(statements)
            .env("MYSQL_PWD", &self.root_password)
            .output()
            .context("cannot start mariadb, the client")?;
        if !output.status.success() {
            bail!("{}: {}", self.server.name(), String::from_utf8_lossy(&output.stderr).trim());
        }
        Ok(String::from_utf8_lossy(&output.stdout).trim_end().to_owned())
    }

    /// Holds a replica back: it applies each transaction only so long after the primary did. Whole seconds; zero lets
    /// it go.
    pub fn hold_behind(&self, behind: Duration) -> Result<()> {
        let seconds = behind.as_secs();
        self.sql(&format!("STOP SLAVE; CHANGE MASTER TO MASTER_DELAY={seconds}; START SLAVE")).map(drop)
    }

    /// Waits until this replica has all that the primary has committed by now. False when it has not after `patience`.
    pub fn catch_up(&self, primary: &MariaDb, patience: Duration) -> Result<bool> {
        let position = primary.sql("SELECT @@gtid_binlog_pos")?;
        let waited =
            self.sql(&format!("SELECT MASTER_GTID_WAIT('{position}', {})", patience.as_secs_f64()))?;
        Ok(waited == "0")
    }

    fn start(ground: &Ground, kind: &str, name: &'static str, flags: &[&str]) -> Result<Self> {
        install()?;
        let daemon = debian::program("mariadbd", &PACKAGES)?;
        let client = debian::program("mariadb", &PACKAGES)?;
        let room = ground.room(kind)?;
        let data = room.join("data");
        if !data.exists() {
            // Whole or not at all: a kill in the midst of copying must not leave half a database in a kept folder.
            let part = room.join("data.part");
            copy(&template(&daemon)?, &part)?;
            std::fs::rename(&part, &data)?;
        }
        let root_password = password(&room.join("root-password"))?;
        let user_password = password(&room.join("password"))?;
        let users = room.join("users.sql");
        std::fs::write(&users, accounts(&root_password, &user_password))?;
        let port = Port::free()?;
        let launch = Launch::new(&daemon, &data)
            .arguments(["--no-defaults", "--bind-address=127.0.0.1", "--skip-name-resolve"])
            .argument(format!("--port={}", port.number()))
            .argument(format!("--server-id={}", port.number()))
            .argument(format!("--datadir={}", data.display()))
            .argument(format!("--init-file={}", users.display()))
            // Relative to the data: a path from the root may be longer than a socket's may be.
            .arguments(["--socket=socket", "--pid-file=pid"])
            .arguments(["--transaction-isolation=READ-COMMITTED", "--max-connections=500"])
            .arguments(["--innodb-flush-log-at-trx-commit=2", "--innodb-buffer-pool-size=128M"])
            .arguments(["--innodb-log-file-size=32M", "--sync-binlog=0"])
            .arguments(["--log-bin=binlog", "--binlog-format=ROW", "--gtid-strict-mode=1"])
            .arguments(flags)
            .arguments(as_root());
        let url = format!("mysql://techpotli:{user_password}@{}", port.address());
        let parts = Parts { name, url, port, launch, room, ready: Ready::Log("ready for connections") };
        Ok(Self { server: Server::started(ground, parts)?, client, root_password })
    }
}

/// Statements that are run at every start and not replicated: a line each.
fn accounts(root: &str, user: &str) -> String {
    [
        "SET sql_log_bin=0",
        // What mariadb-install-db makes: root without a password, under several hosts, and nobody.
        "DELETE FROM mysql.global_priv WHERE User IN ('root', '') AND Host NOT IN ('localhost', '%')",
        "FLUSH PRIVILEGES",
        &format!("CREATE OR REPLACE USER root@localhost IDENTIFIED BY '{root}'"),
        "GRANT ALL PRIVILEGES ON *.* TO root@localhost WITH GRANT OPTION",
        &format!("CREATE OR REPLACE USER root@'%' IDENTIFIED BY '{root}'"),
        "GRANT ALL PRIVILEGES ON *.* TO root@'%' WITH GRANT OPTION",
        &format!("CREATE OR REPLACE USER techpotli@'%' IDENTIFIED BY '{user}'"),
        "GRANT ALL PRIVILEGES ON *.* TO techpotli@'%'",
        "REVOKE SUPER, READ_ONLY ADMIN ON *.* FROM techpotli@'%'",
    ]
    .map(|statement| format!("{statement};\n"))
    .concat()
}

/// MariaDB refuses to run as root unless told to.
fn as_root() -> Option<&'static str> {
    rustix::process::geteuid().is_root().then_some("--user=root")
}

/// Empty data of this version, made once.
fn template(daemon: &Path) -> Result<PathBuf> {
    let version = Command::new(daemon).arg("--version").output()?;
    let version = String::from_utf8_lossy(&version.stdout).into_owned();
    // mariadbd  Ver 10.11.19-MariaDB-0+deb12u1 for debian-linux-gnu on x86_64 (Debian 12)
    let version = version.split_whitespace().skip_while(|word| *word != "Ver").nth(1);
    let version = version.context("mariadbd does not tell its version")?.replace(['/', '+'], "-");
    let cache = Cache::open()?;
    cache.kept(&format!("mariadb-{version}"), |part| {
        let mut command = bound(debian::program("mariadb-install-db", &PACKAGES)?);
        command.args(["--no-defaults", "--auth-root-authentication-method=normal", "--skip-test-db"]);
        command.args(["--innodb-log-file-size=32M"]).args(as_root());
        command.arg(format!("--datadir={}", part.display()));
        run_showing(
            "Making an empty MariaDB database",
            command,
            &cache.folder("logs")?.join("mariadb"),
            &[part],
        )
    })
}
