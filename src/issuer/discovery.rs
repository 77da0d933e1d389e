//! The discovery document (OpenID Connect Discovery 1.0) and the keys.

use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};

use super::Issuer;

/// `GET /.well-known/openid-configuration`.
pub(super) async fn document(State(issuer): State<Issuer>) -> Json<Value> {
    let url = issuer.url();
    Json(json!({
        "issuer": url,
        "authorization_endpoint": format!("{url}/authorize"),
        "token_endpoint": format!("{url}/token"),
        "jwks_uri": format!("{url}/keys"),
        "end_session_endpoint": format!("{url}/logout"),
        "scopes_supported": ["openid", "email", "profile"],
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["EdDSA"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post", "none"],
        "code_challenge_methods_supported": ["S256"],
        "claims_supported": ["sub", "sid", "email", "email_verified", "locale"],
        "claims_parameter_supported": false,
        "authorization_response_iss_parameter_supported": true,
        "request_parameter_supported": false,
        "request_uri_parameter_supported": false,
    }))
}

/// `GET /keys`: the key that signs ID tokens and access tokens (RFC 7517, RFC 8037).
pub(super) async fn keys(State(issuer): State<Issuer>) -> Json<Value> {
    let key = issuer.0.key.verifying();
    let key = json!({
        "kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": key.id(), "x": key.to_base64url(),
    });
    Json(json!({ "keys": [key] }))
}
