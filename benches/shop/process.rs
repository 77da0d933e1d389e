//! The processes that are measured, and the CPU time that they take.

use std::cell::RefCell;
use std::collections::HashMap;
use std::ffi::OsString;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, bail};

/// A process of the binary, ended when dropped.
pub struct Process {
    child: Child,
    /// What each thread has spent, by its id; one that has ended keeps what it had.
    threads: RefCell<HashMap<OsString, u64>>,
    /// Where it listens.
    pub address: String,
}

impl Process {
    /// Starts the binary with these arguments and waits until it says where it listens.
    pub fn start(binary: &Path, data: &Path, arguments: &[String]) -> anyhow::Result<Self> {
        Self::start_with(binary, data, arguments, &[])
    }

    /// The same with settings beside the usual ones.
    pub fn start_with(
        binary: &Path,
        data: &Path,
        arguments: &[String],
        settings: &[(&'static str, String)],
    ) -> anyhow::Result<Self> {
        let mut command = Command::new(binary);
        command
            .args(arguments)
            .env("TECHPOTLI_DATA_DIR", data)
            .env("TECHPOTLI_RATE_USER", "0")
            .env("TECHPOTLI_SEED", "demo")
            .envs(settings.iter().map(|(name, value)| (name, value)))
            .current_dir(data)
            .stdin(Stdio::null())
            .stdout(Stdio::piped());
        if !arguments.iter().any(|argument| argument == "--listen") {
            command.args(["--listen", "127.0.0.1:0"]);
        }
        let mut child = command.spawn().with_context(|| format!("{} does not start", binary.display()))?;
        let output = child.stdout.take().context("the output is piped")?;
        let mut lines = BufReader::new(output).lines();
        for line in &mut lines {
            if let Some((_, rest)) = line?.split_once("http://")
                && let Some((address, _)) = rest.split_once("/graphql").or_else(|| rest.split_once("/ready"))
            {
                let address = address.to_owned();
                // Whatever else it prints is taken off its hands.
                std::thread::spawn(move || lines.map_while(Result::ok).for_each(drop));
                return Ok(Self { child, threads: RefCell::default(), address });
            }
        }
        bail!("techpotli {} ended before it listened", arguments.join(" "))
    }

    /// The CPU time of all its threads so far: to the nanosecond where the kernel says so, else to the clock tick.
    pub fn cpu(&self) -> anyhow::Result<Duration> {
        let folder = format!("/proc/{}", self.child.id());
        let mut threads = self.threads.borrow_mut();
        for task in std::fs::read_dir(format!("{folder}/task"))? {
            let task = task?;
            // A thread may end while the folder is read.
            let Ok(text) = std::fs::read_to_string(task.path().join("schedstat")) else { continue };
            if let Some(spent) = text.split(' ').next().and_then(|ns| ns.parse().ok()) {
                threads.insert(task.file_name(), spent);
            }
        }
        let spent: u64 = threads.values().sum();
        if spent > 0 {
            return Ok(Duration::from_nanos(spent));
        }
        let stat = std::fs::read_to_string(format!("{folder}/stat"))?;
        let (_, fields) = stat.rsplit_once(") ").context("a stat line")?;
        let ticks = fields.split(' ').skip(11).take(2).filter_map(|ticks| ticks.parse::<u64>().ok());
        // USER_HZ is 100 on every Linux that this runs on.
        Ok(Duration::from_millis(10 * ticks.sum::<u64>()))
    }

    /// The CPU time once the process has come to rest: what a request leaves to be done later is its cost as well. It may
    /// have to wait for a disk or for its turn on a core, so one quiet look is not enough.
    pub async fn cpu_at_rest(&self) -> anyhow::Result<Duration> {
        let mut before = self.cpu()?;
        let mut quiet = 0;
        for _ in 0..80 {
            tokio::time::sleep(Duration::from_millis(60)).await;
            let now = self.cpu()?;
            quiet = if now - before < Duration::from_micros(900) { quiet + 1 } else { 0 };
            before = now;
            if quiet == 4 {
                break;
            }
        }
        Ok(before)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
