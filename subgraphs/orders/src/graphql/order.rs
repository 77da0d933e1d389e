//! Orders.

use std::sync::Arc;

use async_graphql::{Context, ID, Object, Result, SimpleObject};
use common::Fault;
use events::calls::cart::PostalAddress;
use subgraph::graphql::{CountryCode, CurrencyCode, DateTime, Money};

use super::fulfillment::{Fulfillment, Return};
use super::loader::Loaders;
use super::order_line::OrderLine;
use super::reference::User;
use super::status::{FinancialStatus, FulfillmentStatus, OrderStatus};
use crate::domain;
use crate::entity::{order, order_event};

/// The most events of a timeline that are read at once.
const LONGEST_TIMELINE: i32 = 100;

/// An order: a cart as it was bought, and what became of it.
pub struct Order(pub Arc<order::Model>);

/// A postal address as it was at the time of the order.
#[derive(SimpleObject)]
pub struct AddressSnapshot {
    /// Who receives.
    pub recipient: String,
    /// Street and number.
    pub line1: String,
    /// What does not fit there.
    pub line2: Option<String>,
    /// Town.
    pub city: String,
    /// State or province.
    pub region: Option<String>,
    /// Postal code.
    pub postal_code: Option<String>,
    /// Country.
    pub country_code: CountryCode,
}

impl AddressSnapshot {
    fn read(text: Option<&str>) -> Result<Option<Self>, Fault> {
        let Some(text) = text else { return Ok(None) };
        let address: PostalAddress = serde_json::from_str(text).map_err(Fault::internal)?;
        Ok(Some(Self {
            recipient: address.recipient,
            line1: address.line1,
            line2: address.line2,
            city: address.city,
            region: address.region,
            postal_code: Some(address.postal_code),
            country_code: CountryCode(address.country),
        }))
    }
}

/// What an order comes to.
#[derive(SimpleObject)]
pub struct OrderTotals {
    /// The lines before discounts.
    pub subtotal: Money,
    /// What promotions took off, as a positive amount.
    pub discount: Money,
    /// What sending costs.
    pub shipping: Money,
    /// The tax, shipping's included; part of the other amounts where prices include it.
    pub tax: Money,
    /// What was to be paid.
    pub total: Money,
}

/// Something that happened to an order.
#[derive(SimpleObject)]
pub struct OrderEvent {
    /// When.
    pub at: DateTime,
    /// What, such as `ORDER_CONFIRMED` or `PAYMENT_CAPTURED`.
    #[graphql(name = "type")]
    pub kind: String,
    /// The order's state before, where it changed.
    pub from: Option<OrderStatus>,
    /// The order's state after, where it changed.
    pub to: Option<OrderStatus>,
    /// Who did it: the id of a person or the name of a service; null for the shop itself.
    pub actor: Option<String>,
}

impl From<&order_event::Model> for OrderEvent {
    fn from(event: &order_event::Model) -> Self {
        Self {
            at: event.happened_at.into(),
            kind: event.kind.clone(),
            from: event.from_status.map(OrderStatus::from),
            to: event.to_status.map(OrderStatus::from),
            actor: event.actor.clone(),
        }
    }
}

/// An order: a cart as it was bought, and what became of it.
#[Object]
impl Order {
    /// The order's id.
    pub async fn id(&self) -> ID {
        self.0.id.into()
    }

    /// The number that people read to each other, such as `TP-7K3QF9M2XA`.
    async fn number(&self) -> &str {
        &self.0.number
    }

    /// Rises with every change of the order itself: send it as `expectedVersion`. It stays where only the payment moves.
    async fn version(&self) -> i32 {
        self.0.version
    }

    /// Where the order is in its life.
    async fn status(&self) -> OrderStatus {
        self.0.status.into()
    }

    /// How it stands with its payment.
    async fn financial_status(&self) -> FinancialStatus {
        self.0.financial_status.into()
    }

    /// How far its goods have come.
    async fn fulfillment_status(&self) -> FulfillmentStatus {
        self.0.fulfillment_status.into()
    }

    /// Who ordered; null for a guest.
    async fn customer(&self) -> Option<User> {
        self.0.customer_id.map(|id| User { id })
    }

    /// Where to write to about it.
    async fn email(&self) -> &str {
        &self.0.email
    }

    /// What was ordered.
    async fn lines(&self, context: &Context<'_>) -> Result<Vec<OrderLine>> {
        let lines = Loaders::of(context)?.lines_of.load(self.0.id).await?.unwrap_or_default();
        Ok(lines.iter().cloned().map(OrderLine).collect())
    }

    /// What it comes to.
    async fn totals(&self) -> OrderTotals {
        let money = |minor| self.0.money(minor).into();
        OrderTotals {
            subtotal: money(self.0.subtotal),
            discount: money(self.0.discount),
            shipping: money(self.0.shipping),
            tax: money(self.0.tax),
            total: money(self.0.total),
        }
    }

    /// What its amounts are in.
    async fn currency(&self) -> CurrencyCode {
        CurrencyCode(self.0.currency)
    }

    /// When its checkout went through; null where it has not.
    async fn placed_at(&self) -> Option<DateTime> {
        self.0.placed_at.map(DateTime)
    }

    /// Where the goods go.
    async fn shipping_address(&self) -> Result<Option<AddressSnapshot>> {
        Ok(AddressSnapshot::read(self.0.shipping_address.as_deref())?)
    }

    /// Where the bill goes; null where it goes with the goods.
    async fn billing_address(&self) -> Result<Option<AddressSnapshot>> {
        Ok(AddressSnapshot::read(self.0.billing_address.as_deref())?)
    }

    /// What was sent, oldest first.
    async fn fulfillments(&self, context: &Context<'_>) -> Result<Vec<Fulfillment>> {
        let found = Loaders::of(context)?.fulfillments_of.load(self.0.id).await?.unwrap_or_default();
        Ok(found.iter().cloned().map(|(row, lines)| Fulfillment { row, lines }).collect())
    }

    /// What comes back, oldest first.
    async fn returns(&self, context: &Context<'_>) -> Result<Vec<Return>> {
        let found = Loaders::of(context)?.returns_of.load(self.0.id).await?.unwrap_or_default();
        Ok(found.iter().cloned().map(|(row, lines)| Return { row, lines }).collect())
    }

    /// What happened to it, oldest first.
    async fn timeline(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "How many events, at most 100.", default_with = "Some(50)")] first: Option<i32>,
    ) -> Result<Vec<OrderEvent>> {
        let first = first.unwrap_or(50);
        if !(0..=LONGEST_TIMELINE).contains(&first) {
            return Err(Fault::bad_input("'first' must lie between 0 and 100").into());
        }
        let key = (self.0.id, first.unsigned_abs().into());
        let events = Loaders::of(context)?.events_of.load(key).await?.unwrap_or_default();
        Ok(events.iter().map(Into::into).collect())
    }

    /// The states that it may go to from here.
    async fn allowed_transitions(&self, context: &Context<'_>) -> Result<Vec<OrderStatus>> {
        let lines = Loaders::of(context)?.lines_of.load(self.0.id).await?.unwrap_or_default();
        let shipped = lines.iter().any(|line| line.fulfilled > 0);
        Ok(domain::allowed_transitions(self.0.status, shipped)
            .iter()
            .copied()
            .map(OrderStatus::from)
            .collect())
    }
}
