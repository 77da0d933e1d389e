//! `techpotli jobs`: look at what is done in the background, have it tried again, or give it up.

use anyhow::{Context as _, anyhow, bail};
use auth::PassportSigner;
use common::Clock;
use common::id::JobId;
use jobs::{Listed, State};
use runtime::Tasks;
use subgraph::{Peers, Ports};

use crate::assembly::Shared;
use crate::cli::{ChosenJobs, JobsCommand};
use crate::rooms::{ROOMS, Room, room};
use crate::settings::Settings;
use crate::table;

/// Jobs that are read at once.
const PAGE: u64 = 100;

/// Runs it.
pub async fn run(settings: &Settings, command: JobsCommand) -> anyhow::Result<()> {
    match command {
        JobsCommand::List { subgraph, failed, limit, after } => {
            let desk = Desk::open(settings, subgraph.as_deref()).await?;
            desk.list(failed, limit.get().into(), after.as_deref()).await
        }
        JobsCommand::Retry(choice) => retry(settings, &choice).await,
        JobsCommand::Drop(choice) => give_up(settings, &choice).await,
    }
}

async fn retry(settings: &Settings, choice: &ChosenJobs) -> anyhow::Result<()> {
    let desk = Desk::open(settings, choice.subgraph.as_deref()).await?;
    let mut again = 0_u32;
    for (ports, job) in desk.chosen(choice).await? {
        match jobs::retry(&ports.database, job.id, ports.clock.now()).await.map_err(told)? {
            true => {
                println!("{} is to run in {}: {}.", job.id, ports.name, job.name);
                again += 1;
            }
            false => println!("{} is being run or is over.", job.id),
        }
    }
    match again {
        1 => println!("1 job is tried again."),
        _ => println!("{again} jobs are tried again."),
    }
    Ok(())
}

async fn give_up(settings: &Settings, choice: &ChosenJobs) -> anyhow::Result<()> {
    let desk = Desk::open(settings, choice.subgraph.as_deref()).await?;
    let mut dropped = 0_u32;
    for (ports, job) in desk.chosen(choice).await? {
        match jobs::drop_job(&ports.database, job.id, ports.clock.now()).await.map_err(told)? {
            true => dropped += 1,
            false => println!("{} is being run or is over.", job.id),
        }
    }
    match dropped {
        1 => println!("1 job is dropped for good."),
        _ => println!("{dropped} jobs are dropped for good."),
    }
    Ok(())
}

/// Where jobs are looked at.
struct Desk {
    subgraphs: Vec<Ports>,
}

impl Desk {
    /// Opens the databases of one subgraph, or of all.
    async fn open(settings: &Settings, subgraph: Option<&str>) -> anyhow::Result<Self> {
        let rooms: Vec<&Room> = match subgraph {
            Some(name) => vec![room(name)?],
            None => ROOMS.iter().collect(),
        };
        settings.prepare_data_dir()?;
        let (bus, keys, tasks) = (settings.bus()?, settings.keys()?, Tasks::never());
        let peers = Peers::new(PassportSigner::new(&keys.passport, Clock::system()));
        let shared = Shared { settings, keys: &keys, bus, peers, tasks: &tasks };
        let subgraphs = futures::future::try_join_all(rooms.iter().map(|room| shared.open(room))).await?;
        Ok(Self { subgraphs })
    }

    /// Prints a page of jobs: of each subgraph in turn, the oldest first.
    async fn list(&self, failed: bool, limit: u64, after: Option<&str>) -> anyhow::Result<()> {
        let mut rows = Vec::new();
        let mut after = after.map(position).transpose()?;
        for ports in &self.subgraphs {
            let from = match &after {
                Some((subgraph, _)) if subgraph != ports.name => continue,
                Some((_, id)) => Some(*id),
                None => None,
            };
            after = None;
            // One more than is shown says whether there are more.
            let wanted = limit + 1 - rows.len() as u64;
            let found = jobs::list(&ports.database, failed, from, wanted, ports.clock.now()).await;
            rows.extend(found.map_err(told)?.into_iter().map(|job| (ports.name, job)));
            if rows.len() as u64 > limit {
                break;
            }
        }
        if let Some((subgraph, _)) = after {
            bail!("--after names {subgraph}, which is not among those that are listed");
        }
        let more = rows.len() as u64 > limit;
        rows.truncate(usize::try_from(limit)?);
        if rows.is_empty() {
            println!("{}", if failed { "No job has failed." } else { "There are no jobs." });
            return Ok(());
        }
        print_table(&rows)?;
        if let (true, Some((name, job))) = (more, rows.last()) {
            println!("\nThere are more: --after {name}/{}", job.id);
        }
        Ok(())
    }

    /// The jobs that a command is about.
    async fn chosen(&self, choice: &ChosenJobs) -> anyhow::Result<Vec<(&Ports, Listed)>> {
        if choice.ids.is_empty() && !choice.all {
            bail!("say which jobs by their ids, or --all that have failed");
        }
        let mut chosen = Vec::new();
        for text in &choice.ids {
            let id: JobId = text.parse().map_err(|error| anyhow!("'{text}' is {error}"))?;
            let before = chosen.len();
            for ports in &self.subgraphs {
                let found = jobs::find(&ports.database, id, ports.clock.now()).await.map_err(told)?;
                chosen.extend(found.map(|job| (ports, job)));
            }
            if chosen.len() == before {
                bail!("there is no job {id}: it is over or was dropped, or belongs to another subgraph");
            }
        }
        if choice.all {
            for ports in &self.subgraphs {
                let mut after = None;
                loop {
                    let page = jobs::list(&ports.database, true, after, PAGE, ports.clock.now()).await;
                    let page = page.map_err(told)?;
                    let Some(last) = page.last() else { break };
                    after = Some(last.id);
                    chosen.extend(page.into_iter().map(|job| (ports, job)));
                }
            }
        }
        Ok(chosen)
    }
}

fn told(fault: common::Fault) -> anyhow::Error {
    anyhow!("{}", fault.chain())
}

/// `SUBGRAPH/JOB`, as a page's end is printed.
fn position(text: &str) -> anyhow::Result<(String, JobId)> {
    let (subgraph, id) = text.split_once('/').context("--after must look like SUBGRAPH/JOB")?;
    Ok((subgraph.to_owned(), id.parse().map_err(|error| anyhow!("'{id}' is {error}"))?))
}

fn print_table(rows: &[(&str, Listed)]) -> anyhow::Result<()> {
    let head = ["SUBGRAPH", "JOB", "NAME", "KEY", "STATE", "RUNS AT", "TRIES", "LAST ERROR"];
    let rows = rows.iter().map(|(name, job)| {
        let runs_at = match job.state {
            State::Running => "now".to_owned(),
            _ => job.run_at.map_or_else(|| "-".to_owned(), |at| at.to_string()),
        };
        [
            (*name).to_owned(),
            job.id.to_string(),
            job.name.clone(),
            table::or_dash(&job.key),
            job.state.as_str().to_owned(),
            runs_at,
            job.attempts.to_string(),
            table::or_dash(&table::reason(job.last_error.as_deref().unwrap_or_default())),
        ]
    });
    table::print(head, rows)
}
