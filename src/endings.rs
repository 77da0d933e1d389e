//! Which sessions have ended before their access tokens: `users` knows, who issues them.

use std::sync::Arc;

use common::Timestamp;
use events::calls::users::EndedSessions;
use futures::future::BoxFuture;
use gateway::{Ending, Endings, EndingsUnavailable};
use subgraph::Peers;

/// In whose name `users` is asked.
const CALLER: &str = "gateway";

/// The sessions in `users`.
pub struct IssuedSessions {
    peers: Peers,
}

impl IssuedSessions {
    /// The sessions in `users`, which the peers know.
    pub fn of(peers: Peers) -> Arc<dyn Endings> {
        Arc::new(Self { peers })
    }

    async fn ended(&self, since: Timestamp) -> Result<Vec<Ending>, EndingsUnavailable> {
        let mut asked = EndedSessions { since, after: None };
        let mut endings = Vec::new();
        loop {
            let page = self.peers.ask(CALLER, &asked).await;
            let page = page.map_err(|fault| EndingsUnavailable(fault.chain().to_string()))?;
            endings.extend(page.iter().map(|ended| Ending { session: ended.session, at: ended.at }));
            match page.last() {
                Some(last) if page.len() as u64 >= EndedSessions::MOST => {
                    asked = EndedSessions { since: last.at, after: Some(last.session) };
                }
                _ => return Ok(endings),
            }
        }
    }
}

impl Endings for IssuedSessions {
    fn since(&self, since: Timestamp) -> BoxFuture<'_, Result<Vec<Ending>, EndingsUnavailable>> {
        Box::pin(self.ended(since))
    }
}
