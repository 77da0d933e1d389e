//! The seeded stock.

use seed::World;
use serde_json::json;
use subgraph::seeding::Progress;

use crate::bench::Bench;

#[tokio::test]
async fn the_seeded_stock_is_written_once_and_has_every_availability() {
    let bench = Bench::new().await;
    let world = World { products: 30, users: 10, orders: 10, ..World::DEMO };
    for _ in 0..2 {
        inventory::seed(&bench.ports, &world, &Progress::silent()).await.unwrap();
    }
    let rare = bench.availability("ProductVariant", &world.product(3).variants[0].id.to_string()).await;
    assert_eq!((&rare["status"], &rare["quantity"]), (&json!("LOW_STOCK"), &json!(1)));
    let mut seen = std::collections::BTreeSet::new();
    for product in 0..world.products {
        for variant in world.product(product).variants {
            let told = bench.availability("ProductVariant", &variant.id.to_string()).await;
            seen.insert(told["status"].as_str().unwrap().to_owned());
        }
    }
    let all = ["BACKORDER", "IN_STOCK", "LOW_STOCK", "OUT_OF_STOCK"];
    assert_eq!(seen.iter().map(String::as_str).collect::<Vec<_>>(), all);
}
