//! Tasks that are told to stop together and waited for.

use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinError;
use tokio_stream::wrappers::ReceiverStream;
use tokio_stream::{Stream, StreamExt as _};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};
use tokio_util::task::TaskTracker;
use trace::Cause;

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

    /// Whether no task is ever begun.
    pub fn are_never(&self) -> bool {
        self.never
    }

    /// A stream that goes on in a task of its own: whoever takes what it yields slowly holds up nothing that it holds. It
    /// is at most two items ahead, and ends when it is dropped here.
    pub fn apart<S>(&self, name: &'static str, stream: S) -> ReceiverStream<S::Item>
    where
        S: Stream + Send + 'static,
        S::Item: Send,
    {
        let (sender, receiver) = mpsc::channel(1);
        self.spawn(name, async move {
            tokio::pin!(stream);
            loop {
                let item = tokio::select! {
                    item = stream.next() => item,
                    () = sender.closed() => None,
                };
                let Some(item) = item else { return };
                if sender.send(item).await.is_err() {
                    return;
                }
            }
        });
        ReceiverStream::new(receiver)
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

    /// Runs `work` to its end, even where whoever waits for it goes away: a client that hangs up, or a caller that has
    /// waited long enough, between a commit and what is to follow it takes nothing along. Also where other tasks are
    /// never begun, as this one is waited for.
    pub async fn finish<T: Send + 'static>(&self, work: impl Future<Output = T> + Send + 'static) -> T {
        let ended = self.tracker.spawn(trace::carry_on(work)).await;
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[tokio::test]
    async fn a_stream_apart_holds_nothing_while_nobody_takes_what_it_yields() {
        let lock = Arc::new(tokio::sync::Mutex::new(()));
        let items = || {
            let lock = Arc::clone(&lock);
            tokio_stream::iter(0..3).then(move |item| {
                let lock = Arc::clone(&lock);
                async move {
                    let _held = lock.lock().await;
                    tokio::task::yield_now().await;
                    item
                }
            })
        };
        // Polled once and left alone, as by a client that does not read.
        let mut alone = Box::pin(items());
        tokio::select! {
            biased;
            _ = alone.next() => {}
            () = std::future::ready(()) => {}
        }
        assert!(lock.try_lock().is_err(), "it is held for as long as nobody polls");
        drop(alone);
        let tasks = Tasks::new();
        let mut apart = tasks.apart("items", items());
        assert_eq!(apart.next().await, Some(0));
        let free = tokio::time::timeout(Duration::from_secs(20), async {
            for _ in 0..100 {
                drop(lock.lock().await);
                tokio::task::yield_now().await;
            }
        });
        assert!(free.await.is_ok());
        drop(apart);
        assert!(tasks.ended(Duration::from_secs(20)).await, "it ends when it is dropped");
    }

    #[tokio::test]
    async fn what_is_to_be_finished_is_finished_though_nobody_waits() {
        let (tasks, done) = (Tasks::new(), Arc::new(tokio::sync::Notify::new()));
        let said = Arc::clone(&done);
        tokio::select! {
            biased;
            () = tasks.finish(async move {
                tokio::task::yield_now().await;
                said.notify_one();
            }) => {}
            () = std::future::ready(()) => {}
        }
        assert!(tokio::time::timeout(Duration::from_secs(20), done.notified()).await.is_ok());
        assert_eq!(Tasks::never().finish(async { 1 }).await, 1);
    }
}
