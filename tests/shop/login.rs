//! Log-in through an identity provider: a real Keycloak, and the shop itself (`embedded`). What holds at one must hold
//! at the other.

mod embedded;
mod protection;

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use http::header;
use seed::{DEMO_PASSWORD, DEMO_USERS};
use serde_json::{Value, json};

use crate::client::{Client, same, text};
use crate::keycloak::{Keycloak, PASSWORD};
use crate::node;
use crate::process::Process;
use crate::setups::{OneProcess, with_settings};
use crate::template::seeded_folder;
use crate::visitor::{Page, Visitor, parameter, with_parameter};

/// A verifier and its challenge (RFC 7636, appendix B).
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
/// How often the right password is entered after a wrong one, and how long between.
const TRIES: usize = 20;
const PAUSE: Duration = Duration::from_millis(500);
/// Where the mobile app is come back to.
const APP: &str = "com.techpotli.app:/callback";

const LOG_IN: &str = "mutation LogIn($i: SessionCreateInput!) { sessionCreate(input: $i) {
    result { ... on Session { accessToken user { id } } } userErrors { code } } }";

/// A shop whose people log in somewhere, and somebody who is known there.
pub struct Site {
    base: String,
    issuer: String,
    name: String,
    password: String,
}

/// A shop in one process that leaves log-ins to this Keycloak.
async fn at_keycloak(keycloak: &Keycloak, name: &str) -> anyhow::Result<(Site, OneProcess)> {
    let folder = seeded_folder()?;
    let process = start(folder.path(), keycloak).await?;
    let site = Site::at(keycloak, &process.base, name).await?;
    Ok((site, OneProcess { process, folder }))
}

async fn start(folder: &Path, keycloak: &Keycloak) -> anyhow::Result<Process> {
    let mut command = with_settings(folder);
    command
        .env("TECHPOTLI_OIDC_ISSUER", keycloak.issuer())
        .env("TECHPOTLI_OIDC_CLIENT_SECRET", Keycloak::secret())
        .env("TECHPOTLI_LOG", "warn,gateway=debug");
    Process::start(command).await
}

impl Site {
    /// A gateway whose people log in at this Keycloak, and somebody new there.
    pub async fn at(keycloak: &Keycloak, gateway: &str, name: &str) -> anyhow::Result<Self> {
        keycloak.know_gateway(gateway).await?;
        keycloak.add_user(name, true, &[]).await?;
        Ok(Self {
            base: gateway.to_owned(),
            issuer: keycloak.issuer(),
            name: name.to_owned(),
            password: PASSWORD.to_owned(),
        })
    }

    /// Who is known.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The provider's log-in page, as the shop sends a browser there.
    async fn page(&self, browser: &mut Visitor, return_to: &str) -> anyhow::Result<Page> {
        let path = form_urlencoded::byte_serialize(return_to.as_bytes()).collect::<String>();
        let sent = browser.get(&format!("{}/auth/login?return_to={path}", self.base)).await?;
        ensure!(sent.status == 303, "log-in: {} {}", sent.status, sent.text);
        browser.get(&sent.location()?).await
    }

    /// The address at which a browser comes back with a code.
    async fn code(&self, browser: &mut Visitor) -> anyhow::Result<String> {
        let page = self.page(browser, "/").await?;
        // Some providers remember who was here a moment ago.
        let page = match page.headers.contains_key(header::LOCATION) {
            true => page,
            false => browser.enter(&page, &self.name, &self.password).await?,
        };
        let back = page.location()?;
        ensure!(back.starts_with(&format!("{}/auth/callback?", self.base)), "sent to {back}");
        Ok(back)
    }

    /// A browser that is logged in.
    pub async fn logged_in(&self) -> anyhow::Result<Visitor> {
        let mut browser = Visitor::new();
        let back = self.code(&mut browser).await?;
        let done = browser.get(&back).await?;
        ensure!(done.status == 303, "callback: {} {}", done.status, done.text);
        Ok(browser)
    }

    async fn endpoint(&self, name: &str) -> anyhow::Result<String> {
        let url = format!("{}/.well-known/openid-configuration", self.issuer);
        let document = Visitor::new().get(&url).await?.json()?;
        Ok(text(&document[name])?.to_owned())
    }

    /// Where the mobile app sends its browser.
    async fn app_address(&self) -> anyhow::Result<String> {
        let query = form_urlencoded::Serializer::new(String::new())
            .extend_pairs([
                ("response_type", "code"),
                ("client_id", "techpotli-mobile"),
                ("redirect_uri", APP),
                ("scope", "openid email profile"),
                ("state", "of-the-app"),
                ("nonce", "of-the-app"),
                ("code_challenge", CHALLENGE),
                ("code_challenge_method", "S256"),
            ])
            .finish();
        Ok(format!("{}?{query}", self.endpoint("authorization_endpoint").await?))
    }

    /// A code for the mobile app.
    async fn app_code(&self) -> anyhow::Result<String> {
        let mut browser = Visitor::new();
        let page = browser.get(&self.app_address().await?).await?;
        let back = browser.enter(&page, &self.name, &self.password).await?.location()?;
        ensure!(back.starts_with(APP), "sent to {back}");
        parameter(&back, "code").context("the app gets a code")
    }

    /// What the token endpoint says to the mobile app.
    async fn app_asks(&self, fields: &[(&str, &str)]) -> anyhow::Result<Page> {
        let fields = [&[("client_id", "techpotli-mobile")], fields].concat();
        Visitor::new().post(&self.endpoint("token_endpoint").await?, &fields).await
    }

    async fn app_exchange(&self, code: &str, verifier: &str) -> anyhow::Result<Page> {
        let fields = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", APP),
            ("code_verifier", verifier),
        ];
        self.app_asks(&fields).await
    }

    /// The mobile app's tokens.
    pub async fn app_tokens(&self) -> anyhow::Result<Value> {
        let answer = self.app_exchange(&self.app_code().await?, VERIFIER).await?;
        ensure!(answer.status == 200, "no tokens: {} {}", answer.status, answer.text);
        answer.json()
    }

    /// What the API answers to this token.
    async fn bearer(&self, token: &str) -> anyhow::Result<(u16, Value)> {
        let client = Client::guest(&self.base).with_token(token);
        let answer = client.ask("{ me { id email } }", None, json!({})).await?;
        Ok((answer.status, answer.json()?))
    }
}

/// What must hold at every issuer.
async fn log_ins_hold(site: &Site) -> anyhow::Result<()> {
    a_browser_logs_in_and_out(site).await.context("a browser logs in and out")?;
    only_what_was_begun_is_ended(site).await.context("only what was begun is ended")?;
    nobody_is_sent_elsewhere(site).await.context("nobody is sent elsewhere")?;
    an_app_brings_its_tokens(site).await.context("an app brings its tokens")?;
    pkce_is_not_talked_out_of(site).await.context("PKCE is not talked out of")
}

async fn a_browser_logs_in_and_out(site: &Site) -> anyhow::Result<()> {
    let mut browser = Visitor::new();
    ensure!(browser.name(&site.base).await?.is_none(), "a guest is nobody");
    let page = site.page(&mut browser, "/graphiql?tab=2").await?;
    let wrong = browser.enter(&page, &site.name, "not the password").await?;
    ensure!(wrong.headers.get(header::LOCATION).is_none(), "a wrong password goes nowhere");
    let mut right = browser.enter(&wrong, &site.name, &site.password).await?;
    for _ in 0..TRIES {
        if right.headers.contains_key(header::LOCATION) {
            break;
        }
        // A provider that is still noting the wrong one lets nobody in meanwhile.
        tokio::time::sleep(PAUSE).await;
        right = browser.enter(&right, &site.name, &site.password).await?;
    }
    let back = right.location()?;
    let done = browser.get(&back).await?;
    ensure!(done.location()? == format!("{}/graphiql?tab=2", site.base), "returned to {}", done.location()?);
    let cookies: Vec<&str> =
        done.headers.get_all(header::SET_COOKIE).iter().filter_map(|value| value.to_str().ok()).collect();
    let session = cookies.iter().find(|cookie| cookie.starts_with("techpotli-session="));
    let session = session.with_context(|| format!("no session in {cookies:?}"))?;
    ensure!(session.contains("HttpOnly") && session.contains("SameSite=Lax"), "{session}");
    ensure!(!session.contains('.'), "a token in a cookie: {session}");
    ensure!(browser.cookies(&site.base) == ["techpotli-session"], "{:?}", browser.cookies(&site.base));
    ensure!(browser.name(&site.base).await?.as_deref() == Some(site.name.as_str()), "it is this user");

    for foreign in [
        &[("origin", "https://evil.example")][..],
        &[("origin", "null")],
        &[("origin", "http://localhost:3000"), ("sec-fetch-site", "same-site")],
        &[("sec-fetch-site", "cross-site")],
    ] {
        let page = browser.ask(&site.base, "{ me { email } }", foreign).await?;
        ensure!(page.status == 403, "a foreign page is answered: {foreign:?} {} {}", page.status, page.text);
    }
    let own = [("origin", site.base.as_str()), ("sec-fetch-site", "same-origin")];
    ensure!(browser.ask(&site.base, "{ me { email } }", &own).await?.status == 200, "its own page is not");

    let mut thief = browser.clone();
    let out = browser.get(&format!("{}/auth/logout", site.base)).await?;
    let there = out.location()?;
    ensure!(there.starts_with(&site.endpoint("end_session_endpoint").await?), "logged out at {there}");
    ensure!(parameter(&there, "id_token_hint").is_some(), "the provider is not told whose session");
    let bye = browser.get(&there).await?.location()?;
    ensure!(bye == format!("{}/", site.base), "sent to {bye}");
    ensure!(browser.cookies(&site.base).is_empty(), "{:?}", browser.cookies(&site.base));
    ensure!(browser.name(&site.base).await?.is_none(), "it is a guest again");
    let stolen = thief.ask(&site.base, "{ me { email } }", &[]).await?;
    ensure!(stolen.status == 401, "a cookie of an ended session: {} {}", stolen.status, stolen.text);
    ensure!(thief.cookies(&site.base).is_empty(), "the dead cookie stays");
    Ok(())
}

async fn only_what_was_begun_is_ended(site: &Site) -> anyhow::Result<()> {
    // Another browser brings the code: a log-in that an attacker began and a victim is to end, or the other way round.
    let mut browser = Visitor::new();
    let back = site.code(&mut browser).await?;
    let mut other = Visitor::new();
    ensure!(other.get(&back).await?.status == 400, "a browser ends what it did not begin");
    let _begun = site.page(&mut other, "/").await?;
    ensure!(other.get(&back).await?.status == 400, "a browser ends what another began");
    // Another state, another issuer, a parameter twice.
    for (name, value) in [("state", Some("x")), ("state", None), ("iss", Some("https://evil.example"))] {
        let refused = browser.clone().get(&with_parameter(&back, name, value)).await?;
        ensure!((400..500).contains(&refused.status), "{name} {value:?}: {}", refused.status);
    }
    if parameter(&back, "iss").is_some() {
        let refused = browser.clone().get(&with_parameter(&back, "iss", None)).await?;
        ensure!(refused.status == 401, "an answer of nobody: {}", refused.status);
    }
    let twice = browser.clone().get(&format!("{back}&state=x")).await?;
    ensure!(twice.status == 400, "two states: {}", twice.status);
    // The code of one log-in in another one of the same browser: its verifier does not fit.
    let mut second = browser.clone();
    let another = site.page(&mut second, "/").await?;
    let state = parameter(&another.url, "state").context("a state")?;
    let swapped = second.get(&with_parameter(&back, "state", Some(&state))).await?;
    ensure!(swapped.status == 401, "a code is injected: {}", swapped.status);
    // The provider takes a code once.
    let back = site.code(&mut browser).await?;
    let before = browser.clone();
    ensure!(browser.get(&back).await?.status == 303, "the code is good");
    ensure!(browser.get(&back).await?.status == 400, "the cookie of the log-in is gone");
    let mut replay = before;
    ensure!(replay.get(&back).await?.status == 401, "a code works twice");
    Ok(())
}

async fn nobody_is_sent_elsewhere(site: &Site) -> anyhow::Result<()> {
    for path in
        ["//evil.example", "https://evil.example/", "/\\evil.example", "/..//evil.example", "javascript:x"]
    {
        let path = form_urlencoded::byte_serialize(path.as_bytes()).collect::<String>();
        let refused = Visitor::new().get(&format!("{}/auth/login?return_to={path}", site.base)).await?;
        ensure!(refused.status == 400, "{path}: {}", refused.status);
    }
    // The provider compares the redirect URI letter by letter.
    let sent = Visitor::new().get(&format!("{}/auth/login", site.base)).await?.location()?;
    let exact = parameter(&sent, "redirect_uri").context("a redirect URI")?;
    ensure!(exact == format!("{}/auth/callback", site.base), "{exact}");
    for other in
        [format!("{exact}/"), format!("{exact}?x=1"), format!("{exact}/../x"), "https://evil.example".into()]
    {
        let page = Visitor::new().get(&with_parameter(&sent, "redirect_uri", Some(&other))).await?;
        ensure!(
            page.status == 400 && page.headers.get(header::LOCATION).is_none(),
            "{other}: {}",
            page.status
        );
    }
    Ok(())
}

async fn an_app_brings_its_tokens(site: &Site) -> anyhow::Result<()> {
    let tokens = site.app_tokens().await?;
    let access = text(&tokens["access_token"])?;
    let (status, answer) = site.bearer(access).await?;
    ensure!(status == 200, "{status} {answer}");
    same("who the app is", &answer["data"]["me"]["email"], site.name.as_str())?;
    let mut browser = site.logged_in().await?;
    let page = browser.ask(&site.base, "{ me { id } }", &[]).await?.json()?;
    same("the same account in the browser", &page["data"]["me"]["id"], answer["data"]["me"]["id"].clone())?;
    for (what, token) in [
        ("an ID token", text(&tokens["id_token"])?.to_owned()),
        ("a refresh token", text(&tokens["refresh_token"])?.to_owned()),
        ("a token with another signature", format!("{}AAAA", &access[..access.len() - 4])),
    ] {
        let (status, answer) = site.bearer(&token).await?;
        ensure!(status == 401, "{what} is an access token: {status} {answer}");
    }
    // A refresh token works once; whoever brings it again ends the session for both.
    let refresh = text(&tokens["refresh_token"])?;
    let fields = |token| [("grant_type", "refresh_token"), ("refresh_token", token)];
    let second = site.app_asks(&fields(refresh)).await?;
    ensure!(second.status == 200, "{} {}", second.status, second.text);
    let second = second.json()?;
    let (status, answer) = site.bearer(text(&second["access_token"])?).await?;
    ensure!(status == 200, "{status} {answer}");
    ensure!(site.app_asks(&fields(refresh)).await?.status == 400, "a refresh token works twice");
    let after = site.app_asks(&fields(text(&second["refresh_token"])?)).await?;
    ensure!(after.status == 400, "reuse does not end the family: {}", after.text);
    Ok(())
}

async fn pkce_is_not_talked_out_of(site: &Site) -> anyhow::Result<()> {
    let address = site.app_address().await?;
    let without =
        with_parameter(&with_parameter(&address, "code_challenge", None), "code_challenge_method", None);
    let plain = with_parameter(&address, "code_challenge_method", Some("plain"));
    for downgraded in [without, plain] {
        let refused = Visitor::new().get(&downgraded).await?.location()?;
        ensure!(parameter(&refused, "error").as_deref() == Some("invalid_request"), "{refused}");
    }
    for verifier in ["", CHALLENGE, "another-verifier-that-is-long-enough-for-the-standard"] {
        let refused = site.app_exchange(&site.app_code().await?, verifier).await?;
        ensure!(refused.status == 400, "the verifier {verifier:?}: {} {}", refused.status, refused.text);
    }
    let code = site.app_code().await?;
    ensure!(site.app_exchange(&code, VERIFIER).await?.status == 200, "the right verifier is refused");
    ensure!(site.app_exchange(&code, VERIFIER).await?.status == 400, "a code works twice");
    Ok(())
}

/// What only the real one can show: accounts that were here before, roles, log-out from its side, and its absence.
async fn keycloak_and_the_shop_know_each_other(keycloak: &Keycloak, site: &Site) -> anyhow::Result<()> {
    // Somebody who has an account already, with the same confirmed address.
    let shopper = DEMO_USERS[0].email;
    let variables = json!({ "i": { "email": shopper, "password": DEMO_PASSWORD } });
    let here = Client::guest(&site.base).data(LOG_IN, "LogIn", variables).await?;
    let id = &here["sessionCreate"]["result"]["user"]["id"];
    keycloak.add_user(shopper, true, &[]).await?;
    let (_, answer) = site.as_user(shopper).await?;
    same("the account of before", &answer["data"]["me"]["id"], id.clone())?;

    // An address that nobody has confirmed there opens nothing here: Keycloak asks to confirm it first.
    let unproven = DEMO_USERS[5].email;
    keycloak.add_user(unproven, false, &[]).await?;
    let mut browser = Visitor::new();
    let page = site.page(&mut browser, "/").await?;
    let sent = browser.enter(&page, unproven, PASSWORD).await?;
    let back = sent.headers.get(header::LOCATION).and_then(|to| to.to_str().ok()).unwrap_or_default();
    ensure!(!back.contains("code="), "an unconfirmed address gets a code: {back}");

    // Roles of the realm are the shop's scopes.
    keycloak.add_user("sue@support.example", true, &["support"]).await?;
    let document = format!("{{ user(id: {id}) {{ email }} }}");
    let asked = |token: String, document: String| async move {
        Client::guest(&site.base).with_token(&token).ask(&document, None, json!({})).await?.json()
    };
    let (support, _) = site.as_user("sue@support.example").await?;
    same("support reads users", &asked(support, document.clone()).await?["data"]["user"]["email"], shopper)?;
    let (customer, _) = site.as_user(shopper).await?;
    let refused = asked(customer, document).await?;
    same("a customer does not", &refused["data"]["user"], Value::Null)?;
    ensure!(refused["errors"][0]["extensions"]["code"].is_string(), "{refused}");

    // Support ends somebody's sessions there: the browser is out here, without asking there first.
    let leaver = keycloak.add_user("leaver@example.org", true, &[]).await?;
    let mut browser = site.browser_of("leaver@example.org").await?;
    ensure!(browser.name(&site.base).await?.as_deref() == Some("leaver@example.org"), "logged in");
    keycloak.log_out(&leaver).await?;
    let page = browser.ask(&site.base, "{ me { email } }", &[]).await?;
    ensure!(page.status == 401, "the session goes on: {} {}", page.status, page.text);

    // It goes away: who is in stays in, and who wants in hears why not.
    let (token, _) = site.as_user(&site.name).await?;
    let mut browser = site.logged_in().await?;
    keycloak.kill()?;
    ensure!(site.bearer(&token).await?.0 == 200, "a token that holds");
    ensure!(browser.name(&site.base).await?.as_deref() == Some(site.name.as_str()), "a session that holds");
    Ok(())
}

impl Site {
    async fn browser_of(&self, name: &str) -> anyhow::Result<Visitor> {
        let mut browser = Visitor::new();
        let page = self.page(&mut browser, "/").await?;
        let back = browser.enter(&page, name, PASSWORD).await?.location()?;
        ensure!(browser.get(&back).await?.status == 303, "{name} is not let in");
        Ok(browser)
    }

    /// An access token of the app for somebody, and what it is answered.
    async fn as_user(&self, name: &str) -> anyhow::Result<(String, Value)> {
        let mut browser = Visitor::new();
        let page = browser.get(&self.app_address().await?).await?;
        let back = browser.enter(&page, name, PASSWORD).await?.location()?;
        let code = parameter(&back, "code").with_context(|| format!("a code for {name} in {back}"))?;
        let tokens = self.app_exchange(&code, VERIFIER).await?.json()?;
        let token = text(&tokens["access_token"])?.to_owned();
        let (_, answer) = self.bearer(&token).await?;
        Ok((token, answer))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn log_ins_hold_with_keycloak() -> anyhow::Result<()> {
    let keycloak = match Keycloak::start().await? {
        Ok(keycloak) => keycloak,
        Err(why) => return node::skipped("log-in through Keycloak", &why),
    };
    let (site, shop) = at_keycloak(&keycloak, "kim@example.org").await?;
    log_ins_hold(&site).await?;
    protection::holds(&keycloak, &site).await?;
    keycloak_and_the_shop_know_each_other(&keycloak, &site).await?;
    ensure!(shop.process.faults().is_empty(), "{:#?}", shop.process.faults());
    Ok(())
}
