//! Fills the projection with the seeded world, as its events would have.

use std::collections::BTreeMap;

use ::seed::{CATEGORIES, SeedOrder, SeedOrderStatus, SeedProduct, World};
use common::Fault;
use common::id::ProductId;
use database::Tx;
use events::products::{CategorySnapshot, ListPrice, Localised, ProductSnapshot, VariantSnapshot};
use subgraph::Ports;
use subgraph::seeding::{Progress, done, insert, part};

use crate::entity::{co_purchase, document, index_state, sales_point, stock};
use crate::events::{hour_of, pairs};

/// Rows that [`seed`] tells of in all.
pub fn rows(world: &World) -> u64 {
    u64::from(world.products) + u64::from(world.orders)
}

/// Writes what is not there yet.
pub async fn seed(ports: &Ports, world: &World, progress: &Progress) -> Result<(), Fault> {
    let world = *world;
    if done(ports, "documents").await? >= world.products && done(ports, "sales").await? >= world.orders {
        progress.tell(rows(&world));
        return Ok(());
    }
    // What is written here no event tells a search engine of: its index is to be built anew. Noted before, for a seed
    // that is killed, and after, for an engine that was told of the half of it meanwhile.
    index_state::forget(ports.database.schema(), &index_state::OUTDATED).await?;
    part(ports, "documents", world.products, 200, progress, move |tx, rows| {
        Box::pin(async move {
            write_documents(tx, &world, rows.map(|number| world.product(number)).collect()).await
        })
    })
    .await?;
    part(ports, "sales", world.orders, 1_000, progress, move |tx, rows| {
        Box::pin(async move {
            let orders = rows.map(|number| world.order(number)).filter(|order| {
                !matches!(
                    order.status,
                    SeedOrderStatus::Pending | SeedOrderStatus::Expired | SeedOrderStatus::Cancelled
                )
            });
            write_sales(tx, orders.collect()).await
        })
    })
    .await?;
    Ok(index_state::forget(ports.database.schema(), &index_state::OUTDATED).await?)
}

async fn write_documents(tx: &Tx, world: &World, products: Vec<SeedProduct>) -> Result<(), Fault> {
    let (mut documents, mut stocks) = (Vec::new(), Vec::new());
    for product in &products {
        documents.push(document::row(&snapshot(world, product)).map_err(Fault::internal)?);
        for (place, variant) in product.variants.iter().enumerate() {
            let seeded = world.stock(product.number, u32::try_from(place).unwrap_or(0));
            stocks.push(stock::ActiveModel::from(stock::Model {
                variant_id: variant.id,
                product_id: product.id,
                available: seeded.backorder || seeded.on_hand.iter().any(|(_, count)| *count > 0),
                as_of: product.created_at,
            }));
        }
    }
    insert(tx, documents).await?;
    insert(tx, stocks).await
}

async fn write_sales(tx: &Tx, orders: Vec<SeedOrder>) -> Result<(), Fault> {
    let mut together: BTreeMap<(ProductId, ProductId), i64> = BTreeMap::new();
    let mut sold: BTreeMap<ProductId, i64> = BTreeMap::new();
    let mut points: BTreeMap<_, sales_point::Model> = BTreeMap::new();
    for order in &orders {
        for (one, other, times) in pairs(order.lines.iter().map(|line| line.product)) {
            *together.entry((one, other)).or_default() += times;
        }
        let units: i64 = order.lines.iter().map(|line| i64::from(line.quantity)).sum();
        for line in &order.lines {
            *sold.entry(line.product).or_default() += i64::from(line.quantity);
        }
        let hour = hour_of(order.placed_at);
        let point = points.entry((hour, order.currency)).or_insert(sales_point::Model {
            hour,
            currency: order.currency,
            orders: 0,
            units: 0,
            gross_minor: 0,
        });
        point.orders += 1;
        point.units += units;
        point.gross_minor += order.total.minor;
    }
    co_purchase::count(tx, together.into_iter().map(|((one, other), times)| (one, other, times)).collect())
        .await?;
    for (product, units) in sold {
        document::sell(tx, product, units).await?;
    }
    Ok(sales_point::add(tx, points.into_values().collect()).await?)
}

fn snapshot(world: &World, product: &SeedProduct) -> ProductSnapshot {
    let (slug, name, _) = CATEGORIES[product.category];
    let ratings = world.reviews(product.number);
    let sum: i32 = ratings.iter().map(|review| review.rating).sum();
    let count = i32::try_from(ratings.len()).unwrap_or(i32::MAX);
    ProductSnapshot {
        id: product.id,
        version: 1,
        slug: product.slug.clone(),
        titles: product
            .texts
            .iter()
            .map(|(locale, title, _)| Localised { locale: (*locale).to_owned(), text: title.clone() })
            .collect(),
        description: String::new(),
        brand: Some(product.brand.to_owned()),
        active: true,
        category: Some(CategorySnapshot {
            id: world.category_id(product.category),
            slug: slug.to_owned(),
            name: name.to_owned(),
            ancestors: vec![world.department_id(product.category / 3)],
        }),
        hidden_in: product.hidden_in.iter().map(|code| (*code).to_owned()).collect(),
        attributes: product
            .attributes
            .iter()
            .map(|(key, label, value)| ((*key).to_owned(), (*label).to_owned(), value.clone()))
            .collect(),
        image_url: Some(product.image_url.clone()),
        average_hundredths: if count > 0 { sum * 100 / count } else { 0 },
        rating_count: count,
        created_at: product.created_at,
        variants: product
            .variants
            .iter()
            .map(|variant| VariantSnapshot {
                id: variant.id,
                sku: variant.sku.clone(),
                title: variant.title.clone(),
                options: variant
                    .options
                    .iter()
                    .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                    .collect(),
                tax_class: variant.tax_class.to_owned(),
                weight_grams: Some(variant.weight_grams),
                prices: variant
                    .prices
                    .iter()
                    .map(|price| ListPrice {
                        currency: price.list.currency,
                        minor: price.list.minor,
                        compare_at_minor: price.compare_at_minor,
                    })
                    .collect(),
            })
            .collect(),
    }
}
