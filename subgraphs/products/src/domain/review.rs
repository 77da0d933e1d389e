//! What a review must be like.

/// Longest title and body, in characters.
const LONGEST_TITLE: usize = 120;
const LONGEST_BODY: usize = 5_000;

/// A review as its author sends it.
#[derive(Debug, Clone)]
pub struct NewReview {
    /// One to five.
    pub rating: i32,
    /// What it says in short.
    pub title: Option<String>,
    /// What it says.
    pub body: Option<String>,
}

/// Why a review is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The rating is not one to five.
    BadRating,
    /// The title is too long.
    TitleTooLong,
    /// The body is too long.
    BodyTooLong,
    /// There is no such product.
    NotFound,
    /// The author has reviewed the product before.
    ReviewedBefore,
}

impl NewReview {
    /// Checks it.
    pub fn check(&self) -> Result<(), Refusal> {
        let longer = |text: &Option<String>, most: usize| {
            text.as_ref().is_some_and(|text| text.chars().count() > most)
        };
        if !(1..=5).contains(&self.rating) {
            Err(Refusal::BadRating)
        } else if longer(&self.title, LONGEST_TITLE) {
            Err(Refusal::TitleTooLong)
        } else if longer(&self.body, LONGEST_BODY) {
            Err(Refusal::BodyTooLong)
        } else {
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ratings_run_from_one_to_five() {
        for (rating, good) in [(0, false), (1, true), (5, true), (6, false), (-1, false)] {
            let review = NewReview { rating, title: None, body: None };
            assert_eq!(review.check().is_ok(), good, "{rating}");
        }
    }

    #[test]
    fn texts_have_an_end() {
        let long = NewReview { rating: 5, title: Some("x".repeat(121)), body: None };
        assert_eq!(long.check(), Err(Refusal::TitleTooLong));
        let long = NewReview { rating: 5, title: None, body: Some("x".repeat(5_001)) };
        assert_eq!(long.check(), Err(Refusal::BodyTooLong));
    }
}
