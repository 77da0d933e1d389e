//! What a job is for who declares it.

use std::sync::Arc;
use std::time::Duration;

use common::Fault;
use futures::future::{BoxFuture, FutureExt as _};
use tokio::sync::Notify;

use crate::Run;

type Work = dyn Fn(Run) -> BoxFuture<'static, Result<(), Fault>> + Send + Sync;
type Look = dyn Fn() -> BoxFuture<'static, Result<bool, Fault>> + Send + Sync;

/// A job that a process can run.
#[derive(Clone)]
pub struct Job {
    pub(crate) name: &'static str,
    pub(crate) when: When,
    pub(crate) work: Arc<Work>,
    pub(crate) look: Option<Arc<Look>>,
    pub(crate) nudge: Nudge,
}

#[derive(Clone, Copy)]
pub(crate) enum When {
    /// A tick so often.
    Every(Duration),
    /// Where somebody asks for it.
    Asked,
}

/// Has a job of this process run before its next tick. Clones nudge the same job.
#[derive(Clone, Debug, Default)]
pub struct Nudge(pub(crate) Arc<Notify>);

impl Nudge {
    /// Says, after a commit, that there may be something to do. A job that failed waits for the end of its pause.
    pub fn nudge(&self) {
        self.0.notify_one();
    }
}

impl Job {
    /// A job that comes round `every` so often: `work` on a clone of `state`. Ticks that nobody was there for are left
    /// out, but for one.
    pub fn every<S, W>(
        name: &'static str,
        every: Duration,
        state: &S,
        work: impl Fn(S, Run) -> W + Send + Sync + 'static,
    ) -> Self
    where
        S: Clone + Send + Sync + 'static,
        W: Future<Output = Result<(), Fault>> + Send + 'static,
    {
        Self::new(name, When::Every(every), state, work)
    }

    /// A job that runs where somebody has asked for it, see [`crate::Queue::ask`].
    pub fn asked<S, W>(
        name: &'static str,
        state: &S,
        work: impl Fn(S, Run) -> W + Send + Sync + 'static,
    ) -> Self
    where
        S: Clone + Send + Sync + 'static,
        W: Future<Output = Result<(), Fault>> + Send + 'static,
    {
        Self::new(name, When::Asked, state, work)
    }

    fn new<S, W>(
        name: &'static str,
        when: When,
        state: &S,
        work: impl Fn(S, Run) -> W + Send + Sync + 'static,
    ) -> Self
    where
        S: Clone + Send + Sync + 'static,
        W: Future<Output = Result<(), Fault>> + Send + 'static,
    {
        let state = state.clone();
        let work: Arc<Work> = Arc::new(move |run| work(state.clone(), run).boxed());
        Self { name, when, work, look: None, nudge: Nudge::default() }
    }

    /// The same job, whose ticks are left out, without a write, where `look` sees nothing to do. It must be cheap.
    #[must_use]
    pub fn looking<S, L>(mut self, state: &S, look: impl Fn(S) -> L + Send + Sync + 'static) -> Self
    where
        S: Clone + Send + Sync + 'static,
        L: Future<Output = Result<bool, Fault>> + Send + 'static,
    {
        let state = state.clone();
        self.look = Some(Arc::new(move || look(state.clone()).boxed()));
        self
    }

    /// The same job, run before its time where `nudge` says so.
    #[must_use]
    pub fn nudged_by(mut self, nudge: &Nudge) -> Self {
        self.nudge = nudge.clone();
        self
    }

    /// Its name, unique in its database.
    pub fn name(&self) -> &'static str {
        self.name
    }
}
