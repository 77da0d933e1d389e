//! A supergraph that comes from a file or a URL and changes under load: no request is lost, and a bad one changes
//! nothing.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context as _, ensure};
use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use runtime::Tasks;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::RwLock;

use crate::client::{Client, list};
use crate::operations::PDP;
use crate::process::{Process, run};
use crate::setups::{Processes, SUBGRAPHS, print_schemas, start_gateway_at, text};
use crate::stage::eventually;
use crate::template::{WORLD, seeded_folder};

/// What only the larger supergraph knows.
const OF_NOTIFICATIONS: &str = "query Known { __type(name: \"NotificationChannel\") { name } }";
/// How often the supergraph changes at each source.
const CHANGES: usize = 4;
/// Front ends that ask meanwhile, and how often each at least between two changes.
const FRONT_ENDS: usize = 3;
const TIMES: usize = 5;

/// A server of one supergraph, which counts those who have the newest already.
#[derive(Clone, Default)]
struct Registry {
    sdl: Arc<RwLock<String>>,
    unchanged: Arc<AtomicUsize>,
}

impl Registry {
    async fn start(&self, tasks: &Tasks) -> anyhow::Result<String> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://reader:secret-word@{}/supergraph", listener.local_addr()?);
        let router = Router::new().route("/supergraph", get(serve)).with_state(self.clone());
        runtime::server::serve("registry", listener, router, tasks);
        Ok(url)
    }
}

async fn serve(State(registry): State<Registry>, headers: HeaderMap) -> Response {
    if !headers.contains_key(header::AUTHORIZATION) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let sdl = registry.sdl.read().await.clone();
    let tag = format!("\"{}\"", sdl.len());
    if headers.get(header::IF_NONE_MATCH).is_some_and(|known| known == tag.as_str()) {
        registry.unchanged.fetch_add(1, Ordering::AcqRel);
        return StatusCode::NOT_MODIFIED.into_response();
    }
    ([(header::ETAG, tag)], sdl).into_response()
}

/// The supergraph of all subgraphs, and of all but notifications.
fn supergraphs(schemas: &Path) -> anyhow::Result<[String; 2]> {
    let compose = |names: &[&str]| {
        let files: Vec<String> = names
            .iter()
            .map(|name| {
                format!("{name}={}", schemas.join("subgraphs").join(format!("{name}.graphql")).display())
            })
            .collect();
        let mut arguments = vec!["schema", "compose"];
        arguments.extend(files.iter().map(String::as_str));
        let composed = run(schemas, &arguments)?;
        ensure!(composed.status.success(), "{}", String::from_utf8_lossy(&composed.stderr));
        Ok(String::from_utf8(composed.stdout)?)
    };
    let fewer: Vec<&str> = SUBGRAPHS.into_iter().filter(|name| *name != "notifications").collect();
    Ok([compose(&SUBGRAPHS)?, compose(&fewer)?])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_supergraph_changes_under_load_and_no_request_is_lost() -> anyhow::Result<()> {
    let folder = seeded_folder()?;
    let schemas = print_schemas()?;
    let supergraphs = supergraphs(schemas.path())?;
    let subgraphs = Processes::start(folder.path()).await?;

    let file = folder.path().join("supergraph.graphql");
    tokio::fs::write(&file, &supergraphs[0]).await?;
    let gateway = start_gateway_at(folder.path(), text(&file)?, &subgraphs, &[]).await?;
    change(&gateway, &supergraphs, async |sdl| {
        // Whole or not at all, as whoever deploys it should.
        let draft = file.with_extension("draft");
        tokio::fs::write(&draft, sdl).await?;
        Ok(tokio::fs::rename(&draft, &file).await?)
    })
    .await
    .context("from a file")?;

    let (registry, tasks) = (Registry::default(), Tasks::new());
    registry.sdl.write().await.clone_from(&supergraphs[0]);
    let url = registry.start(&tasks).await?;
    let gateway = start_gateway_at(folder.path(), &url, &subgraphs, &[]).await?;
    change(&gateway, &supergraphs, async |sdl| {
        registry.sdl.write().await.clone_from(sdl);
        Ok(())
    })
    .await
    .context("from a URL")?;
    eventually("a question with the tag", || async {
        Ok((registry.unchanged.load(Ordering::Acquire) > 0).then_some(()))
    })
    .await?;

    // The server goes away: the gateway stays with what it has, and says so without the password.
    tasks.stop();
    eventually("a word about it", || async {
        Ok(gateway.said().iter().any(|line| line.contains("the supergraph stays as it is")).then_some(()))
    })
    .await?;
    let guest = Client::guest(&gateway.base);
    guest.data(PDP, "Pdp", json!({ "slug": WORLD.product(14).slug })).await?;
    ensure!(!gateway.said().join("\n").contains("secret-word"), "the password is in the log");
    Ok(())
}

/// Changes it back and forth while front ends ask, with one that cannot be served in between.
async fn change(
    gateway: &Process,
    supergraphs: &[String; 2],
    publish: impl AsyncFn(&String) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let guest = Client::guest(&gateway.base);
    let asked = Arc::new(AtomicUsize::new(0));
    let tasks = Tasks::new();
    let mut front_ends = tokio::task::JoinSet::new();
    for number in 0..FRONT_ENDS {
        let (guest, asked, tasks) = (Client::guest(&gateway.base), Arc::clone(&asked), tasks.clone());
        front_ends.spawn(async move {
            let slug = WORLD.product(u32::try_from(number)? + 30).slug;
            while !tasks.is_stopping() {
                let data = guest.data(PDP, "Pdp", json!({ "slug": slug })).await?;
                ensure!(!list(&data["product"]["variants"]["nodes"])?.is_empty(), "half a page: {data}");
                asked.fetch_add(1, Ordering::AcqRel);
            }
            anyhow::Ok(())
        });
    }
    for number in 1..=CHANGES {
        let knows_all = number % 2 == 0;
        publish(&"type Query { broken".to_owned()).await?;
        let before = asked.load(Ordering::Acquire);
        let on_their_way = async {
            eventually("pages", || async {
                Ok((asked.load(Ordering::Acquire) >= before + TIMES * FRONT_ENDS).then_some(()))
            })
            .await
        };
        tokio::select! {
            on_their_way = on_their_way => on_their_way?,
            Some(ended) = front_ends.join_next() => {
                ended??;
                anyhow::bail!("a front end went home early");
            }
        }
        publish(&supergraphs[usize::from(!knows_all)]).await?;
        eventually("the other supergraph", || async {
            let data = guest.data(OF_NOTIFICATIONS, "Known", json!({})).await?;
            Ok((data["__type"].is_object() == knows_all).then_some(()))
        })
        .await?;
    }
    tasks.stop();
    while let Some(front_end) = front_ends.join_next().await {
        front_end??;
    }
    println!("{CHANGES} changes, {} pages, none failed", asked.load(Ordering::Acquire));
    let faults = gateway.faults();
    ensure!(faults.is_empty(), "{faults:#?}");
    Ok(())
}
