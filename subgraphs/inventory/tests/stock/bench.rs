//! A stock of its own for each test: a database, a product, locations.

use auth::Viewer;
use common::id::{CartLineId, OrderId, ProductId, SessionId, StockLocationId, UserId, VariantId};
use common::{Timestamp, id};
use events::Event as _;
use events::calls::Call;
use events::calls::inventory::{
    CommitStock, CommitStockReply, ReleaseStock, ReserveLine, ReserveStock, ReserveStockReply,
};
use events::orders::{OrderChange, OrderLineSnapshot, OrderSnapshot, OrdersEvent};
use events::products::{ProductSnapshot, ProductsEvent, VariantSnapshot};
use messaging::Envelope;
use sea_orm::{ConnectionTrait as _, Statement, Value};
use serde_json::{Value as Json, json};
use subgraph::testing::{self, Folder};
use subgraph::{Ports, Subgraph};

/// Fifteen minutes, in microseconds.
pub const HOLD: i64 = 15 * 60 * 1_000_000;

/// A stock and what a test does with it. Clones are the same stock.
#[derive(Clone)]
pub struct Bench {
    pub ports: Ports,
    pub subgraph: Subgraph,
    _folder: Folder,
}

impl Bench {
    /// An empty stock.
    pub async fn new() -> Self {
        let (ports, folder) = testing::ports(inventory::NAME, inventory::migrations).await;
        let subgraph = inventory::build(&ports);
        Self { ports, subgraph, _folder: folder }
    }

    /// A stock with one location in the United States and one variant of which so many lie there.
    pub async fn with_one(on_hand: i32) -> (Self, VariantId, StockLocationId) {
        let bench = Self::new().await;
        let location = bench.location("us-east", "US", true).await;
        let (_, variants) = bench.product(1).await;
        bench.put(variants[0], location, on_hand).await;
        (bench, variants[0], location)
    }

    /// Runs one SQL statement.
    pub async fn sql(&self, sql: &str, values: Vec<Value>) {
        let statement = Statement::from_sql_and_values(self.ports.database.backend(), sql, values);
        self.ports.database.schema().execute_raw(statement).await.expect("the statement is right");
    }

    /// A new location.
    pub async fn location(&self, code: &str, country: &str, ships_abroad: bool) -> StockLocationId {
        let id: StockLocationId = self.ports.ids.next();
        let sql =
            "INSERT INTO stock_location (id, code, name, country_code, ships_abroad) VALUES (?, ?, ?, ?, ?)";
        let values =
            vec![id.into(), code.into(), code.to_uppercase().into(), country.into(), ships_abroad.into()];
        self.sql(sql, values).await;
        id
    }

    /// A new product with so many variants, told by the catalogue.
    pub async fn product(&self, variants: usize) -> (ProductId, Vec<VariantId>) {
        let product: ProductId = self.ports.ids.next();
        let variants: Vec<VariantId> = (0..variants).map(|_| self.ports.ids.next()).collect();
        let snapshot = ProductSnapshot {
            id: product,
            version: 1,
            slug: "oak-table".into(),
            titles: Vec::new(),
            description: String::new(),
            brand: None,
            active: true,
            category: None,
            hidden_in: Vec::new(),
            attributes: Vec::new(),
            image_url: None,
            average_hundredths: 0,
            rating_count: 0,
            created_at: testing::START,
            variants: variants
                .iter()
                .map(|id| VariantSnapshot {
                    id: *id,
                    sku: id.to_string(),
                    title: "M".into(),
                    options: Vec::new(),
                    tax_class: "standard".into(),
                    weight_grams: None,
                    prices: Vec::new(),
                })
                .collect(),
        };
        self.tell(&ProductsEvent::ProductChanged(Box::new(snapshot))).await;
        (product, variants)
    }

    /// Lets an event arrive.
    pub async fn tell<E: events::Event>(&self, event: &E) {
        let envelope = Envelope {
            id: self.ports.ids.next(),
            topic: E::TOPIC.into(),
            key: event.key(),
            at: self.ports.clock.now(),
            payload: serde_json::to_string(event).expect("an event is JSON"),
            cause: Default::default(),
        };
        // Twice, because a bus may deliver twice.
        let receiver = self.subgraph.receiver.as_ref().expect("stock listens");
        receiver.accept(&[envelope.clone(), envelope]).await.expect("the event is applied");
    }

    /// Lets the end of an order be heard.
    pub async fn tell_order(&self, change: OrderChange, order: OrderId, variant: VariantId) {
        let zero = common::Money::zero(common::Currency::USD);
        let line = OrderLineSnapshot {
            id: self.ports.ids.next(),
            variant,
            product: self.ports.ids.next(),
            title: String::new(),
            quantity: 1,
            total: zero,
        };
        let order = OrderSnapshot {
            id: order,
            number: "1".into(),
            version: 1,
            customer: None,
            email: String::new(),
            locale: "en".into(),
            total: zero,
            placed_at: testing::START,
            tracking_url: None,
            lines: vec![line],
        };
        assert_eq!(OrdersEvent::TOPIC, "orders");
        self.tell(&OrdersEvent { change, order }).await;
    }

    /// Puts so many of a variant into a location.
    pub async fn put(&self, variant: VariantId, location: StockLocationId, delta: i32) {
        let key = format!("put-{variant}-{location}");
        let answer = self.adjust(&key, variant, location, delta, None).await;
        assert_eq!(answer["data"]["stockAdjust"]["userErrors"], json!([]), "{answer}");
    }

    /// Changes stock as staff.
    pub async fn adjust(
        &self,
        key: &str,
        variant: VariantId,
        location: StockLocationId,
        delta: i32,
        seen: Option<i32>,
    ) -> Json {
        let document = "mutation($i: StockAdjustInput!) { stockAdjust(input: $i) { \
                        level { onHand reserved allocated available version } userErrors { code field } } }";
        let input = json!({
            "idempotencyKey": key, "variantId": variant, "locationId": location, "delta": delta,
            "changeFromQuantity": seen, "reason": "counted",
        });
        testing::run(&self.subgraph, &staff(), document, json!({ "i": input })).await
    }

    /// Makes a call as `orders` does.
    pub async fn call<C: Call>(&self, request: &C) -> C::Reply {
        let variables = json!({ "request": request });
        let mut answer =
            testing::run(&self.subgraph, &Viewer::service("orders"), C::DOCUMENT, variables).await;
        assert_eq!(answer["errors"], Json::Null, "{answer}");
        serde_json::from_value(answer["data"]["reply"].take()).expect("the reply is as agreed")
    }

    /// Reserves for an order to the United States.
    pub async fn reserve(&self, order: OrderId, lines: &[(VariantId, i32)]) -> ReserveStockReply {
        self.reserve_to("US", order, lines).await
    }

    /// Reserves for an order to a country.
    pub async fn reserve_to(
        &self,
        country: &str,
        order: OrderId,
        lines: &[(VariantId, i32)],
    ) -> ReserveStockReply {
        let line = |(variant, quantity): &(VariantId, i32)| ReserveLine {
            line: None,
            variant: *variant,
            quantity: *quantity,
        };
        self.reserve_lines(country, order, lines.iter().map(line).collect()).await
    }

    /// Reserves lines of a cart for an order to a country.
    pub async fn reserve_lines(
        &self,
        country: &str,
        order: OrderId,
        lines: Vec<ReserveLine>,
    ) -> ReserveStockReply {
        let expires_at = Timestamp(self.ports.clock.now().0 + HOLD);
        self.call(&ReserveStock { order, lines, country: country.into(), expires_at }).await
    }

    /// State, quantity and end of what is set aside for lines of carts, as the buyer sees it.
    pub async fn reservations(&self, lines: &[CartLineId]) -> Vec<Json> {
        let document = "query($r: [_Any!]!) { _entities(representations: $r) { ... on CartLine { \
                        reservation { state quantity expiresAt } } } }";
        let representations: Vec<Json> =
            lines.iter().map(|line| json!({ "__typename": "CartLine", "id": line })).collect();
        let variables = json!({ "r": representations });
        let mut answer = testing::run(&self.subgraph, &Viewer::anonymous(), document, variables).await;
        assert_eq!(answer["errors"], Json::Null, "{answer}");
        let entities = answer["data"]["_entities"].as_array_mut().expect("a list");
        entities.iter_mut().map(|entity| entity["reservation"].take()).collect()
    }

    /// Commits an order's stock.
    pub async fn commit(&self, order: OrderId) -> CommitStockReply {
        self.call(&CommitStock { order }).await
    }

    /// Releases an order's stock.
    pub async fn release(&self, order: OrderId) {
        self.call(&ReleaseStock { order }).await;
    }

    /// A new order's id.
    pub fn order(&self) -> OrderId {
        self.ports.ids.next()
    }

    /// How many of a variant can be promised for the United States.
    pub async fn quantity(&self, variant: VariantId) -> i64 {
        let answer = self.availability("ProductVariant", &variant.to_string()).await;
        answer["quantity"].as_i64().expect("it is counted")
    }

    /// The availability of an entity.
    pub async fn availability(&self, entity: &str, id: &str) -> Json {
        let document = format!(
            "query($r: [_Any!]!) {{ _entities(representations: $r) {{ ... on {entity} {{ \
             availability {{ status available quantity maxOrderQuantity restockAt asOf }} }} }} }}"
        );
        let variables = json!({ "r": [{ "__typename": entity, "id": id }] });
        let mut answer = testing::run(&self.subgraph, &Viewer::anonymous(), &document, variables).await;
        assert_eq!(answer["errors"], Json::Null, "{answer}");
        answer["data"]["_entities"][0]["availability"].take()
    }

    /// On hand, reserved and allocated of a variant, by location code.
    pub async fn levels(&self, variant: VariantId) -> Vec<(String, i64, i64, i64)> {
        let document = "query($r: [_Any!]!) { _entities(representations: $r) { ... on ProductVariant { \
                        stockLevels { location { code } onHand reserved allocated } } } }";
        let variables = json!({ "r": [{ "__typename": "ProductVariant", "id": variant }] });
        let answer = testing::run(&self.subgraph, &staff(), document, variables).await;
        let levels = answer["data"]["_entities"][0]["stockLevels"].as_array().expect("staff sees levels");
        let number = |level: &Json, field: &str| level[field].as_i64().expect("a number");
        levels
            .iter()
            .map(|level| {
                let code = level["location"]["code"].as_str().expect("a text").to_owned();
                (code, number(level, "onHand"), number(level, "reserved"), number(level, "allocated"))
            })
            .collect()
    }
}

/// A member of staff.
pub fn staff() -> Viewer {
    let (user, session): (UserId, SessionId) = (id::Id::stable(0, [1; 10]), id::Id::stable(0, [2; 10]));
    Viewer::user(user, session).with_scopes(&["inventory:read", "inventory:write"])
}

/// Somebody who shops.
pub fn shopper() -> Viewer {
    let (user, session): (UserId, SessionId) = (id::Id::stable(0, [3; 10]), id::Id::stable(0, [4; 10]));
    Viewer::user(user, session)
}
