//! What the realm's policies hold off: passwords that are guessed, and one-time codes that are guessed or seen.

use anyhow::{Context as _, ensure};
use common::Clock;
use http::header;
use ring::hmac;

use super::Site;
use crate::keycloak::{Keycloak, PASSWORD};
use crate::stage::eventually;
use crate::visitor::{Page, Visitor};

/// Wrong passwords after which the realm locks an account, if it has not before because they came too fast.
const WRONG: usize = 10;
/// What an app is told of codes, by the realm's policy.
const POLICY: [&str; 4] = ["Type: Time-based", "Algorithm: SHA1", "Digits: 6", "Interval: 30"];
/// Seconds of one code.
const PERIOD: u64 = 30;

/// Both policies, each with somebody of its own.
pub(super) async fn holds(keycloak: &Keycloak, site: &Site) -> anyhow::Result<()> {
    guessing_locks_an_account(keycloak, site).await.context("guessing locks an account")?;
    a_code_is_asked_for_and_works_once(keycloak, site).await.context("a code is asked for, and works once")
}

async fn guessing_locks_an_account(keycloak: &Keycloak, site: &Site) -> anyhow::Result<()> {
    let name = "guessed@example.org";
    let user = keycloak.add_user(name, true, &[]).await?;
    site.browser_of(name).await.context("before")?;
    eventually("a lock that lasts for a log-in", || async {
        guess(keycloak, site, name, &user).await?;
        let mut browser = Visitor::new();
        let page = site.page(&mut browser, "/").await?;
        let refused = browser.enter(&page, name, PASSWORD).await?;
        // A lock ends by itself after a minute: what was seen counts if it has not.
        let lasted = keycloak.is_locked(&user).await?;
        ensure!(!lasted || !is_sent_on(&refused), "the right password goes on to {}", refused.location()?);
        Ok(lasted.then_some(()))
    })
    .await?;
    // Nobody else is locked out, and nothing but the lock was in the way.
    site.browser_of(&site.name).await.context("somebody else meanwhile")?;
    keycloak.unlock(&user).await?;
    site.browser_of(name).await.context("after the lock").map(drop)
}

/// Guesses somebody's password until the account is locked.
async fn guess(keycloak: &Keycloak, site: &Site, name: &str, user: &str) -> anyhow::Result<()> {
    let mut guesser = Visitor::new();
    let mut page = site.page(&mut guesser, "/").await?;
    for number in 0..WRONG {
        if keycloak.is_locked(user).await? {
            println!("locked after {number} wrong passwords");
            return Ok(());
        }
        page = guesser.enter(&page, name, &format!("guess number {number}")).await?;
        ensure!(!is_sent_on(&page), "guess number {number} goes on to {}", page.location()?);
    }
    eventually("the lock", || async { Ok(keycloak.is_locked(user).await?.then_some(())) }).await
}

async fn a_code_is_asked_for_and_works_once(keycloak: &Keycloak, site: &Site) -> anyhow::Result<()> {
    let name = "careful@example.org";
    let user = keycloak.add_user(name, true, &[]).await?;
    keycloak.require(&user, "CONFIGURE_TOTP").await?;

    // The account is made safe at the next log-in, as the realm's policy says.
    let mut browser = Visitor::new();
    let page = site.page(&mut browser, "/").await?;
    let mut page = browser.enter(&page, name, PASSWORD).await?;
    while is_sent_on(&page) {
        page = browser.get(&page.location()?).await?;
    }
    let by_hand = browser.get(&format!("{}&mode=manual", page.url)).await?;
    for line in POLICY {
        ensure!(by_hand.text.contains(line), "not {line}: {}", by_hand.text);
    }
    let secret = field(&by_hand, "totpSecret")?;
    let fields = [("totp", code(&secret, 0)), ("totpSecret", secret.clone()), ("userLabel", "phone".into())];
    let fields = fields.each_ref().map(|(name, value)| (*name, value.as_str()));
    let enrolled = browser.post(&by_hand.form()?, &fields).await?;
    ensure!(is_sent_on(&enrolled), "the code of the app is refused: {} {}", enrolled.status, enrolled.text);

    // The password alone does not do any more, nor does a wrong code; the right one does, once.
    let code = code(&secret, 1);
    let mut browser = Visitor::new();
    let asked = with_password(site, &mut browser, name).await?;
    let wrong = enter_code(&mut browser, &asked, &another(&code)).await?;
    ensure!(!is_sent_on(&wrong), "a wrong code goes on to {}", wrong.location()?);
    let back = enter_code(&mut browser, &wrong, &code).await?.location()?;
    ensure!(browser.get(&back).await?.status == 303, "the right code is not let in");
    ensure!(browser.name(&site.base).await?.as_deref() == Some(name), "it is this user");
    let mut another = Visitor::new();
    let asked = with_password(site, &mut another, name).await?;
    let again = enter_code(&mut another, &asked, &code).await?;
    ensure!(!is_sent_on(&again), "a code that was used goes on to {}", again.location()?);
    ensure!(!keycloak.is_locked(&user).await?, "it was the lock that refused");
    Ok(())
}

/// Enters the password, after which a code must be asked for.
async fn with_password(site: &Site, browser: &mut Visitor, name: &str) -> anyhow::Result<Page> {
    let page = site.page(browser, "/").await?;
    let asked = browser.enter(&page, name, PASSWORD).await?;
    ensure!(!is_sent_on(&asked), "the password alone goes on to {}", asked.location()?);
    ensure!(asked.text.contains("name=\"otp\""), "no code is asked for: {} {}", asked.status, asked.text);
    Ok(asked)
}

async fn enter_code(browser: &mut Visitor, page: &Page, code: &str) -> anyhow::Result<Page> {
    browser.post(&page.form()?, &[("otp", code)]).await
}

fn is_sent_on(page: &Page) -> bool {
    page.headers.contains_key(header::LOCATION)
}

/// The value of a field that the page has filled in.
fn field(page: &Page, name: &str) -> anyhow::Result<String> {
    let mark = format!("name=\"{name}\"");
    let inputs = page.text.split("<input").map(|rest| rest.split('>').next().unwrap_or_default());
    let input = inputs.into_iter().find(|input| input.contains(&mark));
    let input = input.with_context(|| format!("no field {name} in {}", page.text))?;
    let value = input.split("value=\"").nth(1).and_then(|rest| rest.split('"').next());
    Ok(value.context("it is filled in")?.to_owned())
}

/// The one-time code of a secret (RFC 6238), so many periods from now.
fn code(secret: &str, later: u64) -> String {
    let seconds = Clock::system().now().seconds().unsigned_abs();
    let counter = seconds / PERIOD + later;
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret.as_bytes());
    let digest = hmac::sign(&key, &counter.to_be_bytes());
    let digest = digest.as_ref();
    let place = usize::from(digest[digest.len() - 1] & 15);
    let word = [0, 1, 2, 3].map(|more| digest[place + more]);
    format!("{:06}", (u32::from_be_bytes(word) & 0x7fff_ffff) % 1_000_000)
}

/// A code with another last digit.
fn another(code: &str) -> String {
    let (start, last) = code.split_at(code.len() - 1);
    format!("{start}{}", if last == "0" { "1" } else { "0" })
}
