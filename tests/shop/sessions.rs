//! Sessions behind several gateways: log-outs that every gateway heeds within seconds, and browsers that any of them
//! knows, with a real Keycloak and a real Redis.

use std::path::Path;
use std::time::Instant;

use anyhow::{Context as _, ensure};
use futures::future::try_join_all;
use serde_json::{Value, json};
use services::{Ground, Server, Service};

use crate::client::{Client, text};
use crate::keycloak::{Keycloak, PASSWORD};
use crate::node::skipped;
use crate::process::{Process, free_ports};
use crate::setups::{Processes, print_schemas, start_gateway_with};
use crate::stage::{PASSWORD as OWN_PASSWORD, eventually};
use crate::template::seeded_folder;
use crate::visitor::Visitor;

const REGISTER: &str = "mutation Register($i: UserRegisterInput!) { userRegister(input: $i) {
    user { id } userErrors { code } } }";
const LOG_IN: &str = "mutation LogIn($i: SessionCreateInput!) { sessionCreate(input: $i) {
    result { ... on Session { accessToken refreshToken } } userErrors { code } } }";
const REFRESH: &str = "mutation Refresh($i: SessionRefreshInput!) { sessionRefresh(input: $i) {
    result { ... on Session { accessToken } } userErrors { code } } }";
const LOG_OUT: &str = "mutation LogOut($everywhere: Boolean) { sessionEnd(everywhere: $everywhere) { ok } }";
const WHO: &str = "{ me { email } }";

/// Two gateways before one set of subgraphs.
async fn two_gateways(
    folder: &Path,
    subgraphs: &Processes,
    environment: &[(&str, &str)],
) -> anyhow::Result<[Process; 2]> {
    let schemas = print_schemas()?;
    let supergraph = schemas.path().join("supergraph.graphql");
    let starting = (0..2).map(|_| start_gateway_with(folder, &supergraph, subgraphs, environment));
    let started = try_join_all(starting).await?;
    <[Process; 2]>::try_from(started).map_err(|_| anyhow::anyhow!("two gateways"))
}

/// Waits until a token is refused there, and says how long that took.
async fn refused(what: &str, door: &Client, token: &str) -> anyhow::Result<()> {
    let begun = Instant::now();
    eventually(what, || async {
        let answer = door.with_token(token).ask(WHO, None, json!({})).await?;
        ensure!(matches!(answer.status, 200 | 401), "{} {}", answer.status, answer.text);
        Ok((answer.status == 401).then_some(()))
    })
    .await?;
    println!("{what}: refused after {:.1} s", begun.elapsed().as_secs_f64());
    Ok(())
}

async fn works(door: &Client, token: &str) -> anyhow::Result<()> {
    let answer = door.with_token(token).ask(WHO, None, json!({})).await?;
    ensure!(answer.status == 200 && answer.json()?["data"]["me"].is_object(), "{}", answer.text);
    Ok(())
}

async fn log_in(door: &Client, email: &str) -> anyhow::Result<(String, String)> {
    let input = json!({ "email": email, "password": OWN_PASSWORD });
    let session = door.done(LOG_IN, "LogIn", input).await?["result"].take();
    Ok((text(&session["accessToken"])?.to_owned(), text(&session["refreshToken"])?.to_owned()))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_of_an_ended_session_is_refused_by_every_gateway_within_seconds() -> anyhow::Result<()> {
    let folder = seeded_folder()?;
    let mut subgraphs = Processes::start(folder.path()).await?;
    let gateways = two_gateways(folder.path(), &subgraphs, &[]).await?;
    let [one, other] = [0, 1].map(|place: usize| Client::guest(&gateways[place].base));
    let email = "leaver@example.com";
    one.done(REGISTER, "Register", json!({ "email": email, "password": OWN_PASSWORD })).await?;
    let log_out = |token: String, everywhere: bool| {
        let door = one.with_token(&token);
        async move { door.data(LOG_OUT, "LogOut", json!({ "everywhere": everywhere })).await }
    };

    // One session of two.
    let ((first, _), (second, _)) = (log_in(&one, email).await?, log_in(&other, email).await?);
    works(&other, &first).await?;
    log_out(first.clone(), false).await?;
    for (what, door) in [("a log-out, there", &other), ("a log-out, here", &one)] {
        refused(what, door, &first).await?;
        works(door, &second).await?;
    }
    // All of them.
    let (third, refresh) = log_in(&one, email).await?;
    log_out(second.clone(), true).await?;
    for token in [&second, &third] {
        refused("a log-out everywhere", &other, token).await?;
    }
    let refreshed = one.payload(REFRESH, "Refresh", json!({ "refreshToken": refresh })).await?;
    ensure!(refreshed["result"] == Value::Null, "a session that is over goes on: {refreshed}");
    // A refresh token that somebody brings again.
    let (_, refresh) = log_in(&one, email).await?;
    let fresh = one.done(REFRESH, "Refresh", json!({ "refreshToken": refresh })).await?;
    let stolen = text(&fresh["result"]["accessToken"])?.to_owned();
    works(&other, &stolen).await?;
    one.payload(REFRESH, "Refresh", json!({ "refreshToken": refresh })).await?;
    refused("a refresh token brought again", &other, &stolen).await?;

    // A gateway that starts later knows of them too. While nobody can be asked, what is known stays refused.
    let [late, _second] = two_gateways(folder.path(), &subgraphs, &[]).await?;
    let late = Client::guest(&late.base);
    ensure!(late.with_token(&stolen).ask(WHO, None, json!({})).await?.status == 401, "a late gateway");
    subgraphs.kill("users")?;
    for token in [&first, &second, &third, &stolen] {
        ensure!(other.with_token(token).ask(WHO, None, json!({})).await?.status == 401, "it is known");
    }
    let faults: Vec<String> = gateways.iter().flat_map(Process::faults).collect();
    ensure!(faults.is_empty(), "{faults:#?}");
    Ok(())
}

/// A shop behind two gateways that leave log-ins to a Keycloak and share a Redis.
struct Site {
    doors: [String; 2],
    gateways: [Process; 2],
    redis: Server,
    _subgraphs: Processes,
    _folder: tempfile::TempDir,
}

impl Site {
    async fn start(keycloak: &Keycloak) -> anyhow::Result<Self> {
        let redis = services::redis::start(&Ground::temporary()?)?;
        let folder = seeded_folder()?;
        let subgraphs = Processes::start(folder.path()).await?;
        let issuer = keycloak.issuer();
        // Where browsers find the balancer; none is needed here, as they do its part.
        let public = format!("http://127.0.0.1:{}", free_ports(1)?[0]);
        let environment = [
            ("TECHPOTLI_OIDC_ISSUER", issuer.as_str()),
            ("TECHPOTLI_OIDC_CLIENT_SECRET", Keycloak::secret()),
            ("TECHPOTLI_PUBLIC_URL", &public),
            ("TECHPOTLI_REDIS_URL", redis.url()),
        ];
        let gateways = two_gateways(folder.path(), &subgraphs, &environment).await?;
        keycloak.know_gateway(&public).await?;
        // The provider's own calls reach one gateway only.
        keycloak.tell_of_log_outs(&gateways[0].base).await?;
        let doors = [gateways[0].base.clone(), gateways[1].base.clone()];
        Ok(Self { doors, gateways, redis, _subgraphs: subgraphs, _folder: folder })
    }

    /// A browser that began to log in at the first gateway and is taken back by the second.
    async fn browser(&self, name: &str) -> anyhow::Result<Visitor> {
        let [one, other] = &self.doors;
        let mut browser = Visitor::behind(&self.doors);
        let sent = browser.get(&format!("{one}/auth/login?return_to=/")).await?;
        let page = browser.get(&sent.location()?).await?;
        let back = browser.enter(&page, name, PASSWORD).await?.location()?;
        let query = back.split_once('?').context("it comes back with a code")?.1;
        let done = browser.get(&format!("{other}/auth/callback?{query}")).await?;
        ensure!(done.status == 303, "callback: {} {}", done.status, done.text);
        Ok(browser)
    }
}

/// Waits until a browser is out there, and says how long that took.
async fn out(what: &str, browser: &Visitor, door: &str) -> anyhow::Result<()> {
    let begun = Instant::now();
    eventually(what, || {
        let mut browser = browser.clone();
        async move {
            let page = browser.ask(door, WHO, &[]).await?;
            ensure!(matches!(page.status, 200 | 401), "{} {}", page.status, page.text);
            Ok((page.status == 401).then_some(()))
        }
    })
    .await?;
    println!("{what}: out at the other gateway after {:.1} s", begun.elapsed().as_secs_f64());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_is_known_to_every_gateway_and_out_at_every_gateway() -> anyhow::Result<()> {
    if let Err(missing) = Service::Redis.install() {
        return skipped("browsers behind two gateways", &missing.to_string());
    }
    let keycloak = match Keycloak::start().await? {
        Ok(keycloak) => keycloak,
        Err(why) => return skipped("browsers behind two gateways", &why),
    };
    let name = "both@example.org";
    let user = keycloak.add_user(name, true, &[]).await?;
    let site = Site::start(&keycloak).await?;
    let [one, other] = &site.doors;

    let mut browser = site.browser(name).await?;
    for door in [one, other] {
        ensure!(browser.name(door).await?.as_deref() == Some(name), "it is not known at {door}");
    }
    // It logs out at one: the other forgets it.
    let copy = browser.clone();
    ensure!(browser.get(&format!("{one}/auth/logout")).await?.status == 303, "no log-out");
    out("a log-out", &copy, other).await?;

    // Support ends the user's sessions, and Keycloak tells the first gateway.
    let mut browser = site.browser(name).await?;
    ensure!(browser.name(other).await?.as_deref() == Some(name), "it is not known");
    keycloak.log_out(&user).await?;
    out("a back-channel log-out", &browser, other).await?;

    // Redis goes away and comes back: nobody is somebody else meanwhile, and everybody is who they were afterwards.
    let mut browser = site.browser(name).await?;
    ensure!(browser.name(one).await?.as_deref() == Some(name), "it is not known");
    site.redis.kill()?;
    for _ in 0..50 {
        ensure!(browser.name(one).await?.as_deref() == Some(name), "who is known is forgotten");
        let page = browser.ask(other, WHO, &[]).await?;
        ensure!(page.status == 503, "at a gateway that does not know it: {} {}", page.status, page.text);
    }
    ensure!(Visitor::new().name(one).await?.is_none(), "guests are not answered");
    site.redis.start()?;
    eventually("the session", || {
        let mut browser = browser.clone();
        async move { Ok((browser.ask(other, WHO, &[]).await?.status == 200).then_some(())) }
    })
    .await?;
    ensure!(browser.name(one).await?.as_deref() == Some(name), "it is not known again");
    let faults: Vec<String> = site.gateways.iter().flat_map(Process::faults).collect();
    ensure!(faults.is_empty(), "{faults:#?}");
    Ok(())
}
