//! `techpotli search reindex`.

use std::time::Instant;

use anyhow::{Context as _, anyhow, bail};
use auth::PassportSigner;
use common::Clock;
use indicatif::{ProgressBar, ProgressStyle};
use messaging::Bus;
use runtime::Tasks;
use subgraph::Peers;

use crate::assembly::Shared;
use crate::rooms::room;
use crate::settings::Settings;

/// What is said where there is no engine.
const EMBEDDED: &str = "TECHPOTLI_SEARCH_URL is 'embedded': the index in memory is made anew at every start";

/// Builds the index anew, with a progress bar on a terminal; or asks for it.
pub async fn run(settings: &Settings, background: bool) -> anyhow::Result<()> {
    settings.prepare_data_dir()?;
    let keys = settings.keys()?;
    let peers = Peers::new(PassportSigner::new(&keys.passport, Clock::system()));
    let room = room(search::NAME).context("search is one of the rooms")?;
    let tasks = Tasks::new();
    let shared = Shared { settings, keys: &keys, bus: Bus::new(), peers, tasks: &tasks };
    let ports = shared.open(room).await?;
    if background {
        let asked = search::ask_to_reindex(&ports).await.map_err(|fault| anyhow!("{}", fault.chain()))?;
        match asked {
            Some(true) => println!("It is asked for: see `techpotli jobs list --subgraph search`."),
            Some(false) => println!("It was asked for already: see `techpotli jobs list --subgraph search`."),
            None => bail!(EMBEDDED),
        }
        return Ok(());
    }
    let begun = Instant::now();
    let style =
        ProgressStyle::with_template("Indexing {bar:40} {percent:>3}% {pos} of {len} products, {eta} left")
            .unwrap_or_else(|_| ProgressStyle::default_bar());
    let failed = |fault: common::Fault| {
        anyhow!("the index is not finished; call this again to go on with it: {}", fault.chain())
    };
    let bar = ProgressBar::new(search::products(&ports).await.map_err(failed)?).with_style(style);
    let built = search::reindex(&ports, |products| bar.inc(products)).await.map_err(failed);
    let products = bar.position();
    bar.finish_and_clear();
    let Some(index) = built? else {
        bail!(EMBEDDED);
    };
    println!("{index} is searched now: {products} products ({:.1} s).", begun.elapsed().as_secs_f32());
    Ok(())
}
