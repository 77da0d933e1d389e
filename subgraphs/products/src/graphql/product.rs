//! Products.

use std::sync::Arc;

use async_graphql::{Context, Enum, ID, InputObject, Object, Result, SimpleObject};
use common::{Cursor, Fault, PageArgs};
use subgraph::graphql::{Connection, DateTime, InOrder, Listed, Money, shop};

use super::category::Category;
use super::loader::Loaders;
use super::part;
use super::review::Review;
use super::variant::ProductVariant;
use crate::domain;
use crate::entity::review;
use crate::service::Catalog;

/// A product: what shoppers look at. What they buy is one of its variants.
pub struct Product(pub Arc<domain::Product>);

/// Where a product is in its life.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "domain::Status")]
pub enum ProductStatus {
    /// Not on sale yet.
    Draft,
    /// On sale.
    Active,
    /// Not on sale any more.
    Archived,
}

/// A picture.
#[derive(SimpleObject)]
#[graphql(shareable)]
pub struct Image {
    /// Where the picture is.
    pub url: String,
    /// What it shows, for those who do not see it.
    pub alt: Option<String>,
    /// Width in pixels.
    pub width: Option<i32>,
    /// Height in pixels.
    pub height: Option<i32>,
}

impl From<&domain::Image> for Image {
    fn from(image: &domain::Image) -> Self {
        Self { url: image.url.clone(), alt: image.alt.clone(), width: image.width, height: image.height }
    }
}

/// The value of an option, such as the size M.
#[derive(SimpleObject)]
pub struct OptionValue {
    /// The option's name, such as `Size`.
    pub name: String,
    /// The value, such as `M`.
    pub value: String,
}

/// The value of an option, such as the size M.
#[derive(InputObject)]
pub struct OptionValueInput {
    /// The option's name, such as `Size`.
    pub name: String,
    /// The value, such as `M`.
    pub value: String,
}

/// A property of a product.
#[derive(SimpleObject)]
pub struct Attribute {
    /// The property's name for programs, such as `material`.
    pub key: String,
    /// The property's name for people, such as `Material`.
    pub label: String,
    /// The value, such as `Oak`.
    pub value: String,
}

/// The lowest and the highest of some prices.
#[derive(SimpleObject)]
pub struct PriceRange {
    /// The lowest.
    pub min: Money,
    /// The highest.
    pub max: Money,
}

impl From<(common::Money, common::Money)> for PriceRange {
    fn from((min, max): (common::Money, common::Money)) -> Self {
        Self { min: min.into(), max: max.into() }
    }
}

/// A product: what shoppers look at. What they buy is one of its variants.
#[Object]
impl Product {
    /// The product's id.
    pub async fn id(&self) -> ID {
        self.0.id.into()
    }

    /// Rises with every change.
    async fn version(&self) -> i32 {
        self.0.version
    }

    /// The product's unique name in URLs.
    async fn slug(&self) -> &str {
        &self.0.slug
    }

    /// The product's name in the language of the request.
    async fn title(&self, context: &Context<'_>) -> String {
        self.0.text(&shop(context).locale).map(|text| text.title.clone()).unwrap_or_default()
    }

    /// What is said of the product, as HTML that is safe to show.
    async fn description_html(&self, context: &Context<'_>) -> String {
        self.0.text(&shop(context).locale).map(|text| text.description_html.clone()).unwrap_or_default()
    }

    /// Who makes it.
    async fn brand(&self) -> Option<&str> {
        self.0.brand.as_deref()
    }

    /// Whether it is on sale.
    async fn status(&self) -> ProductStatus {
        self.0.status.into()
    }

    /// The category that it stands in.
    async fn category(&self, context: &Context<'_>) -> Result<Option<Category>> {
        let categories = part::<Catalog>(context)?.categories().await?;
        Ok(self.0.category_id.and_then(|id| categories.by_id(id)).cloned().map(Category))
    }

    /// Pictures, the main one first.
    async fn images(
        &self,
        #[graphql(desc = "How many, at most 100.", default_with = "Some(10)")] first: Option<i32>,
    ) -> Result<Listed<Image>> {
        let page = PageArgs::parse(first.unwrap_or(10), None).map_err(Fault::from)?;
        Ok(self.0.details.images.iter().take(page.first).map(Image::from).collect())
    }

    /// Properties, in the order in which they are shown.
    async fn attributes(&self) -> Listed<Attribute> {
        let attributes = self.0.details.attributes.iter();
        let shown = attributes.map(|attribute| Attribute {
            key: attribute.key.clone(),
            label: attribute.label.clone(),
            value: attribute.value.clone(),
        });
        shown.collect()
    }

    /// The lowest and highest list price of the variants, in the currency of the request.
    async fn price_range(&self, context: &Context<'_>) -> InOrder<PriceRange> {
        let currency = shop(context).currency;
        let nothing = common::Money::zero(currency);
        InOrder(self.0.price_range(currency).unwrap_or((nothing, nothing)).into())
    }

    /// The lowest and highest earlier price of the variants that have one; null where none has.
    async fn compare_at_price_range(&self, context: &Context<'_>) -> Option<InOrder<PriceRange>> {
        self.0.compare_at_range(shop(context).currency).map(PriceRange::from).map(InOrder)
    }

    /// The variants, in the order in which they are shown.
    async fn variants(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "How many, at most 100.", default_with = "Some(50)")] first: Option<i32>,
        #[graphql(desc = "The `endCursor` of the page before.")] after: Option<String>,
    ) -> Result<Connection<ProductVariant>> {
        let page = PageArgs::parse(first.unwrap_or(50), after.as_deref()).map_err(Fault::from)?;
        let begin = match &page.after {
            Some(cursor) => cursor.key::<i32>(0, 1).map_err(Fault::from)? + 1,
            None => i32::MIN,
        };
        let all = Loaders::of(context)?.variants_of.load(self.0.id).await?.unwrap_or_default();
        let rest = all.iter().filter(|variant| variant.position >= begin);
        let rows: Vec<Arc<domain::Variant>> = rest.take(page.first + 1).cloned().collect();
        Ok(Connection::new(&page, rows, |variant| Cursor::new(&[&variant.position]), ProductVariant))
    }

    /// The variant with exactly these options; null where there is none.
    async fn variant_by_options(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "One value for each option.")] options: Vec<OptionValueInput>,
    ) -> Result<Option<ProductVariant>> {
        let all = Loaders::of(context)?.variants_of.load(self.0.id).await?.unwrap_or_default();
        let wanted = |variant: &&Arc<domain::Variant>| {
            let has = &variant.details.options;
            has.len() == options.len()
                && options
                    .iter()
                    .all(|want| has.iter().any(|(name, value)| *name == want.name && *value == want.value))
        };
        Ok(all.iter().find(wanted).cloned().map(ProductVariant))
    }

    /// What buyers and others say, newest first.
    async fn reviews(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "How many, at most 100.", default_with = "Some(10)")] first: Option<i32>,
        #[graphql(desc = "The `endCursor` of the page before.")] after: Option<String>,
    ) -> Result<Connection<Review>> {
        let page = PageArgs::parse(first.unwrap_or(10), after.as_deref()).map_err(Fault::from)?;
        let rows: Vec<review::Model> = match &page.after {
            Some(cursor) => {
                let at = common::Timestamp(cursor.key(0, 2).map_err(Fault::from)?);
                let place = (at, cursor.key(1, 2).map_err(Fault::from)?);
                part::<Catalog>(context)?.older_reviews(self.0.id, place, &page).await?
            }
            None => {
                let limit = page.limit();
                let newest = Loaders::of(context)?.newest_reviews.load((self.0.id, limit)).await?;
                let newest = newest.as_deref().unwrap_or_default();
                newest.iter().take(usize::try_from(limit).unwrap_or(usize::MAX)).cloned().collect()
            }
        };
        Ok(Connection::new(&page, rows, |review| Cursor::new(&[&review.created_at.0, &review.id]), Review))
    }

    /// The mean of all ratings, one to five; null where there is none.
    async fn rating_average(&self) -> Option<f64> {
        // A rating is no money: this is the one place where a float is right.
        let hundredths = i32::try_from(self.0.average_hundredths()?).ok()?;
        Some(f64::from(hundredths) / 100.0)
    }

    /// How many ratings there are.
    async fn rating_count(&self) -> i32 {
        self.0.rating_count
    }

    /// When it was made.
    async fn created_at(&self) -> DateTime {
        self.0.created_at.into()
    }

    /// When it was last changed.
    async fn updated_at(&self) -> DateTime {
        self.0.updated_at.into()
    }
}
