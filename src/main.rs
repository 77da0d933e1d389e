//! `techpotli`: one binary, several roles. Without arguments it is the whole shop in one process.

#![recursion_limit = "256"]

mod accounts;
mod assembly;
mod cli;
mod endings;
mod events_role;
mod gateway_role;
mod images;
mod issuer;
mod jobs_role;
mod local;
mod logins;
mod reindex;
mod rooms;
mod schema;
mod seeding;
mod settings;
mod shop;
mod subgraph_role;
mod supergraph_source;
mod table;
mod welcome;
mod worker_role;

use std::process::ExitCode;

use clap::Parser as _;

use runtime::telemetry::Traces;

use cli::{Cli, Command, ConfigCommand, SearchCommand};

/// A request makes thousands of small blocks that live no longer than it does.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    // A missing .env is the usual case; one that cannot be read must not pass for one.
    if let Err(error) = dotenvy::dotenv()
        && !error.not_found()
    {
        return refuse(&format!("the file .env cannot be used: {error}"));
    }
    if let Err(message) = settings::refuse_unknown_variables() {
        return refuse(&message);
    }
    let cli = Cli::parse();
    // Whatever is counted later is counted from the beginning.
    let _metrics = runtime::telemetry::metrics();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return refuse(&format!("the runtime does not start: {error}")),
    };
    let traces = {
        let _entered = runtime.enter();
        match begin_telemetry(&cli) {
            Ok(traces) => traces,
            Err(message) => return refuse(&message),
        }
    };
    let ended = runtime.block_on(run(cli));
    // While the runtime is there, which sends them.
    traces.end();
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => refuse(&format!("{error:#}")),
    }
}

fn begin_telemetry(cli: &Cli) -> Result<Traces, String> {
    let settings = &cli.settings;
    let collector = settings.collector(&cli.service()).map_err(|error| format!("{error:#}"))?;
    runtime::telemetry::begin(settings.log_format, &settings.log, collector.as_ref())
}

async fn run(cli: Cli) -> anyhow::Result<()> {
    let settings = cli.settings;
    match cli.command {
        None => shop::run(&settings).await,
        Some(Command::Gateway(command)) => gateway_role::run(&settings, &command).await,
        Some(Command::Subgraph(command)) => subgraph_role::run(&settings, &command).await,
        Some(Command::Worker(command)) => worker_role::run(&settings, &command).await,
        Some(Command::Events(command)) => events_role::run(&settings, command).await,
        Some(Command::Jobs(command)) => jobs_role::run(&settings, command).await,
        Some(Command::Seed(command)) => seeding::run(&settings, &command).await,
        Some(Command::Migrate) => assembly::migrate(&settings).await,
        Some(Command::Search(SearchCommand::Reindex { background })) => {
            reindex::run(&settings, background).await
        }
        Some(Command::Schema(command)) => schema::run(command).await,
        Some(Command::Config(ConfigCommand::Check)) => settings.check(),
    }
}

/// One clear sentence and a non-zero exit.
fn refuse(message: &str) -> ExitCode {
    eprintln!("techpotli: {message}");
    ExitCode::FAILURE
}
