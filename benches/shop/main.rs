//! What the shop costs: requests a second and CPU time a request, of the shop in one process and of the gateway alone.
//!
//! `cargo bench --bench shop` measures (about 90 s); `-- --plans` prints what each operation takes: fetches, stages, SQL
//! statements; `-- --real` what gateway, subgraphs, workers and each engine spend on MariaDB with a replica, a Redis
//! cluster, Kafka, OpenSearch and Keycloak; `-- --binary FILE` measures another build of the binary.

mod alone;
mod client;
mod fleet;
mod measure;
mod plans;
mod process;
mod real;
mod shopper;
mod world;

use std::path::PathBuf;

use anyhow::Context as _;

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let given = arguments.iter().position(|argument| argument == "--binary");
    let binary = match given {
        Some(place) => arguments.get(place + 1).context("--binary wants a file")?.into(),
        None => PathBuf::from(env!("CARGO_BIN_EXE_techpotli")),
    };
    let wanted = |part: &str| arguments.iter().any(|argument| argument == part);
    let data = tempfile::tempdir()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        if wanted("--plans") {
            return plans::print(&binary, data.path()).await;
        }
        if wanted("--real") {
            return real::shop(&binary, data.path()).await;
        }
        if !wanted("--gateway") {
            measure::shop(&binary, data.path()).await?;
        }
        if wanted("--shop") { Ok(()) } else { alone::gateway(&binary, data.path()).await }
    })
}
