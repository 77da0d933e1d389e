//! A circuit breaker, for whatever others run: Redis, a search engine, a database. After a few failures in a row nobody
//! asks any more, so that what is away costs nobody a wait; then one caller at a time looks whether it is back.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use metrics::{Counter, Gauge, counter, gauge};

/// Failures in a row after which it opens.
const FAILURES: u32 = 3;
/// How long what is away is left alone before one caller looks.
const REST: Duration = Duration::from_secs(1);

/// Closed at first: everybody may ask. A failure is that nothing was heard; an error that was answered is an answer.
pub struct Breaker {
    of: String,
    /// It is closed, and there was no failure since the last answer: then nothing below is looked at.
    is_calm: AtomicBool,
    state: Mutex<State>,
    open: Gauge,
    refused: Counter,
}

#[derive(Debug, Clone, Copy)]
enum State {
    Closed {
        failures: u32,
        /// What was asked before says nothing of now.
        since: Option<Instant>,
    },
    Open {
        until: Instant,
    },
    /// One caller looks; who was to look from `until` on.
    HalfOpen {
        until: Instant,
    },
}

/// The right to ask once. Where it is dropped without a word of what came of it, the caller has gone away, and nothing is
/// known: if it was the one who looks, another may.
#[must_use = "say what came of it"]
pub struct Turn<'b> {
    breaker: &'b Breaker,
    begun: Instant,
    is_look: bool,
    is_over: bool,
}

impl Breaker {
    /// The breaker of what `of` names in logs and metrics.
    pub fn new(of: impl Into<String>) -> Self {
        let of = of.into();
        let open = gauge!("techpotli_breaker_open", "of" => of.clone());
        // So that it is seen before there is anything to see. Others of the same name may be open.
        open.increment(0.0);
        let refused = counter!("techpotli_breaker_refused_total", "of" => of.clone());
        let state = Mutex::new(State::Closed { failures: 0, since: None });
        Self { of, is_calm: AtomicBool::new(true), state, open, refused }
    }

    /// Whether everybody may ask.
    pub fn is_closed(&self) -> bool {
        self.is_calm.load(Ordering::Relaxed) || matches!(*self.state(), State::Closed { .. })
    }

    /// The right to ask at `now`, or `None`. Of those who come after a rest the first one has it, and nobody else until
    /// that one has ended.
    pub fn turn(&self, now: Instant) -> Option<Turn<'_>> {
        let turn = |is_look| Some(Turn { breaker: self, begun: now, is_look, is_over: false });
        if self.is_calm.load(Ordering::Relaxed) {
            return turn(false);
        }
        let mut state = self.state();
        match *state {
            State::Closed { .. } => turn(false),
            State::Open { until } if until <= now => {
                *state = State::HalfOpen { until };
                turn(true)
            }
            State::Open { .. } | State::HalfOpen { .. } => {
                drop(state);
                self.refuse();
                None
            }
        }
    }

    /// Notes that somebody did not ask, for whom others look.
    pub fn refuse(&self) {
        self.refused.increment(1);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Turn<'_> {
    /// Whether it is to find out if somebody is there again: everybody else waits for that.
    pub fn is_look(&self) -> bool {
        self.is_look
    }

    /// There was an answer.
    pub fn succeeded(mut self) {
        self.is_over = true;
        let breaker = self.breaker;
        // Most of the time: looking is cheaper than writing what others read.
        if breaker.is_calm.load(Ordering::Relaxed) {
            return;
        }
        let mut state = breaker.state();
        match &mut *state {
            State::Closed { failures, since } if since.is_none_or(|since| since <= self.begun) => {
                *failures = 0
            }
            State::HalfOpen { .. } if self.is_look => {
                *state = State::Closed { failures: 0, since: Some(self.begun) };
                breaker.open.decrement(1.0);
                tracing::info!(of = breaker.of, "it answers again");
            }
            _ => return,
        }
        breaker.is_calm.store(true, Ordering::Relaxed);
    }

    /// There was none by `now`.
    pub fn failed(mut self, now: Instant) {
        self.is_over = true;
        let breaker = self.breaker;
        let mut state = breaker.state();
        match &mut *state {
            State::Closed { failures, since } if since.is_none_or(|since| since <= self.begun) => {
                breaker.is_calm.store(false, Ordering::Relaxed);
                *failures += 1;
                if *failures >= FAILURES {
                    *state = State::Open { until: now + REST };
                    breaker.open.increment(1.0);
                    tracing::warn!(of = breaker.of, "it does not answer: nobody waits for it until it does");
                }
            }
            State::HalfOpen { .. } if self.is_look => *state = State::Open { until: now + REST },
            _ => {}
        }
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        if self.is_look && !self.is_over {
            let mut state = self.breaker.state();
            if let State::HalfOpen { until } = *state {
                *state = State::Open { until };
            }
        }
    }
}

impl fmt::Debug for Breaker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Breaker").field("of", &self.of).field("state", &*self.state()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A breaker, and a clock that stands `millis` after its beginning.
    fn new() -> (Breaker, impl Fn(u64) -> Instant) {
        let begin = Instant::now();
        (Breaker::new("test"), move |millis| begin + Duration::from_millis(millis))
    }

    /// Asks at a time, in vain; says whether it may.
    fn fail(breaker: &Breaker, at: Instant) -> bool {
        breaker.turn(at).map(|turn| turn.failed(at)).is_some()
    }

    #[test]
    fn three_failures_in_a_row_open_it_and_fewer_do_not() {
        let (breaker, at) = new();
        for round in 0..5 {
            assert!(fail(&breaker, at(round)) && fail(&breaker, at(round)));
            breaker.turn(at(round)).unwrap().succeeded();
            assert!(breaker.is_closed(), "an answer came between");
        }
        let asked = [5, 6, 7, 8, 1_006].map(|millis| fail(&breaker, at(millis)));
        assert_eq!(asked, [true, true, true, false, false]);
        assert!(!breaker.is_closed());
    }

    #[test]
    fn after_each_rest_one_caller_looks_until_one_is_answered() {
        let (breaker, at) = new();
        assert!((0..3).all(|millis| fail(&breaker, at(millis))));
        let first = breaker.turn(at(1_002)).unwrap();
        assert!(first.is_look());
        assert!(breaker.turn(at(60_000)).is_none(), "one looks, however long that takes");
        first.failed(at(61_000));
        assert!(breaker.turn(at(61_999)).is_none());
        let second = breaker.turn(at(62_000)).unwrap();
        assert!(breaker.turn(at(62_000)).is_none());
        second.succeeded();
        assert!(breaker.is_closed());
        let everybody = [0; 3].map(|_| breaker.turn(at(62_001)).unwrap());
        assert!(everybody.iter().all(|turn| !turn.is_look()));
        // It takes as many failures as before to open it again.
        assert_eq!([0; 4].map(|_| fail(&breaker, at(62_002))), [true, true, true, false]);
    }

    #[test]
    fn a_look_that_is_abandoned_is_the_next_ones() {
        let (breaker, at) = new();
        assert!((0..3).all(|millis| fail(&breaker, at(millis))));
        drop(breaker.turn(at(1_002)).unwrap());
        assert!(!breaker.is_closed(), "nothing is known");
        let next = breaker.turn(at(1_002)).unwrap();
        assert!(next.is_look());
        assert!(breaker.turn(at(1_002)).is_none());
        next.succeeded();
        assert!(breaker.is_closed());
    }

    #[test]
    fn callers_that_go_away_are_no_failures() {
        let (breaker, at) = new();
        for millis in 0..10 {
            drop(breaker.turn(at(millis)).unwrap());
        }
        assert!(breaker.is_closed());
    }

    #[test]
    fn what_was_asked_before_it_opened_says_nothing_of_afterwards() {
        let (breaker, at) = new();
        let early = [0; 5].map(|_| breaker.turn(at(0)).unwrap());
        let [answered, late @ ..] = early;
        assert!((1..4).all(|millis| fail(&breaker, at(millis))));
        answered.succeeded();
        assert!(!breaker.is_closed(), "the answer may have come before");
        breaker.turn(at(1_003)).unwrap().succeeded();
        for turn in late {
            turn.failed(at(3_000));
        }
        assert!(breaker.is_closed(), "those have waited since before it was back");
    }

    #[test]
    fn of_many_threads_that_come_after_a_rest_one_looks() {
        let (breaker, at) = new();
        for round in 0..100 {
            let now = at(round * 10_000);
            assert!((0..3).all(|_| fail(&breaker, now)));
            let after = now + REST;
            let turns: Vec<Turn<'_>> = std::thread::scope(|scope| {
                let threads = [0; 8].map(|_| scope.spawn(|| breaker.turn(after)));
                threads.into_iter().filter_map(|thread| thread.join().unwrap()).collect()
            });
            assert_eq!(turns.len(), 1, "round {round}");
            turns.into_iter().for_each(Turn::succeeded);
        }
    }
}
