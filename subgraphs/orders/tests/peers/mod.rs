//! Cart, inventory and payments as the checkout sees them, made up in memory: they answer the calls of the contracts,
//! keep count of what they did, and fail or hang where a test tells them to.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};

use async_graphql::{EmptySubscription, Object, Result};
use common::id::{
    CartId, CartLineId, CheckoutAttemptId, OrderId, PaymentId, ProductId, ReservationId, VariantId,
};
use common::{Currency, Fault, Ids, Money};
use events::calls::Call;
use events::calls::cart::{
    CartSnapshot, CartSnapshotLine, CompleteCart, FreezeCart, FreezeCartReply, PostalAddress, ThawCart,
};
use events::calls::inventory::{
    CommitStock, CommitStockReply, ReleaseStock, ReserveStock, ReserveStockReply,
};
use events::calls::payments::{
    AuthorizePayment, AuthorizePaymentReply, CancelPayment, CapturePayment, PaymentStanding,
};
use subgraph::graphql::ServiceCall;
use subgraph::{Peer, Ports, Subgraph};
use tokio::sync::watch;

/// Where in a call the other side hangs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// Nothing was done yet.
    Before,
    /// It was done, and the answer gets lost.
    After,
}

/// A cart.
#[derive(Debug, Clone)]
pub struct FakeCart {
    pub version: i32,
    pub total: i64,
    pub quantity: i32,
    pub frozen_for: Option<CheckoutAttemptId>,
    pub ordered_by: Option<CheckoutAttemptId>,
    pub variant: VariantId,
    pub line: CartLineId,
}

/// A payment.
#[derive(Debug, Clone)]
pub struct FakePayment {
    pub id: PaymentId,
    pub order: OrderId,
    pub amount: Money,
    pub state: &'static str,
}

/// How stock is held for an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hold {
    Reserved(i32),
    Committed(i32),
    Released,
}

/// All that the others know.
#[derive(Debug, Default)]
pub struct World {
    pub carts: HashMap<CartId, FakeCart>,
    pub stock: i32,
    pub holds: HashMap<OrderId, Hold>,
    pub payments: BTreeMap<CheckoutAttemptId, FakePayment>,
    /// How often each call came, those that failed included.
    pub calls: HashMap<&'static str, u32>,
    /// How often money was held and taken.
    pub charged: u32,
    pub captured: u32,
    /// Calls that fail so many times more.
    pub failing: HashMap<&'static str, u32>,
    /// The call that hangs.
    pub hanging: Option<(&'static str, Moment)>,
    /// What the next look at a payment that waits finds.
    pub settle_as: Option<&'static str>,
    /// Reservations run out before they are committed.
    pub stock_runs_out: bool,
}

/// The other subgraphs. Clones are the same ones.
#[derive(Clone)]
pub struct Peers {
    pub world: Arc<Mutex<World>>,
    ids: Ids,
    hung: watch::Sender<u32>,
}

impl Peers {
    /// With so much stock, made known to `ports`.
    pub fn new(ports: &Ports, stock: i32) -> Self {
        let world = Arc::new(Mutex::new(World { stock, ..World::default() }));
        let peers = Self { world, ids: ports.ids.clone(), hung: watch::Sender::new(0) };
        for name in ["cart", "inventory", "payments"] {
            let schema =
                subgraph::graphql::schema(Query, Mutation(peers.clone()), EmptySubscription).finish();
            let subgraph = Subgraph::new(&Ports { name, ..ports.clone() }, schema, String::new(), |r| r);
            ports.peers.know(name, Peer::Local(subgraph.into()));
        }
        peers
    }

    /// A cart at version 3 with so many of one variant, for 25.00 each.
    pub fn cart(&self, quantity: i32) -> CartId {
        let id = self.ids.next();
        let cart = FakeCart {
            version: 3,
            total: i64::from(quantity) * 2_500,
            quantity,
            frozen_for: None,
            ordered_by: None,
            variant: self.ids.next(),
            line: self.ids.next(),
        };
        self.world().carts.insert(id, cart);
        id
    }

    /// What they know, to look at or to change.
    pub fn world(&self) -> std::sync::MutexGuard<'_, World> {
        self.world.lock().expect("no test panics with it")
    }

    /// Waits until a call hangs.
    pub async fn hung(&self) {
        let mut hung = self.hung.subscribe();
        hung.wait_for(|count| *count > 0).await.expect("the sender is ours");
    }

    /// Lets calls through again, those that hang too.
    pub fn heal(&self) {
        self.world().hanging = None;
        self.hung.send_replace(0);
    }

    async fn answer<C: Call>(
        &self,
        name: &'static str,
        request: ServiceCall,
        effect: impl FnOnce(&mut World, &Ids, C) -> C::Reply,
    ) -> Result<ServiceCall> {
        let request = request.read::<C>()?;
        {
            let mut world = self.world();
            *world.calls.entry(name).or_default() += 1;
            if let Some(left) = world.failing.get_mut(name)
                && *left > 0
            {
                *left -= 1;
                return Err(Fault::unavailable(name, "told to").into());
            }
        }
        self.hang(name, Moment::Before).await;
        let reply = effect(&mut self.world(), &self.ids, request);
        self.hang(name, Moment::After).await;
        Ok(ServiceCall::reply::<C>(&reply)?)
    }

    async fn hang(&self, name: &'static str, moment: Moment) {
        if self.world().hanging == Some((name, moment)) {
            let mut hung = self.hung.subscribe();
            self.hung.send_modify(|count| *count += 1);
            hung.wait_for(|count| *count == 0).await.expect("the sender is ours");
        }
    }
}

struct Query;

/// Nothing to ask.
#[Object]
impl Query {
    /// Always true.
    async fn here(&self) -> bool {
        true
    }
}

struct Mutation(Peers);

/// The calls of the contracts.
#[Object]
impl Mutation {
    async fn cart_freeze(&self, request: ServiceCall) -> Result<ServiceCall> {
        self.0.answer("cartFreeze", request, freeze).await
    }

    async fn cart_thaw(&self, request: ServiceCall) -> Result<ServiceCall> {
        let thaw = |world: &mut World, _: &Ids, call: ThawCart| {
            if let Some(cart) = world.carts.get_mut(&call.cart)
                && cart.frozen_for == Some(call.attempt)
            {
                cart.frozen_for = None;
                cart.version += 1;
            }
        };
        self.0.answer("cartThaw", request, thaw).await
    }

    async fn cart_complete(&self, request: ServiceCall) -> Result<ServiceCall> {
        let complete = |world: &mut World, _: &Ids, call: CompleteCart| {
            let cart = world.carts.get_mut(&call.cart).expect("a known cart");
            assert_eq!(cart.frozen_for, Some(call.attempt), "only a frozen cart is completed");
            cart.ordered_by = Some(call.attempt);
        };
        self.0.answer("cartComplete", request, complete).await
    }

    async fn stock_reserve(&self, request: ServiceCall) -> Result<ServiceCall> {
        self.0.answer("stockReserve", request, reserve).await
    }

    async fn stock_commit(&self, request: ServiceCall) -> Result<ServiceCall> {
        let commit = |world: &mut World, _: &Ids, call: CommitStock| match world.holds.get(&call.order) {
            Some(Hold::Reserved(_)) if world.stock_runs_out => CommitStockReply::Expired,
            Some(Hold::Reserved(quantity) | Hold::Committed(quantity)) => {
                let quantity = *quantity;
                world.holds.insert(call.order, Hold::Committed(quantity));
                CommitStockReply::Committed
            }
            Some(Hold::Released) | None => CommitStockReply::Expired,
        };
        self.0.answer("stockCommit", request, commit).await
    }

    async fn stock_release(&self, request: ServiceCall) -> Result<ServiceCall> {
        let release = |world: &mut World, _: &Ids, call: ReleaseStock| {
            let held = world.holds.insert(call.order, Hold::Released);
            if let Some(Hold::Reserved(quantity) | Hold::Committed(quantity)) = held {
                world.stock += quantity;
            }
        };
        self.0.answer("stockRelease", request, release).await
    }

    async fn payment_authorize(&self, request: ServiceCall) -> Result<ServiceCall> {
        self.0.answer("paymentAuthorize", request, authorize).await
    }

    async fn payment_take(&self, request: ServiceCall) -> Result<ServiceCall> {
        let take = |world: &mut World, _: &Ids, call: CapturePayment| {
            let payment = payment_of(world, call.order);
            if let Some(payment) = payment
                && payment.state == "AUTHORIZED"
            {
                payment.state = "CAPTURED";
                world.captured += 1;
            }
            standing(world, call.order)
        };
        self.0.answer("paymentTake", request, take).await
    }

    async fn payment_cancel(&self, request: ServiceCall) -> Result<ServiceCall> {
        let cancel = |world: &mut World, _: &Ids, call: CancelPayment| {
            if let Some(payment) = payment_of(world, call.order) {
                payment.state = match payment.state {
                    "CAPTURED" | "REFUNDED" => "REFUNDED",
                    "FAILED" => "FAILED",
                    _ => "VOIDED",
                };
            }
            standing(world, call.order)
        };
        self.0.answer("paymentCancel", request, cancel).await
    }
}

fn freeze(world: &mut World, ids: &Ids, call: FreezeCart) -> FreezeCartReply {
    let Some(cart) = world.carts.get_mut(&call.cart) else { return FreezeCartReply::NotFound };
    let total = Money::new(cart.total, Currency::USD);
    if cart.ordered_by.is_some() || cart.frozen_for.is_some_and(|attempt| attempt != call.attempt) {
        return FreezeCartReply::NotActive;
    }
    if cart.frozen_for.is_none() {
        if cart.quantity == 0 {
            return FreezeCartReply::Incomplete { message: "The cart is empty.".into() };
        }
        if cart.version != call.version {
            return FreezeCartReply::VersionConflict { current_version: cart.version };
        }
        if total != call.expected_total {
            return FreezeCartReply::TotalMismatch { current_total: total, current_version: cart.version };
        }
        cart.frozen_for = Some(call.attempt);
    }
    let line = CartSnapshotLine {
        id: cart.line,
        variant: cart.variant,
        product: ids.next::<common::id::Product>() as ProductId,
        sku: "SKU-1".into(),
        title: "Oak table".into(),
        quantity: cart.quantity,
        unit_price: Money::new(2_500, Currency::USD),
        discount: Money::zero(Currency::USD),
        tax: Money::zero(Currency::USD),
        total,
    };
    let address = PostalAddress {
        recipient: "Ada Example".into(),
        line1: "1 Main Street".into(),
        line2: None,
        city: "Springfield".into(),
        region: Some("IL".into()),
        postal_code: "62701".into(),
        country: "US".into(),
        phone: None,
    };
    FreezeCartReply::Frozen(Box::new(CartSnapshot {
        id: call.cart,
        version: cart.version,
        currency: Currency::USD,
        locale: "en".into(),
        email: "ada@example.com".into(),
        shipping_address: address,
        billing_address: None,
        delivery_option: "standard".into(),
        lines: vec![line],
        subtotal: total,
        discount: Money::zero(Currency::USD),
        shipping: Money::zero(Currency::USD),
        tax: Money::zero(Currency::USD),
        tax_included: false,
        total,
    }))
}

fn reserve(world: &mut World, ids: &Ids, call: ReserveStock) -> ReserveStockReply {
    let wanted: i32 = call.lines.iter().map(|line| line.quantity).sum();
    match world.holds.get(&call.order) {
        Some(Hold::Released) => return ReserveStockReply::Gone,
        Some(_) => {}
        None if world.stock < wanted => {
            let variant = call.lines[0].variant;
            return ReserveStockReply::Insufficient { variant, available: world.stock };
        }
        None => {
            world.stock -= wanted;
            world.holds.insert(call.order, Hold::Reserved(wanted));
        }
    }
    ReserveStockReply::Reserved { reservations: vec![ids.next::<common::id::Reservation>() as ReservationId] }
}

fn authorize(world: &mut World, ids: &Ids, call: AuthorizePayment) -> AuthorizePaymentReply {
    if call.token == "tok_unknown" {
        return AuthorizePaymentReply::MethodInvalid;
    }
    if !world.payments.contains_key(&call.attempt) {
        let state = match call.token.as_str() {
            "tok_decline" | "tok_insufficient" => "FAILED",
            "tok_action" => "REQUIRES_ACTION",
            "tok_slow" => "CREATED",
            _ => "AUTHORIZED",
        };
        world.charged += u32::from(state == "AUTHORIZED");
        let payment = FakePayment { id: ids.next(), order: call.order, amount: call.amount, state };
        world.payments.insert(call.attempt, payment);
    }
    let settled = world.settle_as;
    let payment = world.payments.get_mut(&call.attempt).expect("it was put there");
    if let Some(state) = settled
        && matches!(payment.state, "REQUIRES_ACTION" | "CREATED")
    {
        payment.state = state;
        world.charged += u32::from(state == "AUTHORIZED");
    }
    let id = payment.id;
    match payment.state {
        "REQUIRES_ACTION" => {
            AuthorizePaymentReply::ActionRequired { payment: id, reason: "Confirm at your bank.".into() }
        }
        "CREATED" => AuthorizePaymentReply::Pending { payment: id },
        "FAILED" | "VOIDED" => AuthorizePaymentReply::Declined {
            payment: id,
            message: "The card was declined.".into(),
            retryable: call.token == "tok_decline",
        },
        _ => AuthorizePaymentReply::Authorized { payment: id },
    }
}

fn payment_of(world: &mut World, order: OrderId) -> Option<&mut FakePayment> {
    world.payments.values_mut().find(|payment| payment.order == order)
}

fn standing(world: &mut World, order: OrderId) -> PaymentStanding {
    let zero = Money::zero(Currency::USD);
    let Some(payment) = payment_of(world, order) else {
        return PaymentStanding { payment: None, authorized: zero, captured: zero, refunded: zero };
    };
    let when = |states: &[&str]| if states.contains(&payment.state) { payment.amount } else { zero };
    PaymentStanding {
        payment: Some(payment.id),
        authorized: when(&["AUTHORIZED"]),
        captured: when(&["CAPTURED", "REFUNDED"]),
        refunded: when(&["REFUNDED"]),
    }
}
