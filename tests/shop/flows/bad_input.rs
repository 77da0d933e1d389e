//! What is wrong is refused with its status and code, and never logged as a fault of ours.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use auth::{PASSPORT_HEADER, PassportSigner, SigningKey, TokenIssuer, Viewer};
use bytes::Bytes;
use common::id::{Order, Product, Session, User};
use common::{Clock, Ids, Timestamp};
use http::Request;
use http_body_util::Full;
use serde_json::{Value, json};

use super::Flow;
use crate::client::{Answer, Client, same};
use crate::operations::{CART_ADD, ORDERS};
use crate::stage::Stage;

pub const FLOWS: &[Flow] = &[
    ("malformed requests are refused with their status", |stage| Box::pin(malformed(stage))),
    ("invalid documents and variables are request errors", |stage| Box::pin(invalid(stage))),
    ("a document past a limit is refused before it is run", |stage| Box::pin(limits(stage))),
    ("unknown ids are null or a user error", |stage| Box::pin(unknown_ids(stage))),
    ("forged and expired tokens are refused", |stage| Box::pin(tokens(stage))),
    ("what only staff may do is forbidden to shoppers", |stage| Box::pin(staff_only(stage))),
    ("subgraphs' own entrances are not reachable", |stage| Box::pin(entrances(stage))),
    ("forged passports open no subgraph", |stage| Box::pin(passports(stage))),
];

const JSON: (&str, &str) = ("content-type", "application/json");

fn refused(what: &str, answer: &Answer, status: u16, code: &str) -> anyhow::Result<()> {
    let refusal = answer.refusal().with_context(|| what.to_owned())?;
    ensure!(
        refusal == (status, code.to_owned()),
        "{what}: {refusal:?}, expected {status} {code}: {}",
        answer.text
    );
    let id = &answer.json()?["errors"][0]["extensions"]["requestId"];
    ensure!(id.is_string(), "{what}: no request id: {}", answer.text);
    Ok(())
}

async fn malformed(stage: Arc<Stage>) -> anyhow::Result<()> {
    let post = |body: &'static str, headers: &'static [(&'static str, &'static str)]| {
        stage.guest.post(body, headers)
    };
    refused("half of a JSON text", &post("{\"query\":", &[JSON]).await?, 400, "BAD_USER_INPUT")?;
    refused("no query", &post("{}", &[JSON]).await?, 400, "BAD_USER_INPUT")?;
    refused(
        "another type",
        &post("{ channel { code } }", &[("content-type", "text/plain")]).await?,
        415,
        "BAD_USER_INPUT",
    )?;
    let nothing = post("{\"query\":\"{ channel { code } }\"}", &[JSON, ("accept", "image/png")]).await?;
    refused("nothing acceptable", &nothing, 406, "BAD_USER_INPUT")?;
    let long = json!({ "query": "{ channel { code } }", "extensions": { "pad": "x".repeat(300 * 1024) } })
        .to_string();
    // On a connection of its own: the gateway closes it with the rest of the body unread.
    let hasty = Client::guest(&stage.guest.base);
    refused("too long", &hasty.post(long, &[JSON]).await?, 413, "BAD_USER_INPUT")?;
    let mutation = "/graphql?query=mutation%7BsessionEnd%7Bok%7D%7D";
    let by_get =
        stage.guest.get(mutation, &[("accept", "application/json"), ("x-graphql-csrf", "1")]).await?;
    refused("a mutation by GET", &by_get, 405, "BAD_USER_INPUT")?;
    let nowhere = stage.guest.get("/nowhere", &[]).await?;
    ensure!(nowhere.status == 404, "an unknown path: {}", nowhere.status);
    Ok(())
}

async fn invalid(stage: Arc<Stage>) -> anyhow::Result<()> {
    for (what, document, variables, code) in [
        ("half a document", "{ channel {", json!({}), "GRAPHQL_PARSE_FAILED"),
        ("an unknown field", "{ channel { colour } }", json!({}), "GRAPHQL_VALIDATION_FAILED"),
        ("an unknown argument", "{ product(colour: 1) { id } }", json!({}), "GRAPHQL_VALIDATION_FAILED"),
        ("a leaf without fields", "{ channel }", json!({}), "GRAPHQL_VALIDATION_FAILED"),
        (
            "a wrong variable",
            "query($s: String) { product(slug: $s) { id } }",
            json!({ "s": 7 }),
            "BAD_USER_INPUT",
        ),
        (
            "a missing variable",
            "query($s: String!) { product(slug: $s) { id } }",
            json!({}),
            "BAD_USER_INPUT",
        ),
    ] {
        let answer = stage.guest.ask(document, None, variables.clone()).await?;
        refused(what, &answer, 400, code)?;
        ensure!(answer.json()?.get("data").is_none(), "{what}: data all the same: {}", answer.text);
        // Clients that know only the older type read 200.
        let body = json!({ "query": document, "variables": variables }).to_string();
        let older = stage.guest.post(body, &[JSON, ("accept", "application/json")]).await?;
        refused(what, &older, 200, code)?;
    }
    let bad = json!({ "i": { "cartId": "cart_x", "lines": [{ "variantId": 3.5, "quantity": "two" }], "idempotencyKey": "k" } });
    refused("a wrong input", &stage.guest.ask(CART_ADD, Some("CartAdd"), bad).await?, 400, "BAD_USER_INPUT")
}

async fn limits(stage: Arc<Stage>) -> anyhow::Result<()> {
    let nested =
        |open: &str, depth: usize, inner: &str| format!("{}{inner}{}", open.repeat(depth), "}".repeat(depth));
    let bomb: String = (0..30)
        .map(|at| format!(" fragment F{at} on Category {{ ...F{} ...F{} }}", at + 1, at + 1))
        .chain([" fragment F30 on Category { id }".to_owned()])
        .collect();
    for (what, document, code) in [
        (
            "depth",
            format!("{{ categories {{ {} }} }}", nested("parent {", 13, "id")),
            "GRAPHQL_VALIDATION_FAILED",
        ),
        (
            "aliases",
            format!("{{ {} }}", (0..31).map(|n| format!("a{n}: __typename ")).collect::<String>()),
            "GRAPHQL_VALIDATION_FAILED",
        ),
        (
            "fields at the top",
            format!("{{ {} }}", "channel { code } ".repeat(21)),
            "GRAPHQL_VALIDATION_FAILED",
        ),
        (
            "directives",
            format!("{{ channel {{ code {} }} }}", "@include(if: true) ".repeat(51)),
            "GRAPHQL_VALIDATION_FAILED",
        ),
        ("a fragment bomb", format!("{{ categories {{ ...F0 }} }}{bomb}"), "GRAPHQL_VALIDATION_FAILED"),
        ("tokens", format!("{{ channel {{ {} }} }}", "code ".repeat(5_000)), "GRAPHQL_PARSE_FAILED"),
        ("nesting", nested("{ a ", 100, "{ a }"), "GRAPHQL_PARSE_FAILED"),
        (
            "cost",
            "{ categories { products(first: 100) { nodes { variants(first: 100) { nodes { id } } } } } }"
                .to_owned(),
            "COST_EXCEEDED",
        ),
    ] {
        refused(what, &stage.guest.ask(&document, None, json!({})).await?, 400, code)?;
    }
    let page = stage.guest.ask("{ search(first: 101) { totalCount } }", None, json!({})).await?;
    let (_, code) = page.refusal()?;
    ensure!(code == "BAD_USER_INPUT", "a page of 101: {}", page.text);
    Ok(())
}

async fn unknown_ids(stage: Arc<Stage>) -> anyhow::Result<()> {
    let ids = Ids::counted();
    let user = stage.user().await?;
    let (product, order) = (ids.next::<Product>().to_string(), ids.next::<Order>().to_string());
    let seen = stage
        .guest
        .data(
            "query P($id: ID!) { product(id: $id) { id } node(id: $id) { id } }",
            "P",
            json!({ "id": product }),
        )
        .await?;
    same("an unknown product", &seen["product"], Value::Null)?;
    let seen = user.client.data(ORDERS, "OrderDetail", json!({ "id": order })).await?;
    same("an unknown order", &seen["order"], Value::Null)?;
    let garbage = stage
        .guest
        .ask("query P($id: ID!) { product(id: $id) { id } }", Some("P"), json!({ "id": "no id at all" }))
        .await?;
    ensure!(garbage.refusal()? == (200, "BAD_USER_INPUT".to_owned()), "an id that is none: {}", garbage.text);
    let input =
        json!({ "lines": [{ "variantId": ids.next::<common::id::Variant>().to_string(), "quantity": 1 }] });
    let payload = stage.guest.payload(CART_ADD, "CartCreate", input).await?;
    ensure!(
        crate::client::codes(&payload) == ["NOT_FOUND"] && payload["cart"].is_null(),
        "an unknown variant: {payload}"
    );
    let input = json!({ "cartId": ids.next::<common::id::Cart>().to_string(), "idempotencyKey": stage.fresh("add"),
        "lines": [{ "variantId": stage.good()?.id, "quantity": 1 }] });
    let payload = stage.guest.payload(CART_ADD, "CartAdd", input).await?;
    ensure!(crate::client::codes(&payload) == ["NOT_FOUND"], "an unknown cart: {payload}");
    Ok(())
}

async fn tokens(stage: Arc<Stage>) -> anyhow::Result<()> {
    let user = stage.user().await?;
    let (id, ids) = (user.id.parse()?, Ids::counted());
    let hour = Duration::from_secs(3_600);
    let real = SigningKey::load_or_create(&stage.data.join("keys").join("session.pem"))?;
    let issue = |key: &SigningKey, clock: Clock| {
        let session = ids.next::<Session>();
        TokenIssuer::new(key, clock)
            .issue(id, session, &["orders:read".to_owned()], hour)
            .map(|(token, _)| token)
    };
    let long_ago = Clock::manual(Timestamp(Clock::system().now().0 - 86_400_000_000));
    let own = user.client.token.clone().context("the user has a token")?;
    let (head, signature) = own.rsplit_once('.').context("a token has a signature")?;
    let turned: String = signature.chars().rev().collect();
    let none =
        format!("eyJhbGciOiJub25lIiwidHlwIjoiYXQrand0In0.{}.", head.split('.').nth(1).context("claims")?);
    for (what, token) in [
        ("signed by a stranger", issue(&SigningKey::generate(), Clock::system())?),
        ("expired", issue(&real, long_ago)?),
        ("another signature", format!("{head}.{turned}")),
        ("no signature", format!("{head}.")),
        ("alg none", none),
        ("no token at all", "x".to_owned()),
    ] {
        let answer = stage.guest.with_token(&token).ask("{ channel { code } }", None, json!({})).await?;
        refused(what, &answer, 401, "UNAUTHENTICATED")?;
        ensure!(answer.headers.contains_key("www-authenticate"), "{what}: no challenge");
    }
    let good = issue(&real, Clock::system())?;
    let me = stage.guest.with_token(&good).data("query Me { me { id } }", "Me", json!({})).await?;
    same("the control, signed by the shop", &me["me"]["id"], user.id)
}

async fn staff_only(stage: Arc<Stage>) -> anyhow::Result<()> {
    let user = stage.user().await?;
    for (what, document) in [
        ("all orders", "{ orders { nodes { number email } } }"),
        ("places", "{ stockLocations { code } }"),
        (
            "sales",
            "{ salesInsights(from: \"2026-01-01T00:00:00Z\", to: \"2026-02-01T00:00:00Z\") { orders } }",
        ),
        ("endpoints", "{ webhookEndpoints { url } }"),
        (
            "changing a product",
            "mutation { productUpsert(input: { slug: \"x\", title: \"X\" }) { product { id } } }",
        ),
    ] {
        let shopper = user.client.ask(document, None, json!({})).await?;
        ensure!(shopper.refusal()?.1 == "FORBIDDEN", "{what}: {}", shopper.text);
        let guest = stage.guest.ask(document, None, json!({})).await?;
        ensure!(guest.refusal()?.1 == "UNAUTHENTICATED", "{what}, a guest: {}", guest.text);
    }
    let levels =
        "query L($id: ID!) { node(id: $id) { ... on ProductVariant { sku stockLevels { onHand } } } }";
    let good = stage.good()?;
    let body = user.client.ask(levels, Some("L"), json!({ "id": good.id })).await?.json()?;
    same("what is open", &body["data"]["node"]["sku"], good.sku)?;
    same("what is not", &body["data"]["node"]["stockLevels"], Value::Null)?;
    same("why", &body["errors"][0]["extensions"]["code"], "FORBIDDEN")?;
    same("where", &body["errors"][0]["path"], json!(["node", "stockLevels"]))
}

async fn entrances(stage: Arc<Stage>) -> anyhow::Result<()> {
    for document in [
        "{ _service { sdl } }",
        "{ _entities(representations: []) { __typename } }",
        "mutation { paymentAuthorize(request: \"{}\") }",
        "mutation { stockReserve(request: \"{}\") }",
    ] {
        let answer = stage.guest.ask(document, None, json!({})).await?;
        refused(document, &answer, 400, "GRAPHQL_VALIDATION_FAILED")?;
    }
    Ok(())
}

async fn passports(stage: Arc<Stage>) -> anyhow::Result<()> {
    let body = json!({ "query": "{ __typename }" }).to_string();
    let real = SigningKey::load_or_create(&stage.data.join("keys").join("passport.pem"))?;
    let ids = Ids::counted();
    let admin = Viewer::user(ids.next::<User>(), ids.next::<Session>()).with_scopes(&["orders:read"]);
    let long_ago = Clock::manual(Timestamp(Clock::system().now().0 - 600_000_000));
    for (name, base) in &stage.subgraphs {
        let other = if *name == "cart" { "orders" } else { "cart" };
        let door = Client::guest(base);
        for (what, passport) in [
            ("no passport", String::new()),
            ("nonsense", "a.b.c".to_owned()),
            (
                "a stranger's",
                PassportSigner::new(&SigningKey::generate(), Clock::system()).sign(
                    name,
                    body.as_bytes(),
                    admin.clone(),
                )?,
            ),
            (
                "for another subgraph",
                PassportSigner::new(&real, Clock::system()).sign(other, body.as_bytes(), admin.clone())?,
            ),
            (
                "for another body",
                PassportSigner::new(&real, Clock::system()).sign(name, b"{}", admin.clone())?,
            ),
            (
                "of yesterday",
                PassportSigner::new(&real, long_ago.clone()).sign(name, body.as_bytes(), admin.clone())?,
            ),
        ] {
            let answer = enter(&door, &body, &passport).await?;
            let refusal = answer.refusal()?;
            ensure!(refusal == (401, "UNAUTHENTICATED".to_owned()), "{name}, {what}: {refusal:?}");
        }
        let good =
            PassportSigner::new(&real, Clock::system()).sign(name, body.as_bytes(), Viewer::anonymous())?;
        let answer = enter(&door, &body, &good).await?.json()?;
        same("the control, signed by the gateway's key", &answer["data"]["__typename"], "Query")?;
    }
    // In one process there is no other door; the header means nothing at the gateway's.
    let forged = PassportSigner::new(&real, Clock::system()).sign("users", body.as_bytes(), admin.clone())?;
    let asked = json!({ "query": "{ me { id } }" }).to_string();
    let answer = stage.guest.post(asked, &[JSON, (PASSPORT_HEADER, &forged)]).await?.json()?;
    same("at the gateway", &answer["data"]["me"], Value::Null)
}

async fn enter(door: &Client, body: &str, passport: &str) -> anyhow::Result<Answer> {
    let request = Request::post(format!("{}/graphql", door.base))
        .header("content-type", "application/json")
        .header(PASSPORT_HEADER, passport)
        .body(Full::new(Bytes::from(body.to_owned())))?;
    door.send(request).await
}
