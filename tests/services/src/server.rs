//! A running server: what tests start, kill, pause and start again.

use std::io::{Read, Seek, SeekFrom};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rustix::process::Signal;

use crate::ground::{Ground, Port};
use crate::process::{Group, LOOK, Launch, tail};

/// How long a start may take before it counts as failed. Java on a busy machine takes its time.
const PATIENCE: Duration = Duration::from_secs(240);

/// How long a server may take to end in order.
const GRACE: Duration = Duration::from_secs(60);

/// What shows that a server takes requests.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Ready {
    /// A line of its log that holds these words.
    Log(&'static str),
    /// It greets whoever connects with these words.
    Greeting(&'static str),
    /// Its port is open.
    Open,
}

/// What a server is made of.
pub(crate) struct Parts {
    pub(crate) name: &'static str,
    pub(crate) url: String,
    pub(crate) port: Port,
    pub(crate) launch: Launch,
    pub(crate) room: PathBuf,
    pub(crate) ready: Ready,
}

/// One server process. It ends when this value is dropped, and when the process that holds it ends in whatever way.
///
/// All methods take `&self`, so that one thread can kill what others are using.
#[derive(Debug)]
pub struct Server {
    name: &'static str,
    url: String,
    port: Port,
    /// Ports beside the main one, held as long.
    more_ports: Vec<Port>,
    launch: Launch,
    ready: Ready,
    room: PathBuf,
    group: Mutex<Option<Group>>,
    // Last: the folder goes after the process.
    ground: Ground,
}

impl Server {
    /// Starts it for the first time and waits until it is ready.
    pub(crate) fn started(ground: &Ground, parts: Parts) -> Result<Self> {
        let Parts { name, url, port, launch, room, ready } = parts;
        let server = Self {
            name,
            url,
            port,
            more_ports: Vec::new(),
            launch,
            ready,
            room,
            group: Mutex::new(None),
            ground: ground.clone(),
        };
        server.start()?;
        Ok(server)
    }

    pub(crate) fn holding(mut self, ports: impl IntoIterator<Item = Port>) -> Self {
        self.more_ports.extend(ports);
        self
    }

    pub(crate) fn more_ports(&self) -> impl Iterator<Item = &Port> {
        self.more_ports.iter()
    }

    /// What it is, for messages: `Kafka`.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Where clients find it, in the form that they want it in.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Its port on the loopback.
    pub fn port(&self) -> u16 {
        self.port.number()
    }

    /// The folder with its data and its log.
    pub fn folder(&self) -> &Path {
        &self.room
    }

    /// Its log: standard output and standard error of all its runs.
    pub fn log(&self) -> PathBuf {
        self.room.join("log")
    }

    /// The process that leads its group, while it runs.
    pub fn pid(&self) -> Option<u32> {
        self.group().as_ref().map(Group::pid)
    }

    /// Resident memory of all its processes in kilobytes, 0 while it does not run.
    pub fn resident_kb(&self) -> u64 {
        self.group().as_ref().map_or(0, Group::resident_kb)
    }

    /// The CPU time that its living processes have taken so far, to the clock tick; zero while it does not run.
    pub fn cpu(&self) -> Duration {
        self.group().as_ref().map_or(Duration::ZERO, Group::cpu)
    }

    /// Starts it on the same port with the same data, and says how long it took to be ready. One that runs is left
    /// alone.
    pub fn start(&self) -> Result<Duration> {
        let mut group = self.group();
        if let Some(running) = group.as_mut()
            && running.ended()?.is_none()
        {
            return Ok(Duration::ZERO);
        }
        let begin = Instant::now();
        let log = self.log();
        let seen = std::fs::metadata(&log).map_or(0, |log| log.len());
        let started = group.insert(self.launch.start(&log)?);
        if let Err(error) = self.until_ready(started, seen) {
            // The reason is in the error; that it is gone is all that matters here.
            let _ = started.kill();
            *group = None;
            return Err(error);
        }
        Ok(begin.elapsed())
    }

    /// SIGKILL: it ends as in a power cut, in the midst of whatever it does.
    pub fn kill(&self) -> Result<()> {
        match self.group().take() {
            Some(mut group) => group.kill().with_context(|| format!("cannot kill {}", self.name)),
            None => Ok(()),
        }
    }

    /// SIGTERM: it ends in order.
    pub fn stop(&self) -> Result<()> {
        let Some(mut group) = self.group().take() else { return Ok(()) };
        if !group.terminate(GRACE)? {
            group.kill()?;
            bail!(
                "{} did not end within {} s of SIGTERM{}",
                self.name,
                GRACE.as_secs(),
                tail(&self.log(), 5)
            );
        }
        Ok(())
    }

    /// Stops it in order where it runs, and starts it on the same port with the same data.
    pub fn restart(&self) -> Result<Duration> {
        self.stop()?;
        self.start()
    }

    /// SIGSTOP: its connections stay open and nothing answers any more.
    pub fn pause(&self) -> Result<()> {
        self.signal(Signal::STOP)
    }

    /// SIGCONT: goes on after a pause.
    pub fn resume(&self) -> Result<()> {
        self.signal(Signal::CONT)
    }

    fn signal(&self, signal: Signal) -> Result<()> {
        match self.group().as_ref() {
            Some(group) => Ok(group.signal(signal)?),
            None => bail!("{} does not run", self.name),
        }
    }

    fn group(&self) -> MutexGuard<'_, Option<Group>> {
        self.group.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn until_ready(&self, group: &mut Group, mut seen: u64) -> Result<()> {
        let deadline = Instant::now() + PATIENCE;
        let mut unread = String::new();
        loop {
            let ready = match self.ready {
                Ready::Log(words) => {
                    seen += read_on(&self.log(), seen, &mut unread)?;
                    let found = unread.contains(words);
                    unread.drain(..unread.rfind('\n').map_or(0, |end| end + 1));
                    found
                }
                Ready::Greeting(words) => greets(self.port(), words),
                Ready::Open => connect(self.port()).is_ok(),
            };
            if ready {
                return Ok(());
            }
            if let Some(status) = group.ended()? {
                bail!("{} ended while it started ({status}){}", self.name, tail(&self.log(), 10));
            }
            if Instant::now() > deadline {
                let patience = PATIENCE.as_secs();
                bail!("{} was not ready within {patience} s{}", self.name, tail(&self.log(), 10));
            }
            std::thread::sleep(LOOK);
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let Some(mut group) = self.group().take() else { return };
        // Nobody needs the data of a temporary folder; what stays is closed in order.
        if self.ground.is_temporary() || !group.terminate(GRACE).unwrap_or(false) {
            let _ = group.kill();
        }
    }
}

fn read_on(log: &Path, from: u64, into: &mut String) -> Result<u64> {
    let mut file = std::fs::File::open(log)?;
    file.seek(SeekFrom::Start(from))?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    into.push_str(&String::from_utf8_lossy(&bytes));
    Ok(bytes.len() as u64)
}

pub(crate) fn connect(port: u16) -> std::io::Result<TcpStream> {
    let stream =
        TcpStream::connect_timeout(&SocketAddr::from(([127, 0, 0, 1], port)), Duration::from_secs(1))?;
    stream.set_read_timeout(Some(Duration::from_secs(1)))?;
    Ok(stream)
}

fn greets(port: u16, words: &str) -> bool {
    let Ok(mut stream) = connect(port) else { return false };
    let mut greeting = vec![0; words.len()];
    stream.read_exact(&mut greeting).is_ok() && greeting == words.as_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(ground: &Ground, script: &str) -> Result<Server> {
        let room = ground.room("script")?;
        let launch = Launch::new("sh", &room).arguments(["-c", script]);
        let parts = Parts {
            name: "Script",
            url: String::new(),
            port: Port::free()?,
            launch,
            room,
            ready: Ready::Log("is ready"),
        };
        Server::started(ground, parts)
    }

    const COUNTS: &str = "echo run >> runs; echo is ready; exec sleep 600";

    #[test]
    fn a_server_is_killed_stopped_and_started_again_with_its_data() {
        let ground = Ground::temporary().unwrap();
        let server = server(&ground, COUNTS).unwrap();
        let first = server.pid().unwrap();
        server.kill().unwrap();
        assert_eq!(server.pid(), None);
        server.start().unwrap();
        assert_ne!(server.pid(), Some(first));
        server.restart().unwrap();
        server.stop().unwrap();
        assert_eq!(std::fs::read_to_string(server.folder().join("runs")).unwrap(), "run\nrun\nrun\n");
    }

    #[test]
    fn a_paused_server_stands_still_until_it_is_resumed() {
        let ground = Ground::temporary().unwrap();
        let server = server(&ground, COUNTS).unwrap();
        let stat = format!("/proc/{}/stat", server.pid().unwrap());
        let stands = || std::fs::read_to_string(&stat).unwrap().contains(") T ");
        server.pause().unwrap();
        while !stands() {
            std::thread::yield_now();
        }
        server.resume().unwrap();
        while stands() {
            std::thread::yield_now();
        }
        server.pause().unwrap();
        server.stop().unwrap();
        assert!(server.pause().unwrap_err().to_string().contains("does not run"));
    }

    #[test]
    fn a_server_that_fails_says_what_its_log_says() {
        let ground = Ground::temporary().unwrap();
        let error = server(&ground, "echo the disk is full; exit 7").unwrap_err().to_string();
        assert!(error.starts_with("Script ended while it started (exit status: 7)"), "{error}");
        assert!(error.ends_with("| the disk is full"), "{error}");
    }

    #[test]
    fn a_dropped_server_is_gone() {
        let ground = Ground::temporary().unwrap();
        let server = server(&ground, COUNTS).unwrap();
        let process = PathBuf::from(format!("/proc/{}", server.pid().unwrap()));
        assert!(process.exists());
        drop(server);
        assert!(!process.exists());
    }
}
