//! The checkout beside peers that crash, fail and refuse as they are told.

mod failures;
mod outcomes;
#[path = "../../../../tests/peers/mod.rs"]
mod peers;

use auth::Viewer;
use common::id::{CartId, OrderId};
use common::{Currency, Money};
use events::payments::PaymentsEvent;
use messaging::Envelope;
use subgraph::testing::{self, Folder};
use subgraph::{Ports, Subgraph};

use self::peers::Peers;
use super::{CheckoutRequest, Progress};
use crate::entity::{checkout_attempt, order};
use crate::service::Orders;
use crate::{NAME, migrations};

struct Bench {
    ports: Ports,
    orders: Orders,
    peers: Peers,
    _folder: Folder,
}

impl Bench {
    async fn new(stock: i32) -> Self {
        let (ports, folder) = testing::ports(NAME, migrations).await;
        let peers = Peers::new(&ports, stock);
        Self { orders: Orders::new(&ports), ports, peers, _folder: folder }
    }

    fn request(&self, cart: CartId, token: &str) -> CheckoutRequest {
        let (version, total) = {
            let world = self.peers.world();
            (world.carts[&cart].version, world.carts[&cart].total)
        };
        CheckoutRequest {
            cart,
            cart_version: version,
            expected_total: Money::new(total, Currency::USD),
            payment_token: token.to_owned(),
            gift_cards: Vec::new(),
            return_url: None,
        }
    }

    async fn complete(&self, key: &str, request: &CheckoutRequest) -> Progress {
        let viewer = Viewer::anonymous();
        self.orders.complete_checkout(&viewer, key, request).await.unwrap().unwrap()
    }

    /// What a process that starts now finds and does.
    async fn restart_and_sweep(&self) {
        Orders::new(&self.ports).sweep().await.unwrap();
    }

    async fn attempt(&self, id: common::id::CheckoutAttemptId) -> checkout_attempt::Model {
        checkout_attempt::by_id(self.ports.database.read(), id).await.unwrap().unwrap()
    }

    async fn order(&self, id: OrderId) -> order::Model {
        order::by_ids(self.ports.database.read(), vec![id]).await.unwrap().pop().unwrap()
    }

    fn calls(&self, name: &str) -> u32 {
        self.peers.world().calls.get(name).copied().unwrap_or_default()
    }

    fn subgraph(&self) -> Subgraph {
        crate::assemble(&self.ports, &self.orders)
    }

    /// Delivers an event of `payments`.
    async fn hear(&self, order: OrderId, version: i32, state: &str, figures: [i64; 3]) {
        let money = |minor| Money::new(minor, Currency::USD);
        let event = PaymentsEvent {
            payment: self.ports.ids.next(),
            order,
            version,
            state: state.to_owned(),
            authorized: money(figures[0]),
            captured: money(figures[1]),
            refunded: money(figures[2]),
        };
        let envelope = Envelope {
            id: self.ports.ids.next(),
            topic: "payments".to_owned(),
            key: order.to_string(),
            at: self.ports.clock.now(),
            payload: serde_json::to_string(&event).unwrap(),
            cause: Default::default(),
        };
        self.subgraph().receiver.unwrap().accept(&[envelope]).await.unwrap();
    }
}
