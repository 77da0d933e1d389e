//! What front ends report.

use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};
use common::Fault;
use subgraph::graphql::{DateTime, viewer};

use super::finder;
use crate::service::Tracked;

/// Events that are taken at once.
const MOST_EVENTS: usize = 50;

/// Where changing begins.
pub struct Mutation;

/// Something that somebody did.
#[derive(InputObject)]
pub struct TrackEventInput {
    /// What, such as `view` or `click`.
    #[graphql(name = "type")]
    pub kind: String,
    /// With which product.
    pub product_id: Option<ID>,
    /// The search that it followed from.
    pub search_id: Option<ID>,
    /// The recommendation that it followed from.
    pub recommendation_id: Option<ID>,
    /// When.
    pub at: DateTime,
}

/// What comes of reporting.
#[derive(SimpleObject)]
pub struct TrackPayload {
    /// Whether the events were taken.
    pub accepted: bool,
}

/// Where changing begins.
#[Object]
impl Mutation {
    /// Reports what somebody did, at most 50 events at once; what they look at counts for recommendations.
    async fn track_events(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The events.")] events: Vec<TrackEventInput>,
    ) -> Result<TrackPayload> {
        if events.len() > MOST_EVENTS {
            return Err(Fault::bad_input(format!("At most {MOST_EVENTS} events at once.")).into());
        }
        let tracked: Vec<Tracked> = events
            .into_iter()
            .map(|event| Tracked {
                kind: event.kind,
                product: event.product_id.and_then(|id| id.parse().ok()),
                at: event.at.0,
            })
            .collect();
        finder(context)?.track(viewer(context).user_id(), &tracked).await?;
        Ok(TrackPayload { accepted: true })
    }
}
