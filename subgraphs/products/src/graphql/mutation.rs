//! Changes to the catalogue.

use std::sync::Arc;

use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};
use common::{Fault, Money};
use subgraph::graphql::{Authenticated, MoneyInput, Scope, authenticated, parse_id, viewer};

use super::part;
use super::product::Product;
use super::refusal::CatalogUserError;
use super::review::Review;
use crate::domain::{NewPrice, NewReview};
use crate::service::{Catalog, ProductChange};

/// Where changing begins.
pub struct Mutation;

/// A review to write.
#[derive(InputObject)]
pub struct ReviewCreateInput {
    /// What is reviewed.
    pub product_id: ID,
    /// One to five.
    pub rating: i32,
    /// What it says in short; at most 120 characters.
    pub title: Option<String>,
    /// What it says; at most 5,000 characters.
    pub body: Option<String>,
}

/// What comes of writing a review.
#[derive(SimpleObject)]
pub struct ReviewCreatePayload {
    /// The review; null where it is refused.
    pub review: Option<Review>,
    /// Why it is refused.
    pub user_errors: Vec<CatalogUserError>,
}

/// A product to make or to change.
#[derive(InputObject)]
pub struct ProductUpsertInput {
    /// Which product; none makes a new draft.
    pub id: Option<ID>,
    /// Its unique name in URLs.
    pub slug: String,
    /// Its name in English.
    pub title: String,
    /// The version that was seen; another one now is a conflict.
    pub expected_version: Option<i32>,
    /// List prices of its variants, at most 250; those that are not named stay.
    pub prices: Option<Vec<VariantPriceInput>>,
}

/// A list price of a variant, in place of the one that it has in the currency.
#[derive(InputObject)]
pub struct VariantPriceInput {
    /// Which variant of the product.
    pub variant_id: ID,
    /// What it is to cost, in a currency that a channel sells in.
    pub list_price: MoneyInput,
    /// The earlier price to show beside it; none where it is left out.
    pub compare_at_price: Option<MoneyInput>,
}

/// What comes of making or changing a product.
#[derive(SimpleObject)]
pub struct ProductUpsertPayload {
    /// The product; null where the change is refused.
    pub product: Option<Product>,
    /// Why it is refused.
    pub user_errors: Vec<CatalogUserError>,
}

/// Where changing begins.
#[Object]
impl Mutation {
    /// Writes the viewer's review of a product: one for each product.
    #[graphql(guard = "Authenticated", directive = authenticated::apply())]
    async fn review_create(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The review.")] input: ReviewCreateInput,
    ) -> Result<ReviewCreatePayload> {
        let author = viewer(context).require_user()?;
        let product = parse_id(&input.product_id)?;
        let new = NewReview { rating: input.rating, title: input.title, body: input.body };
        let written = part::<Catalog>(context)?.write_review(author, product, &new).await?;
        Ok(match written {
            Ok(review) => ReviewCreatePayload { review: Some(Review(review)), user_errors: Vec::new() },
            Err(refusal) => ReviewCreatePayload { review: None, user_errors: vec![refusal.into()] },
        })
    }

    /// Makes a product as a draft, or changes its slug, its title and the list prices of its variants. A price that a
    /// buyer has in the cart holds until its lock ends; the cart warns of the new one.
    #[graphql(guard = "Scope(\"catalog:write\")", requires_scopes = "catalog:write")]
    async fn product_upsert(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The product.")] input: ProductUpsertInput,
    ) -> Result<ProductUpsertPayload> {
        let change = ProductChange {
            id: input.id.as_ref().map(parse_id).transpose()?,
            slug: input.slug,
            title: input.title,
            expected_version: input.expected_version,
            prices: input.prices.unwrap_or_default().into_iter().map(new_price).collect::<Result<_, _>>()?,
        };
        let changed = part::<Catalog>(context)?.change_product(&change).await?;
        Ok(match changed {
            Ok(product) => {
                ProductUpsertPayload { product: Some(Product(Arc::new(product))), user_errors: Vec::new() }
            }
            Err(refusal) => ProductUpsertPayload { product: None, user_errors: vec![refusal.into()] },
        })
    }
}

fn new_price(input: VariantPriceInput) -> Result<NewPrice, Fault> {
    Ok(NewPrice {
        variant: parse_id(&input.variant_id)?,
        list: input.list_price.into(),
        compare_at: input.compare_at_price.map(Money::from),
    })
}
