//! `techpotli gateway`: a federation gateway for anybody's subgraphs.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use auth::{PassportSigner, SigningKey, TokenVerifier};
use common::Clock;
use engine::{Engine, HttpClient, HttpOptions, Subgraphs};
use gateway::{Gateway, Keys};
use runtime::{Tasks, server};

use crate::assembly::parse_supergraph;
use crate::cli::GatewayCommand;
use crate::images;
use crate::settings::Settings;

/// How long requests under way may take to end after a signal.
const PATIENCE: Duration = Duration::from_secs(10);

/// Runs until a signal.
pub async fn run(settings: &Settings, command: &GatewayCommand) -> anyhow::Result<()> {
    let listener = server::listen(settings.listen).await?;
    let address = listener.local_addr()?;
    let sdl = std::fs::read_to_string(&command.supergraph)
        .with_context(|| format!("the supergraph {} cannot be read", command.supergraph.display()))?;
    let supergraph = parse_supergraph(&sdl)?;
    let client = HttpClient::new(HttpOptions::default());
    let mut reached = Subgraphs::new();
    for subgraph in supergraph.subgraphs() {
        let given =
            command.subgraphs.iter().find(|(name, _)| *name == *subgraph.name).map(|(_, url)| url.as_str());
        let url = given.unwrap_or(&subgraph.url);
        let uri = url.parse().map_err(|_| anyhow!("'{url}' is no URL of the subgraph {}", subgraph.name))?;
        reached = reached.with_http(&*subgraph.name, client.subgraph(uri));
    }
    let names: Vec<String> =
        supergraph.subgraphs().iter().map(|subgraph| subgraph.name.to_string()).collect();
    if let Some((unknown, _)) = command.subgraphs.iter().find(|(name, _)| !names.contains(name)) {
        anyhow::bail!("the supergraph has no subgraph '{unknown}': it has {}", names.join(", "));
    }
    let config = settings.gateway();
    let engine = Engine::new(Arc::new(supergraph), reached, config.engine_options())?;
    let tasks = Tasks::new();
    tasks.stop_on_signal();
    let gateway = Gateway::new(config, engine, keys(settings, command.shop_keys)?, &tasks);
    let router = if command.shop_keys { gateway.router().merge(images::router()) } else { gateway.router() };
    server::serve("gateway", listener, router, &tasks);
    println!("Serving {} on http://{address}/graphql", names.join(", "));
    tasks.stopping().await;
    tasks.ended(PATIENCE).await;
    Ok(())
}

/// The shop's keys, or, for foreign subgraphs, a key that nobody has: then no token is accepted.
fn keys(settings: &Settings, shop: bool) -> anyhow::Result<Keys> {
    let clock = Clock::system();
    if !shop {
        let nobody = SigningKey::generate().verifying();
        return Ok(Keys { tokens: TokenVerifier::new(&nobody, clock.clone()), passports: None, clock });
    }
    settings.prepare_data_dir()?;
    let keys = settings.keys()?;
    Ok(Keys {
        tokens: TokenVerifier::new(&keys.session.verifying(), clock.clone()),
        passports: Some(PassportSigner::new(&keys.passport, clock.clone())),
        clock,
    })
}
