//! Variants.

use std::sync::Arc;

use async_graphql::{Context, ID, Object, Result};
use common::Fault;
use subgraph::graphql::{InOrder, Listed, Money, shop};

use super::loader::Loaders;
use super::product::{Image, OptionValue, Product};
use crate::domain;

/// A variant of a product: what can be bought.
pub struct ProductVariant(pub Arc<domain::Variant>);

/// A variant of a product: what can be bought.
#[Object]
impl ProductVariant {
    /// The variant's id.
    pub async fn id(&self) -> ID {
        self.0.id.into()
    }

    /// The stock keeping unit.
    async fn sku(&self) -> &str {
        &self.0.sku
    }

    /// The variant's name, such as `M / Blue`.
    async fn title(&self) -> &str {
        &self.0.details.title
    }

    /// What it is a variant of.
    async fn product(&self, context: &Context<'_>) -> Result<Product> {
        let product = Loaders::of(context)?.products.load(self.0.product_id).await?;
        Ok(Product(product.ok_or_else(|| Fault::internal("a variant without a product"))?))
    }

    /// What makes it differ from the other variants.
    async fn options(&self) -> Listed<OptionValue> {
        let options = self.0.details.options.iter();
        options.map(|(name, value)| OptionValue { name: name.clone(), value: value.clone() }).collect()
    }

    /// A picture of it.
    async fn image(&self) -> Option<InOrder<Image>> {
        self.0.details.image.as_ref().map(Image::from).map(InOrder)
    }

    /// What it costs by the list, in the currency of the request: `buyerPrice` is what a buyer pays.
    async fn list_price(&self, context: &Context<'_>) -> Result<Money> {
        let currency = shop(context).currency;
        let price = self.0.price(currency);
        let price = price.ok_or_else(|| Fault::bad_input(format!("There is no price in {currency}.")))?;
        Ok(price.list.into())
    }

    /// What it cost before; null where the price was not lowered.
    async fn compare_at_price(&self, context: &Context<'_>) -> Option<Money> {
        let currency = shop(context).currency;
        let minor = self.0.price(currency)?.compare_at_minor?;
        Some(common::Money::new(minor, currency).into())
    }

    /// How it is taxed: `standard`, `reduced` or `zero`.
    async fn tax_class(&self) -> &str {
        &self.0.tax_class
    }

    /// Weight in grams.
    async fn weight_grams(&self) -> Option<i32> {
        self.0.weight_grams
    }
}
