//! Recording what people look at.

use common::id::{ProductId, UserId};
use common::{Fault, Timestamp};
use database::ScopedFutureExt;

use super::Finder;
use crate::entity::{document, view};

/// Something that a front end saw somebody do.
#[derive(Debug, Clone)]
pub struct Tracked {
    /// What: `view` counts, `click` counts like it, anything else is taken and not used yet.
    pub kind: String,
    /// With which product.
    pub product: Option<ProductId>,
    /// When.
    pub at: Timestamp,
}

impl Finder {
    /// Records looks at products, for the user where one is logged in.
    pub async fn track(&self, user: Option<UserId>, events: &[Tracked]) -> Result<(), Fault> {
        let looks: Vec<(ProductId, Timestamp)> = events
            .iter()
            .filter(|event| matches!(event.kind.as_str(), "view" | "click"))
            .filter_map(|event| Some((event.product?, event.at)))
            .collect();
        if looks.is_empty() {
            return Ok(());
        }
        let looks = &looks;
        self.ports
            .database
            .transaction(|tx| {
                async move {
                    for (product, at) in looks {
                        document::look(tx, *product).await?;
                        if let Some(user) = user {
                            let row = view::Model { user_id: user, product_id: *product, viewed_at: *at };
                            view::record(tx, row).await?;
                        }
                    }
                    Ok(())
                }
                .scope_boxed()
            })
            .await
    }
}
