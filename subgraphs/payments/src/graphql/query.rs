//! The ways in, and the references by which the gateway comes back to an entity.

use async_graphql::{Context, ID, Object, Result};
use common::id::PaymentMethodId;
use subgraph::graphql::{CountryCode, CurrencyCode, Scope, parse_id, viewer};

use super::loader::Loaders;
use super::payment::{Payment, Refund};
use super::reference::{Cart, CheckoutAttempt, Order, Return, User};
use super::test_provider::TestProviderCharge;
use super::wallet::{GiftCard, PaymentMethod};
use super::{may_see, part};
use crate::provider::TestProvider;
use crate::service::Payments;

/// Where reading begins.
pub struct Query;

/// Where reading begins.
#[Object]
impl Query {
    /// A payment by its id; null where there is none.
    #[graphql(guard = "Scope(\"payments:read\")", requires_scopes = "payments:read")]
    async fn payment(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The payment's id.")] id: ID,
    ) -> Result<Option<Payment>> {
        Ok(Loaders::of(context)?.payments.load(parse_id(&id)?).await?.map(Payment::from))
    }

    /// A gift card by its code; null where there is none. Who has the code has the card.
    async fn gift_card(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The code; dashes, blanks and case do not matter.", secret)] code: String,
    ) -> Result<Option<GiftCard>> {
        Ok(part::<Payments>(context)?.gift_card(&code).await?.map(GiftCard::from))
    }

    /// What the test provider was asked for an order, oldest first; empty with another provider.
    #[graphql(guard = "Scope(\"payments:read\")", requires_scopes = "payments:read")]
    async fn test_provider_charges(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The order's id.")] order_id: ID,
    ) -> Result<Vec<TestProviderCharge>> {
        let Some(test) = part::<Option<TestProvider>>(context)? else { return Ok(Vec::new()) };
        let charges = test.charges(parse_id(&order_id)?).await?;
        Ok(charges.into_iter().map(TestProviderCharge::from).collect())
    }

    #[graphql(entity)]
    async fn find_payment(&self, context: &Context<'_>, id: ID) -> Result<Option<Payment>> {
        let Ok(id) = id.parse() else { return Ok(None) };
        let payment = Loaders::of(context)?.payments.load(id).await?;
        let viewer = viewer(context);
        Ok(payment.filter(|payment| may_see(viewer, payment.customer_id)).map(Payment::from))
    }

    #[graphql(entity)]
    async fn find_refund(&self, context: &Context<'_>, id: ID) -> Result<Option<Refund>> {
        let Ok(id) = id.parse() else { return Ok(None) };
        let refund = Loaders::of(context)?.refunds.load(id).await?;
        let viewer = viewer(context);
        Ok(refund.filter(|refund| may_see(viewer, refund.customer_id)).map(Refund::from))
    }

    #[graphql(entity)]
    async fn find_payment_method(&self, context: &Context<'_>, id: ID) -> Result<Option<PaymentMethod>> {
        let (Ok(id), Some(user)) = (id.parse::<PaymentMethodId>(), viewer(context).user_id()) else {
            return Ok(None);
        };
        let own = Loaders::of(context)?.methods_of.load(user).await?.unwrap_or_default();
        Ok(own.into_iter().find(|method| method.id == id).map(PaymentMethod::from))
    }

    #[graphql(entity)]
    async fn find_gift_card(&self, context: &Context<'_>, id: ID) -> Result<Option<GiftCard>> {
        let (Ok(id), Some(user)) = (id.parse(), viewer(context).user_id()) else { return Ok(None) };
        let own = Loaders::of(context)?.gift_cards_of.load(user).await?.unwrap_or_default();
        Ok(own.into_iter().find(|card| card.id == id).map(GiftCard::from))
    }

    #[graphql(entity)]
    async fn find_order(&self, id: ID) -> Option<Order> {
        id.parse().ok().map(Order)
    }

    #[graphql(entity)]
    async fn find_attempt(&self, id: ID) -> Option<CheckoutAttempt> {
        id.parse().ok().map(CheckoutAttempt)
    }

    #[graphql(entity)]
    async fn find_cart(
        &self,
        #[graphql(key)] id: ID,
        currency: Option<CurrencyCode>,
        country_code: Option<CountryCode>,
    ) -> Option<Cart> {
        // Without the field that requires it, a reference comes without a currency; nobody reads it then.
        let currency = currency.unwrap_or(CurrencyCode(common::Currency::USD));
        id.parse::<common::id::CartId>().ok().map(|_| Cart { id, currency, country_code })
    }

    #[graphql(entity)]
    async fn find_user(&self, id: ID) -> Option<User> {
        id.parse().ok().map(User)
    }

    #[graphql(entity)]
    async fn find_return(&self, id: ID) -> Option<Return> {
        id.parse().ok().map(Return)
    }
}
