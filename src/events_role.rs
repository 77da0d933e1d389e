//! `techpotli events`: look at events that could not be applied, apply them again, or give them up.

use anyhow::{Context as _, anyhow, bail};
use auth::PassportSigner;
use common::Clock;
use common::id::EventId;
use messaging::{Bus, DeadLetter, Receiver};
use runtime::Tasks;
use subgraph::{Peers, Ports};

use crate::assembly::Shared;
use crate::cli::{Choice, EventsCommand};
use crate::rooms::{ROOMS, Room, room};
use crate::settings::Settings;
use crate::table;

/// Dead letters that are read at once.
const PAGE: u64 = 100;

/// Runs it.
pub async fn run(settings: &Settings, command: EventsCommand) -> anyhow::Result<()> {
    match command {
        EventsCommand::List { subgraph, limit, after } => {
            let desk = Desk::open(settings, subgraph.as_deref()).await?;
            desk.list(limit.get().into(), after.as_deref()).await
        }
        EventsCommand::Replay(choice) => replay(settings, &choice).await,
        EventsCommand::Drop(choice) => give_up(settings, &choice).await,
    }
}

async fn replay(settings: &Settings, choice: &Choice) -> anyhow::Result<()> {
    let desk = Desk::open(settings, choice.subgraph.as_deref()).await?;
    let (mut applied, mut failed) = (0, 0);
    for (listener, letter) in desk.chosen(choice).await? {
        let id = letter.event.id;
        match listener.receiver.replay(&letter.event).await {
            Ok(true) => {
                desk.bus.announce(listener.ports.name, &[letter.event]).await.map_err(told)?;
                println!("{id} is applied in {}.", listener.ports.name);
                applied += 1;
            }
            Ok(false) => println!("{id} was taken by somebody else meanwhile."),
            Err(fault) => {
                println!("{id} fails again in {}: {}", listener.ports.name, fault.chain());
                failed += 1;
            }
        }
    }
    println!("{applied} applied, {failed} stay dead letters.");
    if applied > 0 && !desk.bus.is_shared() {
        println!("On the bus in memory, a running process finds it in its search after a restart.");
    }
    match failed {
        0 => Ok(()),
        _ => bail!("{failed} events could not be applied"),
    }
}

async fn give_up(settings: &Settings, choice: &Choice) -> anyhow::Result<()> {
    let desk = Desk::open(settings, choice.subgraph.as_deref()).await?;
    let mut dropped = 0;
    for (listener, letter) in desk.chosen(choice).await? {
        let was = messaging::drop_dead_letter(&listener.ports.database, letter.event.id).await;
        dropped += u64::from(was.map_err(told)?);
    }
    match dropped {
        1 => println!("1 dead letter is dropped for good."),
        _ => println!("{dropped} dead letters are dropped for good."),
    }
    Ok(())
}

/// A subgraph that listens, with what it cannot apply.
struct Listener {
    ports: Ports,
    receiver: Receiver,
}

/// Where dead letters are looked at.
struct Desk {
    bus: Bus,
    listeners: Vec<Listener>,
}

impl Desk {
    /// Opens the databases of one subgraph, or of all that listen.
    async fn open(settings: &Settings, subgraph: Option<&str>) -> anyhow::Result<Self> {
        let rooms: Vec<&Room> = match subgraph {
            Some(name) => vec![room(name)?],
            None => ROOMS.iter().collect(),
        };
        settings.prepare_data_dir()?;
        let (bus, keys) = (settings.bus()?, settings.keys()?);
        let peers = Peers::new(PassportSigner::new(&keys.passport, Clock::system()));
        let mut listeners = Vec::new();
        let tasks = Tasks::never();
        let shared = Shared { settings, keys: &keys, bus: bus.clone(), peers, tasks: &tasks };
        for room in rooms {
            let ports = shared.open(room).await?;
            if let Some(receiver) = (room.build)(&ports).receiver {
                listeners.push(Listener { ports, receiver });
            }
        }
        match (subgraph, listeners.is_empty()) {
            (Some(name), true) => Err(anyhow!("{name} listens to no events")),
            _ => Ok(Self { bus, listeners }),
        }
    }

    /// Prints a page of dead letters: of each subgraph in turn, the oldest event first.
    async fn list(&self, limit: u64, after: Option<&str>) -> anyhow::Result<()> {
        let mut rows = Vec::new();
        let mut after = after.map(position).transpose()?;
        for listener in &self.listeners {
            let name = listener.ports.name;
            let from = match &after {
                Some((subgraph, _)) if subgraph != name => continue,
                Some((_, id)) => Some(*id),
                None => None,
            };
            after = None;
            // One more than is shown says whether there are more.
            let wanted = limit + 1 - rows.len() as u64;
            let letters = messaging::dead_letters(&listener.ports.database, from, wanted).await;
            rows.extend(letters.map_err(told)?.into_iter().map(|letter| (name, letter)));
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
            println!("There are no dead letters.");
            return Ok(());
        }
        print_table(&rows)?;
        if let (true, Some((name, letter))) = (more, rows.last()) {
            println!("\nThere are more: --after {name}/{}", letter.event.id);
        }
        Ok(())
    }

    /// The dead letters that a command is about.
    async fn chosen(&self, choice: &Choice) -> anyhow::Result<Vec<(&Listener, DeadLetter)>> {
        if choice.ids.is_empty() && !choice.all {
            bail!("say which events by their ids, or --all");
        }
        let mut chosen = Vec::new();
        for text in &choice.ids {
            let id: EventId = text.parse().map_err(|error| anyhow!("'{text}' is {error}"))?;
            let before = chosen.len();
            for listener in &self.listeners {
                let found = messaging::dead_letter(&listener.ports.database, id).await.map_err(told)?;
                chosen.extend(found.map(|letter| (listener, letter)));
            }
            if chosen.len() == before {
                bail!("{id} is no dead letter: it was replayed or dropped, or belongs to another subgraph");
            }
        }
        if choice.all {
            for listener in &self.listeners {
                let mut after = None;
                loop {
                    let page = messaging::dead_letters(&listener.ports.database, after, PAGE).await;
                    let page = page.map_err(told)?;
                    let Some(last) = page.last() else { break };
                    after = Some(last.event.id);
                    chosen.extend(page.into_iter().map(|letter| (listener, letter)));
                }
            }
        }
        Ok(chosen)
    }
}

fn told(fault: common::Fault) -> anyhow::Error {
    anyhow!("{}", fault.chain())
}

/// `SUBGRAPH/EVENT`, as a page's end is printed.
fn position(text: &str) -> anyhow::Result<(String, EventId)> {
    let (subgraph, id) = text.split_once('/').context("--after must look like SUBGRAPH/EVENT")?;
    Ok((subgraph.to_owned(), id.parse().map_err(|error| anyhow!("'{id}' is {error}"))?))
}

fn print_table(rows: &[(&str, DeadLetter)]) -> anyhow::Result<()> {
    let head = ["SUBGRAPH", "EVENT", "PUBLISHER", "AGGREGATE", "GIVEN UP", "FOUND AT", "REASON"];
    let rows = rows.iter().map(|(name, letter)| {
        [
            (*name).to_owned(),
            letter.event.id.to_string(),
            letter.event.topic.clone(),
            letter.event.key.clone(),
            letter.at.to_string(),
            table::or_dash(&letter.origin),
            table::reason(&letter.reason),
        ]
    });
    table::print(head, rows)
}
