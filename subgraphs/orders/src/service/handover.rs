//! Work that is begun by a request and outlives it: when the request stops waiting, the rest runs as a task.

use std::pin::Pin;
use std::task::{Context, Poll};

use futures::future::BoxFuture;
use runtime::Tasks;

use super::Orders;

impl Orders {
    /// Waits for `work` as long as a buyer waits; what is left of it after that goes on as a task of this name.
    pub(super) async fn patiently<T: Send + 'static>(
        &self,
        name: &'static str,
        work: BoxFuture<'static, T>,
    ) -> Option<T> {
        tokio::time::timeout(self.patience, Handover::new(&self.ports.tasks, name, work)).await.ok()
    }
}

/// A future that runs on as a task when it is dropped before its end: the buyer hung up, or has waited long enough.
struct Handover<T: Send + 'static> {
    work: Option<BoxFuture<'static, T>>,
    name: &'static str,
    tasks: Tasks,
}

impl<T: Send + 'static> Handover<T> {
    /// Work that ends by itself or as a task of this name.
    fn new(tasks: &Tasks, name: &'static str, work: BoxFuture<'static, T>) -> Self {
        Self { work: Some(work), name, tasks: tasks.clone() }
    }
}

impl<T: Send + 'static> Future for Handover<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        let Some(work) = self.work.as_mut() else { return Poll::Pending };
        let polled = work.as_mut().poll(context);
        if polled.is_ready() {
            self.work = None;
        }
        polled
    }
}

impl<T: Send + 'static> Drop for Handover<T> {
    fn drop(&mut self) {
        let Some(work) = self.work.take() else { return };
        // Outside of a runtime the process is ending, and the next one takes the work up from what is stored.
        if tokio::runtime::Handle::try_current().is_ok() {
            self.tasks.spawn(self.name, async move { drop(work.await) });
        }
    }
}
