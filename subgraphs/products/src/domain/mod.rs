//! The rules of the catalogue, without I/O.

mod category;
mod channel;
mod price;
mod product;
mod review;

pub use category::Categories;
pub use channel::Channel;
pub use price::{NewPrice, Price, check_prices, ranges, set_prices};
pub use product::{
    Attribute, Details, Image, Product, Refusal as ProductRefusal, Status, Text, Variant, VariantDetails,
    check_slug, check_title,
};
pub use review::{NewReview, Refusal as ReviewRefusal};
