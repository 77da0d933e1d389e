//! What shoppers, staff and attackers do, each flow on things that no other flow touches.

mod account;
mod bad_input;
mod browse;
mod cart;
mod checkout;
mod engage;
mod guest;
mod live;
mod orders;
mod search;

use std::sync::Arc;
use std::time::Duration;

use anyhow::ensure;
use futures::StreamExt as _;
use futures::future::BoxFuture;
use futures::stream;
use tokio::time::timeout;

use crate::stage::Stage;

/// A flow that has begun.
pub type Running = BoxFuture<'static, anyhow::Result<()>>;
/// A flow by its name.
pub type Flow = (&'static str, fn(Arc<Stage>) -> Running);

/// Flows that are under way at once.
const AT_ONCE: usize = 6;
/// The longest that a flow may take: it hangs.
const PATIENCE: Duration = Duration::from_secs(300);

/// All of them.
pub fn all() -> Vec<Flow> {
    let parts = [
        browse::FLOWS,
        search::FLOWS,
        cart::FLOWS,
        account::FLOWS,
        checkout::FLOWS,
        orders::FLOWS,
        engage::FLOWS,
        guest::FLOWS,
        live::FLOWS,
        bad_input::FLOWS,
    ];
    // To look at one flow: TECHPOTLI_TEST_FLOW='a part of its name'.
    let wanted = std::env::var("TECHPOTLI_TEST_FLOW").unwrap_or_default();
    parts.concat().into_iter().filter(|(name, _)| name.contains(&wanted)).collect()
}

/// Runs flows on a shop and says what became of them.
pub async fn run(set_up: &str, stage: &Arc<Stage>, flows: Vec<Flow>) -> anyhow::Result<()> {
    ensure!(!flows.is_empty(), "no flow to run");
    let count = flows.len();
    let failed: Vec<String> = stream::iter(flows)
        .map(|(name, flow)| async move {
            let ended = timeout(PATIENCE, flow(Arc::clone(stage))).await;
            let failure = match ended {
                Ok(Ok(())) => return None,
                Ok(Err(error)) => format!("{error:#}"),
                Err(_) => "it hangs".to_owned(),
            };
            Some(format!("{set_up}: {name}:\n    {failure}"))
        })
        .buffer_unordered(AT_ONCE)
        .filter_map(futures::future::ready)
        .collect()
        .await;
    ensure!(failed.is_empty(), "{} of {count} flows failed:\n{}", failed.len(), failed.join("\n"));
    Ok(())
}
