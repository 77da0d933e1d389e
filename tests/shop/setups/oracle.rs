//! Whether anything was lost in outages, by the databases themselves: what buyers were told, money and stock agree.

use std::collections::BTreeSet;

use anyhow::{Context as _, ensure};

use services::Engines;

use super::SUBGRAPHS;
use crate::stage::eventually;

/// The subgraph whose database is a server of its own.
const APART: &str = "inventory";
/// Confirmed orders whose money is not there exactly once, and whole.
const UNPAID: &str = "SELECT o.number FROM shop_orders.orders o
    JOIN shop_orders.checkout_attempt a ON a.order_id = o.id AND a.state = 'CONFIRMED'
    LEFT JOIN shop_payments.payment p ON p.order_id = o.id AND p.captured > 0
    WHERE o.email LIKE 'test-outage-%'
    GROUP BY o.id, o.number, o.total HAVING COUNT(p.id) <> 1 OR SUM(p.captured) <> o.total";
/// Money that is held or taken for orders that came to nothing.
const KEPT: &str = "SELECT HEX(p.order_id) FROM shop_payments.payment p
    JOIN shop_orders.checkout_attempt a ON a.order_id = p.order_id AND a.state = 'FAILED'
    WHERE p.captured > p.refunded OR p.state = 'AUTHORIZED'";
/// Stock that does not agree with what is reserved and sold.
const ASTRAY: &str = "SELECT HEX(l.variant_id) FROM stock_level l LEFT JOIN (
        SELECT variant_id, location_id, SUM(IF(state = 'ACTIVE', quantity, 0)) held,
            SUM(IF(state = 'COMMITTED', quantity, 0)) sold FROM reservation GROUP BY variant_id, location_id
    ) r ON r.variant_id = l.variant_id AND r.location_id = l.location_id
    WHERE l.on_hand < 0 OR l.reserved <> COALESCE(r.held, 0) OR l.allocated < COALESCE(r.sold, 0)";
/// Checkouts under way. Those of the flows before may wait for their buyers.
const UNDECIDED: &str = "SELECT COUNT(*) FROM checkout_attempt a LEFT JOIN orders o ON o.id = a.order_id
    WHERE a.state NOT IN ('CONFIRMED', 'FAILED') AND (o.id IS NULL OR o.email LIKE 'test-outage-%')";

fn rows(text: &str) -> BTreeSet<String> {
    text.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

/// Looks into the databases of a shop.
pub struct Oracle<'e>(pub &'e Engines);

impl Oracle<'_> {
    /// A statement on a subgraph's database.
    fn on(&self, subgraph: &str, sql: &str) -> anyhow::Result<String> {
        match subgraph {
            APART => self.0.apart.sql(&format!("USE {APART}; {sql}")),
            _ => self.0.primary.sql(&format!("USE shop_{subgraph}; {sql}")),
        }
    }

    /// Events that are written and not published, products that the search engine was not told of, checkouts that are
    /// not decided, captures that are not made: how many there are of what.
    pub fn backlog(&self) -> anyhow::Result<Vec<String>> {
        let outboxes = SUBGRAPHS.map(|name| (name, "SELECT COUNT(*) FROM outbox WHERE NOT published"));
        let others = [
            ("orders", UNDECIDED),
            ("search", "SELECT COUNT(*) FROM revision WHERE pending"),
            ("payments", "SELECT COUNT(*) FROM payment WHERE capture_pending > 0"),
        ];
        let mut backlog = Vec::new();
        for (subgraph, sql) in outboxes.into_iter().chain(others) {
            let count = self.on(subgraph, sql)?;
            if count != "0" {
                backlog.push(format!("{subgraph}: {count} of {sql}"));
            }
        }
        Ok(backlog)
    }

    /// Waits until there is none.
    pub async fn drained(&self) -> anyhow::Result<()> {
        let drained =
            eventually("the end of the backlog", || async { Ok(self.backlog()?.is_empty().then_some(())) });
        drained.await.with_context(|| format!("there is {:#?}", self.backlog().unwrap_or_default()))
    }

    /// Checks it all, once nothing is left to be done. `confirmed` are the orders that buyers were told of.
    pub fn judge(&self, confirmed: &BTreeSet<String>) -> anyhow::Result<()> {
        let placed = "SELECT number FROM orders WHERE placed_at IS NOT NULL";
        let placed = rows(&self.on("orders", placed)?);
        let lost: Vec<&String> = confirmed.difference(&placed).collect();
        ensure!(lost.is_empty(), "confirmed to their buyers and not there: {lost:?}");
        for (what, sql) in [("not paid for once and in full", UNPAID), ("kept money", KEPT)] {
            let found = self.0.primary.sql(sql)?;
            ensure!(found.is_empty(), "{what}: {found}");
        }
        let found = self.on(APART, ASTRAY)?;
        ensure!(found.is_empty(), "stock astray: {found}");
        let orders = |state: &str| {
            let sql = format!(
                "SELECT HEX(a.order_id) FROM checkout_attempt a JOIN orders o ON o.id = a.order_id
                 WHERE a.state = '{state}' AND o.email LIKE 'test-outage-%'"
            );
            anyhow::Ok(rows(&self.on("orders", &sql)?))
        };
        let holds = |state: &str| {
            let sql = format!("SELECT DISTINCT HEX(order_id) FROM reservation WHERE state = '{state}'");
            anyhow::Ok(rows(&self.on(APART, &sql)?))
        };
        let (sold, confirmed, failed) = (holds("COMMITTED")?, orders("CONFIRMED")?, orders("FAILED")?);
        let unsold: Vec<&String> = confirmed.difference(&sold).collect();
        ensure!(unsold.is_empty(), "orders without their goods: {unsold:?}");
        let held: BTreeSet<String> = sold.union(&holds("ACTIVE")?).cloned().collect();
        let kept: Vec<&String> = failed.intersection(&held).collect();
        ensure!(kept.is_empty(), "goods kept for orders that came to nothing: {kept:?}");
        for subgraph in SUBGRAPHS {
            let dead = self.on(subgraph, "SELECT COUNT(*) FROM dead_letter")?;
            ensure!(dead == "0", "{dead} events could not be applied by {subgraph}");
        }
        Ok(())
    }
}
