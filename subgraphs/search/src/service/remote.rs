//! Searching on an engine, and in the database where it is away.

use common::{Fault, FaultCode};

use super::engine::{EngineError, EngineQuery};
use super::finder::{Answer, Asking, Finder, Suggested, Suggestions};
use super::follower::Follower;
use crate::domain::{Facets, Found, tokens};

impl Finder {
    /// Searches on the engine; where that fails, in the database.
    pub(super) async fn search_remote(&self, follower: &Follower, asking: &Asking) -> Result<Answer, Fault> {
        match search_engine(follower, asking).await {
            Err(fault) if fault.code == FaultCode::Unavailable => {
                tracing::debug!(reason = fault.chain(), "a search goes to the database");
                self.search_database(asking).await
            }
            searched => searched,
        }
    }

    /// Suggests by the engine; where that fails, by the database.
    pub(super) async fn suggest_remote(
        &self,
        follower: &Follower,
        text: &str,
        count: usize,
        context: &auth::ShopContext,
    ) -> Result<Suggestions, Fault> {
        match suggest_engine(follower, text, count, context).await {
            Err(fault) if fault.code == FaultCode::Unavailable => {
                tracing::debug!(reason = fault.chain(), "suggestions come from the database");
                let suggested = self.suggest_database(text, count, context).await?;
                Ok(Suggestions { suggested, degraded: true })
            }
            suggested => Ok(Suggestions { suggested: suggested?, degraded: false }),
        }
    }
}

async fn search_engine(follower: &Follower, asking: &Asking) -> Result<Answer, Fault> {
    let asked = asking.asked(None);
    let words = asking.text().map(tokens);
    let mut query = EngineQuery { words: words.as_deref(), asked: &asked };
    let (mut found, mut facets) = ask(follower, &query).await?;
    let mut corrected = None;
    if let (0, Some(words)) = (found.total, &words) {
        corrected = follower.engine().corrected(words).await?;
    }
    if let Some(words) = &corrected {
        query.words = Some(words);
        (found, facets) = ask(follower, &query).await?;
        // Nothing has the corrected words either: then nothing is said of them.
        if found.total == 0 && !follower.engine().has(words).await? {
            corrected = None;
        }
    }
    Ok(Answer {
        found,
        words: corrected.clone().or(words).unwrap_or_default(),
        corrected: corrected.map(|words| words.join(" ")),
        facets: facets.into(),
        degraded: false,
    })
}

async fn suggest_engine(
    follower: &Follower,
    text: &str,
    count: usize,
    context: &auth::ShopContext,
) -> Result<Vec<Suggested>, Fault> {
    let (engine, words) = (follower.engine(), tokens(text));
    if words.is_empty() || count == 0 {
        return Ok(Vec::new());
    }
    let mut meant = engine.suggest(&words, &context.channel, count).await?;
    if meant.products.is_empty()
        && let Some(words) = engine.corrected(&words).await?
    {
        meant.products = engine.suggest(&words, &context.channel, count).await?.products;
    }
    let categories = meant.categories.into_iter().map(|(id, name)| Suggested::Category(id, name));
    Ok(categories.chain(meant.products.into_iter().map(Suggested::Product)).take(count).collect())
}

async fn ask(follower: &Follower, query: &EngineQuery<'_>) -> Result<(Found, Facets), Fault> {
    let found = follower.engine().search(query, &query.body()?).await;
    if let Err(EngineError::Refused { status: 404, .. }) = found {
        follower.missed();
    }
    Ok(found?)
}
