//! `techpotli gateway`: a federation gateway for anybody's subgraphs.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use auth::{PassportSigner, SigningKey, TokenVerifier};
use common::Clock;
use engine::{Engine, EngineOptions, HttpClient, HttpOptions, Subgraphs};
use gateway::{Gateway, Keys};
use runtime::{Tasks, server};

use crate::assembly::parse_supergraph;
use crate::cli::GatewayCommand;
use crate::images;
use crate::settings::Settings;

/// How long requests under way may take to end after a signal.
const PATIENCE: Duration = Duration::from_secs(10);

/// How often the supergraph's file is looked at.
const LOOK: Duration = Duration::from_secs(2);

/// Runs until a signal.
pub async fn run(settings: &Settings, command: &GatewayCommand) -> anyhow::Result<()> {
    let listener = server::listen(settings.listen).await?;
    let address = listener.local_addr()?;
    let sdl = read(&command.supergraph).await?;
    let config = settings.gateway()?;
    let maker = EngineMaker {
        client: HttpClient::new(HttpOptions::default()),
        elsewhere: command.subgraphs.clone(),
        options: config.engine_options(),
    };
    let (engine, names) = maker.make(&sdl)?;
    if let Some((unknown, _)) = command.subgraphs.iter().find(|(name, _)| !names.contains(name)) {
        anyhow::bail!("the supergraph has no subgraph '{unknown}': it has {}", names.join(", "));
    }
    let tasks = Tasks::new();
    tasks.stop_on_signal(settings.drain());
    let gateway = Gateway::new(config, engine, keys(settings, command.shop_keys)?, &tasks);
    let router = if command.shop_keys { gateway.router().merge(images::router()) } else { gateway.router() };
    server::serve("gateway", listener, router, &tasks);
    let (file, stopping) = (command.supergraph.clone(), tasks.stopping());
    tasks.spawn("supergraph", async move {
        tokio::select! {
            () = stopping => {}
            () = follow(file, sdl, maker, gateway) => {}
        }
    });
    println!("Serving {} on http://{address}/graphql", names.join(", "));
    tasks.stopping().await;
    tasks.ended(PATIENCE).await;
    Ok(())
}

/// Makes engines over subgraphs that are reached over HTTP.
struct EngineMaker {
    client: HttpClient,
    /// Subgraphs that are not where the supergraph says.
    elsewhere: Vec<(String, String)>,
    options: EngineOptions,
}

impl EngineMaker {
    /// An engine for a supergraph, and the names of its subgraphs.
    fn make(&self, sdl: &str) -> anyhow::Result<(Engine, Vec<String>)> {
        let supergraph = parse_supergraph(sdl)?;
        let mut reached = Subgraphs::new();
        for subgraph in supergraph.subgraphs() {
            let given = self.elsewhere.iter().find(|(name, _)| *name == *subgraph.name);
            let url = given.map_or(&*subgraph.url, |(_, url)| url.as_str());
            let uri =
                url.parse().map_err(|_| anyhow!("'{url}' is no URL of the subgraph {}", subgraph.name))?;
            reached = reached.with_http(&*subgraph.name, self.client.subgraph(uri));
        }
        let names = supergraph.subgraphs().iter().map(|subgraph| subgraph.name.to_string()).collect();
        Ok((Engine::new(Arc::new(supergraph), reached, self.options.clone())?, names))
    }
}

async fn read(file: &Path) -> anyhow::Result<String> {
    let text = tokio::fs::read_to_string(file).await;
    text.with_context(|| format!("the supergraph {} cannot be read", file.display()))
}

/// Goes over to what the file says whenever that changes. Requests under way end as they began; a file that cannot be
/// served is told of in the log and changes nothing.
async fn follow(file: PathBuf, mut known: String, maker: EngineMaker, gateway: Gateway) {
    loop {
        tokio::time::sleep(LOOK).await;
        let found = match read(&file).await {
            Ok(found) if found == known => continue,
            Ok(found) => found,
            Err(error) => {
                tracing::warn!(reason = format!("{error:#}"), "the supergraph stays as it is");
                continue;
            }
        };
        match maker.make(&found) {
            Ok((engine, names)) => {
                gateway.replace_engine(engine);
                tracing::info!(subgraphs = names.join(", "), "the supergraph has changed");
            }
            Err(error) => tracing::warn!(reason = format!("{error:#}"), "the supergraph stays as it is"),
        }
        // A bad one is told of once.
        known = found;
    }
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
