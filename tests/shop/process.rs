//! The binary under test as child processes.

use std::io::{BufRead as _, BufReader, Read};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, anyhow, ensure};
use tokio::sync::oneshot;
use tokio::time::timeout;

/// How long a process may take until it serves, on a machine that does much else.
const PATIENCE: Duration = Duration::from_secs(120);

/// Names another build of the binary to test, such as one in release.
const BINARY: &str = "TECHPOTLI_TEST_BINARY";

/// The binary, with nothing inherited that would change what it does.
pub fn binary(folder: &Path) -> Command {
    let built = || env!("CARGO_BIN_EXE_techpotli").into();
    let mut command = Command::new(std::env::var_os(BINARY).unwrap_or_else(built));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("TECHPOTLI_") {
            command.env_remove(name);
        }
    }
    command.current_dir(folder).stdin(Stdio::null());
    command
}

/// Runs the binary until it ends by itself.
pub fn run(folder: &Path, arguments: &[&str]) -> anyhow::Result<Output> {
    binary(folder).args(arguments).output().context("the binary cannot be started")
}

/// A process that serves; it ends when this is dropped.
pub struct Process {
    child: Child,
    lines: Arc<Mutex<Vec<String>>>,
    /// Where it serves: scheme, host and port.
    pub base: String,
}

impl Process {
    /// Starts the command and waits until it has printed where it serves.
    pub async fn start(mut command: Command) -> anyhow::Result<Self> {
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .context("the process cannot be started")?;
        let lines = Arc::new(Mutex::new(Vec::new()));
        let (found, ready) = oneshot::channel();
        follow(child.stdout.take().context("stdout is piped")?, Arc::clone(&lines), Some(found));
        follow(child.stderr.take().context("stderr is piped")?, Arc::clone(&lines), None);
        let mut process = Self { child, lines, base: String::new() };
        match timeout(PATIENCE, ready).await {
            Ok(Ok(base)) => process.base = base,
            _ => return Err(anyhow!("{command:?} did not begin to serve:\n{}", process.said().join("\n"))),
        }
        Ok(process)
    }

    /// Asks it to end, waits until it has, and returns the faults in its log.
    pub async fn terminate(mut self) -> anyhow::Result<Vec<String>> {
        let asked = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status()?;
        ensure!(asked.success(), "no signal could be sent");
        let ended = tokio::task::spawn_blocking(move || {
            let status = self.child.wait();
            (self, status)
        });
        let (process, status) = timeout(PATIENCE, ended).await.context("it does not end")??;
        ensure!(status?.success(), "it ended badly: {:#?}", process.said());
        Ok(process.faults())
    }

    /// The CPU time that it has taken so far, in clock ticks of 10 ms.
    pub fn cpu(&self) -> anyhow::Result<Duration> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        // After the name, which may have spaces and ends with a parenthesis, utime and stime are the 12th and 13th.
        let (_, rest) = stat.rsplit_once(')').context("a name in parentheses")?;
        let ticks = rest.split_whitespace().skip(11).take(2).map(str::parse::<u64>);
        Ok(Duration::from_millis(ticks.sum::<Result<u64, _>>()? * 10))
    }

    /// All that it has printed so far.
    pub fn said(&self) -> Vec<String> {
        self.lines.lock().map(|lines| lines.clone()).unwrap_or_default()
    }

    /// What no test may cause: panics, and faults in the log.
    pub fn faults(&self) -> Vec<String> {
        self.said()
            .into_iter()
            .filter(|line| line.contains("panicked at") || line.contains(" ERROR "))
            .collect()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended before; then there is nothing to kill.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Keeps what is printed, so that the pipe never fills, and tells of the first address.
fn follow(
    pipe: impl Read + Send + 'static,
    lines: Arc<Mutex<Vec<String>>>,
    mut found: Option<oneshot::Sender<String>>,
) {
    thread::spawn(move || {
        for line in BufReader::new(pipe).lines().map_while(Result::ok) {
            if let Some(base) = base_in(&line)
                && let Some(found) = found.take()
            {
                // Nobody waits any more when it took too long.
                let _ = found.send(base);
            }
            if let Ok(mut lines) = lines.lock() {
                lines.push(line);
            }
        }
    });
}

fn base_in(line: &str) -> Option<String> {
    let url = line.split_whitespace().find(|word| word.starts_with("http://"))?;
    url.strip_suffix("/graphql").or_else(|| url.strip_suffix("/ready")).map(str::to_owned)
}

/// Ports that were free a moment ago, all different.
pub fn free_ports(count: usize) -> anyhow::Result<Vec<u16>> {
    let held: Vec<TcpListener> =
        (0..count).map(|_| TcpListener::bind("127.0.0.1:0")).collect::<Result<_, _>>()?;
    Ok(held
        .iter()
        .map(TcpListener::local_addr)
        .map(|address| address.map(|at| at.port()))
        .collect::<Result<_, _>>()?)
}
