//! How refusals look in the schema.

use async_graphql::{Enum, Interface, SimpleObject};

use crate::domain::{ProductRefusal, ReviewRefusal};

/// Why a change to the catalogue is refused.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
pub enum CatalogErrorCode {
    /// An input is not as it must be.
    Invalid,
    /// There is no such thing.
    NotFound,
    /// Another product has the slug.
    SlugTaken,
    /// It was changed since the version that was seen.
    VersionConflict,
    /// The viewer may not do this, or not again.
    NotEligible,
}

/// Why a change to the catalogue is refused.
#[derive(SimpleObject)]
pub struct CatalogUserError {
    /// What is wrong, for people.
    pub message: String,
    /// The path to the input that is to blame.
    pub field: Option<Vec<String>>,
    /// What is wrong, for programs.
    pub code: CatalogErrorCode,
}

/// Why a mutation is refused.
#[derive(Interface)]
#[graphql(
    field(name = "message", ty = "&String", desc = "What is wrong, for people."),
    field(name = "field", ty = "&Option<Vec<String>>", desc = "The path to the input that is to blame.")
)]
pub enum UserError {
    Catalog(CatalogUserError),
}

impl CatalogUserError {
    fn new(code: CatalogErrorCode, message: impl Into<String>, field: &str) -> Self {
        Self::at(code, message, &[field])
    }

    fn of_price(code: CatalogErrorCode, message: impl Into<String>, index: usize, field: &str) -> Self {
        Self::at(code, message, &["prices", &index.to_string(), field])
    }

    fn at(code: CatalogErrorCode, message: impl Into<String>, field: &[&str]) -> Self {
        let path = std::iter::once(&"input").chain(field);
        Self { message: message.into(), field: Some(path.map(ToString::to_string).collect()), code }
    }
}

impl From<ReviewRefusal> for CatalogUserError {
    fn from(refusal: ReviewRefusal) -> Self {
        use CatalogErrorCode::{Invalid, NotEligible, NotFound};
        match refusal {
            ReviewRefusal::BadRating => Self::new(Invalid, "A rating is a number from 1 to 5.", "rating"),
            ReviewRefusal::TitleTooLong => Self::new(Invalid, "A title has at most 120 characters.", "title"),
            ReviewRefusal::BodyTooLong => {
                Self::new(Invalid, "A review has at most 5,000 characters.", "body")
            }
            ReviewRefusal::NotFound => Self::new(NotFound, "There is no such product.", "productId"),
            ReviewRefusal::ReviewedBefore => {
                Self::new(NotEligible, "You have reviewed this product before.", "productId")
            }
        }
    }
}

impl From<ProductRefusal> for CatalogUserError {
    fn from(refusal: ProductRefusal) -> Self {
        use CatalogErrorCode::{Invalid, NotFound, SlugTaken, VersionConflict};
        match refusal {
            ProductRefusal::NotFound => Self::new(NotFound, "There is no such product.", "id"),
            ProductRefusal::SlugTaken => Self::new(SlugTaken, "Another product has this slug.", "slug"),
            ProductRefusal::BadSlug => {
                Self::new(Invalid, "A slug has lower-case letters, digits and single dashes.", "slug")
            }
            ProductRefusal::BadTitle => Self::new(Invalid, "A title has 1 to 120 characters.", "title"),
            ProductRefusal::VersionConflict { current } => {
                let message = format!("The product was changed: it is at version {current} now.");
                Self::new(VersionConflict, message, "expectedVersion")
            }
            ProductRefusal::TooManyPrices { most } => {
                Self::new(Invalid, format!("At most {most} prices at once."), "prices")
            }
            ProductRefusal::UnknownVariant { index } => {
                Self::of_price(NotFound, "The product has no such variant.", index, "variantId")
            }
            ProductRefusal::UnknownCurrency { index, currency } => {
                Self::of_price(Invalid, format!("No channel sells in {currency}."), index, "listPrice")
            }
            ProductRefusal::BadPrice { index } => {
                Self::of_price(Invalid, "A price is above zero.", index, "listPrice")
            }
            ProductRefusal::BadComparePrice { index } => {
                let message = "An earlier price is above the new one and in its currency.";
                Self::of_price(Invalid, message, index, "compareAtPrice")
            }
        }
    }
}
