//! From HTTP to a GraphQL request: bounded, strict, and the same for POST and GET.

use axum::body::Body;
use axum::http::{HeaderMap, StatusCode, header};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::media;
use crate::rejection::{Code, Rejection};

/// A GraphQL request as the specification of GraphQL over HTTP has it. Unknown members are passed over.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
pub(crate) struct GraphqlRequest {
    #[serde(default)]
    pub(crate) query: Option<String>,
    #[serde(default, rename = "operationName")]
    pub(crate) operation_name: Option<String>,
    #[serde(default)]
    pub(crate) variables: Option<Map<String, Value>>,
    #[serde(default)]
    pub(crate) extensions: Option<Map<String, Value>>,
}

/// Reads the body of a POST. It has been inflated already, so the bound holds for what it really is.
pub(crate) async fn read_post(
    headers: &HeaderMap,
    body: Body,
    limit: usize,
) -> Result<GraphqlRequest, Rejection> {
    if !media::is_json_body(headers) {
        return Err(Rejection::http(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Code::BadUserInput,
            "The body must be application/json in UTF-8.",
        ));
    }
    // Whoever says so beforehand need not send it. What is packed may still be too large unpacked.
    let announced = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
    if announced.is_some_and(|length: u64| length > limit as u64) {
        return Err(too_large(limit));
    }
    let collected = Limited::new(body, limit).collect().await.map_err(|error| {
        if error.is::<LengthLimitError>() {
            too_large(limit)
        } else {
            Rejection::malformed("The body could not be read to its end.")
        }
    })?;
    parse(&collected.to_bytes())
}

/// Reads a request from JSON text.
pub(crate) fn parse(text: &[u8]) -> Result<GraphqlRequest, Rejection> {
    let first = text.iter().find(|byte| !byte.is_ascii_whitespace());
    match first {
        Some(b'[') => return Err(Rejection::malformed("Batches of operations are not accepted.")),
        Some(b'{') | None => {}
        Some(_) => return Err(Rejection::malformed("The body must be a JSON object with a member 'query'.")),
    }
    serde_json::from_slice(text).map_err(|error| {
        let message = match error.classify() {
            serde_json::error::Category::Data => format!("The body is not a GraphQL request: {error}."),
            _ => format!("The body is not JSON: {error}."),
        };
        Rejection::malformed(message)
    })
}

/// Reads the query string of a GET.
pub(crate) fn read_get(query: &str, limit: usize) -> Result<GraphqlRequest, Rejection> {
    if query.len() > limit {
        return Err(Rejection::http(
            StatusCode::URI_TOO_LONG,
            Code::BadUserInput,
            format!("The query string is longer than {limit} bytes."),
        ));
    }
    let mut request = GraphqlRequest::default();
    // An HTML form sends empty members; they are as good as none.
    for (name, value) in form_urlencoded::parse(query.as_bytes()).filter(|(_, value)| !value.is_empty()) {
        match &*name {
            "query" => once(&name, &mut request.query, value.into_owned())?,
            "operationName" => once(&name, &mut request.operation_name, value.into_owned())?,
            "variables" => once(&name, &mut request.variables, object(&name, &value)?)?,
            "extensions" => once(&name, &mut request.extensions, object(&name, &value)?)?,
            _ => {}
        }
    }
    Ok(request)
}

fn once<T>(name: &str, place: &mut Option<T>, value: T) -> Result<(), Rejection> {
    match place.replace(value) {
        None => Ok(()),
        Some(_) => Err(Rejection::malformed(format!("The parameter '{name}' stands twice."))),
    }
}

fn object(name: &str, text: &str) -> Result<Map<String, Value>, Rejection> {
    serde_json::from_str(text).map_err(|error| {
        Rejection::malformed(format!("The parameter '{name}' is not a JSON object: {error}."))
    })
}

fn too_large(limit: usize) -> Rejection {
    let message = format!("The body is larger than {limit} bytes.");
    Rejection::http(StatusCode::PAYLOAD_TOO_LARGE, Code::BadUserInput, message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn a_query_string_is_read_member_by_member() {
        let request =
            read_get("query=%7Bme%7D&variables=%7B%22a%22%3A1%7D&operationName=&x=1", 1_000).unwrap();
        assert_eq!(request.query.as_deref(), Some("{me}"));
        assert_eq!(request.operation_name, None);
        assert_eq!(request.variables.unwrap()["a"], 1);
    }

    #[test]
    fn a_query_string_that_is_wrong_is_refused() {
        for (query, status) in [
            ("query=a&query=b", 400),
            ("query=a&variables=1", 400),
            ("query=a&variables=%7B", 400),
            ("query=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", 414),
        ] {
            assert_eq!(read_get(query, 40).unwrap_err().status, status, "{query}");
        }
    }

    #[test]
    fn a_body_that_is_no_request_is_refused() {
        let nested = format!("{{\"query\":\"{{a}}\",\"variables\":{{\"a\":{}", "[".repeat(100_000));
        for body in [
            "",
            " ",
            "{",
            "[]",
            "[{\"query\":\"{a}\"}]",
            "\"query\"",
            "null",
            "{\"query\":1}",
            "{\"query\":\"{a}\",\"variables\":[]}",
            "{\"query\":\"{a}\",\"variables\":\"{}\"}",
            "{\"query\":\"{a}\",\"operationName\":7}",
            "{\"query\":\"{a}\"} trailing",
            "{\"query\":\"\\ud800\"}",
            &nested,
        ] {
            let refused = parse(body.as_bytes()).unwrap_err();
            assert_eq!((refused.status.as_u16(), refused.code()), (400, "BAD_USER_INPUT"), "{body:.40}");
        }
        assert!(parse(b"{\"query\":\"\xff\"}").is_err());
    }

    #[test]
    fn null_members_are_as_good_as_none() {
        let request = parse(br#"{"query":"{a}","operationName":null,"variables":null,"id":1}"#).unwrap();
        assert_eq!(request, GraphqlRequest { query: Some("{a}".into()), ..GraphqlRequest::default() });
    }

    #[tokio::test]
    async fn a_body_is_read_up_to_its_bound() {
        let headers =
            HeaderMap::from_iter([(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))]);
        let body = |length: usize| Body::from(format!("{{\"query\":\"{}\"}}", "a".repeat(length - 12)));
        assert!(read_post(&headers, body(64), 64).await.is_ok());
        assert_eq!(read_post(&headers, body(65), 64).await.unwrap_err().status, 413);
    }
}
