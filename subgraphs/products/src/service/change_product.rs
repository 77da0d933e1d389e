//! Making and changing products.

use common::id::{ProductId, VariantId};
use common::{Currency, Failure, Fault, settle};
use database::{ScopedFutureExt, Tx, is_duplicate};
use events::products::{
    CategorySnapshot, ListPrice, Localised, ProductSnapshot, ProductsEvent, VariantSnapshot,
};
use sea_orm::entity::prelude::*;

use super::Catalog;
use crate::domain::{
    Categories, Details, NewPrice, Product, ProductRefusal, Status, Text, Variant, check_prices, check_slug,
    check_title, set_prices,
};
use crate::entity::{product, variant};

/// A product as a member of staff wants it.
#[derive(Debug, Clone)]
pub struct ProductChange {
    /// Which; none makes a new draft.
    pub id: Option<ProductId>,
    /// Its unique name in URLs.
    pub slug: String,
    /// Its name in English.
    pub title: String,
    /// The version that was seen.
    pub expected_version: Option<i32>,
    /// Prices of its variants.
    pub prices: Vec<NewPrice>,
}

/// A product after a change, and what is not known of it any more.
struct Changed {
    product: Product,
    old_slug: String,
    repriced: Vec<VariantId>,
}

impl Catalog {
    /// Makes a draft, or changes slug, title and prices of a product, and tells the others.
    pub async fn change_product(
        &self,
        change: &ProductChange,
    ) -> Result<Result<Product, ProductRefusal>, Fault> {
        if let Err(refusal) = check_slug(&change.slug).and_then(|()| check_title(&change.title)) {
            return Ok(Err(refusal));
        }
        let categories = self.categories().await?;
        let categories = &*categories;
        let currencies = &self.currencies().await?[..];
        let changed = self
            .ports
            .database
            .transaction(|tx| self.change_product_in(tx, categories, currencies, change).scope_boxed())
            .await;
        let changed = settle(changed)?;
        if let Ok(Changed { product, old_slug, repriced }) = &changed {
            self.forget(product.id, &[product.slug.clone(), old_slug.clone()], repriced);
        }
        Ok(changed.map(|changed| changed.product))
    }

    async fn change_product_in(
        &self,
        tx: &Tx,
        categories: &Categories,
        currencies: &[Currency],
        change: &ProductChange,
    ) -> Result<Changed, Failure<ProductRefusal>> {
        let (mut product, old_slug) = match change.id {
            Some(id) => {
                let row = product::lock(tx, id).await?.ok_or(Failure::Refused(ProductRefusal::NotFound))?;
                let product = Product::try_from(row)?;
                let slug = product.slug.clone();
                (product, slug)
            }
            None => (self.draft(), change.slug.clone()),
        };
        if change.expected_version.is_some_and(|expected| expected != product.version) {
            return Err(Failure::Refused(ProductRefusal::VersionConflict { current: product.version }));
        }
        product.slug.clone_from(&change.slug);
        product.version += 1;
        product.updated_at = self.ports.clock.now();
        let text = product
            .details
            .texts
            .entry("en".to_owned())
            .or_insert_with(|| Text { title: String::new(), description_html: String::new() });
        text.title = change.title.trim().to_owned();
        let variants = variant::of_products(tx, vec![product.id]).await?;
        let mut variants = variants.into_iter().map(Variant::try_from).collect::<Result<Vec<_>, Fault>>()?;
        check_prices(&change.prices, &variants, currencies).map_err(Failure::Refused)?;
        let repriced = set_prices(&change.prices, &mut variants, &mut product.details);
        save(tx, &product, change.id.is_none()).await?;
        for variant in variants.iter().filter(|variant| repriced.contains(&variant.id)) {
            let details = serde_json::to_string(&variant.details).map_err(Fault::internal)?;
            variant::store_details(tx, variant.id, details).await?;
        }
        let event = ProductsEvent::ProductChanged(Box::new(snapshot(&product, &variants, categories)));
        self.ports.publish(tx, &event).await?;
        Ok(Changed { product, old_slug, repriced })
    }

    fn draft(&self) -> Product {
        let now = self.ports.clock.now();
        Product {
            id: self.ports.ids.next(),
            version: 0,
            slug: String::new(),
            status: Status::Draft,
            brand: None,
            category_id: None,
            details: Details::default(),
            rating_sum: 0,
            rating_count: 0,
            created_at: now,
            updated_at: now,
        }
    }
}

async fn save(tx: &Tx, product: &Product, new: bool) -> Result<(), Failure<ProductRefusal>> {
    let row = product::ActiveModel::from(product::Model {
        id: product.id,
        version: product.version,
        slug: product.slug.clone(),
        status: product.status.as_str().to_owned(),
        brand: product.brand.clone(),
        category_id: product.category_id,
        details: serde_json::to_string(&product.details).map_err(Fault::internal)?,
        rating_sum: product.rating_sum,
        rating_count: product.rating_count,
        created_at: product.created_at,
        updated_at: product.updated_at,
    });
    let saved = if new {
        product::Entity::insert(row).exec_without_returning(tx).await.map(drop)
    } else {
        product::Entity::update_many()
            .set(row.reset_all())
            .filter(product::Column::Id.eq(product.id))
            .exec(tx)
            .await
            .map(drop)
    };
    match saved {
        Err(error) if is_duplicate(&error) => Err(Failure::Refused(ProductRefusal::SlugTaken)),
        saved => Ok(saved?),
    }
}

/// A product as it is told to the others.
pub(crate) fn snapshot(product: &Product, variants: &[Variant], categories: &Categories) -> ProductSnapshot {
    let details = &product.details;
    let category = product.category_id.and_then(|id| categories.by_id(id)).map(|category| CategorySnapshot {
        id: category.id,
        slug: category.slug.clone(),
        name: category.name.clone(),
        ancestors: categories.ancestors(category.id),
    });
    ProductSnapshot {
        id: product.id,
        version: product.version,
        slug: product.slug.clone(),
        titles: details
            .texts
            .iter()
            .map(|(locale, text)| Localised { locale: locale.clone(), text: text.title.clone() })
            .collect(),
        description: product
            .text("en")
            .map(|text| without_markup(&text.description_html))
            .unwrap_or_default(),
        brand: product.brand.clone(),
        active: product.status == Status::Active,
        category,
        hidden_in: details.hidden_in.clone(),
        attributes: details
            .attributes
            .iter()
            .map(|attribute| (attribute.key.clone(), attribute.label.clone(), attribute.value.clone()))
            .collect(),
        image_url: details.images.first().map(|image| image.url.clone()),
        average_hundredths: product
            .average_hundredths()
            .map_or(0, |average| i32::try_from(average).unwrap_or(i32::MAX)),
        rating_count: product.rating_count,
        created_at: product.created_at,
        variants: variants.iter().map(variant_snapshot).collect(),
    }
}

fn variant_snapshot(variant: &Variant) -> VariantSnapshot {
    VariantSnapshot {
        id: variant.id,
        sku: variant.sku.clone(),
        title: variant.details.title.clone(),
        options: variant.details.options.clone(),
        tax_class: variant.tax_class.clone(),
        weight_grams: variant.weight_grams,
        prices: variant
            .details
            .prices
            .iter()
            .map(|price| ListPrice {
                currency: price.list.currency,
                minor: price.list.minor,
                compare_at_minor: price.compare_at_minor,
            })
            .collect(),
    }
}

/// The text of an HTML fragment that we wrote ourselves: what stands between the tags.
fn without_markup(html: &str) -> String {
    let mut text = String::with_capacity(html.len());
    let mut in_tag = false;
    for character in html.chars() {
        match character {
            '<' => in_tag = true,
            '>' if in_tag => {
                in_tag = false;
                text.push(' ');
            }
            other if !in_tag => text.push(other),
            _ => {}
        }
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
