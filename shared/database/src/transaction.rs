//! Transactions: one place that begins, commits, rolls back and tries again after a collision.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use common::{Failure, Fault, FaultCode};
use futures::future::BoxFuture;
use scoped_futures::ScopedBoxFuture;
use sea_orm::{DbErr, SqlErr};

use crate::{Database, Tx};

/// Tries in all, the first included.
const ATTEMPTS: u32 = 5;

/// An error that a transaction may end with.
pub trait TransactionFailure: From<Fault> {
    /// The fault inside, where it is one and no refusal.
    fn fault(&self) -> Option<&Fault>;
}

impl TransactionFailure for Fault {
    fn fault(&self) -> Option<&Fault> {
        Some(self)
    }
}

impl<R> TransactionFailure for Failure<R> {
    fn fault(&self) -> Option<&Fault> {
        match self {
            Self::Refused(_) => None,
            Self::Fault(fault) => Some(fault),
        }
    }
}

impl Database {
    /// Runs `work` in a transaction that begins as a writer (`BEGIN IMMEDIATE`; READ COMMITTED on MySQL). `Ok` commits,
    /// `Err` rolls back, refusals included. After a deadlock or lock wait the whole of `work` runs again, up to five
    /// times with jittered pauses, so it must have no effect outside the transaction.
    pub async fn transaction<'a, T, E, F>(&'a self, work: F) -> Result<T, E>
    where
        T: Send + 'a,
        E: TransactionFailure + Send + 'a,
        F: for<'c> Fn(&'c Tx) -> ScopedBoxFuture<'a, 'c, Result<T, E>> + Send + Sync,
    {
        let mut attempt = 1;
        loop {
            match self.attempt(&work).await {
                Err(error) if attempt < ATTEMPTS && is_conflict(&error) => {
                    tokio::time::sleep(Duration::from_millis(fastrand::u64(1..=5 << attempt))).await;
                    attempt += 1;
                }
                settled => return settled,
            }
        }
    }

    async fn attempt<'a, T, E, F>(&'a self, work: &F) -> Result<T, E>
    where
        E: TransactionFailure,
        F: for<'c> Fn(&'c Tx) -> ScopedBoxFuture<'a, 'c, Result<T, E>>,
    {
        let write = self.write.clone();
        let begin = ToItsEnd::of(async move { write.begin().await });
        let tx = begin.await.map_err(|error| E::from(error.into()))?;
        let result = work(&tx).await;
        match result {
            Ok(value) => {
                tx.commit().await.map_err(|error| E::from(error.into()))?;
                self.committed();
                Ok(value)
            }
            Err(error) => {
                // The first error is the one worth reporting; a lost connection has rolled back anyway.
                let _ = tx.rollback().await;
                Err(error)
            }
        }
    }
}

/// A future that runs on as a task when it is dropped before its end. For BEGIN: sqlx's MySQL driver puts a connection
/// whose BEGIN is under way back into its pool as if it were in no transaction, and whoever gets it next works in one
/// that nobody commits.
struct ToItsEnd<T: Send + 'static>(Option<BoxFuture<'static, T>>);

impl<T: Send + 'static> ToItsEnd<T> {
    fn of(work: impl Future<Output = T> + Send + 'static) -> Self {
        Self(Some(Box::pin(work)))
    }
}

impl<T: Send + 'static> Future for ToItsEnd<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        let Some(work) = self.0.as_mut() else { return Poll::Pending };
        let polled = work.as_mut().poll(context);
        if polled.is_ready() {
            self.0 = None;
        }
        polled
    }
}

impl<T: Send + 'static> Drop for ToItsEnd<T> {
    fn drop(&mut self) {
        let Some(work) = self.0.take() else { return };
        // Outside of a runtime the connections are closing, and the server rolls back by itself.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move { drop(work.await) });
        }
    }
}

fn is_conflict<E: TransactionFailure>(error: &E) -> bool {
    error.fault().is_some_and(|fault| fault.code == FaultCode::Conflict)
}

/// Whether a row was refused because one with the same unique key is there.
pub fn is_duplicate(error: &DbErr) -> bool {
    matches!(error.sql_err(), Some(SqlErr::UniqueConstraintViolation(_)))
}
