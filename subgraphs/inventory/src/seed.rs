//! Fills the stock with the seeded world. What seeded orders got has left the house long ago.

use std::time::Duration;

use ::seed::{LOCATIONS, PRESENT, World};
use common::Fault;
use database::Tx;
use subgraph::Ports;
use subgraph::seeding::{Progress, insert, part};

use crate::domain::BackorderPolicy;
use crate::entity::{stock_item, stock_level, stock_location};

/// When more is expected of what may be ordered ahead: after the seeded world's present.
const RESTOCK_IN: Duration = Duration::from_secs(86_400 * 21);

/// Rows that [`seed`] tells of in all.
pub fn rows(world: &World) -> u64 {
    1 + u64::from(world.products)
}

/// Writes what is not there yet.
pub async fn seed(ports: &Ports, world: &World, progress: &Progress) -> Result<(), Fault> {
    let world = *world;
    part(ports, "locations", 1, 1, progress, move |tx, _| Box::pin(locations(tx, world))).await?;
    part(ports, "stock", world.products, 200, progress, move |tx, products| {
        Box::pin(async move {
            let (mut items, mut levels) = (Vec::new(), Vec::new());
            for number in products {
                stock_of(&world, number, &mut items, &mut levels);
            }
            insert(tx, items).await?;
            insert(tx, levels).await
        })
    })
    .await
}

async fn locations(tx: &Tx, world: World) -> Result<(), Fault> {
    let rows = LOCATIONS.iter().enumerate().map(|(place, seeded)| stock_location::Model {
        id: world.location_id(place),
        code: seeded.code.to_owned(),
        name: seeded.name.to_owned(),
        country_code: seeded.country.to_owned(),
        ships_abroad: true,
    });
    insert(tx, rows.map(stock_location::ActiveModel::from).collect()).await
}

fn stock_of(
    world: &World,
    number: u32,
    items: &mut Vec<stock_item::ActiveModel>,
    levels: &mut Vec<stock_level::ActiveModel>,
) {
    let product = world.product(number);
    for (place, variant) in (0..).zip(&product.variants) {
        let stock = world.stock(number, place);
        let item = stock_item::Model {
            variant_id: variant.id,
            product_id: product.id,
            tracked: true,
            backorder: if stock.backorder { BackorderPolicy::Allow } else { BackorderPolicy::Deny },
            out_of_stock_threshold: 0,
            restock_at: stock.backorder.then(|| PRESENT.plus(RESTOCK_IN)),
        };
        levels.extend(stock.on_hand.iter().map(|(place, on_hand)| {
            let empty = stock_level::Model::empty(variant.id, world.location_id(*place), &item.policy());
            stock_level::ActiveModel::from(stock_level::Model { on_hand: *on_hand, ..empty })
        }));
        items.push(item.into());
    }
}
