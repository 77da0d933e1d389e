//! What `products` publishes.

use common::Currency;
use common::Timestamp;
use common::id::{CategoryId, ProductId, ReviewId, UserId, VariantId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An event of the catalogue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type")]
pub enum ProductsEvent {
    /// A product was made or changed; the whole of it as it is now.
    ProductChanged(Box<ProductSnapshot>),
    /// Somebody reviewed a product.
    ReviewCreated {
        /// The review.
        review: ReviewId,
        /// What was reviewed.
        product: ProductId,
        /// Who wrote it.
        author: UserId,
        /// One to five.
        rating: i32,
        /// The mean of all ratings after this one, in hundredths.
        average_hundredths: i32,
        /// How many ratings there are after this one.
        count: i32,
    },
}

impl super::Event for ProductsEvent {
    const TOPIC: &'static str = "products";

    fn key(&self) -> String {
        match self {
            Self::ProductChanged(product) => product.id.to_string(),
            Self::ReviewCreated { product, .. } => product.to_string(),
        }
    }
}

/// A product with its variants, as others need it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ProductSnapshot {
    /// Which product.
    pub id: ProductId,
    /// Rises with every change; an older snapshot never replaces a newer one.
    pub version: i32,
    /// Unique name in URLs.
    pub slug: String,
    /// Name by locale; `en` is always there.
    pub titles: Vec<Localised>,
    /// Description without markup, in English.
    pub description: String,
    /// Maker.
    pub brand: Option<String>,
    /// Whether it is on sale: neither a draft nor archived.
    pub active: bool,
    /// The category it stands in.
    pub category: Option<CategorySnapshot>,
    /// Codes of the channels that do not show it.
    pub hidden_in: Vec<String>,
    /// Key, label and value, such as `material`, `Material`, `Oak`.
    pub attributes: Vec<(String, String, String)>,
    /// URL of the first image.
    pub image_url: Option<String>,
    /// Mean rating in hundredths.
    pub average_hundredths: i32,
    /// How many ratings.
    pub rating_count: i32,
    /// When it was made.
    pub created_at: Timestamp,
    /// What can be bought.
    pub variants: Vec<VariantSnapshot>,
}

/// A text in a language.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Localised {
    /// BCP 47 tag.
    pub locale: String,
    /// The text.
    pub text: String,
}

/// A category as others need it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CategorySnapshot {
    /// Which category.
    pub id: CategoryId,
    /// Unique name in URLs.
    pub slug: String,
    /// Name.
    pub name: String,
    /// The categories above it, nearest first.
    pub ancestors: Vec<CategoryId>,
}

/// A variant as others need it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct VariantSnapshot {
    /// Which variant.
    pub id: VariantId,
    /// Stock keeping unit.
    pub sku: String,
    /// Name.
    pub title: String,
    /// Name and value, such as `Size`, `M`.
    pub options: Vec<(String, String)>,
    /// How it is taxed: `standard`, `reduced` or `zero`.
    pub tax_class: String,
    /// Weight in grams.
    pub weight_grams: Option<i32>,
    /// What it costs, by currency.
    pub prices: Vec<ListPrice>,
}

/// A list price.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ListPrice {
    /// In which currency.
    pub currency: Currency,
    /// Minor units.
    pub minor: i64,
    /// What it cost before, in minor units.
    pub compare_at_minor: Option<i64>,
}
