//! Answers that were given a moment ago.
//!
//! Most of a storefront's questions are the same few. An answer that was made without a look at who asks, and for which
//! nothing was asked of a database, of another subgraph or of a Redis, was made of what this process keeps in memory: it is
//! given again as it is, for a moment, unless some of that was forgotten since.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use async_graphql::Response;
use auth::{Caller, ShopContext};
use axum::body::Bytes;
use cache::Reads;
use common::{Clock, Timestamp};
use metrics::Counter;
use quick_cache::sync::Cache;
use quick_cache::{Equivalent, Weighter};

use crate::Ports;

/// What answers and their questions may take, in bytes.
const MOST_BYTES: u64 = 16 << 20;
/// What an answer takes beside its text and its question's.
const OVERHEAD: u64 = 512;
/// A question or answer that is longer is not remembered.
const LONGEST: usize = 256 << 10;
/// Questions that were asked once: only who comes again is remembered.
const ONCE: usize = 10_000;

/// The answers of one subgraph. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Remembered(Arc<Inner>);

struct Inner {
    answers: Cache<Question, Arc<Given>, Weight>,
    once: Cache<u64, ()>,
    clock: Clock,
    good_for: Duration,
    again: Counter,
}

/// A query as it comes over HTTP, and where whoever asks it stands.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct Question {
    shop: ShopContext,
    body: Bytes,
}

#[derive(Hash)]
struct Asked<'a> {
    shop: &'a ShopContext,
    body: &'a Bytes,
}

impl Equivalent<Question> for Asked<'_> {
    fn equivalent(&self, question: &Question) -> bool {
        *self.body == question.body && *self.shop == question.shop
    }
}

struct Given {
    at: Timestamp,
    reads: Reads,
    answer: Bytes,
}

#[derive(Clone)]
struct Weight;

impl Weighter<Question, Arc<Given>> for Weight {
    fn weight(&self, question: &Question, given: &Arc<Given>) -> u64 {
        OVERHEAD + (question.body.len() + given.answer.len()) as u64
    }
}

impl Remembered {
    /// Nothing yet.
    pub(crate) fn new(ports: &Ports) -> Self {
        let (clock, good_for) = (ports.clock.clone(), ports.repeat_answers);
        let answers = Cache::with_weighter((MOST_BYTES / 4096) as usize, MOST_BYTES, Weight);
        let again = metrics::counter!("techpotli_answers_repeated_total", "subgraph" => ports.name);
        Self(Arc::new(Inner { answers, once: Cache::new(ONCE), clock, good_for, again }))
    }

    /// The answer, if it was given a moment ago and would be the same now.
    pub(crate) fn answer(&self, caller: &Caller, body: &Bytes) -> Option<Bytes> {
        if !self.concerns(caller) || body.len() > LONGEST {
            return None;
        }
        let asked = Asked { shop: &caller.viewer.context, body };
        let given = self.0.answers.get(&asked)?;
        if !self.is_good(&given) {
            self.0.answers.remove(&asked);
            return None;
        }
        self.0.again.increment(1);
        Some(given.answer.clone())
    }

    /// Whether the answer to come is worth remembering: somebody has asked the same before.
    pub(crate) fn question(&self, caller: &Caller, body: &Bytes) -> Option<Question> {
        if !self.concerns(caller) || body.len() > LONGEST {
            return None;
        }
        let shop = &caller.viewer.context;
        let mut hasher = DefaultHasher::new();
        Asked { shop, body }.hash(&mut hasher);
        let hash = hasher.finish();
        if self.0.once.get(&hash).is_some() {
            // A body as it was received keeps all that came with it in memory.
            return Some(Question { shop: shop.clone(), body: Bytes::copy_from_slice(body) });
        }
        self.0.once.insert(hash, ());
        None
    }

    /// Remembers an answer that was made of `reads` alone, from `at` on.
    pub(crate) fn keep(&self, question: Question, at: Timestamp, reads: Reads, response: &Response) {
        if !response.errors.is_empty() || !response.extensions.is_empty() || !response.http_headers.is_empty()
        {
            return;
        }
        let given = Given { at, reads, answer: Bytes::new() };
        if !self.is_good(&given) {
            return;
        }
        // As a subgraph says of each answer over HTTP.
        let said = serde_json::json!({ "data": response.data, "extensions": { "sql": 0 } });
        let answer = Bytes::from(said.to_string().into_boxed_str().into_boxed_bytes());
        if answer.len() <= LONGEST {
            self.0.answers.insert(question, Arc::new(Given { answer, ..given }));
        }
    }

    /// The time by which answers are judged.
    pub(crate) fn now(&self) -> Timestamp {
        self.0.clock.now()
    }

    /// Whoever has written something a moment ago is not answered from memory.
    fn concerns(&self, caller: &Caller) -> bool {
        caller.mark.is_none() && !self.0.good_for.is_zero()
    }

    fn is_good(&self, given: &Given) -> bool {
        let now = self.now();
        given.at <= now && now < given.at.plus(self.0.good_for) && given.reads.hold(now)
    }
}
