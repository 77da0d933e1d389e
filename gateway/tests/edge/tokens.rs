//! Access tokens of an identity provider: the good one, and everything that people have tried instead.

use std::sync::atomic::Ordering;
use std::time::Duration;

use data_encoding::BASE64URL_NOPAD as BASE64;
use serde_json::{Value, json};

use crate::door::{Door, post};
use crate::provider::{AUDIENCE, ISSUER, Provider, WEB, claims, jwk};

const HEADER: &str = r#"{"alg":"EdDSA","typ":"at+jwt","kid":"good"}"#;

impl Door {
    async fn bearer(&self, token: &str) -> u16 {
        self.query_as(&format!("Bearer {token}"), "{ hello }").await.status.as_u16()
    }
}

/// The good claims with a change.
fn changed(door: &Door, change: impl FnOnce(&mut Value)) -> String {
    let mut claims = claims(&door.clock);
    change(&mut claims);
    claims.to_string()
}

#[tokio::test]
async fn a_token_of_the_provider_is_its_bearer_with_the_scopes_of_their_roles() {
    let provider = Provider::new();
    let door = provider.door();
    let token = format!("Bearer {}", provider.token("good", &door.clock));
    let answer = door.query_as(&token, "{ whoami ledger }").await.json();
    assert_eq!(answer["data"]["whoami"], "user us USD US en");
    assert_eq!(answer.get("errors"), None, "{answer}");
    // Beside it our own tokens are what they were.
    let own = door.token(&[]);
    assert_eq!(door.query_as(&own, "{ whoami }").await.json()["data"]["whoami"], "user us USD US en");
    let claims = changed(&door, |claims| claims["roles"] = json!([]));
    let other = format!("Bearer {}", provider.sign(HEADER, &claims));
    let refused = door.query_as(&other, "{ ledger }").await.json();
    assert_eq!(refused["data"]["ledger"], Value::Null);
    let nobody = changed(&door, |claims| claims["email"] = Value::Null);
    let reply = door.query_as(&format!("Bearer {}", provider.sign(HEADER, &nobody)), "{ hello }").await;
    assert_eq!(reply.refusal(), (403, "FORBIDDEN".to_owned()));
}

#[tokio::test]
async fn every_kind_of_access_token_that_providers_write_is_taken() {
    let provider = Provider::new();
    let door = provider.door();
    for (header, change) in [
        (HEADER, json!({})),
        (r#"{"alg":"EdDSA","typ":"application/at+jwt","kid":"good"}"#, json!({})),
        (r#"{"alg":"EdDSA","typ":"JWT","kid":"good"}"#, json!({ "typ": "Bearer" })),
        (HEADER, json!({ "aud": AUDIENCE, "nbf": 0 })),
        (HEADER, json!({ "azp": null, "client_id": "the-app" })),
        (HEADER, json!({ "sid": null })),
        (HEADER, json!({ "exp": door.clock.now().seconds() - 20 })),
    ] {
        let claims = changed(&door, |claims| {
            for (name, value) in change.as_object().unwrap() {
                claims[name] = value.clone();
            }
        });
        assert_eq!(door.bearer(&provider.sign(header, &claims)).await, 200, "{header} {claims}");
    }
}

#[tokio::test]
async fn headers_that_say_how_to_be_believed_are_not() {
    let provider = Provider::new();
    let door = provider.door();
    let good = claims(&door.clock).to_string();
    let evil = jwk("good", &ed25519_dalek::SigningKey::from_bytes(&[9; 32]));
    let long = "k".repeat(10_000);
    for header in [
        json!({ "alg": "none", "typ": "at+jwt", "kid": "good" }),
        json!({ "alg": "None", "typ": "at+jwt", "kid": "good" }),
        json!({ "alg": "nOnE", "typ": "at+jwt", "kid": "good" }),
        json!({ "alg": "", "typ": "at+jwt", "kid": "good" }),
        json!({ "typ": "at+jwt", "kid": "good" }),
        json!({ "alg": "HS256", "typ": "at+jwt", "kid": "good" }),
        json!({ "alg": "RS256", "typ": "at+jwt", "kid": "good" }),
        json!({ "alg": "ES256", "typ": "at+jwt", "kid": "good" }),
        json!({ "alg": "eddsa", "typ": "at+jwt", "kid": "good" }),
        json!({ "alg": ["EdDSA"], "typ": "at+jwt", "kid": "good" }),
        json!({ "alg": "EdDSA", "typ": "at+jwt" }),
        json!({ "alg": "EdDSA", "typ": "at+jwt", "kid": "" }),
        json!({ "alg": "EdDSA", "typ": "at+jwt", "kid": "../../dev/null" }),
        json!({ "alg": "EdDSA", "typ": "at+jwt", "kid": "good' OR '1'='1" }),
        json!({ "alg": "EdDSA", "typ": "at+jwt", "kid": long }),
        json!({ "alg": "EdDSA", "typ": "at+jwt", "kid": 1 }),
        json!({ "alg": "EdDSA", "typ": "at+jwt", "kid": "good", "jwk": evil }),
        json!({ "alg": "EdDSA", "typ": "at+jwt", "kid": "good", "jku": "https://evil.example/keys" }),
        json!({ "alg": "EdDSA", "typ": "at+jwt", "kid": "good", "x5u": "https://evil.example/cert" }),
        json!({ "alg": "EdDSA", "typ": "at+jwt", "kid": "good", "x5c": ["AAAA"] }),
        json!({ "alg": "EdDSA", "typ": "at+jwt", "kid": "good", "crit": ["exp"] }),
        json!({ "alg": "EdDSA", "typ": "at+jwt", "kid": "good", "zip": "DEF" }),
        json!({ "alg": "EdDSA", "typ": "JWT", "kid": "good" }),
        json!({ "alg": "EdDSA", "typ": "logout+jwt", "kid": "good" }),
        json!({ "alg": "EdDSA", "typ": "dpop+jwt", "kid": "good" }),
        json!({ "alg": "EdDSA", "kid": "good" }),
    ] {
        assert_eq!(door.bearer(&provider.sign(&header.to_string(), &good)).await, 401, "{header}");
    }
    let twice = r#"{"alg":"none","alg":"EdDSA","typ":"at+jwt","kid":"good"}"#;
    assert_eq!(door.bearer(&provider.sign(twice, &good)).await, 401);
    // The keys were read, and nothing else was asked for.
    assert!(provider.reads() <= 2, "{}", provider.reads());
}

#[tokio::test]
async fn claims_that_are_missing_doubled_or_of_another_type_make_no_token() {
    let provider = Provider::new();
    let door = provider.door();
    let now = door.clock.now().seconds();
    let mut bad: Vec<String> = ["iss", "aud", "sub", "exp", "iat", "azp"]
        .into_iter()
        .map(|missing| changed(&door, |claims| drop(claims.as_object_mut().unwrap().remove(missing))))
        .collect();
    for (name, value) in [
        ("iss", json!("https://evil.example")),
        ("iss", json!(format!("{ISSUER}/"))),
        ("iss", json!([ISSUER, "https://evil.example"])),
        ("aud", json!("another-api")),
        ("aud", json!([])),
        ("aud", json!(WEB)),
        ("sub", json!("")),
        ("sub", json!(7)),
        ("azp", json!("another-client")),
        ("client_id", json!("another-client")),
        ("exp", json!((now + 300).to_string())),
        ("exp", json!(now - 31)),
        ("exp", json!(null)),
        ("exp", json!(-1)),
        ("nbf", json!((now - 1).to_string())),
        ("nbf", json!(now + 31)),
        ("iat", json!(now + 31)),
        ("iat", json!("now")),
        ("typ", json!("ID")),
        ("typ", json!("Logout")),
        ("typ", json!("Refresh")),
        ("roles", json!("clerk")),
        ("email_verified", json!("true")),
    ] {
        bad.push(changed(&door, |claims| claims[name] = value));
    }
    let good = claims(&door.clock).to_string();
    for doubled in [r#""sub":"admin""#, r#""exp":9999999999"#, r#""aud":"the-api""#, r#""roles":["clerk"]"#] {
        bad.push(format!("{{{doubled},{}", &good[1..]));
    }
    bad.extend(["{}".to_owned(), "[]".to_owned(), "null".to_owned(), String::new(), good.replace('}', "")]);
    for claims in bad {
        assert_eq!(door.bearer(&provider.sign(HEADER, &claims)).await, 401, "{claims}");
    }
    assert_eq!(door.bearer(&provider.sign(HEADER, &good)).await, 200);
}

#[tokio::test]
async fn signatures_that_are_not_the_keys_are_none() {
    let provider = Provider::new();
    let door = provider.door();
    let good = provider.token("good", &door.clock);
    let (signed, signature) = good.rsplit_once('.').unwrap();
    let (head, body) = signed.split_once('.').unwrap();
    let hs = |secret: &[u8]| {
        let header = BASE64.encode(br#"{"alg":"HS256","typ":"at+jwt","kid":"good"}"#);
        let key = jsonwebtoken::EncodingKey::from_secret(secret);
        let message = format!("{header}.{body}");
        let mac =
            jsonwebtoken::crypto::sign(message.as_bytes(), &key, jsonwebtoken::Algorithm::HS256).unwrap();
        format!("{message}.{mac}")
    };
    let public = provider.key.verifying_key();
    let none = BASE64.encode(br#"{"alg":"none","typ":"at+jwt","kid":"good"}"#);
    let other = Provider::with_key(&[9; 32]);
    for bad in [
        format!("{signed}."),
        signed.to_owned(),
        format!("{signed}.{}", BASE64.encode(&[0; 64])),
        format!("{signed}.{}", &signature[..signature.len() - 2]),
        format!("{signed}.{signature}A"),
        format!("{signed}.{signature}.{signature}"),
        format!("{none}.{body}."),
        format!("{none}.{body}.{signature}"),
        format!("{head}.{}.{signature}", BASE64.encode(br#"{"sub":"admin"}"#)),
        hs(public.as_bytes()),
        hs(BASE64.encode(public.as_bytes()).as_bytes()),
        hs(b""),
        hs(b" "),
        other.token("good", &door.clock),
        format!("{good}{}", "A".repeat(20_000)),
        "a.b.c".to_owned(),
        "..".to_owned(),
    ] {
        assert_eq!(door.bearer(&bad).await, 401, "{bad}");
    }
    let body = json!({ "query": "{ hello }" }).to_string();
    let good = format!("Bearer {good}");
    let twice = post(&[("authorization", &good), ("authorization", &good)], &body);
    assert_eq!(door.send(twice).await.refusal().0, 401);
    assert_eq!(door.query_as(&good, "{ hello }").await.status, 200);
}

#[tokio::test]
async fn keys_sign_only_what_they_are_for() {
    let provider = Provider::new();
    let key = provider.key.clone();
    let with = |name: &str, change: &[(&str, Value)]| {
        let mut jwk = jwk(name, &key);
        for (member, value) in change {
            jwk[member] = value.clone();
        }
        jwk
    };
    let secret = json!({ "kty": "oct", "kid": "secret", "k": "c2VjcmV0", "alg": "HS256" });
    *provider.keys.lock().unwrap() = json!([
        with("encrypts", &[("use", json!("enc"))]),
        with("another algorithm", &[("alg", json!("ES256"))]),
        with("of no kind", &[("kty", json!("XYZ"))]),
        secret,
        with("good", &[]),
    ]);
    let door = provider.door();
    for (key, expected) in
        [("encrypts", 401), ("another algorithm", 401), ("of no kind", 401), ("secret", 401), ("good", 200)]
    {
        assert_eq!(door.bearer(&provider.token(key, &door.clock)).await, expected, "{key}");
    }
}

#[tokio::test]
async fn made_up_keys_cause_two_readings_in_ten_seconds_and_no_good_token_waits() {
    let provider = Provider::new();
    let door = provider.door();
    assert_eq!(door.bearer(&provider.token("good", &door.clock)).await, 200);
    let before = provider.reads();
    for number in 0..10_000 {
        let unknown = provider.token(&format!("unknown-{number}"), &door.clock);
        assert_eq!(door.bearer(&unknown).await, 401);
        if number % 500 == 0 {
            let another = changed(&door, |claims| claims["jti"] = number.into());
            assert_eq!(door.bearer(&provider.sign(HEADER, &another)).await, 200);
        }
        door.clock.advance(Duration::from_millis(1));
    }
    let reads = provider.reads() - before;
    assert!((1..=2).contains(&reads), "{reads} readings");
}

#[tokio::test]
async fn a_new_key_works_within_five_seconds_and_a_removed_one_stops_within_a_minute() {
    let provider = Provider::new();
    let door = provider.door();
    assert_eq!(door.bearer(&provider.token("good", &door.clock)).await, 200);
    // A moment ago somebody has asked for a key that nobody had.
    assert_eq!(door.bearer(&provider.token("new", &door.clock)).await, 401);
    *provider.keys.lock().unwrap() = json!([jwk("new", &provider.key), jwk("good", &provider.key)]);
    door.clock.advance(Duration::from_secs(5));
    assert_eq!(door.bearer(&provider.token("new", &door.clock)).await, 200);
    let old = provider.token("good", &door.clock);
    assert_eq!(door.bearer(&old).await, 200);
    *provider.keys.lock().unwrap() = json!([jwk("new", &provider.key)]);
    // In use all the time: what is remembered of it must not keep it alive.
    let mut last = 0;
    for second in 0..60 {
        door.clock.advance(Duration::from_secs(1));
        if door.bearer(&old).await == 200 {
            last = second;
        }
    }
    assert!(last < 59, "the key works after a minute");
    assert_eq!(door.bearer(&old).await, 401);
    assert_eq!(door.bearer(&provider.token("new", &door.clock)).await, 200);
}

#[tokio::test]
async fn tokens_hold_while_the_provider_is_away_and_what_cannot_be_checked_is_not_called_wrong() {
    let provider = Provider::new();
    let door = provider.door();
    provider.is_broken.store(true, Ordering::SeqCst);
    let reply = door.query_as(&format!("Bearer {}", provider.token("good", &door.clock)), "{ hello }").await;
    assert_eq!(reply.refusal(), (503, "LOGIN_UNAVAILABLE".to_owned()));
    provider.is_broken.store(false, Ordering::SeqCst);
    door.clock.advance(Duration::from_secs(5));
    assert_eq!(door.bearer(&provider.token("good", &door.clock)).await, 200);
    provider.is_broken.store(true, Ordering::SeqCst);
    for _ in 0..60 {
        door.clock.advance(Duration::from_secs(60));
        assert_eq!(door.bearer(&provider.token("good", &door.clock)).await, 200);
    }
    door.clock.advance(Duration::from_secs(24 * 60 * 60));
    assert_eq!(door.bearer(&provider.token("good", &door.clock)).await, 503);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_at_once_read_the_keys_once() {
    let provider = Provider::new();
    let door = std::sync::Arc::new(provider.door());
    let asked = (0..100).map(|number| {
        let token = provider.sign(HEADER, &changed(&door, |claims| claims["jti"] = number.into()));
        let door = door.clone();
        async move { door.bearer(&token).await }
    });
    assert_eq!(asked.collect::<tokio::task::JoinSet<_>>().join_all().await, vec![200; 100]);
    assert_eq!(provider.reads(), 1);
}
