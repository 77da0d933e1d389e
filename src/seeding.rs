//! `techpotli seed`, and the demo data of a first start.

use std::sync::Arc;
use std::time::Instant;

use anyhow::anyhow;
use indicatif::{ProgressBar, ProgressStyle};
use runtime::Tasks;
use seed::World;
use subgraph::Ports;
use subgraph::seeding::Progress;

use crate::assembly;
use crate::cli::SeedCommand;
use crate::rooms::ROOMS;
use crate::settings::Settings;

/// `techpotli seed`.
pub async fn run(settings: &Settings, command: &SeedCommand) -> anyhow::Result<()> {
    settings.prepare_data_dir()?;
    let ports = assembly::open_all(settings, &settings.keys()?, &Tasks::new()).await?;
    let world =
        World { products: command.products, users: command.users, orders: command.orders, ..World::DEMO };
    let begun = Instant::now();
    fill(&ports, &world).await?;
    println!(
        "{} products, {} users and {} orders are there ({:.1} s).",
        world.products,
        world.users,
        world.orders,
        begun.elapsed().as_secs_f32()
    );
    Ok(())
}

/// Fills all subgraphs, those with databases of their own side by side, with a progress bar on a terminal.
pub async fn fill(ports: &[Ports], world: &World) -> anyhow::Result<()> {
    let total: u64 = ROOMS.iter().map(|room| (room.rows)(world)).sum();
    let style = ProgressStyle::with_template("Seeding {bar:40} {percent:>3}% {msg}")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    let bar = Arc::new(ProgressBar::new(total).with_style(style));
    let shown = Arc::clone(&bar);
    let progress = Progress::new(move |rows| shown.inc(rows));
    let filled = futures::future::try_join_all(ROOMS.iter().zip(ports).map(|(room, ports)| {
        let progress = progress.clone();
        async move {
            (room.seed)(ports, world, &progress)
                .await
                .map_err(|fault| anyhow!("{} cannot be filled: {}", room.name, fault.chain()))
        }
    }))
    .await;
    bar.finish_and_clear();
    filled.map(drop)
}
