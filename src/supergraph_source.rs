//! Where a gateway's supergraph comes from: a file, or a URL that is asked again and again with the tag of its last
//! answer (RFC 9110, section 13.1.2).

use std::convert::Infallible;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use anyhow::{Context as _, anyhow, bail};
use reqwest::header::{ETAG, HeaderValue, IF_NONE_MATCH};
use reqwest::{Client, StatusCode, Url};

/// How long a server of supergraphs may take.
const TIMEOUT: Duration = Duration::from_secs(10);
/// The largest supergraph that is read from a server, in bytes.
const LARGEST: usize = 32 << 20;

/// A file or a URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SupergraphSource {
    /// A file.
    File(PathBuf),
    /// What http(s) serves; a user and a password in it are sent along.
    Url(Url),
}

impl FromStr for SupergraphSource {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(match Url::parse(text) {
            Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => Self::Url(url),
            _ => Self::File(text.into()),
        })
    }
}

/// Without a password.
impl fmt::Display for SupergraphSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(file) => write!(f, "{}", file.display()),
            Self::Url(url) => {
                let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
                write!(f, "{}://{}{port}{}", url.scheme(), url.host_str().unwrap_or_default(), url.path())
            }
        }
    }
}

/// Reads a source, time and again.
#[derive(Debug)]
pub struct SupergraphReader {
    source: SupergraphSource,
    client: Client,
    tag: Option<HeaderValue>,
}

impl SupergraphReader {
    /// Nothing is read yet.
    pub fn new(source: SupergraphSource) -> anyhow::Result<Self> {
        Ok(Self { source, client: Client::builder().timeout(TIMEOUT).build()?, tag: None })
    }

    /// The supergraph's SDL; `None` where the server says that it is what it was.
    pub async fn read(&mut self) -> anyhow::Result<Option<String>> {
        let read = match &self.source {
            SupergraphSource::File(file) => {
                tokio::fs::read_to_string(file).await.map(Some).map_err(Into::into)
            }
            SupergraphSource::Url(url) => {
                let answer = ask(&self.client, url.clone(), self.tag.as_ref()).await;
                answer.map(|answer| {
                    answer.map(|(sdl, tag)| {
                        self.tag = tag;
                        sdl
                    })
                })
            }
        };
        read.with_context(|| format!("the supergraph {} cannot be read", self.source))
    }
}

async fn ask(
    client: &Client,
    url: Url,
    tag: Option<&HeaderValue>,
) -> anyhow::Result<Option<(String, Option<HeaderValue>)>> {
    let mut request = client.get(url);
    if let Some(tag) = tag {
        request = request.header(IF_NONE_MATCH, tag);
    }
    let mut response = request.send().await.map_err(reqwest::Error::without_url)?;
    match response.status() {
        StatusCode::OK => {}
        StatusCode::NOT_MODIFIED if tag.is_some() => return Ok(None),
        status => bail!("the server answers {status}"),
    }
    let tag = response.headers().get(ETAG).cloned();
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(reqwest::Error::without_url)? {
        if body.len() + chunk.len() > LARGEST {
            bail!("it is longer than {LARGEST} bytes");
        }
        body.extend_from_slice(&chunk);
    }
    let sdl = String::from_utf8(body).map_err(|_| anyhow!("it is not UTF-8"))?;
    Ok(Some((sdl, tag)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_is_a_url_where_it_looks_like_one_and_never_shows_its_password() {
        let url: SupergraphSource =
            "https://reader:secret@registry.example:8443/shop?x=secret".parse().unwrap();
        assert_eq!(url.to_string(), "https://registry.example:8443/shop");
        for file in ["schema/supergraph.graphql", "/a/b", "C:\\a", "http"] {
            let source: SupergraphSource = file.parse().unwrap();
            assert_eq!(source, SupergraphSource::File(file.into()));
        }
    }
}
