//! Builds an index beside the one that is searched, and puts it in its place.
//!
//! How far it came is kept in the database (`entity::index_state`), so that it goes on there after a kill, in whichever
//! process. While an index is being built, whoever tells the engine of changes tells both.

use common::Fault;
use common::id::ProductId;

use super::engine::{EngineError, Into};
use super::follower::{BATCH, Follower, report};
use crate::entity::{document, index_state, revision};

impl Follower {
    /// Builds an index, or goes on with one, and puts it behind the alias. `tell` hears of every product that is done.
    pub async fn build(&self, tell: &(dyn Fn(u64) + Send + Sync)) -> Result<String, Fault> {
        let number = self.begin().await?;
        let index = self.engine.index(number);
        self.copy(&index, tell).await?;
        self.verify(&index).await?;
        self.engine.refresh(&index).await?;
        self.engine.swap(number).await?;
        self.forget_answers().await;
        for (older, _) in self.engine.generations().await?.into_iter().filter(|(other, _)| *other < number) {
            self.engine.delete(older).await?;
        }
        let database = self.database.schema();
        index_state::write(database, index_state::WHOLE, &index).await?;
        index_state::forget(database, &[index_state::BUILDING, index_state::COPIED]).await?;
        Ok(index)
    }

    /// The number of the index that is being built; a new one where there is none.
    async fn begin(&self) -> Result<u64, Fault> {
        let database = self.database.schema();
        self.engine.put_template().await?;
        let generations = self.engine.generations().await?;
        let begun = index_state::read(database, index_state::BUILDING).await?;
        let begun = begun.and_then(|number| number.parse::<u64>().ok());
        if let Some(number) = begun.filter(|number| generations.iter().any(|(other, _)| other == number)) {
            return Ok(number);
        }
        index_state::forget(database, &[index_state::COPIED]).await?;
        let number = generations.last().map_or(1, |(newest, _)| newest + 1);
        // The index first: nobody must write into one that the template did not make.
        self.engine.create(&self.engine.index(number)).await?;
        index_state::write(database, index_state::BUILDING, &number.to_string()).await?;
        Ok(number)
    }

    async fn copy(&self, index: &str, tell: &(dyn Fn(u64) + Send + Sync)) -> Result<(), Fault> {
        let database = self.database.schema();
        let copied = index_state::read(database, index_state::COPIED).await?;
        let mut after: Option<ProductId> = copied.and_then(|id| id.parse().ok());
        if let Some(after) = after {
            tell(document::count_until(database, after).await?);
        }
        loop {
            let page = document::page(database, after, BATCH).await?;
            let Some(last) = page.last().copied() else { return Ok(()) };
            let count = page.len() as u64;
            self.give(index, page).await?;
            index_state::write(database, index_state::COPIED, &last.to_string()).await?;
            after = Some(last);
            tell(count);
        }
    }

    /// Looks at every product once more, and gives the index those that it does not have or has in an older revision.
    async fn verify(&self, index: &str) -> Result<(), Fault> {
        let database = self.database.schema();
        let mut after = None;
        loop {
            let page = document::page(database, after, BATCH).await?;
            let Some(last) = page.last().copied() else { return Ok(()) };
            let known = self.engine.revisions(index, &page).await?;
            let newest = revision::of_products(database, page.clone()).await?;
            let newest = |id: &ProductId| newest.get(id).copied().unwrap_or(revision::FIRST);
            let late = page.into_iter().filter(|id| known.get(id).is_none_or(|known| *known < newest(id)));
            self.give(index, late.collect()).await?;
            after = Some(last);
        }
    }

    async fn give(&self, index: &str, products: Vec<ProductId>) -> Result<(), Fault> {
        if products.is_empty() {
            return Ok(());
        }
        let documents = self.documents(products).await?;
        match self.engine.bulk(Into::Index(index), &documents, false).await {
            Err(error @ EngineError::Refused { status: 404, .. }) => {
                // Somebody deleted it: the next try begins anew.
                index_state::forget(self.database.schema(), &[index_state::BUILDING]).await?;
                Err(error.into())
            }
            given => {
                report(given?.refused);
                Ok(())
            }
        }
    }
}
