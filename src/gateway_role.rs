//! `techpotli gateway`: a federation gateway for anybody's subgraphs.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use auth::{PassportSigner, SigningKey, TokenVerifier};
use common::Clock;
use engine::{Engine, EngineOptions, HttpClient, HttpOptions, Subgraphs};
use gateway::{Gateway, Keys};
use runtime::{Tasks, server};
use subgraph::{Peer, Peers};

use crate::assembly::parse_supergraph;
use crate::cli::GatewayCommand;
use crate::endings::IssuedSessions;
use crate::images;
use crate::logins::{self, LogIn};
use crate::settings::Settings;
use crate::supergraph_source::SupergraphReader;

/// How long requests under way may take to end after a signal.
const PATIENCE: Duration = Duration::from_secs(10);

/// How often the supergraph's file or server is looked at.
const LOOK: Duration = Duration::from_secs(2);

/// Runs until a signal.
pub async fn run(settings: &Settings, command: &GatewayCommand) -> anyhow::Result<()> {
    let listener = server::listen(settings.listen).await?;
    let address = listener.local_addr()?;
    let mut supergraph = SupergraphReader::new(command.supergraph.clone())?;
    let sdl = supergraph.read().await?.context("the supergraph has not been read before")?;
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
    let mut keys = keys(settings, command.shop_keys)?;
    let peers = peers(settings, command, maker.base_of(users::NAME, &sdl)?)?;
    let LogIn { logins, issuer } = log_in(settings, address, peers.as_ref(), &tasks)?;
    keys.login = logins;
    keys.endings = peers.map(IssuedSessions::of);
    let gateway = Gateway::new(config, engine, keys, &tasks);
    let router = logins::router(issuer.as_ref(), &gateway);
    let router = if command.shop_keys { router.merge(images::router()) } else { router };
    server::serve("gateway", listener, router, &tasks);
    let stopping = tasks.stopping();
    tasks.spawn("supergraph", async move {
        tokio::select! {
            () = stopping => {}
            () = follow(supergraph, sdl, maker, gateway) => {}
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
    /// Where a subgraph of a supergraph is, without the path of its GraphQL.
    fn base_of(&self, name: &str, sdl: &str) -> anyhow::Result<Option<String>> {
        let supergraph = parse_supergraph(sdl)?;
        let found = supergraph.subgraphs().iter().find(|subgraph| &*subgraph.name == name);
        Ok(found.map(|subgraph| {
            let given = self.elsewhere.iter().find(|(given, _)| given == name);
            let url = given.map_or(&*subgraph.url, |(_, url)| url.as_str());
            url.trim_end_matches('/').trim_end_matches("/graphql").to_owned()
        }))
    }

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

/// Goes over to what file or server say whenever that changes. Requests under way end as they began; a supergraph that
/// cannot be served is told of in the log and changes nothing.
async fn follow(mut source: SupergraphReader, mut known: String, maker: EngineMaker, gateway: Gateway) {
    loop {
        tokio::time::sleep(LOOK).await;
        let found = match source.read().await {
            Ok(None) => continue,
            Ok(Some(found)) if found == known => continue,
            Ok(Some(found)) => found,
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
        return Ok(Keys {
            tokens: TokenVerifier::new(&nobody, clock.clone()),
            passports: None,
            clock,
            endings: None,
            login: None,
        });
    }
    settings.prepare_data_dir()?;
    let keys = settings.keys()?;
    Ok(Keys {
        tokens: TokenVerifier::new(&keys.session.verifying(), clock.clone()),
        passports: Some(PassportSigner::new(&keys.passport, clock.clone())),
        clock,
        endings: None,
        login: None,
    })
}

/// The shop's own subgraph `users`, where it is there: whoever issues the tokens that this gateway accepts.
fn peers(
    settings: &Settings,
    command: &GatewayCommand,
    users_url: Option<String>,
) -> anyhow::Result<Option<Peers>> {
    let Some(url) = users_url.filter(|_| command.shop_keys) else { return Ok(None) };
    let peers = Peers::new(PassportSigner::new(&settings.keys()?.passport, Clock::system()));
    peers.know(users::NAME, Peer::Remote(url));
    Ok(Some(peers))
}

/// Log-ins need somebody who knows whose account is whose: the shop's `users`.
fn log_in(
    settings: &Settings,
    address: SocketAddr,
    peers: Option<&Peers>,
    tasks: &Tasks,
) -> anyhow::Result<LogIn> {
    match peers {
        Some(peers) => LogIn::open(settings, address, &settings.keys()?, peers, tasks),
        None if settings.identity_provider(address).is_some() => anyhow::bail!(
            "TECHPOTLI_OIDC_ISSUER needs the shop's own subgraph 'users' and --shop-keys: it has the accounts"
        ),
        None => Ok(LogIn::default()),
    }
}
