//! The shop in one process, on embedded backends: what `cargo run` starts.

use anyhow::{Context as _, ensure};

use super::{OneProcess, remembered};
use crate::{flows, stampedes};

#[tokio::test(flavor = "multi_thread")]
async fn every_flow_holds_in_one_process() -> anyhow::Result<()> {
    let shop = OneProcess::start().await?;
    let stage = shop.stage();
    remembered::is_read_before_anybody_asks(&shop).await?;
    let flowed = flows::run("one process", &stage, flows::all()).await;
    let remembered = match flowed.is_ok() {
        true => remembered::holds(&shop).await,
        false => Ok(()),
    };
    let faults = shop.process.faults();
    flowed.and(remembered).with_context(|| format!("faults in the log: {faults:#?}"))?;
    ensure!(faults.is_empty(), "faults in the log: {faults:#?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_or_sold_twice_in_a_crowd() -> anyhow::Result<()> {
    let shop = OneProcess::start().await?;
    let flowed = flows::run("one process", &shop.stage(), stampedes::FLOWS.to_vec()).await;
    let faults = shop.process.faults();
    flowed.with_context(|| format!("faults in the log: {faults:#?}"))?;
    ensure!(faults.is_empty(), "faults in the log: {faults:#?}");
    Ok(())
}
