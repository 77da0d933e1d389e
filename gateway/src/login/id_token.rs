//! ID tokens (OpenID Connect Core, section 3.1.3.7): who has logged in, said to this client about this log-in.

use chrono::{DateTime, Utc};
use openidconnect::core::{CoreIdToken, CoreIdTokenVerifier, CoreJwsSigningAlgorithm};
use openidconnect::{AccessToken, AccessTokenHash, ClientId, ClientSecret, Nonce};
use secrecy::ExposeSecret as _;

use super::{LoginError, Logins, token};

const ALGORITHMS: [CoreJwsSigningAlgorithm; 7] = [
    CoreJwsSigningAlgorithm::EdDsa,
    CoreJwsSigningAlgorithm::EcdsaP256Sha256,
    CoreJwsSigningAlgorithm::EcdsaP384Sha384,
    CoreJwsSigningAlgorithm::RsaSsaPssSha256,
    CoreJwsSigningAlgorithm::RsaSsaPssSha384,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha384,
];

/// The subject of an ID token that belongs to this log-in and to this access token. After a refresh there is no nonce
/// to compare (section 12.2).
pub(super) async fn verify(
    logins: &Logins,
    id_token: &CoreIdToken,
    nonce: Option<&str>,
    access_token: &AccessToken,
) -> Result<String, LoginError> {
    let text = id_token.to_string();
    let (header, key_id) = token::header(&text).map_err(|_| LoginError::Untrusted)?;
    let keys = logins.keys.with_key(&logins.provider, &key_id, header.alg).await?;
    let (config, clock) = (&logins.config, logins.clock.clone());
    let (client, issuer) = (ClientId::new(config.client_id.clone()), logins.provider.issuer().clone());
    let verifier = match &config.client_secret {
        Some(secret) => {
            let secret = ClientSecret::new(secret.expose_secret().to_owned());
            CoreIdTokenVerifier::new_confidential_client(client, secret, issuer, keys.set.clone())
        }
        None => CoreIdTokenVerifier::new_public_client(client, issuer, keys.set.clone()),
    };
    let now = move || DateTime::<Utc>::from_timestamp(clock.now().seconds(), 0).unwrap_or_default();
    let verifier = verifier.set_allowed_algs(ALGORITHMS).set_time_fn(now);
    let claims = match nonce {
        Some(nonce) => id_token.claims(&verifier, &Nonce::new(nonce.to_owned())),
        None => id_token.claims(&verifier, |_: Option<&Nonce>| Ok(())),
    };
    let claims = claims.map_err(|error| {
        tracing::warn!(reason = %error, "the identity provider has sent an ID token that does not hold");
        LoginError::Untrusted
    })?;
    if claims.authorized_party().is_some_and(|party| party.as_str() != config.client_id) {
        return Err(LoginError::Untrusted);
    }
    if let Some(hash) = claims.access_token_hash() {
        let algorithm = id_token.signing_alg().map_err(|_| LoginError::Untrusted)?;
        let key = id_token.signing_key(&verifier).map_err(|_| LoginError::Untrusted)?;
        let actual =
            AccessTokenHash::from_token(access_token, algorithm, key).map_err(|_| LoginError::Untrusted)?;
        if actual != *hash {
            return Err(LoginError::Untrusted);
        }
    }
    Ok(claims.subject().as_str().to_owned())
}
