//! Writing a review.

use common::id::{ProductId, UserId};
use common::{Failure, Fault, settle};
use database::{ScopedFutureExt, Tx, is_duplicate};
use events::products::ProductsEvent;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{Expr, ExprTrait as _};

use super::Catalog;
use crate::domain::{NewReview, ReviewRefusal};
use crate::entity::{product, purchase, review};

impl Catalog {
    /// Writes the author's one review of a product and counts its rating.
    pub async fn write_review(
        &self,
        author: UserId,
        product: ProductId,
        new: &NewReview,
    ) -> Result<Result<review::Model, ReviewRefusal>, Fault> {
        if let Err(refusal) = new.check() {
            return Ok(Err(refusal));
        }
        let written = self
            .ports
            .database
            .transaction(|tx| self.write_review_in(tx, author, product, new).scope_boxed())
            .await;
        self.forget(product, &[], &[]);
        settle(written)
    }

    async fn write_review_in(
        &self,
        tx: &Tx,
        author: UserId,
        product: ProductId,
        new: &NewReview,
    ) -> Result<review::Model, Failure<ReviewRefusal>> {
        let Some(row) = product::lock(tx, product).await? else {
            return Err(Failure::Refused(ReviewRefusal::NotFound));
        };
        let review = review::Model {
            id: self.ports.ids.next(),
            product_id: product,
            author_id: author,
            rating: new.rating,
            title: new.title.clone(),
            body: new.body.clone(),
            verified: purchase::exists(tx, author, product).await?,
            created_at: self.ports.clock.now(),
        };
        match review::Entity::insert(review::ActiveModel::from(review.clone()))
            .exec_without_returning(tx)
            .await
        {
            Err(error) if is_duplicate(&error) => {
                return Err(Failure::Refused(ReviewRefusal::ReviewedBefore));
            }
            inserted => inserted?,
        };
        product::Entity::update_many()
            .col_expr(product::Column::RatingSum, Expr::col(product::Column::RatingSum).add(new.rating))
            .col_expr(product::Column::RatingCount, Expr::col(product::Column::RatingCount).add(1))
            .filter(product::Column::Id.eq(product))
            .exec(tx)
            .await?;
        let (sum, count) = (row.rating_sum + i64::from(new.rating), row.rating_count + 1);
        let event = ProductsEvent::ReviewCreated {
            review: review.id,
            product,
            author,
            rating: new.rating,
            average_hundredths: i32::try_from(sum * 100 / i64::from(count)).unwrap_or(i32::MAX),
            count,
        };
        self.ports.publish(tx, &event).await?;
        Ok(review)
    }
}
