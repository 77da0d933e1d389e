//! What carts contribute to a variant: what a buyer pays for it.

use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};
use common::id::VariantId;
use common::{Fault, Money as Amount};
use subgraph::graphql::{CurrencyCode, DateTime, InOrder, MinorUnits, Money, shop};

use super::loader::Loaders;
use super::part;
use super::promotion::PromotionApplication;
use crate::domain::{Asked, Promotion, TaxClass, buyer_price};
use crate::service::Carts;

/// Most articles that a price is asked for at once.
const LARGEST_QUANTITY: i32 = 999;

/// A variant of a product, with what the gateway brought along from the catalogue.
pub struct ProductVariant {
    pub id: VariantId,
    pub list_price: Option<Amount>,
    pub tax_class: Option<String>,
}

/// A list price as the gateway brings it along.
#[derive(InputObject)]
pub struct ListPriceInput {
    amount_minor: MinorUnits,
    currency: CurrencyCode,
}

impl From<ListPriceInput> for Amount {
    fn from(input: ListPriceInput) -> Self {
        Self::new(input.amount_minor.0, input.currency.0)
    }
}

/// What a buyer pays.
#[derive(SimpleObject)]
pub struct BuyerPrice {
    /// The price of one, after promotions that need no code.
    pub unit: Money,
    /// The list price, where promotions take something off.
    pub compare_at: Option<Money>,
    /// The tax of one, where it would be sent to the country of the request.
    pub tax: Option<Money>,
    /// Whether the price includes the tax.
    pub tax_included: bool,
    /// The promotions that apply, with what they take off the whole quantity.
    pub promotions: Vec<PromotionApplication>,
    /// When the first of these promotions ends.
    pub valid_until: Option<DateTime>,
}

impl ProductVariant {
    /// A reference, which the gateway completes in the catalogue.
    pub fn reference(id: VariantId) -> Self {
        Self { id, list_price: None, tax_class: None }
    }
}

/// A variant of a product: what can be bought.
#[Object]
impl ProductVariant {
    /// The variant's id.
    pub async fn id(&self) -> ID {
        self.id.into()
    }

    /// What it costs by the list, in the currency of the request.
    #[graphql(external)]
    async fn list_price(&self) -> Result<Money> {
        let price = self.list_price.ok_or_else(|| Fault::internal("the list price was not brought along"))?;
        Ok(price.into())
    }

    /// How it is taxed: `standard`, `reduced` or `zero`.
    #[graphql(external)]
    async fn tax_class(&self) -> Result<String> {
        let class = self.tax_class.clone();
        Ok(class.ok_or_else(|| Fault::internal("the tax class was not brought along"))?)
    }

    /// What a buyer pays for one of so many, in the channel, country and currency of the request; null where that
    /// cannot be said.
    #[graphql(requires = "listPrice { amountMinor currency } taxClass")]
    async fn buyer_price(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "How many are bought, 1 to 999.", default_with = "Some(1)")] quantity: Option<i32>,
    ) -> Result<Option<InOrder<BuyerPrice>>> {
        let quantity = quantity.unwrap_or(1);
        if !(1..=LARGEST_QUANTITY).contains(&quantity) {
            return Err(Fault::bad_input("'quantity' must lie between 1 and 999").into());
        }
        let (Some(list), Some(class)) = (self.list_price, &self.tax_class) else { return Ok(None) };
        let (carts, loaders) = (part::<Carts>(context)?, Loaders::of(context)?);
        let promotions = loaders.promotions(carts).await?;
        let restricted = |promotion: &Promotion| promotion.is_on_articles() && promotion.is_restricted();
        let place =
            if promotions.iter().any(restricted) { loaders.places.load(self.id).await? } else { None };
        let asked = Asked {
            list,
            class: TaxClass::parse(class),
            quantity: quantity.into(),
            product: place.as_ref().map(|place| place.0),
            categories: place.as_ref().map_or(&[][..], |place| &place.1),
        };
        let price = buyer_price(&asked, shop(context), promotions, carts.now());
        Ok(price.map(|price| {
            let money = |minor| Money(Amount::new(minor, list.currency));
            let applications = price.applications.iter();
            InOrder(BuyerPrice {
                unit: money(price.unit),
                compare_at: (price.unit < list.minor).then(|| list.into()),
                tax: Some(money(price.tax)),
                tax_included: price.tax_included,
                promotions: applications.map(|one| PromotionApplication::new(one, list.currency)).collect(),
                valid_until: price.valid_until.map(DateTime::from),
            })
        }))
    }
}
