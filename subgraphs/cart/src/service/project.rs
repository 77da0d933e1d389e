//! Keeping the offers as the catalogue tells them.

use std::collections::BTreeMap;

use common::Fault;
use common::id::VariantId;
use database::Tx;
use events::products::{ProductSnapshot, VariantSnapshot};

use crate::domain::{Offer, OfferDetails, TaxClass};
use crate::entity::offer;

/// Takes over what is told of a product, unless something newer is known.
pub async fn apply_product(tx: &Tx, product: &ProductSnapshot) -> Result<(), Fault> {
    let known = offer::lock_versions(tx, product.id).await?;
    if known.iter().any(|(_, version)| *version >= product.version) {
        return Ok(());
    }
    let is_there = |id: &VariantId| product.variants.iter().any(|variant| variant.id == *id);
    let gone = known.into_iter().map(|(id, _)| id).filter(|id| !is_there(id)).collect();
    offer::withdraw(tx, gone, product.version).await?;
    let offers: Vec<Offer> = product.variants.iter().map(|variant| offer_of(product, variant)).collect();
    offer::replace(tx, &offers).await
}

fn offer_of(product: &ProductSnapshot, variant: &VariantSnapshot) -> Offer {
    let options: Vec<&str> = variant.options.iter().map(|(_, value)| value.as_str()).collect();
    let titles: BTreeMap<String, String> =
        product.titles.iter().map(|title| (title.locale.clone(), title_of(&title.text, &options))).collect();
    let category = product.category.as_ref();
    let categories = category
        .into_iter()
        .flat_map(|category| std::iter::once(category.id).chain(category.ancestors.iter().copied()));
    Offer {
        variant: variant.id,
        product: product.id,
        version: product.version,
        sku: variant.sku.clone(),
        tax_class: TaxClass::parse(&variant.tax_class),
        active: product.active,
        weight_grams: variant.weight_grams.unwrap_or(0),
        details: OfferDetails {
            titles,
            prices: variant.prices.iter().map(|price| (price.currency, price.minor)).collect(),
            hidden_in: product.hidden_in.clone(),
            categories: categories.collect(),
        },
    }
}

/// What people call a variant: its product's name and its options, such as `Oak table (L / Blue)`.
pub fn title_of(product: &str, options: &[&str]) -> String {
    if options.is_empty() { product.to_owned() } else { format!("{product} ({})", options.join(" / ")) }
}
