//! What a newcomer sees: URLs, demo users, a first query, and GraphiQL's first tabs.

use std::io::IsTerminal as _;
use std::net::SocketAddr;
use std::time::Duration;

use gateway::Graphiql;
use seed::{DEMO_PASSWORD, DEMO_USERS, World};
use serde_json::json;

use crate::settings::Settings;

/// The product of the first query.
const FIRST_PRODUCT: u32 = 42;

const FIRST_QUERY: &str = "query($slug: String!) { product(slug: $slug) { title brand \
variants(first: 2) { nodes { sku buyerPrice { unit { amount currency } } availability { status quantity } } } \
reviews(first: 2) { nodes { rating body author { displayName } } } \
recommendations(intent: COMPLEMENTARY) { products { title slug } } } }";

/// Prints where to go.
pub fn print(settings: &Settings, address: SocketAddr, took: Duration) {
    let (bold, dim, plain) =
        if std::io::stdout().is_terminal() { ("\x1b[1m", "\x1b[2m", "\x1b[0m") } else { ("", "", "") };
    let base = format!("http://{address}");
    println!("\n{bold}TechPotli is open.{plain} {dim}Ready after {:.1} s.{plain}\n", took.as_secs_f32());
    println!("  GraphQL     {bold}{base}/graphql{plain}");
    if !settings.production {
        println!("  GraphiQL    {bold}{base}/graphiql{plain}");
    }
    println!("  Metrics     {base}/metrics");
    println!("  Data        {} {dim}(delete it to start afresh){plain}\n", settings.data_dir.display());
    if settings.seed == "demo" {
        println!("  Demo users, all with the password {bold}{DEMO_PASSWORD}{plain}:");
        for user in &DEMO_USERS {
            println!("    {:<26} {dim}{}{plain}", user.email, user.role);
        }
        let slug = World::DEMO.product(FIRST_PRODUCT).slug;
        let body = json!({ "query": FIRST_QUERY, "variables": { "slug": slug } });
        println!("\n  A product page from five subgraphs:\n");
        println!("curl -s {base}/graphql -H 'content-type: application/json' -d '{body}'\n");
    }
}

/// Puts the shopper's way into GraphiQL's tabs.
pub fn fill_graphiql(graphiql: &mut Graphiql, _world: &World) {
    "TechPotli".clone_into(&mut graphiql.title);
}
