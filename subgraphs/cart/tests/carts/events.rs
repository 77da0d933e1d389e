//! What carts hear from the catalogue and the accounts.

use common::Timestamp;
use common::id::{EventId, UserId};
use events::Event;
use events::products::{ListPrice, Localised, ProductSnapshot, ProductsEvent, VariantSnapshot};
use events::users::UsersEvent;
use messaging::Envelope;
use serde_json::json;

use crate::bench::{SMALL, Shop, guest, plain, wanted};

/// The seeded product with another price in all currencies, told as `version`.
fn changed(product: u32, minor: i64, version: i32) -> ProductSnapshot {
    let seeded = SMALL.product(product);
    let variants = seeded.variants.iter().map(|variant| VariantSnapshot {
        id: variant.id,
        sku: variant.sku.clone(),
        title: variant.title.clone(),
        options: Vec::new(),
        tax_class: variant.tax_class.to_owned(),
        weight_grams: Some(variant.weight_grams),
        prices: variant
            .prices
            .iter()
            .map(|price| ListPrice { currency: price.list.currency, minor, compare_at_minor: None })
            .collect(),
    });
    ProductSnapshot {
        id: seeded.id,
        version,
        slug: seeded.slug.clone(),
        titles: vec![Localised { locale: "en".into(), text: "Oak table".into() }],
        description: String::new(),
        brand: None,
        active: true,
        category: None,
        hidden_in: Vec::new(),
        attributes: Vec::new(),
        image_url: None,
        average_hundredths: 0,
        rating_count: 0,
        created_at: Timestamp(0),
        variants: variants.collect(),
    }
}

async fn tell<E: Event>(shop: &Shop, event: &E) {
    let id: EventId = shop.ports.ids.next();
    let envelope = Envelope {
        id,
        topic: E::TOPIC.to_owned(),
        key: event.key(),
        at: shop.ports.clock.now(),
        payload: serde_json::to_string(event).expect("an event is JSON"),
        cause: Default::default(),
    };
    let receiver = shop.subgraph.receiver.as_ref().expect("carts hear events");
    receiver.accept(&[envelope]).await.expect("the event is applied");
}

async fn tell_product(shop: &Shop, product: ProductSnapshot) {
    tell(shop, &ProductsEvent::ProductChanged(Box::new(product))).await;
}

/// Tells another price of a product.
pub async fn reprice(shop: &Shop, product: u32, minor: i64, version: i32) {
    tell_product(shop, changed(product, minor, version)).await;
}

#[tokio::test]
async fn an_older_snapshot_never_replaces_a_newer_one() {
    let shop = Shop::open().await;
    reprice(&shop, 0, 5_000, 4).await;
    reprice(&shop, 0, 3_000, 3).await;
    let cart = shop.cart_with(&guest(), &[(plain(0).0, 1)]).await;
    assert_eq!(cart["cost"]["subtotal"]["amountMinor"], 5_000);
}

#[tokio::test]
async fn what_is_no_longer_sold_leaves_the_cart_at_the_next_change() {
    let shop = Shop::open().await;
    let cart = shop.cart_with(&guest(), &[(plain(0).0, 1), (plain(1).0, 1)]).await;
    tell_product(&shop, ProductSnapshot { active: false, ..changed(0, 100, 2) }).await;
    let buyer = json!({ "cartId": cart["id"], "email": "ada@example.com" });
    let payload = shop.change(&guest(), "cartBuyerSet", buyer).await;
    assert_eq!(payload["warnings"][0]["code"], "LINE_REMOVED");
    assert_eq!(payload["cart"]["totalQuantity"], 1);
}

#[tokio::test]
async fn a_variant_that_its_product_lost_cannot_be_added() {
    let shop = Shop::open().await;
    let mut product = changed(0, 100, 2);
    let gone = product.variants.remove(0).id;
    tell_product(&shop, product).await;
    let payload = shop.change(&guest(), "cartCreate", json!({ "lines": wanted(&[(gone, 1)]) })).await;
    assert_eq!(payload["userErrors"][0]["code"], "UNAVAILABLE_IN_CHANNEL");
}

#[tokio::test]
async fn a_new_account_brings_its_email_address() {
    let shop = Shop::open().await;
    let id: UserId = common::Ids::counted().next();
    let event = UsersEvent::UserRegistered { user: id, email: "new@example.com".into(), locale: "en".into() };
    tell(&shop, &event).await;
    let viewer = auth::Viewer::user(id, common::Ids::counted().next());
    assert_eq!(shop.cart_with(&viewer, &[]).await["buyerEmail"], "new@example.com");
}
