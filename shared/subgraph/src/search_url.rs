//! Where texts are searched, as it is written in a setting.

use std::str::FromStr;

use http::Uri;
use percent_encoding::percent_decode_str;
use secrecy::SecretString;

/// The name of the index where the URL does not give one.
const INDEX: &str = "techpotli-products";

/// Where texts are searched: in the process, or on an engine with an HTTP interface.
#[derive(Clone, Debug, Default)]
pub enum SearchUrl {
    /// An index in memory.
    #[default]
    Embedded,
    /// Elasticsearch or OpenSearch.
    Engine(EngineUrl),
}

/// `http(s)://user:password@host:port/index`, taken apart.
#[derive(Clone, Debug)]
pub struct EngineUrl {
    /// Scheme, host and port.
    pub base: String,
    /// User and password, where there are any.
    pub login: Option<(String, SecretString)>,
    /// The name of the index.
    pub index: String,
}

/// A text that says nothing of where to search. It does not repeat the text, which may hold a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ParseSearchUrlError {
    /// Neither a URL nor `embedded`.
    #[error("it must be 'embedded' or look like http://user:password@host:9200/index")]
    Form,
    /// A name that engines refuse.
    #[error(
        "the index has lower-case letters, digits, - and _ in its name, and begins with a letter or digit"
    )]
    Index,
}

impl FromStr for SearchUrl {
    type Err = ParseSearchUrlError;

    fn from_str(text: &str) -> Result<Self, ParseSearchUrlError> {
        if text == "embedded" {
            return Ok(Self::Embedded);
        }
        let url: Uri = text.parse().map_err(|_| ParseSearchUrlError::Form)?;
        let scheme = url.scheme_str().filter(|scheme| matches!(*scheme, "http" | "https"));
        let (Some(scheme), Some(authority)) = (scheme, url.authority()) else {
            return Err(ParseSearchUrlError::Form);
        };
        let (login, place) = match authority.as_str().rsplit_once('@') {
            Some((login, place)) => (Some(login), place),
            None => (None, authority.as_str()),
        };
        let login = login.map(|login| {
            let (user, password) = login.split_once(':').unwrap_or((login, ""));
            let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
            (decoded(user), SecretString::from(decoded(password)))
        });
        let index = match url.path().trim_matches('/') {
            "" => INDEX,
            index => index,
        };
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_".contains(&byte);
        if !index.bytes().all(plain) || index.starts_with(['-', '_']) {
            return Err(ParseSearchUrlError::Index);
        }
        Ok(Self::Engine(EngineUrl { base: format!("{scheme}://{place}"), login, index: index.to_owned() }))
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::*;

    fn engine(text: &str) -> EngineUrl {
        match text.parse().unwrap() {
            SearchUrl::Engine(url) => url,
            SearchUrl::Embedded => panic!("{text} is an engine"),
        }
    }

    #[test]
    fn a_url_is_taken_apart_and_its_password_is_not_shown() {
        let url = engine("https://shop:p%40ss:word@search.internal:9200/de-products/");
        assert_eq!((url.base.as_str(), url.index.as_str()), ("https://search.internal:9200", "de-products"));
        let (user, password) = url.login.as_ref().unwrap();
        assert_eq!((user.as_str(), password.expose_secret()), ("shop", "p@ss:word"));
        assert!(!format!("{url:?}").contains("word"), "{url:?}");
        assert_eq!(engine("http://[::1]:9200").base, "http://[::1]:9200");
        assert_eq!(engine("http://127.0.0.1").index, INDEX);
    }

    #[test]
    fn what_is_no_url_of_an_engine_is_refused_without_being_repeated() {
        for text in ["", "memory", "ftp://a:secret@b", "http://", "localhost:9200"] {
            assert_eq!(text.parse::<SearchUrl>().unwrap_err(), ParseSearchUrlError::Form, "{text}");
        }
        for text in ["http://h/Upper", "http://h/a/b", "http://h/_all", "http://h/a*"] {
            assert_eq!(text.parse::<SearchUrl>().unwrap_err(), ParseSearchUrlError::Index, "{text}");
        }
        assert!(matches!("embedded".parse(), Ok(SearchUrl::Embedded)));
    }
}
