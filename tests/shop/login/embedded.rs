//! The shop as its own identity provider: what holds with Keycloak holds here, and what people try against it.

use anyhow::{Context as _, ensure};
use http::header;
use seed::{DEMO_PASSWORD, DEMO_USERS};
use serde_json::{Value, json};

use super::{APP, LOG_IN, Site, VERIFIER, log_ins_hold};
use crate::client::{Client, same, text};
use crate::process::Process;
use crate::setups::{Fleet, OneProcess, print_schemas, start_gateway_with, with_settings};
use crate::stage::eventually;
use crate::template::seeded_folder;
use crate::visitor::{Page, Visitor, parameter, with_parameter};

const LOG_OUT: &str = "mutation LogOut { sessionEnd(everywhere: true) { ok } }";

impl Site {
    /// A gateway that logs people in itself, and one of the demo users.
    pub fn of_its_own(gateway: &str) -> Self {
        Self {
            base: gateway.to_owned(),
            issuer: format!("{gateway}/oidc"),
            name: DEMO_USERS[0].email.to_owned(),
            password: DEMO_PASSWORD.to_owned(),
        }
    }

    /// Waits until an access token is refused, without its time being over.
    async fn ends(&self, what: &str, token: &str) -> anyhow::Result<()> {
        eventually(what, || async { Ok((self.bearer(token).await?.0 == 401).then_some(())) }).await
    }

    async fn refresh(&self, token: &Value) -> anyhow::Result<Page> {
        self.app_asks(&[("grant_type", "refresh_token"), ("refresh_token", text(token)?)]).await
    }

    /// Where the app is sent with this parameter changed.
    async fn refused(&self, name: &str, value: Option<&str>) -> anyhow::Result<Page> {
        Visitor::new().get(&with_parameter(&self.app_address().await?, name, value)).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn log_ins_hold_with_the_shop_itself() -> anyhow::Result<()> {
    let shop = OneProcess::start().await?;
    let site = Site::of_its_own(&shop.process.base);
    log_ins_hold(&site).await?;
    sessions_end_on_either_side(&site).await.context("sessions end on either side")?;
    a_code_is_for_its_client(&site).await.context("a code is for its client")?;
    a_refresh_token_is_as_it_was_made(&site).await.context("a refresh token is as it was made")?;
    odd_requests_are_refused(&site).await.context("odd requests are refused")?;
    the_page_is_inert(&site).await.context("the page is inert")?;
    an_account_is_closed_to_guessing(&site).await.context("an account is closed to guessing")?;
    ensure!(shop.process.faults().is_empty(), "{:#?}", shop.process.faults());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn log_ins_hold_at_the_gateways_of_eight_processes() -> anyhow::Result<()> {
    let folder = seeded_folder()?;
    let fleet = Fleet::start(folder.path(), &[], 0).await?;
    let site = Site::of_its_own(&fleet.gateway.base);
    log_ins_hold(&site).await?;
    // Another gateway at the same address for browsers: it exchanges codes that the first has made, and each once.
    let schemas = print_schemas()?;
    let supergraph = schemas.path().join("supergraph.graphql");
    let environment = [("TECHPOTLI_PUBLIC_URL", fleet.gateway.base.as_str())];
    let other = start_gateway_with(folder.path(), &supergraph, &fleet.subgraphs, &environment).await?;
    let code = site.app_code().await?;
    let fields = [
        ("client_id", "techpotli-mobile"),
        ("grant_type", "authorization_code"),
        ("code", code.as_str()),
        ("redirect_uri", APP),
        ("code_verifier", VERIFIER),
    ];
    let tokens = Visitor::new().post(&format!("{}/oidc/token", other.base), &fields).await?;
    ensure!(tokens.status == 200, "at the other gateway: {} {}", tokens.status, tokens.text);
    ensure!(site.app_exchange(&code, VERIFIER).await?.status == 400, "a code works once at each gateway");
    site.ends("the end of a code's session", text(&tokens.json()?["access_token"])?).await?;
    let faults = [fleet.faults(), other.faults()].concat();
    ensure!(faults.is_empty(), "{faults:#?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn passwords_are_tried_as_seldom_at_the_page_as_at_the_api() -> anyhow::Result<()> {
    let folder = seeded_folder()?;
    let mut command = with_settings(folder.path());
    command.env("TECHPOTLI_RATE_USER", "100000").env("TECHPOTLI_RATE_FIELDS", "sessionCreate=3");
    let shop = Process::start(command).await?;
    let site = Site::of_its_own(&shop.base);
    let mut browser = Visitor::new();
    let page = site.page(&mut browser, "/").await?;
    for user in &DEMO_USERS[..3] {
        ensure!(
            browser.enter(&page, user.email, "not the password").await?.status == 403,
            "a wrong password"
        );
    }
    let refused = browser.enter(&page, &site.name, &site.password).await?;
    ensure!(refused.status == 429, "{} {}", refused.status, refused.text);
    ensure!(refused.headers.contains_key(header::RETRY_AFTER), "{:?}", refused.headers);
    ensure!(refused.text.contains("<h1>") && refused.text.contains("too many tries"), "{}", refused.text);
    let input = json!({ "i": { "email": site.name, "password": site.password } });
    let answer = Client::guest(&site.base).ask(LOG_IN, Some("LogIn"), input).await?;
    ensure!(answer.status == 429, "the API has a count of its own: {} {}", answer.status, answer.text);
    ensure!(site.page(&mut browser, "/").await?.status == 200, "the page alone tries no password");
    Ok(())
}

async fn sessions_end_on_either_side(site: &Site) -> anyhow::Result<()> {
    // The app logs out at the issuer.
    let tokens = site.app_tokens().await?;
    let access = text(&tokens["access_token"])?;
    ensure!(site.bearer(access).await?.0 == 200, "the app is in");
    let query = form_urlencoded::Serializer::new(String::new())
        .append_pair("id_token_hint", text(&tokens["id_token"])?)
        .append_pair("post_logout_redirect_uri", "com.techpotli.app:/signed-out")
        .append_pair("state", "of-the-app")
        .finish();
    let address = format!("{}?{query}", site.endpoint("end_session_endpoint").await?);
    // Whoever has no ID token ends nothing, and nobody is sent to a foreign page.
    for (name, value) in [("id_token_hint", Some(access)), ("id_token_hint", None)] {
        let page = Visitor::new().get(&with_parameter(&address, name, value)).await?;
        ensure!(page.status == 200 && page.headers.get(header::LOCATION).is_none(), "{}", page.status);
    }
    ensure!(site.refresh(&tokens["refresh_token"]).await?.status == 200, "somebody else has logged out");
    let to = Some("https://evil.example/");
    let page = Visitor::new().get(&with_parameter(&address, "post_logout_redirect_uri", to)).await?;
    ensure!(page.headers.get(header::LOCATION).is_none(), "sent to {}", page.location()?);
    let bye = Visitor::new().get(&address).await?.location()?;
    ensure!(bye == "com.techpotli.app:/signed-out?state=of-the-app", "sent to {bye}");
    site.ends("the end of the app's session", access).await?;

    // Somebody ends all their sessions by the API: the browser with a cookie is out, too.
    let browser = site.logged_in().await?;
    let input = json!({ "i": { "email": site.name, "password": site.password } });
    let door = Client::guest(&site.base);
    let session = door.data(LOG_IN, "LogIn", input).await?;
    let token = text(&session["sessionCreate"]["result"]["accessToken"])?.to_owned();
    door.with_token(&token).data(LOG_OUT, "LogOut", json!({})).await?;
    let out = eventually("the end of the browser's session", || {
        let mut browser = browser.clone();
        async move {
            let page = browser.ask(&site.base, "{ me { email } }", &[]).await?;
            Ok((page.status == 401).then_some(browser))
        }
    });
    let browser = out.await?;
    ensure!(browser.cookies(&site.base).is_empty(), "the dead cookie stays");
    Ok(())
}

async fn a_code_is_for_its_client(site: &Site) -> anyhow::Result<()> {
    let endpoint = site.endpoint("token_endpoint").await?;
    let asked = |code: String, change: (&'static str, &'static str)| {
        let endpoint = endpoint.clone();
        async move {
            let mut fields = vec![
                ("client_id", "techpotli-mobile"),
                ("grant_type", "authorization_code"),
                ("code", code.as_str()),
                ("redirect_uri", APP),
                ("code_verifier", VERIFIER),
            ];
            fields.retain(|(name, _)| *name != change.0);
            fields.push(change);
            Visitor::new().post(&endpoint, &fields).await
        }
    };
    // The gateway's client has a secret, and nobody is it without.
    for change in [("client_id", "techpotli-web"), ("client_id", "another"), ("client_secret", "guessed")] {
        let refused = asked(site.app_code().await?, change).await?;
        ensure!(refused.status == 401, "{change:?}: {} {}", refused.status, refused.text);
        same("the error", &refused.json()?["error"], "invalid_client")?;
    }
    // Whoever has the code and not all that belongs to it spoils it for everybody.
    for change in [
        ("redirect_uri", "https://evil.example/"),
        ("redirect_uri", "com.techpotli.app:/callback/"),
        ("code_verifier", "another-verifier-that-is-long-enough-for-the-standard"),
    ] {
        let code = site.app_code().await?;
        let refused = asked(code.clone(), change).await?;
        ensure!(refused.status == 400, "{change:?}: {} {}", refused.status, refused.text);
        same("the error", &refused.json()?["error"], "invalid_grant")?;
        ensure!(site.app_exchange(&code, VERIFIER).await?.status == 400, "{change:?} spoils nothing");
    }
    // A code that is none, and one that was changed.
    let code = site.app_code().await?;
    let end = if code.ends_with('A') { 'B' } else { 'A' };
    for bad in ["x".to_owned(), format!("{}{end}", &code[..code.len() - 1]), format!("{code}AA")] {
        let refused = site.app_exchange(&bad, VERIFIER).await?;
        ensure!(refused.status == 400, "{} {}", refused.status, refused.text);
    }
    // Brought again it ends what came of it.
    let tokens = site.app_exchange(&code, VERIFIER).await?.json()?;
    let access = text(&tokens["access_token"])?;
    ensure!(site.bearer(access).await?.0 == 200, "the code is good");
    ensure!(site.app_exchange(&code, VERIFIER).await?.status == 400, "a code works twice");
    ensure!(site.refresh(&tokens["refresh_token"]).await?.status == 400, "its session goes on");
    site.ends("the end of a code's session", access).await
}

async fn a_refresh_token_is_as_it_was_made(site: &Site) -> anyhow::Result<()> {
    let tokens = site.app_tokens().await?;
    let good = text(&tokens["refresh_token"])?;
    let (token, binding) = good.rsplit_once('.').context("it says for whom it is")?;
    for bad in [token.to_owned(), format!("{token}."), format!("{binding}.{token}"), format!("{good}A")] {
        let refused = site.refresh(&bad.as_str().into()).await?;
        ensure!(refused.status == 400, "{} {}", refused.status, refused.text);
    }
    let fields = [("client_id", "techpotli-web"), ("grant_type", "refresh_token"), ("refresh_token", good)];
    let other = Visitor::new().post(&site.endpoint("token_endpoint").await?, &fields).await?;
    ensure!(other.status == 401, "another client: {} {}", other.status, other.text);
    let twice = [("grant_type", "refresh_token"), ("refresh_token", good), ("refresh_token", good)];
    ensure!(site.app_asks(&twice).await?.status == 400, "a field that is there twice");
    let renewed = site.refresh(&tokens["refresh_token"]).await?;
    ensure!(renewed.status == 200, "none of that has cost the owner anything: {}", renewed.text);
    ensure!(renewed.headers[header::CACHE_CONTROL] == "no-store", "{:?}", renewed.headers);
    Ok(())
}

async fn odd_requests_are_refused(site: &Site) -> anyhow::Result<()> {
    for (name, value, error) in [
        ("response_type", Some("token"), "unsupported_response_type"),
        ("response_type", None, "invalid_request"),
        ("scope", Some("email"), "invalid_scope"),
        ("code_challenge", Some("short"), "invalid_request"),
    ] {
        let back = site.refused(name, value).await?.location()?;
        ensure!(back.starts_with(APP), "{name}: sent to {back}");
        ensure!(parameter(&back, "error").as_deref() == Some(error), "{name}: {back}");
        ensure!(parameter(&back, "state").as_deref() == Some("of-the-app"), "{name}: {back}");
        ensure!(parameter(&back, "iss").as_deref() == Some(&site.issuer), "{name}: {back}");
    }
    // Request objects, what cannot be had without a page, and a parameter that may mean two things.
    let address = site.app_address().await?;
    for (more, error) in [
        ("request=eyJhbGciOiJub25lIn0.e30.", "request_not_supported"),
        ("request_uri=https%3A%2F%2Fevil.example%2F", "request_uri_not_supported"),
        ("response_mode=fragment", "invalid_request"),
        ("prompt=none", "login_required"),
        ("state=another", "invalid_request"),
    ] {
        let back = Visitor::new().get(&format!("{address}&{more}")).await?.location()?;
        ensure!(parameter(&back, "error").as_deref() == Some(error), "{more}: {back}");
    }
    // Nobody is sent anywhere for a client that is not known, or to a place that is not the client's.
    for (name, value) in [
        ("client_id", Some("evil")),
        ("client_id", None),
        ("redirect_uri", None),
        ("redirect_uri", Some("x")),
    ] {
        let page = site.refused(name, value).await?;
        ensure!(
            page.status == 400 && page.headers.get(header::LOCATION).is_none(),
            "{name}: {}",
            page.status
        );
        ensure!(page.text.contains("href=\"/auth/login\""), "no way on: {}", page.text);
    }
    let document = Visitor::new().get(&format!("{}/.well-known/openid-configuration", site.issuer)).await?;
    let document = document.json()?;
    same("its name", &document["issuer"], site.issuer.as_str())?;
    same("PKCE", &document["code_challenge_methods_supported"], json!(["S256"]))?;
    same("request objects", &document["request_parameter_supported"], false)
}

async fn the_page_is_inert(site: &Site) -> anyhow::Result<()> {
    let attack = "\"><script>alert(1)</script><img src=x onerror=alert(1)>'";
    let mut browser = Visitor::new();
    let address = with_parameter(&site.app_address().await?, "state", Some(attack));
    let page = browser.get(&format!("{address}&other=%22%3E%3Cscript%3E")).await?;
    let again = browser.enter(&page, attack, attack).await?;
    ensure!(again.text.contains("role=\"alert\""), "it does not say what is wrong: {}", again.text);
    for page in [&page, &again] {
        for bad in ["<script", "<img", "onerror=alert(1)>", "http://", "https://", "src="] {
            // What was typed stands there, but as text.
            let text = page.text.replace("src=x onerror=alert(1)&gt;", "");
            ensure!(!text.contains(bad), "{bad} in {text}");
        }
        let header =
            |name: &str| page.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let policy = header("content-security-policy");
        for part in ["default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "style-src 'sha256-"]
        {
            ensure!(policy.contains(part), "{part} is not in {policy}");
        }
        ensure!(!policy.contains("unsafe") && !policy.contains("script-src"), "{policy}");
        for (name, value) in [
            ("cache-control", "no-store"),
            ("x-frame-options", "DENY"),
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "no-referrer"),
        ] {
            ensure!(header(name) == value, "{name}: {:?}", page.headers);
        }
        for part in
            ["<html lang=\"en\">", "<title>", "<main>", "<h1>", "<label>", "autocomplete=\"username\""]
        {
            ensure!(page.text.contains(part), "{part} is not in {}", page.text);
        }
    }
    // The state comes back as it was.
    let back = browser.enter(&page, &site.name, &site.password).await?.location()?;
    ensure!(parameter(&back, "state").as_deref() == Some(attack), "{back}");
    Ok(())
}

async fn an_account_is_closed_to_guessing(site: &Site) -> anyhow::Result<()> {
    let victim = DEMO_USERS[1].email;
    let mut browser = Visitor::new();
    let page = site.page(&mut browser, "/").await?;
    for guess in 0..10 {
        let wrong = browser.enter(&page, victim, &format!("guess {guess}")).await?;
        ensure!(wrong.text.contains("password are wrong"), "{guess}: {}", wrong.text);
    }
    let closed = browser.enter(&page, victim, DEMO_PASSWORD).await?;
    ensure!(closed.headers.get(header::LOCATION).is_none(), "the eleventh guess is right and works");
    ensure!(closed.text.contains("Too many failed tries"), "{}", closed.text);
    let back = browser.enter(&page, &site.name, &site.password).await?.location()?;
    ensure!(parameter(&back, "code").is_some(), "another account is closed, too: {back}");
    Ok(())
}
