//! What the tests share: a seeded shop, viewers, and the mutations of a front end.

use auth::Viewer;
use common::Ids;
use common::id::{CheckoutAttemptId, VariantId};
use seed::World;
use serde_json::{Value, json};
use subgraph::seeding::Progress;
use subgraph::testing::{self, Folder, run};
use subgraph::{Ports, Subgraph};
use tokio::task::JoinSet;

/// The world of the tests.
pub const SMALL: World = World { seed: 1, products: 40, users: 30, orders: 10 };

/// A seeded shop.
pub struct Shop {
    pub subgraph: Subgraph,
    pub ports: Ports,
    _folder: Folder,
}

const CART: &str = "id version state currency totalQuantity buyerEmail selectedDeliveryOptionId
    lines { nodes { id quantity unitPrice { amountMinor } discount { amountMinor } total { amountMinor }
        priceLockedUntil merchandise { ... on ProductVariant { id } } } }
    cost { subtotal { amountMinor currency } discount { amountMinor } shipping { amountMinor } tax { amountMinor }
        total { amountMinor currency } estimated }
    promotions { code title amount { amountMinor } } deliveryOptions { id title cost { amountMinor } }";

impl Shop {
    /// A shop with the small world in it.
    pub async fn open() -> Self {
        let (ports, folder) = testing::ports(cart::NAME, cart::migrations).await;
        cart::seed(&ports, &SMALL, &Progress::silent()).await.expect("an empty database can be seeded");
        Self { subgraph: cart::build(&ports), ports, _folder: folder }
    }

    /// The same shop, with ids as they are in production: those of one moment come in any order.
    pub async fn open_with_random_ids() -> Self {
        let mut shop = Self::open().await;
        shop.ports.ids = Ids::random(shop.ports.clock.clone());
        shop.subgraph = cart::build(&shop.ports);
        shop
    }

    /// Runs one of the cart's mutations and returns its payload.
    pub async fn change(&self, viewer: &Viewer, mutation: &str, input: Value) -> Value {
        let kind = input_type(mutation);
        let document = format!(
            "mutation($i: {kind}!) {{ {mutation}(input: $i) {{ cart {{ {CART} }}
             userErrors {{ code field message lineId availableQuantity }} warnings {{ code lineId message }} }} }}"
        );
        let answer = run(&self.subgraph, viewer, &document, json!({ "i": input })).await;
        assert!(answer.get("errors").is_none(), "{answer}");
        answer["data"][mutation].clone()
    }

    /// A cart with these lines, and the payload that made it.
    pub async fn cart_with(&self, viewer: &Viewer, lines: &[(VariantId, i32)]) -> Value {
        let payload = self.change(viewer, "cartCreate", json!({ "lines": wanted(lines) })).await;
        assert_eq!(payload["userErrors"], json!([]), "{payload}");
        payload["cart"].clone()
    }

    /// The cart as the viewer sees it.
    pub async fn cart(&self, viewer: &Viewer, id: &Value) -> Value {
        let document = format!("query($id: ID) {{ cart(id: $id) {{ {CART} }} }}");
        let answer = run(&self.subgraph, viewer, &document, json!({ "id": id })).await;
        assert!(answer.get("errors").is_none(), "{answer}");
        answer["data"]["cart"].clone()
    }

    /// A call of another subgraph.
    pub async fn call(&self, field: &str, request: Value) -> Value {
        let document = format!("mutation($r: ServiceCall!) {{ reply: {field}(request: $r) }}");
        let answer =
            run(&self.subgraph, &Viewer::service("orders"), &document, json!({ "r": request })).await;
        assert!(answer.get("errors").is_none(), "{answer}");
        answer["data"]["reply"].clone()
    }

    /// A guest's cart that can be checked out, as it is then.
    pub async fn ready(&self, viewer: &Viewer, lines: &[(VariantId, i32)]) -> Value {
        let id = self.cart_with(viewer, lines).await["id"].clone();
        let buyer = json!({ "cartId": id, "email": "ada@example.com" });
        self.change(viewer, "cartBuyerSet", buyer).await;
        self.change(viewer, "cartAddressSet", json!({ "cartId": id, "address": address("US", "CA") })).await;
        let delivery = json!({ "cartId": id, "deliveryOptionId": "standard" });
        let payload = self.change(viewer, "cartDeliverySelect", delivery).await;
        assert_eq!(payload["userErrors"], json!([]), "{payload}");
        payload["cart"].clone()
    }

    /// A freeze of the cart as it was seen.
    pub fn freeze(&self, cart: &Value, attempt: CheckoutAttemptId) -> Value {
        let total = &cart["cost"]["total"];
        json!({ "cart": cart["id"], "buyer": null, "attempt": attempt, "version": cart["version"],
            "expected_total": { "minor": total["amountMinor"], "currency": total["currency"] } })
    }
}

fn input_type(mutation: &str) -> String {
    let name = mutation.strip_suffix("Set").unwrap_or(mutation);
    let mut kind: String = name.chars().take(1).flat_map(char::to_uppercase).collect();
    kind.extend(name.chars().skip(1));
    format!("{kind}Input")
}

/// Runs work at the same time, each in a task of its own, and returns what came of each, in order.
pub async fn at_once<F>(work: impl IntoIterator<Item = F>) -> Vec<F::Output>
where
    F: Future<Output: Send> + Send + 'static,
{
    let mut tasks = JoinSet::new();
    for (place, work) in work.into_iter().enumerate() {
        tasks.spawn(async move { (place, work.await) });
    }
    let mut done = tasks.join_all().await;
    done.sort_by_key(|(place, _)| *place);
    done.into_iter().map(|(_, output)| output).collect()
}

/// Lines as an input has them.
pub fn wanted(lines: &[(VariantId, i32)]) -> Value {
    lines.iter().map(|(variant, quantity)| json!({ "variantId": variant, "quantity": quantity })).collect()
}

/// A complete address.
pub fn address(country: &str, region: &str) -> Value {
    json!({ "recipient": "Ada", "line1": "Main St 1", "city": "Springfield", "region": region,
        "postalCode": "12345", "countryCode": country })
}

/// Somebody without an account.
pub fn guest() -> Viewer {
    Viewer::anonymous()
}

/// One of the seeded users.
pub fn user(number: u32) -> Viewer {
    Viewer::user(SMALL.user_id(number), Ids::counted().next())
}

/// A shopper of the European channel.
pub fn european() -> Viewer {
    let mut viewer = guest();
    viewer.context.channel = "eu".into();
    viewer.context.currency = common::Currency::EUR;
    viewer.context.country = "DE".into();
    viewer.context.locale = "de".into();
    viewer
}

/// The first variant of the `nth` product without promotions of its own, and what it costs in cents.
pub fn plain(nth: usize) -> (VariantId, i64) {
    let product = (0..SMALL.products).filter(|product| SMALL.category_of(*product) == 0).nth(nth);
    let product = product.expect("the small world has four");
    let price = SMALL.price(product, 0, common::Currency::USD);
    (SMALL.variant_id(product, 0), price.list.minor)
}

/// A variant without promotions that does not travel free, what it costs in cents, and how it is taxed.
pub fn cheap() -> (VariantId, i64, &'static str) {
    let price = |product| SMALL.price(product, 0, common::Currency::USD).list.minor;
    let without_promotion = |product: &u32| !matches!(SMALL.category_of(*product), 1 | 3 | 4 | 5 | 10);
    let product = (0..SMALL.products).filter(without_promotion).min_by_key(|product| price(*product));
    let product = product.expect("the small world has some");
    assert!(price(product) < 7_500);
    (SMALL.variant_id(product, 0), price(product), SMALL.product(product).variants[0].tax_class)
}
