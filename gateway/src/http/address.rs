//! Whose address a request comes from, behind proxies or not.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::extract::{ConnectInfo, Request, State};
use axum::http::{Extensions, HeaderMap, HeaderName, Method};
use axum::middleware::Next;
use axum::response::Response;
use trace::RequestId;

use super::errors;
use super::media::ResponseType;
use crate::Inner;
use crate::config::Network;

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The address of the client: the peer's, or, where the peer is a trusted proxy, the last address in
/// `X-Forwarded-For` that is not one. What stands left of it the client may have made up. `None` where there is no
/// peer, as in a call within the process.
pub(crate) fn client(headers: &HeaderMap, extensions: &Extensions, trusted: &[Network]) -> Option<IpAddr> {
    let peer = extensions.get::<ConnectInfo<SocketAddr>>()?.0.ip().to_canonical();
    let is_trusted = |address: IpAddr| trusted.iter().any(|network| network.contains(address));
    if !is_trusted(peer) {
        return Some(peer);
    }
    let values: Vec<&str> =
        headers.get_all(FORWARDED_FOR).iter().filter_map(|value| value.to_str().ok()).collect();
    let mut client = peer;
    for hop in values.iter().rev().flat_map(|value| value.rsplit(',')) {
        // What cannot be read was not written by a proxy of ours: the one before it is the client.
        let Some(address) = parse(hop.trim()) else { break };
        client = address;
        if !is_trusted(address) {
            break;
        }
    }
    Some(client)
}

/// Whether the peer is one of these.
pub(crate) fn is_of(extensions: &Extensions, networks: &[Network]) -> bool {
    let Some(ConnectInfo(peer)) = extensions.get::<ConnectInfo<SocketAddr>>() else { return false };
    networks.iter().any(|network| network.contains(peer.ip()))
}

/// Counts a request for its address, and a POST like an operation with this field.
pub(super) async fn count(
    State((gateway, field)): State<(Arc<Inner>, Option<&'static str>)>,
    request: Request,
    next: Next,
) -> Response {
    let address = client(request.headers(), request.extensions(), &gateway.config.trusted_proxies);
    let field = field.filter(|_| request.method() == Method::POST);
    match gateway.admit_outside(address, field).await {
        Ok(()) => next.run(request).await,
        Err(rejection) => {
            let id =
                request.extensions().get::<RequestId>().map_or_else(|| Arc::from(""), |id| id.text().clone());
            errors::reply(rejection, ResponseType::Json, &id)
        }
    }
}

/// An address, with or without a port.
fn parse(hop: &str) -> Option<IpAddr> {
    let address = hop.parse::<IpAddr>().or_else(|_| hop.parse::<SocketAddr>().map(|socket| socket.ip()));
    let bracketed = || hop.strip_prefix('[')?.strip_suffix(']')?.parse().ok();
    address.ok().or_else(bracketed).map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn client_of(peer: &str, forwarded: &[&str], trusted: &[&str]) -> String {
        let mut extensions = Extensions::new();
        extensions.insert(ConnectInfo(peer.parse::<SocketAddr>().unwrap()));
        let mut headers = HeaderMap::new();
        for value in forwarded {
            headers.append(FORWARDED_FOR, HeaderValue::from_str(value).unwrap());
        }
        let trusted: Vec<Network> = trusted.iter().map(|text| text.parse().unwrap()).collect();
        client(&headers, &extensions, &trusted).unwrap().to_string()
    }

    #[test]
    fn only_a_trusted_proxy_is_believed() {
        let proxies = ["10.0.0.0/8"];
        for (peer, forwarded, expected) in [
            ("203.0.113.9:1", vec!["1.2.3.4"], "203.0.113.9"),
            ("10.0.0.1:1", vec![], "10.0.0.1"),
            ("10.0.0.1:1", vec!["1.2.3.4"], "1.2.3.4"),
            ("10.0.0.1:1", vec!["6.6.6.6, 1.2.3.4"], "1.2.3.4"),
            ("10.0.0.1:1", vec!["6.6.6.6, 1.2.3.4, 10.9.9.9"], "1.2.3.4"),
            ("10.0.0.1:1", vec!["6.6.6.6", "1.2.3.4:5678"], "1.2.3.4"),
            ("10.0.0.1:1", vec!["nonsense, 10.9.9.9"], "10.9.9.9"),
            ("10.0.0.1:1", vec!["[2001:db8::1]:443"], "2001:db8::1"),
            ("[::ffff:10.0.0.1]:1", vec!["1.2.3.4"], "1.2.3.4"),
        ] {
            assert_eq!(client_of(peer, &forwarded, &proxies), expected, "{peer} {forwarded:?}");
        }
        assert_eq!(client_of("10.0.0.1:1", &["1.2.3.4"], &[]), "10.0.0.1");
    }
}
