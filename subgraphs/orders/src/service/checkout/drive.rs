//! Driving an attempt: holding its lease, taking step after step, and letting go of it.

use std::time::Duration;

use common::{Failure, Fault, FaultCode, Timestamp};
use events::calls::Call;
use futures::StreamExt as _;

use super::{Orders, Progress, WholeOrder};
use crate::NAME;
use crate::domain::{CheckoutRefusal, CheckoutState};
use crate::entity::{checkout_attempt, order, order_line};

/// How long a driver has the attempt to itself without storing anything: longer than the two longest calls in a row.
pub(super) const LEASE: Duration = Duration::from_secs(30);
/// How often a call is made again at once where the other side says that writers collided.
const COLLISIONS: u32 = 3;
/// The longest pause after failures of the machinery.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// Somebody else has the attempt now.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lost;

/// What a step ends with when it does not succeed.
pub(super) type Halt = Failure<Lost>;

/// What comes after a step.
pub(super) enum Next {
    /// Another step.
    Step,
    /// Nothing now: the attempt is finished or waits.
    Rest,
}

/// When a driver lets go of the attempt.
pub(super) enum Until {
    /// It keeps it.
    Driving,
    /// A worker takes it up after a pause, unless somebody asks before.
    Resting(Duration),
    /// Nothing is left to do.
    Finished,
}

impl Orders {
    /// Drives a claimed attempt for as long as a buyer waits; after that it is driven on as a task.
    pub(super) async fn drive_patiently(&self, run: Progress) -> Result<Progress, Fault> {
        let (orders, id) = (self.clone(), run.attempt.id);
        let driving = Box::pin(async move {
            let mut run = run;
            orders.drive(&mut run).await.map(|driven| driven.then_some(run))
        });
        match self.patiently("checkout", driving).await.transpose()?.flatten() {
            Some(run) => Ok(run),
            None => self.stored(id).await,
        }
    }

    /// Waits for whoever drives the attempt, or drives it if nobody does, for as long as a buyer waits.
    pub(super) async fn follow(&self, attempt: checkout_attempt::Model) -> Result<Progress, Fault> {
        let id = attempt.id;
        let mut changes = self.attempt_changes.watch(move |changed| *changed == id);
        let deadline = tokio::time::Instant::now() + self.patience;
        let mut progress = self.stored(id).await?;
        loop {
            if progress.attempt.state.is_decided() {
                return Ok(progress);
            }
            if !progress.attempt.is_driven(self.ports.clock.now()) {
                return match self.claim(progress.attempt).await? {
                    Some(run) => self.drive_patiently(run).await,
                    None => self.stored(id).await,
                };
            }
            match tokio::time::timeout_at(deadline, changes.next()).await {
                Ok(Some(_)) => progress = self.stored(id).await?,
                Ok(None) | Err(_) => return self.stored(id).await,
            }
        }
    }

    /// Takes up an attempt that is due, if nobody else has.
    pub(crate) async fn resume(&self, attempt: checkout_attempt::Model) -> Result<(), Fault> {
        if let Some(mut run) = self.claim(attempt).await? {
            run.attended = false;
            self.drive(&mut run).await?;
        }
        Ok(())
    }

    /// Takes the lease of an attempt; `None` when somebody else has it or nothing is left to do.
    async fn claim(&self, mut attempt: checkout_attempt::Model) -> Result<Option<Progress>, Fault> {
        let now = self.ports.clock.now();
        if attempt.is_finished() || attempt.is_driven(now) {
            return Ok(None);
        }
        hold(&mut attempt, &Until::Driving, now);
        let database = self.ports.database.schema();
        if !checkout_attempt::save(database, &attempt).await? {
            return Ok(None);
        }
        let mut order = None;
        if attempt.state.has_order()
            && let Some(row) = order::by_ids(database, vec![attempt.order_id]).await?.pop()
        {
            let lines = order_line::of_orders(database, vec![row.id]).await?;
            order = Some(WholeOrder { order: row, lines });
        }
        Ok(Some(Progress { order, ..attempt.into() }))
    }

    /// Takes step after step until the attempt is finished or must wait. `Ok(false)` when somebody else has it.
    pub(super) async fn drive(&self, run: &mut Progress) -> Result<bool, Fault> {
        loop {
            let stepped = self.step(run).await;
            self.attempt_changes.announce(run.attempt.id);
            match stepped {
                Ok(Next::Step) => {}
                Ok(Next::Rest) => return Ok(true),
                Err(Failure::Refused(Lost)) => return Ok(false),
                Err(Failure::Fault(fault)) => return self.pause(run, &fault).await,
            }
        }
    }

    async fn step(&self, run: &mut Progress) -> Result<Next, Halt> {
        let state = run.attempt.state;
        if state.can_expire() && self.has_expired(&run.attempt) {
            return self.compensate_for(run, CheckoutRefusal::Expired).await;
        }
        match state {
            CheckoutState::Started => self.freeze(run).await,
            CheckoutState::OrderCreated => self.reserve(run).await,
            CheckoutState::StockReserved | CheckoutState::PaymentPending | CheckoutState::ActionRequired => {
                self.authorize(run).await
            }
            CheckoutState::Authorized => self.confirm(run).await,
            CheckoutState::Confirmed => self.settle(run).await,
            CheckoutState::Compensating => self.compensate(run).await,
            CheckoutState::Failed => Ok(Next::Rest),
        }
    }

    /// Whether the time for the attempt is over.
    pub(super) fn has_expired(&self, attempt: &checkout_attempt::Model) -> bool {
        self.ports.clock.now() >= attempt.expires_at
    }

    /// Lets go of an attempt whose step failed; a worker takes it up after a pause that grows.
    async fn pause(&self, run: &mut Progress, fault: &Fault) -> Result<bool, Fault> {
        tracing::warn!(
            attempt.id = %run.attempt.id, attempt.state = ?run.attempt.state, reason = fault.chain(),
            "a step of a checkout failed and is tried again"
        );
        let mut attempt = run.attempt.clone();
        attempt.tries += 1;
        let pause = pause_after(attempt.tries);
        match self.store(&mut run.attempt, attempt, &Until::Resting(pause)).await {
            Ok(()) => Ok(true),
            Err(Failure::Refused(Lost)) => Ok(false),
            // The lease ends by itself.
            Err(Failure::Fault(_)) => Ok(true),
        }
    }

    /// Stores what a step changed in the attempt, and until when it is held. `current` is what is stored.
    pub(super) async fn store(
        &self,
        current: &mut checkout_attempt::Model,
        mut changed: checkout_attempt::Model,
        until: &Until,
    ) -> Result<(), Halt> {
        hold(&mut changed, until, self.ports.clock.now());
        if !checkout_attempt::save(self.ports.database.schema(), &changed).await? {
            return Err(Failure::Refused(Lost));
        }
        *current = changed;
        Ok(())
    }

    /// Asks another subgraph; again at once where writers collided there.
    pub(in crate::service) async fn ask<C: Call>(&self, request: &C) -> Result<C::Reply, Fault> {
        let mut collisions = 0;
        loop {
            match self.ports.peers.ask(NAME, request).await {
                Err(fault) if fault.code == FaultCode::Conflict && collisions < COLLISIONS => collisions += 1,
                answered => return answered,
            }
        }
    }
}

/// Marks a changed attempt as held until then, one version up.
pub(super) fn hold(attempt: &mut checkout_attempt::Model, until: &Until, now: Timestamp) {
    attempt.version += 1;
    attempt.driven = matches!(until, Until::Driving);
    attempt.due_at = match until {
        Until::Driving => Some(now.plus(LEASE)),
        Until::Resting(pause) => Some(now.plus(*pause)),
        Until::Finished => None,
    };
    if attempt.due_at.is_none() {
        attempt.payment_token = None;
    }
}

/// The pause after so many failures in a row.
pub(super) fn pause_after(tries: i32) -> Duration {
    let doublings = u32::try_from(tries.clamp(1, 6)).unwrap_or(1) - 1;
    (Duration::from_secs(1) * 2_u32.pow(doublings)).min(LONGEST_PAUSE)
}
