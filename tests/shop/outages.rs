//! A subgraph that is down costs its fields, not the page.

use anyhow::{Context as _, ensure};
use serde_json::{Value, json};

use crate::client::{Client, list, same, text};
use crate::operations::{PDP, PLP};
use crate::setups::{Processes, print_schemas, start_gateway};
use crate::stage::eventually;
use crate::template::{WORLD, seeded_folder};

/// What is another in each answer.
const FLEETING: [&str; 3] = ["tookMs", "recommendationId", "asOf"];

#[tokio::test(flavor = "multi_thread")]
async fn pages_show_their_products_while_inventory_is_down() -> anyhow::Result<()> {
    let folder = seeded_folder()?;
    let schemas = print_schemas()?;
    let mut subgraphs = Processes::start(folder.path()).await?;
    let supergraph = schemas.path().join("supergraph.graphql");
    let gateway = start_gateway(folder.path(), &supergraph, &subgraphs).await?;
    let guest = Client::guest(&gateway.base);
    let product = WORLD.product(14);
    let pages = [("Plp", PLP, json!({ "q": "lamp" })), ("Pdp", PDP, json!({ "slug": product.slug }))];

    let mut whole = Vec::new();
    for (operation, document, variables) in &pages {
        let mut data = guest.data(document, operation, variables.clone()).await?;
        let places = stripped(&mut data);
        ensure!(places.iter().all(|stock| stock["status"].is_string()), "{operation} before: {places:?}");
        ensure!(places.len() > 1, "{operation}: {} places for stock", places.len());
        whole.push((data, places.len()));
    }

    subgraphs.kill("inventory")?;
    for ((operation, document, variables), (expected, count)) in pages.iter().zip(&whole) {
        let answer = guest.ask(document, Some(operation), variables.clone()).await?;
        ensure!(answer.status == 200, "{operation}: status {}: {}", answer.status, answer.text);
        let mut body = answer.json()?;
        let places = stripped(&mut body["data"]);
        ensure!(places == vec![Value::Null; *count], "{operation}: {places:?}");
        same(operation, &body["data"], expected.clone())?;
        let errors = list(&body["errors"])?;
        ensure!(!errors.is_empty(), "{operation}: no error");
        for error in errors {
            same("the code", &error["extensions"]["code"], "SUBGRAPH_UNAVAILABLE")?;
            let last = list(&error["path"])?.last().context("a path")?;
            ensure!(text(last)? == "availability", "{operation}: {error}");
        }
    }

    subgraphs.start_again("inventory").await?;
    eventually("the stock, when inventory is back", || async {
        let mut body = guest.ask(PDP, Some("Pdp"), pages[1].2.clone()).await?.json()?;
        let whole = stripped(&mut body["data"]).iter().all(|stock| stock["status"].is_string());
        Ok((whole && body.get("errors").is_none()).then_some(()))
    })
    .await
}

/// Takes what is fleeting, and all stock, out of an answer, and returns the stock.
fn stripped(value: &mut Value) -> Vec<Value> {
    let mut stock = Vec::new();
    match value {
        Value::Object(fields) => {
            fields.retain(|name, _| !FLEETING.contains(&name.as_str()));
            for (name, field) in fields {
                match name.as_str() {
                    "availability" => stock.push(field.take()),
                    _ => stock.extend(stripped(field)),
                }
            }
        }
        Value::Array(items) => stock.extend(items.iter_mut().flat_map(stripped)),
        _ => {}
    }
    stock
}
