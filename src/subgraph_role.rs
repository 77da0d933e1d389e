//! `techpotli subgraph NAME`: one subgraph as a process of its own, behind the gateway's passports.

use std::time::Duration;

use auth::PassportSigner;
use common::Clock;
use runtime::{Tasks, server};
use subgraph::{Peer, Peers};

use crate::assembly::{self, Shared};
use crate::cli::SubgraphCommand;
use crate::rooms::room;
use crate::settings::Settings;

/// How long requests under way may take to end after a signal.
const PATIENCE: Duration = Duration::from_secs(10);

/// Runs until a signal.
pub async fn run(settings: &Settings, command: &SubgraphCommand) -> anyhow::Result<()> {
    let room = room(&command.name)?;
    let listener = server::listen(settings.listen).await?;
    let address = listener.local_addr()?;
    settings.prepare_data_dir()?;
    let keys = settings.keys()?;
    let tasks = Tasks::new();
    tasks.stop_on_signal(settings.drain());
    let bus = settings.bus()?;
    let peers = Peers::new(PassportSigner::new(&keys.passport, Clock::system()));
    for (name, url) in &command.peers {
        crate::rooms::room(name)?;
        peers.know(name, Peer::Remote(url.clone()));
        if *name != room.name {
            subgraph::listen_to(&bus, &peers, room.name, name, url);
        }
    }
    let shared = Shared { settings, keys: &keys, bus: bus.clone(), peers: peers.clone(), tasks: &tasks };
    let ports = shared.open(room).await?;
    let begun = ports.clock.now();
    let built = (room.build)(&ports);
    peers.know(room.name, Peer::Local(built.clone().into()));
    match bus.is_shared() {
        // Workers relay, apply and do the jobs; memory hears of it.
        true => assembly::follow(&built, &bus, begun, &tasks),
        false => {
            if let Some(receiver) = &built.receiver {
                bus.join(receiver.clone());
            }
            assembly::relay(&ports, &tasks);
            built.work(&ports, &tasks);
        }
    }
    server::serve(room.name, listener, subgraph::router(built, &ports), &tasks);
    println!("Serving {} on http://{address}/graphql", room.name);
    tasks.stopping().await;
    tasks.ended(PATIENCE).await;
    Ok(())
}
