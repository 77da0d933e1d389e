//! What a piece of work reads from memory: what it makes of that is good until some of it is forgotten.

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use common::Timestamp;

tokio::task_local! {
    static READS: RefCell<Reads>;
}

/// More sources than this are not kept apart: work that reads so many is not to be repeated from memory.
const MOST: usize = 32;

/// Counts how often something that is kept in memory was changed.
#[derive(Clone, Debug, Default)]
pub struct Epoch(Arc<AtomicU64>);

impl Epoch {
    /// The changes so far.
    pub fn number(&self) -> u64 {
        self.0.load(Ordering::Acquire)
    }

    /// Whether it counts the changes of the same thing.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// Notes a change. What was made of the state before is not good any more, so it is called after the change; also
    /// before it, where somebody could take the old state for the new one meanwhile.
    pub fn end(&self) {
        self.0.fetch_add(1, Ordering::AcqRel);
    }

    /// Says that the work under way is about to read what the epoch is of.
    pub fn rely(&self) {
        note(|reads| reads.add(self));
    }
}

/// Says that the work under way depends on something that no epoch is kept of, such as another process.
pub fn rely_on_others() {
    note(|reads| reads.repeatable = false);
}

/// Says that what the work under way makes is good until then alone.
pub fn good_until(end: Timestamp) {
    note(|reads| reads.until = Some(reads.until.map_or(end, |until| until.min(end))));
}

fn note(change: impl FnOnce(&mut Reads)) {
    // Mostly nobody wants to know.
    let _ = READS.try_with(|reads| change(&mut reads.borrow_mut()));
}

/// What was read, each as it was before it was read.
#[derive(Debug)]
pub struct Reads {
    of: Vec<(Epoch, u64)>,
    repeatable: bool,
    until: Option<Timestamp>,
}

impl Reads {
    fn add(&mut self, epoch: &Epoch) {
        if self.of.iter().any(|(known, _)| known.is_same(epoch)) {
            return;
        }
        match self.of.len() < MOST {
            true => self.of.push((epoch.clone(), epoch.number())),
            false => self.repeatable = false,
        }
    }

    /// Whether the same work would make the same of it at `now`, as far as is known.
    pub fn hold(&self, now: Timestamp) -> bool {
        self.repeatable
            && self.until.is_none_or(|until| now < until)
            && self.of.iter().all(|(epoch, number)| epoch.number() == *number)
    }
}

/// Runs work and says what it has read in its own task.
pub async fn noting<T>(work: impl Future<Output = T>) -> (T, Reads) {
    let nothing = RefCell::new(Reads { of: Vec::new(), repeatable: true, until: None });
    READS
        .scope(nothing, async {
            let output = work.await;
            let nothing = Reads { of: Vec::new(), repeatable: false, until: None };
            (output, READS.with(|reads| reads.replace(nothing)))
        })
        .await
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_000);

    #[tokio::test]
    async fn what_was_made_of_something_is_good_until_that_changes() {
        let [one, other] = [Epoch::default(), Epoch::default()];
        one.end();
        one.rely();
        let ((), reads) = noting(async {
            one.rely();
            tokio::task::yield_now().await;
            one.rely();
        })
        .await;
        assert!(reads.hold(NOW));
        other.end();
        assert!(reads.hold(NOW));
        one.end();
        assert!(!reads.hold(NOW));
    }

    #[tokio::test]
    async fn a_change_while_the_work_is_under_way_counts() {
        let epoch = Epoch::default();
        let ((), reads) = noting(async {
            epoch.rely();
            epoch.end();
            epoch.rely();
        })
        .await;
        assert!(!reads.hold(NOW));
    }

    #[tokio::test]
    async fn work_that_relies_on_others_or_on_too_much_is_not_repeated() {
        let ((), reads) = noting(async { rely_on_others() }).await;
        assert!(!reads.hold(NOW));
        let epochs = vec![Epoch::default(); MOST];
        assert!(noting(async { epochs.iter().for_each(Epoch::rely) }).await.1.hold(NOW));
        let epochs: Vec<Epoch> = (0..=MOST).map(|_| Epoch::default()).collect();
        assert!(!noting(async { epochs.iter().for_each(Epoch::rely) }).await.1.hold(NOW));
    }

    #[tokio::test]
    async fn what_ends_by_itself_is_good_until_the_first_end() {
        let ((), reads) =
            noting(async { [3_000, 2_000, 4_000].map(Timestamp).into_iter().for_each(good_until) }).await;
        assert!(reads.hold(Timestamp(1_999)));
        assert!(!reads.hold(Timestamp(2_000)));
    }
}
