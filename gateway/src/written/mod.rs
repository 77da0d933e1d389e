//! What viewers have written a moment ago, so that what they ask next is not answered by a replica that does not know it.
//!
//! Subgraphs say with their answers how far their databases are. That is remembered here by user, or by address for
//! guests, and handed to clients as a cookie as well: whoever keeps it is known to every gateway. Nothing is allowed by
//! it; the most that a made-up one does is to have its owner's queries answered by the primary. Of clients without one
//! gateways tell each other ([`shared`]), where they have a Redis.

mod shared;

use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use auth::Viewer;
use axum::http::{HeaderMap, HeaderValue, header};
use common::Marks;
use common::id::UserId;
use quick_cache::sync::Cache;
use runtime::Tasks;

use self::shared::{Heard, Shared};
use crate::config::SharedWrites;

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

/// The memory of one gateway, and what it hears from others.
pub(crate) struct Written {
    recent: Cache<Who, (Instant, Arc<Marks>)>,
    /// Whether anything was ever remembered: where there are no replicas nothing is looked up.
    used: AtomicBool,
    /// How long after a write a replica may not know it.
    lasts: Duration,
    shared: Option<Arc<Shared>>,
}

impl Written {
    /// Nothing yet. No replica that is read is further behind than `lasts`. What is told and heard in the background ends
    /// with `tasks`.
    pub(crate) fn new(lasts: Duration, shared: Option<SharedWrites>, tasks: &Tasks) -> Self {
        let shared = shared.map(|remotes| Arc::new(Shared::new(remotes, lasts)));
        if let Some(shared) = shared.clone() {
            let stopping = tasks.stopping();
            tasks.spawn("writes by way of other gateways", async move {
                tokio::select! {
                    () = stopping => {}
                    () = shared.watch() => {}
                }
            });
        }
        Self { recent: Cache::new(REMEMBERED), used: AtomicBool::new(false), lasts, shared }
    }

    /// A request of this viewer, after what they have written by our memory and by what the client remembers.
    pub(crate) fn of(&self, viewer: &Viewer, address: Option<IpAddr>, headers: &HeaderMap) -> Writes {
        let mut marks = self.known(viewer, address);
        let told = told(headers);
        if let Some(told) = &told {
            Arc::make_mut(&mut marks).add_all(told);
        }
        let (is_told, in_doubt) = (told.is_some(), false);
        Writes(Arc::new(Mutex::new(Progress { marks, is_told, in_doubt, writer: None })))
    }

    /// Adds what other gateways know of the viewer, unless the client knows by itself.
    pub(crate) async fn hear(&self, writes: &Writes, viewer: &Viewer, address: Option<IpAddr>) {
        let Some((shared, who)) = self.shared.as_ref().zip(who(viewer, address)) else { return };
        if !writes.is_told() {
            writes.add(shared.hear(who).await);
        }
    }

    /// Tells other gateways what the request has written, if it has. To be waited for before the client knows.
    pub(crate) async fn tell(&self, writes: &Writes) {
        let Some((shared, (who, marks))) = self.shared.as_ref().zip(writes.done()) else { return };
        shared.tell(who, &marks).await;
    }

    fn known(&self, viewer: &Viewer, address: Option<IpAddr>) -> Arc<Marks> {
        if !self.used.load(Ordering::Acquire) {
            return Arc::default();
        }
        let known = who(viewer, address).and_then(|who| self.recent.get(&who));
        let recent = known.filter(|(since, _)| since.elapsed() < self.lasts);
        recent.map(|(_, marks)| marks).unwrap_or_default()
    }

    fn remember(&self, viewer: &Viewer, address: Option<IpAddr>, marks: &Arc<Marks>) -> Option<Who> {
        let who = who(viewer, address)?;
        let mut all = Marks::clone(&self.known(viewer, address));
        all.add_all(marks);
        self.recent.insert(who, (Instant::now(), all.into()));
        self.used.store(true, Ordering::Release);
        Some(who)
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
    /// Whether the client has said what that is.
    is_told: bool,
    /// There may be more.
    in_doubt: bool,
    /// Who has written by this request, if anybody; nobody in particular where that is not known.
    writer: Option<Option<Who>>,
}

impl Writes {
    fn progress(&self) -> MutexGuard<'_, Progress> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_told(&self) -> bool {
        self.progress().is_told
    }

    fn add(&self, heard: Heard) {
        let mut progress = self.progress();
        if !heard.marks.is_empty() {
            Arc::make_mut(&mut progress.marks).add_all(&heard.marks);
        }
        progress.in_doubt = heard.in_doubt;
    }

    /// Who has written what, where the request has.
    fn done(&self) -> Option<(Who, Arc<Marks>)> {
        let progress = self.progress();
        Some((progress.writer??, Arc::clone(&progress.marks)))
    }

    /// All that the viewer has written until now.
    pub(crate) fn marks(&self) -> Arc<Marks> {
        Arc::clone(&self.progress().marks)
    }

    /// Whether they may have written more.
    pub(crate) fn in_doubt(&self) -> bool {
        self.progress().in_doubt
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
        let mut progress = self.progress();
        Arc::make_mut(&mut progress.marks).add_all(&said);
        progress.writer = Some(memory.remember(viewer, address, &progress.marks));
        true
    }

    /// The cookie for a client whose request has written.
    pub(crate) fn cookie(&self, memory: &Written) -> Option<HeaderValue> {
        let progress = self.progress();
        let (marks, age) = (&progress.marks, memory.lasts.as_secs() + 1);
        let text = format!("{COOKIE}={marks}; Max-Age={age}; Path=/; HttpOnly; SameSite=Lax");
        progress.writer.and_then(|_| HeaderValue::from_str(&text).ok())
    }
}
