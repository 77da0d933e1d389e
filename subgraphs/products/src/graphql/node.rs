//! `node(id)`: the prefix of an id names its type. Our own entities are looked up; of the others a reference is
//! returned, which the gateway completes where they live.

use async_graphql::{Context, ID, Interface, Object, Result};
use common::Entity as _;
use common::id;

use super::category::Category;
use super::loader::Loaders;
use super::part;
use super::product::Product;
use super::review::Review;
use super::variant::ProductVariant;
use crate::service::Catalog;

/// Anything that has an id.
#[derive(Interface)]
#[graphql(field(
    name = "id",
    ty = "ID",
    desc = "The id: opaque, unique in the whole shop, and naming its type."
))]
pub enum Node {
    Product(Product),
    ProductVariant(ProductVariant),
    Category(Category),
    Review(Review),
    User(User),
    Cart(Cart),
    Order(Order),
    Payment(Payment),
}

/// A person with an account.
pub struct User {
    pub id: ID,
}

/// A person with an account.
#[Object(unresolvable = "id")]
impl User {
    /// The account's id.
    pub async fn id(&self) -> ID {
        self.id.clone()
    }
}

/// A cart.
pub struct Cart {
    pub id: ID,
}

/// A cart.
#[Object(unresolvable = "id")]
impl Cart {
    /// The cart's id.
    pub async fn id(&self) -> ID {
        self.id.clone()
    }
}

/// An order.
pub struct Order {
    pub id: ID,
}

/// An order.
#[Object(unresolvable = "id")]
impl Order {
    /// The order's id.
    pub async fn id(&self) -> ID {
        self.id.clone()
    }
}

/// A payment.
pub struct Payment {
    pub id: ID,
}

/// A payment.
#[Object(unresolvable = "id")]
impl Payment {
    /// The payment's id.
    pub async fn id(&self) -> ID {
        self.id.clone()
    }
}

/// The entity with this id, or a reference to it.
pub async fn load(context: &Context<'_>, id: &ID) -> Result<Option<Node>> {
    let loaders = Loaders::of(context)?;
    let prefix = id.split('_').next().unwrap_or_default();
    Ok(match prefix {
        id::Product::PREFIX => match id.parse() {
            Ok(id) => loaders.products.load(id).await?.map(|product| Node::Product(Product(product))),
            Err(_) => None,
        },
        id::Variant::PREFIX => match id.parse() {
            Ok(id) => {
                loaders.variants.load(id).await?.map(|variant| Node::ProductVariant(ProductVariant(variant)))
            }
            Err(_) => None,
        },
        id::Review::PREFIX => match id.parse() {
            Ok(id) => loaders.reviews.load(id).await?.map(|review| Node::Review(Review(review))),
            Err(_) => None,
        },
        id::Category::PREFIX => match id.parse() {
            Ok(id) => {
                let categories = part::<Catalog>(context)?.categories().await?;
                categories.by_id(id).cloned().map(|category| Node::Category(Category(category)))
            }
            Err(_) => None,
        },
        _ => reference(prefix, id),
    })
}

fn reference(prefix: &str, id: &ID) -> Option<Node> {
    match prefix {
        id::User::PREFIX => id.parse::<id::UserId>().ok().map(|_| Node::User(User { id: id.clone() })),
        id::Cart::PREFIX => id.parse::<id::CartId>().ok().map(|_| Node::Cart(Cart { id: id.clone() })),
        id::Order::PREFIX => id.parse::<id::OrderId>().ok().map(|_| Node::Order(Order { id: id.clone() })),
        id::Payment::PREFIX => {
            id.parse::<id::PaymentId>().ok().map(|_| Node::Payment(Payment { id: id.clone() }))
        }
        _ => None,
    }
}
