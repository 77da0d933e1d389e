//! `services`: starts real servers for tests and for a shop at one's desk, and ends them with itself.

use std::ffi::OsString;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use clap::builder::PossibleValue;
use clap::{Args, Parser, Subcommand, ValueEnum};
use rustix::process::{Pid, Signal, kill_process};
use services::{Ground, Options, Service, Started, Tool, Unavailable};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

/// What a caller reports as skipped: the service cannot be had on this machine.
const UNAVAILABLE: u8 = 3;

/// Are all servers ready?
static STARTED: AtomicBool = AtomicBool::new(false);

/// Real servers for tests and development, on free ports of the loopback, without containers.
///
/// What they need is fetched by apt-get, mvn and pip at the first start, and kept in $TECHPOTLI_SERVICES_CACHE, else in
/// ~/.cache/techpotli/services. No server outlives this program, however it ends. Where systemd runs, Debian's packages
/// redis-server and prometheus also start a server of the system, which `systemctl disable --now NAME` ends.
///
/// The program ends with 3 when a service cannot be had here.
#[derive(Parser)]
#[command(name = "services", version)]
struct Line {
    #[command(subcommand)]
    command: Commands,
}

#[derive(Subcommand)]
enum Commands {
    /// Start services, print where they are, and run until Ctrl-C
    Up {
        #[command(flatten)]
        wanted: Wanted,
        /// Write the variables into this file when all are ready
        #[arg(long, value_name = "FILE")]
        env_file: Option<PathBuf>,
        /// End when standard input closes, too
        #[arg(long)]
        while_stdin: bool,
    },
    /// Start services, run a command with their variables, stop them, and end as the command did
    With {
        #[command(flatten)]
        wanted: Wanted,
        /// The command and its arguments
        #[arg(last = true, required = true)]
        command: Vec<OsString>,
    },
    /// Fetch what services or tools need, and start nothing
    Install {
        #[arg(required = true, value_name = "NAME")]
        names: Vec<Installable>,
    },
    /// Tell what there is
    List,
}

#[derive(Args)]
struct Wanted {
    #[arg(required = true, value_name = "NAME")]
    names: Vec<Service>,
    /// Keep data and logs in this folder; servers started there again find them
    #[arg(long, value_name = "DIR")]
    folder: Option<PathBuf>,
    /// Keycloak's realm, as its export writes it; the shop's where none is given
    #[arg(long, value_name = "FILE")]
    realm: Option<PathBuf>,
    /// How far behind its primary the MariaDB replica stays
    #[arg(long, value_name = "SECONDS", default_value_t = 0)]
    replica_delay: u64,
    /// Prometheus' configuration
    #[arg(long, value_name = "FILE")]
    prometheus_config: Option<PathBuf>,
}

#[derive(Clone, Copy)]
enum Installable {
    Service(Service),
    Tool(Tool),
}

impl ValueEnum for Installable {
    fn value_variants<'a>() -> &'a [Self] {
        static ALL: std::sync::LazyLock<Vec<Installable>> = std::sync::LazyLock::new(|| {
            let services = Service::value_variants().iter().copied().map(Installable::Service);
            services.chain(Tool::value_variants().iter().copied().map(Installable::Tool)).collect()
        });
        &ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        match self {
            Self::Service(service) => service.to_possible_value(),
            Self::Tool(tool) => tool.to_possible_value(),
        }
    }
}

fn main() -> ExitCode {
    match run(Line::parse().command) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("services: {error:#}");
            if error.downcast_ref::<Unavailable>().is_some() {
                return ExitCode::from(UNAVAILABLE);
            }
            ExitCode::FAILURE
        }
    }
}

fn run(command: Commands) -> Result<ExitCode> {
    match command {
        Commands::Up { wanted, env_file, while_stdin } => up(&wanted, env_file.as_deref(), while_stdin),
        Commands::With { wanted, command } => with(&wanted, &command),
        Commands::Install { names } => {
            for name in names {
                match name {
                    Installable::Service(service) => service.install()?,
                    Installable::Tool(tool) => tool.install()?,
                }
            }
            Ok(ExitCode::SUCCESS)
        }
        Commands::List => {
            for value in Installable::value_variants().iter().filter_map(ValueEnum::to_possible_value) {
                println!(
                    "{:16} {}",
                    value.get_name(),
                    value.get_help().map(ToString::to_string).unwrap_or_default()
                );
            }
            Ok(ExitCode::SUCCESS)
        }
    }
}

fn up(wanted: &Wanted, env_file: Option<&Path>, while_stdin: bool) -> Result<ExitCode> {
    let (end, ended) = mpsc::channel();
    hear_signals(end.clone())?;
    if while_stdin {
        std::thread::spawn(move || {
            let mut rest = Vec::new();
            // An error closes it as well.
            let _ = std::io::stdin().read_to_end(&mut rest);
            let _ = end.send(SIGTERM);
        });
    }
    let started = start(wanted)?;
    if let Some(file) = env_file {
        write_whole(file, &environment(&started))?;
    }
    print!("{}", environment(&started));
    eprintln!("Running. Ctrl-C ends {}.", if started.servers().count() == 1 { "it" } else { "them" });
    ended.recv().context("nothing can end this any more")?;
    stop(&started)?;
    if let Some(file) = env_file {
        std::fs::remove_file(file)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn with(wanted: &Wanted, command: &[OsString]) -> Result<ExitCode> {
    let Some((program, arguments)) = command.split_first() else { bail!("name a command after --") };
    let (end, ended) = mpsc::channel();
    hear_signals(end)?;
    let started = start(wanted)?;
    let variables = started.variables.iter().map(|(name, value)| (name, value));
    let mut child = Command::new(program)
        .args(arguments)
        .envs(variables)
        .spawn()
        .with_context(|| format!("cannot start {}", program.to_string_lossy()))?;
    // The servers end after the command, however it is ended.
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        match ended.recv_timeout(Duration::from_millis(50)) {
            // Ctrl-C reaches the command by itself; other signals were for this program alone.
            Ok(SIGINT) | Err(_) => {}
            Ok(_) => {
                if let Some(pid) = Pid::from_raw(child.id().cast_signed()) {
                    kill_process(pid, Signal::TERM)?;
                }
            }
        }
    };
    stop(&started)?;
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    Ok(code.map_or(ExitCode::FAILURE, ExitCode::from))
}

fn start(wanted: &Wanted) -> Result<Started> {
    let ground = match &wanted.folder {
        Some(folder) => Ground::at(folder)?,
        None => Ground::temporary()?,
    };
    let options = Options {
        realm: wanted.realm.clone(),
        replica_delay: Duration::from_secs(wanted.replica_delay),
        prometheus_config: wanted.prometheus_config.clone(),
    };
    let mut started = Started::default();
    for service in &wanted.names {
        let begin = Instant::now();
        let before: Vec<u16> = started.servers().map(services::Server::port).collect();
        started.start(&ground, *service, &options)?;
        for server in started.servers().filter(|server| !before.contains(&server.port())) {
            let (name, url, megabytes) = (server.name(), server.url(), server.resident_kb() / 1_000);
            eprintln!("{name}: {url} ({megabytes} MB)");
        }
        eprintln!("{} is ready after {:.1} s.", service.name(), begin.elapsed().as_secs_f64());
    }
    STARTED.store(true, Ordering::Relaxed);
    Ok(started)
}

/// In order, so that the data in a kept folder is closed properly.
fn stop(started: &Started) -> Result<()> {
    // Those that were started last use those before them.
    let servers: Vec<_> = started.servers().collect();
    servers.into_iter().rev().try_for_each(services::Server::stop)
}

/// Passes on each signal that asks for the end. While servers are still starting it ends the program at once, and the
/// kernel ends the servers.
fn hear_signals(end: mpsc::Sender<i32>) -> Result<()> {
    let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP])?;
    std::thread::spawn(move || {
        for signal in signals.forever() {
            if !STARTED.load(Ordering::Relaxed) || end.send(signal).is_err() {
                std::process::exit(128 + signal);
            }
        }
    });
    Ok(())
}

fn environment(started: &Started) -> String {
    started.variables.iter().map(|(name, value)| format!("{name}={value}\n")).collect()
}

/// Whoever waits for the file sees all of it or none.
fn write_whole(file: &Path, text: &str) -> Result<()> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let part = tempfile::NamedTempFile::new_in(folder)
        .with_context(|| format!("cannot write into {}", folder.display()))?;
    std::fs::write(part.path(), text)?;
    part.persist(file).with_context(|| format!("cannot write {}", file.display()))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_file_holds_a_line_for_each_variable_and_replaces_an_older_one() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("env");
        let mut started = Started::default();
        started.variables.push(("TECHPOTLI_TEST_REDIS", "redis://127.0.0.1:1".to_owned()));
        started.variables.push(("TECHPOTLI_TEST_KAFKA", "127.0.0.1:2".to_owned()));
        std::fs::write(&file, "TECHPOTLI_TEST_OLD=1\n").unwrap();
        write_whole(&file, &environment(&started)).unwrap();
        assert_eq!(
            std::fs::read_to_string(&file).unwrap(),
            "TECHPOTLI_TEST_REDIS=redis://127.0.0.1:1\nTECHPOTLI_TEST_KAFKA=127.0.0.1:2\n"
        );
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
