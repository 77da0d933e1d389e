//! What a newcomer sees: URLs, demo users, a first query, and GraphiQL's first tabs.

use std::io::IsTerminal as _;
use std::net::SocketAddr;
use std::time::Duration;

use gateway::Graphiql;
use seed::{DEMO_PASSWORD, DEMO_USERS, DemoUser, World};
use serde_json::json;

use crate::settings::Settings;

/// The shopper's way, tab by tab; what one tab learns the next ones use.
const TABS: &str = include_str!("graphiql.json");

/// The product of the first query.
const FIRST_PRODUCT: u32 = 42;

const FIRST_QUERY: &str = "query($slug: String!) { product(slug: $slug) { title brand \
variants(first: 2) { nodes { sku buyerPrice { unit { amount currency } } availability { status quantity } } } \
reviews(first: 2) { nodes { rating body author { displayName } } } \
recommendations(intent: COMPLEMENTARY) { products { title slug } } } }";

/// Prints where to go; `log_in` is whether there is a page to log in at.
pub fn print(settings: &Settings, address: SocketAddr, log_in: bool, took: Duration) {
    let (bold, dim, plain) =
        if std::io::stdout().is_terminal() { ("\x1b[1m", "\x1b[2m", "\x1b[0m") } else { ("", "", "") };
    let base = format!("http://{address}");
    println!("\n{bold}TechPotli is open.{plain} {dim}Ready after {:.1} s.{plain}\n", took.as_secs_f32());
    println!("  GraphQL     {bold}{base}/graphql{plain}");
    if !settings.production {
        println!("  GraphiQL    {bold}{base}/graphiql{plain}");
    }
    if log_in {
        println!("  Log in      {}/auth/login", settings.public_url(address));
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

/// Puts the shopper's way into GraphiQL's tabs, and a log-in button for each demo user.
pub fn fill_graphiql(graphiql: &mut Graphiql, world: &World) {
    *graphiql = serde_json::from_str(TABS).expect("graphiql.json is part of the binary and tested");
    let login = graphiql.tabs.iter().find_map(|tab| {
        let query = tab["query"].as_str().filter(|query| query.contains("mutation LogIn"))?;
        Some((query.to_owned(), tab["remember"]["accessToken"].clone()))
    });
    if let Some((query, token)) = login {
        let button = |user: &DemoUser| {
            let variables = json!({ "input": { "email": user.email, "password": DEMO_PASSWORD } });
            json!({ "label": user.role.replace('_', " "), "query": query, "variables": variables, "token": token })
        };
        graphiql.logins = DEMO_USERS.iter().map(button).collect();
    }
    for (name, value) in [
        ("productSlug", world.product(FIRST_PRODUCT).slug),
        ("demoEmail", DEMO_USERS[0].email.to_owned()),
        ("demoPassword", DEMO_PASSWORD.to_owned()),
    ] {
        graphiql.known.insert(name.to_owned(), value.into());
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::Value;

    use super::*;

    fn placeholders(value: &Value, found: &mut BTreeSet<String>) {
        match value {
            Value::String(text) => {
                let name = text.strip_prefix("{{").and_then(|rest| rest.strip_suffix("}}"));
                found.extend(name.map(str::to_owned));
            }
            Value::Array(items) => items.iter().for_each(|item| placeholders(item, found)),
            Value::Object(members) => members.values().for_each(|member| placeholders(member, found)),
            _ => {}
        }
    }

    #[test]
    fn every_placeholder_of_a_tab_is_known_or_learned_in_a_tab_before() {
        let mut graphiql = Graphiql::default();
        fill_graphiql(&mut graphiql, &World::DEMO);
        assert_eq!(graphiql.logins.len(), DEMO_USERS.len());
        let mut known: BTreeSet<String> = graphiql.known.keys().cloned().collect();
        known.insert("newKey".into());
        for tab in &graphiql.tabs {
            let mut used = BTreeSet::new();
            placeholders(&tab["variables"], &mut used);
            let missing: Vec<&String> = used.difference(&known).collect();
            assert!(missing.is_empty(), "{missing:?} in {}", tab["query"]);
            known.extend(tab["remember"].as_object().into_iter().flat_map(|learned| learned.keys().cloned()));
        }
    }
}
