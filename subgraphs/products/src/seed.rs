//! Fills the catalogue with the seeded world.

use std::collections::BTreeMap;

use ::seed::{CATEGORIES, CHANNELS, DEPARTMENTS, SeedOrderStatus, SeedPrice, SeedProduct, World};
use common::Fault;
use database::Tx;
use subgraph::Ports;
use subgraph::seeding::{Progress, insert, part};

use crate::domain::{Attribute, Details, Image, Price, Status, Text, VariantDetails, ranges};
use crate::entity::{category, channel, product, purchase, review, variant};

/// Which department each category stands in, by place.
const DEPARTMENT_OF: [usize; 12] = [0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3];

/// Rows that [`seed`] tells of in all.
pub fn rows(world: &World) -> u64 {
    1 + u64::from(world.products) + u64::from(world.orders)
}

/// Writes what is not there yet.
pub async fn seed(ports: &Ports, world: &World, progress: &Progress) -> Result<(), Fault> {
    let world = *world;
    part(ports, "frame", 1, 1, progress, move |tx, _| Box::pin(frame(tx, world))).await?;
    part(ports, "products", world.products, 200, progress, move |tx, rows| {
        Box::pin(async move {
            let products: Vec<SeedProduct> = rows.map(|number| world.product(number)).collect();
            write_products(tx, &world, &products).await
        })
    })
    .await?;
    part(ports, "purchases", world.orders, 1_000, progress, move |tx, rows| {
        Box::pin(async move {
            let bought = rows.map(|number| world.order(number)).filter(|order| {
                !matches!(
                    order.status,
                    SeedOrderStatus::Pending | SeedOrderStatus::Expired | SeedOrderStatus::Cancelled
                )
            });
            let mut purchases = Vec::new();
            for order in bought {
                if let Some(customer) = &order.customer {
                    purchases.extend(order.lines.iter().map(|line| (customer.id, line.product)));
                }
            }
            purchases.sort();
            purchases.dedup();
            Ok(purchase::record(tx, purchases).await?)
        })
    })
    .await
}

async fn frame(tx: &Tx, world: World) -> Result<(), Fault> {
    let departments = DEPARTMENTS.iter().enumerate().map(|(place, (slug, name))| category::Model {
        id: world.department_id(place),
        parent_id: None,
        slug: (*slug).to_owned(),
        name: (*name).to_owned(),
        position: i32::try_from(place).unwrap_or(0),
    });
    let categories = CATEGORIES.iter().enumerate().map(|(place, (slug, name, _))| category::Model {
        id: world.category_id(place),
        parent_id: Some(world.department_id(DEPARTMENT_OF[place])),
        slug: (*slug).to_owned(),
        name: (*name).to_owned(),
        position: i32::try_from(place).unwrap_or(0),
    });
    insert(tx, departments.chain(categories).map(category::ActiveModel::from).collect()).await?;
    let mut channels = Vec::new();
    for (place, seeded) in CHANNELS.iter().enumerate() {
        channels.push(channel::ActiveModel::from(channel::Model {
            id: world.channel_id(place),
            code: seeded.code.to_owned(),
            default_currency: seeded.default_currency,
            currencies: serde_json::to_string(seeded.currencies).map_err(Fault::internal)?,
            locales: serde_json::to_string(seeded.locales).map_err(Fault::internal)?,
            countries: serde_json::to_string(seeded.countries).map_err(Fault::internal)?,
            prices_include_tax: seeded.prices_include_tax,
        }));
    }
    insert(tx, channels).await
}

async fn write_products(tx: &Tx, world: &World, seeded: &[SeedProduct]) -> Result<(), Fault> {
    let (mut products, mut variants, mut reviews) = (Vec::new(), Vec::new(), Vec::new());
    for one in seeded {
        let written = world.reviews(one.number);
        products.push(product::ActiveModel::from(product::Model {
            id: one.id,
            version: 1,
            slug: one.slug.clone(),
            status: Status::Active.as_str().to_owned(),
            brand: Some(one.brand.to_owned()),
            category_id: Some(world.category_id(one.category)),
            details: serde_json::to_string(&details(one)).map_err(Fault::internal)?,
            rating_sum: written.iter().map(|review| i64::from(review.rating)).sum(),
            rating_count: i32::try_from(written.len()).unwrap_or(i32::MAX),
            created_at: one.created_at,
            updated_at: one.created_at,
        }));
        for (position, seeded) in one.variants.iter().enumerate() {
            variants.push(variant::ActiveModel::from(variant::Model {
                id: seeded.id,
                product_id: one.id,
                sku: seeded.sku.clone(),
                position: i32::try_from(position).unwrap_or(i32::MAX),
                tax_class: seeded.tax_class.to_owned(),
                weight_grams: Some(seeded.weight_grams),
                details: serde_json::to_string(&variant_details(one, position)).map_err(Fault::internal)?,
            }));
        }
        reviews.extend(written.into_iter().map(|review| {
            review::ActiveModel::from(review::Model {
                id: review.id,
                product_id: one.id,
                author_id: review.author,
                rating: review.rating,
                title: review.title,
                body: Some(review.body),
                verified: review.verified,
                created_at: review.created_at,
            })
        }));
    }
    insert(tx, products).await?;
    insert(tx, variants).await?;
    insert(tx, reviews).await
}

fn details(seeded: &SeedProduct) -> Details {
    let texts: BTreeMap<String, Text> = seeded
        .texts
        .iter()
        .map(|(locale, title, description)| {
            let text = Text { title: title.clone(), description_html: description.clone() };
            ((*locale).to_owned(), text)
        })
        .collect();
    let prices = || seeded.variants.iter().flat_map(|variant| &variant.prices).map(price);
    Details {
        images: vec![image(seeded)],
        attributes: seeded
            .attributes
            .iter()
            .map(|(key, label, value)| Attribute {
                key: (*key).to_owned(),
                label: (*label).to_owned(),
                value: value.clone(),
            })
            .collect(),
        price_ranges: ranges(prices().map(|price| price.list)),
        compare_at_ranges: ranges(prices().filter_map(|price| price.compare_at())),
        hidden_in: seeded.hidden_in.iter().map(|code| (*code).to_owned()).collect(),
        texts,
    }
}

fn variant_details(product: &SeedProduct, position: usize) -> VariantDetails {
    let seeded = &product.variants[position];
    VariantDetails {
        title: seeded.title.clone(),
        options: seeded
            .options
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect(),
        image: Some(image(product)),
        prices: seeded.prices.iter().map(price).collect(),
    }
}

fn price(seeded: &SeedPrice) -> Price {
    Price { list: seeded.list, compare_at_minor: seeded.compare_at_minor }
}

fn image(product: &SeedProduct) -> Image {
    Image {
        url: product.image_url.clone(),
        alt: product.texts.first().map(|(_, title, _)| title.clone()),
        width: Some(600),
        height: Some(600),
    }
}
