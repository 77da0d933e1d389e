//! Categories.

use async_graphql::{Context, ID, Object, Result};
use common::{Cursor, PageArgs};
use subgraph::graphql::{Connection, shop};

use super::part;
use super::product::Product;
use crate::entity::category;
use crate::service::Catalog;

/// A category of products.
pub struct Category(pub category::Model);

/// A category of products.
#[Object]
impl Category {
    /// The category's id.
    pub async fn id(&self) -> ID {
        self.0.id.into()
    }

    /// The category's unique name in URLs.
    async fn slug(&self) -> &str {
        &self.0.slug
    }

    /// The category's name.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// The category right above, or null at the top.
    async fn parent(&self, context: &Context<'_>) -> Result<Option<Category>> {
        let categories = part::<Catalog>(context)?.categories().await?;
        Ok(self.0.parent_id.and_then(|parent| categories.by_id(parent)).cloned().map(Category))
    }

    /// The categories right below, in the order in which they are shown.
    async fn children(&self, context: &Context<'_>) -> Result<Vec<Category>> {
        let categories = part::<Catalog>(context)?.categories().await?;
        Ok(categories.children(self.0.id).cloned().map(Category).collect())
    }

    /// The products on sale in this category and those below it, newest first.
    async fn products(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "How many, at most 100.", default_with = "Some(24)")] first: Option<i32>,
        #[graphql(desc = "The `endCursor` of the page before.")] after: Option<String>,
    ) -> Result<Connection<Product>> {
        let page = PageArgs::parse(first.unwrap_or(24), after.as_deref()).map_err(common::Fault::from)?;
        let channel = &shop(context).channel;
        let mut products = part::<Catalog>(context)?.products_of_category(self.0.id, &page).await?;
        // A page may be shorter than asked for where the channel hides some of its products.
        products.retain(|product| product.is_visible_in(channel));
        let cursor = |product: &std::sync::Arc<crate::domain::Product>| {
            Cursor::new(&[&product.created_at.0, &product.id])
        };
        Ok(Connection::new(&page, products, cursor, Product))
    }
}
