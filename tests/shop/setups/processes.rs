//! Eight subgraphs as processes on SQLite, behind a gateway.

use std::sync::Arc;

use anyhow::ensure;

use super::{Processes, print_schemas, start_gateway, text};
use crate::client::Client;
use crate::stage::{Goods, Stage};
use crate::template::seeded_folder;
use crate::{flows, node};

/// One set of eight subgraphs, and a gateway after the other before them: over our supergraph, and over what the
/// composers on npm make of the same schemas.
#[tokio::test(flavor = "multi_thread")]
async fn every_flow_holds_in_eight_processes_behind_each_composers_supergraph() -> anyhow::Result<()> {
    let folder = seeded_folder()?;
    let work = tempfile::tempdir()?;
    let schemas = print_schemas()?;
    let subgraphs = Processes::start(folder.path()).await?;
    let goods = Arc::new(Goods::new());
    let mut supergraphs = vec![("our supergraph", schemas.path().join("supergraph.graphql"))];
    match node::compose_workspace() {
        Ok(scripts) => {
            for (name, engine) in [("Apollo's supergraph", "apollo"), ("The Guild's supergraph", "theguild")]
            {
                let file = work.path().join(format!("{engine}.graphql"));
                let folder = schemas.path().join("subgraphs");
                let arguments = ["--engine", engine, "--out", text(&file)?, text(&folder)?];
                node::run(&scripts, "compose.mjs", &arguments)?;
                supergraphs.push((name, file));
            }
        }
        Err(why) => node::skipped("flows over the supergraphs of Apollo and The Guild", &why)?,
    }
    let mut failures = Vec::new();
    for (name, supergraph) in supergraphs {
        let gateway = start_gateway(folder.path(), &supergraph, &subgraphs).await?;
        let stage = Arc::new(Stage {
            guest: Client::guest(&gateway.base),
            data: folder.path().to_owned(),
            subgraphs: subgraphs
                .running
                .iter()
                .map(|(name, process)| (*name, process.base.clone()))
                .collect(),
            goods: Arc::clone(&goods),
        });
        if let Err(failure) = flows::run(name, &stage, flows::all()).await {
            failures.push(format!("{failure:#}"));
        }
        failures.extend(gateway.faults().into_iter().map(|fault| format!("{name}: {fault}")));
    }
    failures.extend(subgraphs.faults());
    ensure!(failures.is_empty(), "{}", failures.join("\n"));
    Ok(())
}
