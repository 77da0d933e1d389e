//! Engines and subgraphs that are taken away one by one under load: what goes on, what says why not, and how long the
//! rest takes to be done afterwards.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use serde_json::json;
use services::Engines;

use super::Fleet;
use super::oracle::Oracle;
use crate::client::text;
use crate::load::{DEEDS, Known, Load, Outcome, Told};
use crate::login::Site;
use crate::operations::CHECKOUT;
use crate::stage::eventually;

/// How long each is away, in seconds; the figures of the documentation are with 30.
const LENGTH_VARIABLE: &str = "TECHPOTLI_TEST_OUTAGE_S";
const LENGTH_S: u64 = 2;
/// What each shopper does at least in an outage, and as often after it.
const TIMES: usize = 2;
/// Deeds that show products, and so stock.
const PAGES: [&str; 3] = ["listing", "text search", "product page"];

/// Something that can be away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outage {
    Redis,
    Kafka,
    Search,
    Replica,
    Database,
    Keycloak,
    Subgraph,
}

const OUTAGES: [Outage; 7] = [
    Outage::Redis,
    Outage::Kafka,
    Outage::Search,
    Outage::Replica,
    Outage::Database,
    Outage::Keycloak,
    Outage::Subgraph,
];
/// The subgraph that is away.
const GONE: &str = "payments";

impl Outage {
    fn name(self) -> &'static str {
        match self {
            Self::Redis => "Redis, all three masters",
            Self::Kafka => "Kafka",
            Self::Search => "the search engine",
            Self::Replica => "the replica",
            Self::Database => "the database of inventory",
            Self::Keycloak => "Keycloak",
            Self::Subgraph => "the subgraph payments",
        }
    }

    async fn begin(self, engines: &Engines, fleet: &mut Fleet) -> anyhow::Result<()> {
        match self {
            Self::Redis => engines.redis.nodes.iter().try_for_each(services::Server::kill),
            Self::Kafka => engines.kafka.kill(),
            Self::Search => engines.search.kill(),
            Self::Replica => engines.replica.server.kill(),
            Self::Database => engines.apart.server.kill(),
            Self::Keycloak => engines.keycloak.server.kill(),
            Self::Subgraph => fleet.subgraphs.kill(GONE),
        }
    }

    async fn end(self, engines: &Engines, fleet: &mut Fleet) -> anyhow::Result<()> {
        match self {
            Self::Redis => {
                engines.redis.nodes.iter().try_for_each(|node| node.start().map(drop))?;
                engines.redis.agree()
            }
            Self::Kafka => engines.kafka.start().map(drop),
            Self::Search => engines.search.start().map(drop),
            Self::Replica => engines.replica.server.start().map(drop),
            Self::Database => engines.apart.server.start().map(drop),
            Self::Keycloak => engines.keycloak.server.start().map(drop),
            Self::Subgraph => fleet.subgraphs.start_again(GONE).await,
        }
    }

    /// Whether something may go like this meanwhile.
    fn allows(self, deed: &str, outcome: &Outcome) -> bool {
        let is_whole = *outcome == Outcome::Whole;
        let is_answer = is_whole || matches!(outcome, Outcome::Partial(_));
        match (self, deed) {
            // A checkout may always take longer than its buyer waits; afterwards it must be decided.
            (_, "checkout") if *outcome == Outcome::Pending => true,
            (Self::Redis | Self::Kafka | Self::Replica | Self::Keycloak, _) => is_whole,
            (Self::Search, "home" | "suggestions") => is_answer,
            (Self::Search | Self::Database, deed) if PAGES.contains(&deed) => is_answer,
            (Self::Database | Self::Subgraph, "checkout") => {
                !matches!(outcome, Outcome::Refused(code) if code.contains("INTERNAL"))
            }
            (Self::Search | Self::Database | Self::Subgraph, _) => is_whole,
        }
    }
}

/// Takes everything away in turn, and prints what came of it.
pub async fn hold(engines: &Engines, fleet: &mut Fleet, site: &Site) -> anyhow::Result<()> {
    let length = std::env::var(LENGTH_VARIABLE).map_or(Ok(LENGTH_S), |text| text.parse())?;
    let length = Duration::from_secs(length);
    let goods = fleet.stage.goods_of_different_products(6)?;
    let mut confirmed = BTreeSet::new();
    let mut failures = Vec::new();
    for outage in OUTAGES {
        let tokens = site.app_tokens().await?;
        let known = Known {
            token: text(&tokens["access_token"])?.to_owned(),
            browser: site.logged_in().await?,
            email: site.name().to_owned(),
        };
        let mut load = Load::begin(&fleet.stage, &known, &goods);
        load.go_on(1, Duration::ZERO).await.with_context(|| format!("before {}", outage.name()))?;
        outage.begin(engines, fleet).await?;
        let told = load.go_on(TIMES, length).await.with_context(|| format!("without {}", outage.name()))?;
        outage.end(engines, fleet).await?;
        let healed = Instant::now();
        whole_again(&mut load).await.with_context(|| format!("after {}", outage.name()))?;
        let recovered = healed.elapsed();
        load.end().await?;
        drained(engines, fleet).await.with_context(|| format!("after {}", outage.name()))?;
        print(outage, &told, recovered, healed.elapsed());
        failures.extend(faults(outage, &told));
        confirmed.extend(told.confirmed);
        for attempt in &told.pending {
            let data = fleet.stage.guest.data(CHECKOUT, "Attempt", json!({ "id": attempt })).await?;
            let state = text(&data["checkoutAttempt"]["state"])?;
            ensure!(matches!(state, "CONFIRMED" | "FAILED"), "{attempt} is {state} for good");
        }
        Oracle(engines).judge(&confirmed).with_context(|| format!("after {}", outage.name()))?;
    }
    println!("{} orders were confirmed while something was away; all are there, paid once", confirmed.len());
    ensure!(failures.is_empty(), "{}", failures.join("\n"));
    Ok(())
}

fn faults(outage: Outage, told: &Told) -> Vec<String> {
    let mut faults = Vec::new();
    for (deed, outcomes) in &told.outcomes {
        for (outcome, times) in outcomes {
            if !outage.allows(deed, outcome) {
                faults.push(format!("without {}: {deed}: {times} times {outcome:?}", outage.name()));
            }
        }
    }
    faults
}

/// Waits until shoppers are answered as on any day.
async fn whole_again(load: &mut Load) -> anyhow::Result<()> {
    let mut last = String::new();
    for _ in 0..60 {
        let told = load.go_on(1, Duration::ZERO).await?;
        let whole = told.outcomes.values().all(|outcomes| {
            outcomes.keys().all(|outcome| matches!(outcome, Outcome::Whole | Outcome::Pending))
        });
        if whole {
            return Ok(());
        }
        last = format!("{:?}", told.outcomes);
    }
    anyhow::bail!("it does not get well: {last}")
}

/// Waits until all that was left undone is done.
async fn drained(engines: &Engines, fleet: &Fleet) -> anyhow::Result<()> {
    Oracle(engines).drained().await?;
    let lag = async || fleet.of_workers("techpotli_consumer_lag").await;
    let caught_up =
        eventually("the end of the consumers' lag", || async { Ok(lag().await?.is_empty().then_some(())) });
    if let Err(late) = caught_up.await {
        return Err(late.context(format!("there is {:#?}", lag().await?)));
    }
    engines.replicated()
}

fn print(outage: Outage, told: &Told, recovered: Duration, drained: Duration) {
    println!("Without {}:", outage.name());
    for deed in DEEDS {
        let outcomes = told.outcomes.get(deed).into_iter().flatten();
        let outcomes: Vec<String> = outcomes.map(|(outcome, times)| format!("{times} {outcome:?}")).collect();
        let mut waits = told.waits.get(deed).cloned().unwrap_or_default();
        waits.sort_unstable();
        let of = |share: usize| {
            waits.get(waits.len() * share / 100).or(waits.last()).map_or(0.0, Duration::as_secs_f64)
        };
        println!(
            "  {deed}: {}; {:.2} s in the middle, {:.2} s at 95%, {:.2} s at most",
            outcomes.join(", "),
            of(50),
            of(95),
            of(100)
        );
    }
    println!(
        "  back: whole after {:.1} s, nothing left to be done after {:.1} s",
        recovered.as_secs_f64(),
        drained.as_secs_f64()
    );
}
