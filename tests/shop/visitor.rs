//! Somebody with a browser: it keeps cookies, goes where it is sent, and fills in forms. No scripts.

use std::collections::BTreeMap;

use anyhow::{Context as _, ensure};
use bytes::Bytes;
use http::{HeaderMap, Request, Uri, header};
use http_body_util::Full;
use serde_json::{Value, json};

use crate::client::{Answer, Client};

/// A browser with one tab.
#[derive(Clone)]
pub struct Visitor {
    client: Client,
    /// By scheme, host and port: more than browsers tell apart, who give cookies of one port to others too.
    cookies: BTreeMap<(String, String), String>,
    /// Gateways that are one site to it, as behind a balancer.
    site: Vec<String>,
}

/// A page, or where the browser is sent.
pub struct Page {
    pub url: String,
    pub status: u16,
    pub headers: HeaderMap,
    pub text: String,
}

impl Visitor {
    pub fn new() -> Self {
        Self { client: Client::guest(""), cookies: BTreeMap::new(), site: Vec::new() }
    }

    /// A browser to which these gateways are one site.
    pub fn behind(gateways: &[String]) -> Self {
        Self { site: gateways.to_vec(), ..Self::new() }
    }

    /// Opens an address; goes nowhere by itself.
    pub async fn get(&mut self, url: &str) -> anyhow::Result<Page> {
        self.send(Request::get(url).header(header::ACCEPT, "text/html, */*;q=0.8"), Bytes::new()).await
    }

    /// Sends a form.
    pub async fn post(&mut self, url: &str, fields: &[(&str, &str)]) -> anyhow::Result<Page> {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let request = Request::post(url).header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        self.send(request, body.into()).await
    }

    /// Asks the API as a page of this site does.
    pub async fn ask(&mut self, base: &str, query: &str, more: &[(&str, &str)]) -> anyhow::Result<Page> {
        let mut request = Request::post(format!("{base}/graphql"))
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::ACCEPT, "application/graphql-response+json");
        for (name, value) in more {
            request = request.header(*name, *value);
        }
        self.send(request, json!({ "query": query }).to_string().into()).await
    }

    /// Who the API takes this browser for: an e-mail address, or nobody.
    pub async fn name(&mut self, base: &str) -> anyhow::Result<Option<String>> {
        let page = self.ask(base, "{ me { email } }", &[]).await?;
        ensure!(page.status == 200, "{}: {}", page.status, page.text);
        Ok(page.json()?["data"]["me"]["email"].as_str().map(str::to_owned))
    }

    /// Fills in the log-in page and sends it.
    pub async fn enter(&mut self, page: &Page, name: &str, password: &str) -> anyhow::Result<Page> {
        let action = page.form()?;
        self.post(&action, &[("username", name), ("password", password)]).await
    }

    /// The names of the cookies of a site.
    pub fn cookies(&self, base: &str) -> Vec<&str> {
        self.cookies.keys().filter(|(site, _)| site == base).map(|(_, name)| name.as_str()).collect()
    }

    fn site_of(&self, uri: &Uri) -> anyhow::Result<String> {
        let site = site(uri)?;
        Ok(if self.site.contains(&site) { self.site.join(" ") } else { site })
    }

    async fn send(&mut self, request: http::request::Builder, body: Bytes) -> anyhow::Result<Page> {
        let uri = request.uri_ref().context("an address")?.clone();
        let site = self.site_of(&uri)?;
        let own: Vec<String> = self
            .cookies
            .iter()
            .filter(|((of, _), _)| *of == site)
            .map(|((_, name), value)| format!("{name}={value}"))
            .collect();
        let request = match own.is_empty() {
            true => request,
            false => request.header(header::COOKIE, own.join("; ")),
        };
        let Answer { status, headers, text } = self.client.send(request.body(Full::new(body))?).await?;
        for cookie in headers.get_all(header::SET_COOKIE) {
            let cookie = cookie.to_str()?;
            let (name, value) =
                cookie.split(';').next().and_then(|pair| pair.split_once('=')).context("a cookie")?;
            let key = (site.clone(), name.to_owned());
            match cookie.to_ascii_lowercase().contains("max-age=0") {
                true => self.cookies.remove(&key),
                false => self.cookies.insert(key, value.to_owned()),
            };
        }
        Ok(Page { url: uri.to_string(), status, headers, text })
    }
}

impl Page {
    /// Where the browser is sent.
    pub fn location(&self) -> anyhow::Result<String> {
        let to = self.headers.get(header::LOCATION);
        let to = to.with_context(|| format!("{} sends nowhere: {} {}", self.url, self.status, self.text))?;
        Ok(to.to_str()?.to_owned())
    }

    pub fn json(&self) -> anyhow::Result<Value> {
        serde_json::from_str(&self.text).with_context(|| format!("no JSON: {} {}", self.status, self.text))
    }

    /// Where the page's form goes.
    pub fn form(&self) -> anyhow::Result<String> {
        let form = self.text.split("<form").nth(1).and_then(|rest| rest.split('>').next());
        let form = form.with_context(|| format!("no form at {}: {} {}", self.url, self.status, self.text))?;
        let action = form.split("action=\"").nth(1).and_then(|rest| rest.split('"').next());
        let action = action.context("the form goes somewhere")?.replace("&amp;", "&");
        match action.starts_with('/') {
            true => Ok(format!("{}{action}", site(&self.url.parse()?)?)),
            false => Ok(action),
        }
    }
}

/// Scheme, host and port.
fn site(uri: &Uri) -> anyhow::Result<String> {
    let authority = uri.authority().with_context(|| format!("{uri} has no host"))?;
    Ok(format!("{}://{authority}", uri.scheme_str().unwrap_or("http")))
}

/// A parameter of an address.
pub fn parameter(url: &str, name: &str) -> Option<String> {
    let query = url.split_once('?')?.1.split('#').next()?;
    form_urlencoded::parse(query.as_bytes())
        .find(|(found, _)| found == name)
        .map(|(_, value)| value.into_owned())
}

/// The same address with another value of a parameter, or without it.
pub fn with_parameter(url: &str, name: &str, value: Option<&str>) -> String {
    let (path, query) = url.split_once('?').unwrap_or((url, ""));
    let mut pairs = form_urlencoded::Serializer::new(String::new());
    for (found, old) in form_urlencoded::parse(query.as_bytes()) {
        match (found == name, value) {
            (false, _) => pairs.append_pair(&found, &old),
            (true, Some(new)) => pairs.append_pair(&found, new),
            (true, None) => &mut pairs,
        };
    }
    format!("{path}?{}", pairs.finish())
}
