//! What viewers have written a moment ago, so that what they ask next is not answered by a replica that does not know it.
//!
//! Subgraphs say with their answers how far their databases are. That is remembered here by user, or by address for
//! guests, and handed to clients as a cookie as well: whoever keeps it is known to every gateway. Nothing is allowed by
//! it; the most that a made-up one does is to have its owner's queries answered by the primary.

use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use auth::Viewer;
use axum::http::{HeaderMap, HeaderValue, header};
use common::Marks;
use common::id::UserId;
use quick_cache::sync::Cache;

/// Viewers that are remembered.
const REMEMBERED: usize = 100_000;
const COOKIE: &str = "techpotli_written";
/// The longest cookie that is looked at, in bytes.
const LONGEST: usize = 2_048;

/// Who is remembered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Who {
    User(UserId),
    /// Guests of one address are taken for one.
    Address(IpAddr),
}

/// The memory of one gateway.
pub(crate) struct Written {
    recent: Cache<Who, (Instant, Arc<Marks>)>,
    /// Whether anything was ever remembered: where there are no replicas nothing is looked up.
    used: AtomicBool,
    /// How long after a write a replica may not know it.
    lasts: Duration,
}

impl Written {
    /// Nothing yet. No replica that is read is further behind than `lasts`.
    pub(crate) fn new(lasts: Duration) -> Self {
        Self { recent: Cache::new(REMEMBERED), used: AtomicBool::new(false), lasts }
    }

    /// What the viewer behind a request has written, by our memory and by what the client remembers.
    pub(crate) fn of(&self, viewer: &Viewer, address: Option<IpAddr>, headers: &HeaderMap) -> Arc<Marks> {
        let known = self.known(viewer, address);
        let Some(told) = told(headers) else { return known };
        let mut marks = Marks::clone(&known);
        marks.add_all(&told);
        marks.into()
    }

    fn known(&self, viewer: &Viewer, address: Option<IpAddr>) -> Arc<Marks> {
        if !self.used.load(Ordering::Acquire) {
            return Arc::default();
        }
        let known = who(viewer, address).and_then(|who| self.recent.get(&who));
        let recent = known.filter(|(since, _)| since.elapsed() < self.lasts);
        recent.map(|(_, marks)| marks).unwrap_or_default()
    }

    fn remember(&self, viewer: &Viewer, address: Option<IpAddr>, marks: &Arc<Marks>) {
        let Some(who) = who(viewer, address) else { return };
        let mut all = Marks::clone(&self.known(viewer, address));
        all.add_all(marks);
        self.recent.insert(who, (Instant::now(), all.into()));
        self.used.store(true, Ordering::Release);
    }
}

fn who(viewer: &Viewer, address: Option<IpAddr>) -> Option<Who> {
    viewer.user_id().map(Who::User).or_else(|| address.map(|address| Who::Address(address.to_canonical())))
}

/// The marks in the client's cookie, where it has one that holds.
fn told(headers: &HeaderMap) -> Option<Marks> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs =
        cookies.flat_map(|cookies| cookies.split(';')).filter_map(|pair| pair.trim().split_once('='));
    let (_, text) = pairs.find(|(name, text)| *name == COOKIE && text.len() <= LONGEST)?;
    text.parse().ok().filter(|marks: &Marks| !marks.is_empty())
}

/// The writes of one request, as they become known while it runs.
#[derive(Clone)]
pub(crate) struct Writes(Arc<Mutex<Progress>>);

struct Progress {
    /// All that the viewer has written.
    marks: Arc<Marks>,
    /// Whether this request has written.
    changed: bool,
}

impl Writes {
    /// Of a request whose viewer has written this before.
    pub(crate) fn after(marks: Arc<Marks>) -> Self {
        Self(Arc::new(Mutex::new(Progress { marks, changed: false })))
    }

    /// All that the viewer has written until now.
    pub(crate) fn marks(&self) -> Arc<Marks> {
        Arc::clone(&self.0.lock().unwrap_or_else(PoisonError::into_inner).marks)
    }

    /// Notes what a subgraph has said, and remembers it of the viewer. False where it said nothing.
    pub(crate) fn note(
        &self,
        said: &str,
        memory: &Written,
        viewer: &Viewer,
        address: Option<IpAddr>,
    ) -> bool {
        let Ok(said) = said.parse::<Marks>() else { return false };
        if said.is_empty() {
            return false;
        }
        let mut progress = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut marks = Marks::clone(&progress.marks);
        marks.add_all(&said);
        progress.marks = marks.into();
        progress.changed = true;
        memory.remember(viewer, address, &progress.marks);
        true
    }

    /// The cookie for a client whose request has written.
    pub(crate) fn cookie(&self, memory: &Written) -> Option<HeaderValue> {
        let progress = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (marks, age) = (&progress.marks, memory.lasts.as_secs() + 1);
        let text = format!("{COOKIE}={marks}; Max-Age={age}; Path=/; HttpOnly; SameSite=Lax");
        progress.changed.then(|| HeaderValue::from_str(&text).ok()).flatten()
    }
}
