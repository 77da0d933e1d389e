//! What payments add to the entities of others.

use async_graphql::{Context, ID, Object, Result};
use common::id::{CheckoutAttemptId, OrderId, ReturnId, UserId};
use subgraph::graphql::{CountryCode, CurrencyCode, viewer};

use super::loader::Loaders;
use super::payment::{Payment, PaymentClientAction, PaymentSummary, Refund};
use super::wallet::{AvailablePaymentMethod, GiftCard, PaymentMethod};
use super::{may_see, part, sees_all};
use crate::entity::payment;
use crate::service::Payments;

/// An order.
pub struct Order(pub OrderId);

impl Order {
    /// Its payments, where the viewer may see all of them.
    async fn visible(&self, context: &Context<'_>) -> Result<Option<Vec<payment::Model>>> {
        let payments = Loaders::of(context)?.of_orders.load(self.0).await?.unwrap_or_default();
        let viewer = viewer(context);
        let visible = payments.iter().all(|payment| may_see(viewer, payment.customer_id));
        Ok(visible.then_some(payments))
    }
}

/// An order.
#[Object]
impl Order {
    /// The order's id.
    async fn id(&self) -> ID {
        self.0.into()
    }

    /// What is paid for it, oldest first: one payment for each attempt. Null where it is somebody else's order.
    async fn payments(&self, context: &Context<'_>) -> Result<Option<Vec<Payment>>> {
        let payments = self.visible(context).await?;
        Ok(payments.map(|payments| payments.into_iter().map(Payment::from).collect()))
    }

    /// How it is paid for, all payments together. Null where nothing was, or it is somebody else's order.
    async fn payment_summary(&self, context: &Context<'_>) -> Result<Option<PaymentSummary>> {
        Ok(self.visible(context).await?.as_deref().and_then(PaymentSummary::of))
    }
}

/// An attempt to check out.
pub struct CheckoutAttempt(pub CheckoutAttemptId);

/// An attempt to check out.
#[Object]
impl CheckoutAttempt {
    /// The attempt's id.
    async fn id(&self) -> ID {
        self.0.into()
    }

    /// What the buyer must do before the payment goes on; null where nothing.
    async fn client_action(&self, context: &Context<'_>) -> Result<Option<PaymentClientAction>> {
        let payment = Loaders::of(context)?.of_attempts.load(self.0).await?;
        let viewer = viewer(context);
        Ok(payment.filter(|payment| may_see(viewer, payment.customer_id)).and_then(PaymentClientAction::of))
    }
}

/// A cart.
pub struct Cart {
    pub id: ID,
    pub currency: CurrencyCode,
    pub country_code: Option<CountryCode>,
}

/// A cart.
#[Object]
impl Cart {
    /// The cart's id.
    async fn id(&self) -> &ID {
        &self.id
    }

    /// What the cart is in.
    #[graphql(external)]
    async fn currency(&self) -> CurrencyCode {
        self.currency
    }

    /// Where the goods go.
    #[graphql(external)]
    async fn country_code(&self) -> Option<CountryCode> {
        self.country_code.clone()
    }

    /// The ways in which it can be paid for, in its currency and country.
    #[graphql(requires = "currency countryCode")]
    async fn available_payment_methods(
        &self,
        context: &Context<'_>,
    ) -> Result<Option<Vec<AvailablePaymentMethod>>> {
        let takes = part::<Payments>(context)?.takes(self.currency.0);
        let card = AvailablePaymentMethod {
            code: "card".to_owned(),
            title: "Card".to_owned(),
            supports_stored: true,
        };
        Ok(Some(if takes { vec![card] } else { Vec::new() }))
    }
}

/// A person with an account.
pub struct User(pub UserId);

impl User {
    fn is_visible(&self, context: &Context<'_>) -> bool {
        let viewer = viewer(context);
        viewer.user_id() == Some(self.0) || sees_all(viewer)
    }
}

/// A person with an account.
#[Object]
impl User {
    /// The account's id.
    async fn id(&self) -> ID {
        self.0.into()
    }

    /// The ways to pay that the user keeps, newest first. Null where it is somebody else.
    async fn payment_methods(&self, context: &Context<'_>) -> Result<Option<Vec<PaymentMethod>>> {
        if !self.is_visible(context) {
            return Ok(None);
        }
        let rows = Loaders::of(context)?.methods_of.load(self.0).await?.unwrap_or_default();
        Ok(Some(rows.into_iter().map(PaymentMethod::from).collect()))
    }

    /// The user's gift cards. Null where it is somebody else.
    async fn gift_cards(&self, context: &Context<'_>) -> Result<Option<Vec<GiftCard>>> {
        if !self.is_visible(context) {
            return Ok(None);
        }
        let rows = Loaders::of(context)?.gift_cards_of.load(self.0).await?.unwrap_or_default();
        Ok(Some(rows.into_iter().map(GiftCard::from).collect()))
    }
}

/// Goods that come back.
pub struct Return(pub ReturnId);

/// Goods that come back.
#[Object]
impl Return {
    /// The return's id.
    async fn id(&self) -> ID {
        self.0.into()
    }

    /// What was given back for it, oldest first. Null where it is somebody else's.
    async fn refunds(&self, context: &Context<'_>) -> Result<Option<Vec<Refund>>> {
        let rows = Loaders::of(context)?.refunds_for.load(self.0).await?.unwrap_or_default();
        let viewer = viewer(context);
        let visible = rows.iter().all(|refund| may_see(viewer, refund.customer_id));
        Ok(visible.then(|| rows.into_iter().map(Refund::from).collect()))
    }
}
