//! The rules of the catalogue, without I/O.

mod category;
mod channel;
mod product;
mod review;

pub use category::Categories;
pub use channel::Channel;
pub use product::{
    Attribute, Details, Image, Price, Product, Refusal as ProductRefusal, Status, Text, Variant,
    VariantDetails, check_slug, check_title,
};
pub use review::{NewReview, Refusal as ReviewRefusal};
