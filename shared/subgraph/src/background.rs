//! What a subgraph does beside answering: its jobs, and what its other processes are told of them.

use std::pin::pin;

use futures::stream::{self, StreamExt as _};
use messaging::Envelope;
use runtime::Tasks;
use trace::Cause;

use crate::{News, Ports, Subgraph};

/// News that are told at once.
const BATCH: usize = 100;

impl Subgraph {
    /// Does its jobs until everything stops, together with all other processes that do.
    pub fn work(&self, ports: &Ports, tasks: &Tasks) {
        let (queue, jobs, stopping) = (ports.jobs(), self.jobs.clone(), tasks.stopping());
        tasks.spawn("jobs", async move { queue.run(&jobs, stopping).await });
    }

    /// Tells the subgraph's processes on a shared bus what is announced in this one, until everything stops.
    pub fn spread_news(&self, ports: &Ports, tasks: &Tasks) {
        if self.news.is_empty() {
            return;
        }
        let news = stream::select_all(self.news.iter().map(News::stream));
        let (ports, stopping) = (ports.clone(), tasks.stopping());
        tasks.spawn("news", async move {
            let mut batches = pin!(news.take_until(stopping).ready_chunks(BATCH));
            while let Some(batch) = batches.next().await {
                let envelope = |(topic, key): (&str, String)| Envelope {
                    id: ports.ids.next(),
                    topic: topic.to_owned(),
                    key,
                    at: ports.clock.now(),
                    payload: "null".to_owned(),
                    cause: Cause::default(),
                };
                let batch: Vec<Envelope> = batch.into_iter().map(envelope).collect();
                if let Err(fault) = ports.bus.announce(ports.name, &batch).await {
                    tracing::warn!(
                        subgraph = ports.name,
                        reason = fault.chain(),
                        "other processes do not hear what changed"
                    );
                }
            }
        });
    }
}
