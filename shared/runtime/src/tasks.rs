//! Tasks that are told to stop together and waited for.

use std::time::Duration;

use tokio::task::JoinError;
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};
use tokio_util::task::TaskTracker;
use trace::Cause;

tokio::task_local! {
    /// The work at hand is finished, whoever goes away.
    static FINISHING: ();
}

/// Spawns tasks, and ends them: the only way the project spawns.
#[derive(Clone, Debug, Default)]
pub struct Tasks {
    tracker: TaskTracker,
    drain: CancellationToken,
    stop: CancellationToken,
    never: bool,
}

impl Tasks {
    /// No tasks yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Tasks that are never begun: for who builds something for a part of it, and leaves its work to other processes.
    pub fn never() -> Self {
        Self { never: true, ..Self::default() }
    }

    /// Runs `task` beside everything else. It should end soon after [`Tasks::stopping`] resolves. What a request leaves
    /// to a task belongs to the request, and to its trace.
    pub fn spawn(&self, name: &'static str, task: impl Future<Output = ()> + Send + 'static) {
        if self.never {
            return;
        }
        let task = async move {
            task.await;
            tracing::trace!(task = name, "task ended");
        };
        let cause = Cause::now();
        if cause.is_unknown() {
            self.tracker.spawn(task);
        } else {
            // Not the span that is open here: that one ends with what it stands for.
            let span = || tracing::info_span!(target: trace::ROOT, "task", otel.name = name);
            self.tracker.spawn(cause.carry(span, task));
        }
    }

    /// Runs `work` to its end, even where whoever waits for it goes away: a client that hangs up between a commit and what
    /// is to follow it takes nothing along. Work within such work needs no task of its own.
    pub async fn finish<T: Send + 'static>(&self, work: impl Future<Output = T> + Send + 'static) -> T {
        if self.never || FINISHING.try_with(|()| ()).is_ok() {
            return work.await;
        }
        let ended = self.tracker.spawn(FINISHING.scope((), trace::carry_on(work))).await;
        match ended.map_err(JoinError::try_into_panic) {
            Ok(output) => output,
            Err(Ok(panic)) => std::panic::resume_unwind(panic),
            // The runtime is shutting down, and the task at hand with it.
            Err(Err(_)) => std::future::pending().await,
        }
    }

    /// Resolves when everything is to stop.
    pub fn stopping(&self) -> WaitForCancellationFutureOwned {
        self.stop.clone().cancelled_owned()
    }

    /// Whether everything is to stop.
    pub fn is_stopping(&self) -> bool {
        self.stop.is_cancelled()
    }

    /// Whether new work should go elsewhere: everything is about to stop.
    pub fn is_draining(&self) -> bool {
        self.drain.is_cancelled()
    }

    /// Tells every task to stop.
    pub fn stop(&self) {
        self.drain.cancel();
        self.stop.cancel();
    }

    /// Waits until every task has ended, at most `patience`; says whether they all did.
    pub async fn ended(&self, patience: Duration) -> bool {
        self.tracker.close();
        tokio::time::timeout(patience, self.tracker.wait()).await.is_ok()
    }

    /// Stops on Ctrl-C at once. On SIGTERM it drains for so long first: requests that still come are answered, while
    /// whoever spreads them sees that this process is no longer ready, and clients leave their connections.
    pub fn stop_on_signal(&self, drain: Duration) {
        let tasks = self.clone();
        self.spawn("signals", async move {
            let mut wait = Duration::ZERO;
            tokio::select! {
                () = terminated() => wait = drain,
                () = interrupted() => {}
                () = tasks.stopping() => {}
            }
            tasks.drain.cancel();
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                () = interrupted() => {}
                () = tasks.stopping() => {}
            }
            tasks.stop();
        });
    }
}

#[cfg(unix)]
async fn terminated() {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut signal) => {
            signal.recv().await;
        }
        Err(error) => {
            tracing::warn!(%error, "SIGTERM cannot be listened to");
            std::future::pending::<()>().await;
        }
    }
}

#[cfg(not(unix))]
async fn terminated() {
    std::future::pending::<()>().await;
}

async fn interrupted() {
    if let Err(error) = tokio::signal::ctrl_c().await {
        tracing::warn!(%error, "Ctrl-C cannot be listened to");
        std::future::pending::<()>().await;
    }
}
