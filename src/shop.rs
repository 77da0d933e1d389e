//! The whole shop in one process: what `cargo run` starts.

use std::time::{Duration, Instant};

use auth::TokenVerifier;
use common::Clock;
use gateway::{Gateway, Keys};
use runtime::{Tasks, server};
use seed::World;

use crate::assembly::{self, Shop};
use crate::endings::IssuedSessions;
use crate::logins::LogIn;
use crate::settings::Settings;
use crate::{images, logins, seeding, welcome};

/// How long requests under way may take to end after a signal.
const PATIENCE: Duration = Duration::from_secs(10);

/// Runs until a signal.
pub async fn run(settings: &Settings) -> anyhow::Result<()> {
    let begun = Instant::now();
    // The port first: when it is taken, nothing else is worth doing.
    let listener = server::listen(settings.listen).await?;
    let address = listener.local_addr()?;
    settings.prepare_data_dir()?;
    let keys = settings.keys()?;
    let tasks = Tasks::new();
    tasks.stop_on_signal(settings.drain());
    let ports = assembly::open_all(settings, &keys, &tasks).await?;
    if settings.seed == "demo" {
        seeding::fill(&ports, &World::DEMO).await?;
    }
    let peers = ports.first().map(|first| first.peers.clone());
    let LogIn { logins, issuer } = match &peers {
        Some(peers) => LogIn::open(settings, address, &keys, peers, &tasks)?,
        None => LogIn::default(),
    };
    let has_page = logins.is_some();
    let shop = Shop::build(ports);
    let mut config = settings.gateway()?;
    if let Some(graphiql) = &mut config.graphiql {
        welcome::fill_graphiql(graphiql, &World::DEMO);
    }
    let engine = shop.engine(config.engine_options())?;
    let clock = Clock::system();
    let tokens = TokenVerifier::new(&keys.session.verifying(), clock.clone());
    let endings = peers.map(IssuedSessions::of);
    let keys = Keys { tokens, passports: None, clock, endings, login: logins };
    let gateway = Gateway::new(config, engine, keys, &tasks);
    let router = logins::router(issuer.as_ref(), &gateway).merge(images::router());
    server::serve("gateway", listener, router, &tasks);
    welcome::print(settings, address, has_page, begun.elapsed());
    tasks.stopping().await;
    if !tasks.ended(PATIENCE).await {
        tracing::warn!("some requests did not end in time");
    }
    Ok(())
}
