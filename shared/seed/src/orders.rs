//! Orders of the past, in every state.

use std::time::Duration;

use common::id::{
    CartId, CheckoutAttemptId, FulfillmentId, OrderId, OrderLineId, PaymentId, ProductId, RefundId, ReturnId,
    VariantId,
};
use common::{Currency, Money, Timestamp};
use rand::Rng as _;
use sha2::{Digest as _, Sha256};

use crate::{PRESENT, SeedUser, World, popular};

/// What became of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SeedOrderStatus {
    /// The buyer has not paid yet.
    Pending,
    /// Paid for, nothing sent.
    Confirmed,
    /// A part was sent.
    Processing,
    /// All of it was delivered.
    Completed,
    /// All of it was delivered, and one line came back and was refunded.
    Returned,
    /// Called off, the money given back.
    Cancelled,
    /// The buyer never paid.
    Expired,
}

/// An order.
#[derive(Debug, Clone)]
pub struct SeedOrder {
    pub number: u32,
    pub id: OrderId,
    /// The number that people read: the one that `orders` gives an order with this id.
    pub reference: String,
    /// Nobody for a guest.
    pub customer: Option<SeedUser>,
    pub email: String,
    /// Who it is sent to; of a guest too.
    pub recipient: SeedUser,
    pub channel: &'static str,
    pub currency: Currency,
    pub status: SeedOrderStatus,
    pub placed_at: Timestamp,
    pub lines: Vec<SeedOrderLine>,
    /// Sum of the lines.
    pub subtotal: Money,
    /// What sending costs.
    pub shipping: Money,
    /// Subtotal and shipping; tax is inside.
    pub total: Money,
    pub cart: CartId,
    pub attempt: CheckoutAttemptId,
    pub payment: PaymentId,
    pub fulfillment: FulfillmentId,
    pub returned: ReturnId,
    pub refund: RefundId,
}

/// A line of an order.
#[derive(Debug, Clone)]
pub struct SeedOrderLine {
    pub id: OrderLineId,
    pub product_number: u32,
    pub product: ProductId,
    pub variant: VariantId,
    pub sku: String,
    pub title: String,
    pub quantity: i32,
    pub unit_price: Money,
    pub total: Money,
}

impl World {
    /// An order. The first demo user has a dozen of them, of every state.
    pub fn order(&self, number: u32) -> SeedOrder {
        let mut chance = self.chance("order", number.into());
        let by = if number < 14 { 0 } else { chance.random_range(0..self.users.max(1)) };
        let recipient = self.user(by);
        let guest = number >= 14 && chance.random_bool(0.2);
        let (channel, currency) = recipient.address.channel();
        let age = Duration::from_secs(7_200 + u64::from(number) * 2_592 + chance.random_range(0..2_000));
        let lines: Vec<SeedOrderLine> = (0..chance.random_range(1..=4))
            .map(|place| self.order_line(&mut chance, number, place, currency, age))
            .collect();
        let subtotal = Money::new(lines.iter().map(|line| line.total.minor).sum(), currency);
        let shipping = Money::new(
            10i64.pow(currency.digits()) * if currency == Currency::JPY { 800 } else { 5 },
            currency,
        );
        let row = u64::from(number);
        let id = self.id(row, age);
        SeedOrder {
            number,
            id,
            reference: reference(id),
            email: recipient.email.clone(),
            customer: (!guest).then(|| recipient.clone()),
            recipient,
            channel,
            currency,
            status: status(number),
            placed_at: PRESENT.minus(age),
            subtotal,
            shipping,
            total: Money::new(subtotal.minor + shipping.minor, currency),
            lines,
            cart: self.id(row, age),
            attempt: self.id(row, age),
            payment: self.id(row, age),
            fulfillment: self.id(row, age),
            returned: self.id(row, age),
            refund: self.id(row, age),
        }
    }

    fn order_line(
        &self,
        chance: &mut rand_chacha::ChaCha8Rng,
        order: u32,
        place: u32,
        currency: Currency,
        age: Duration,
    ) -> SeedOrderLine {
        let product_number = popular(chance, self.products.max(1));
        let variant = chance.random_range(0..self.variant_count(product_number));
        let quantity = i32::from(chance.random_bool(0.2)) + 1;
        let unit_price = self.price(product_number, variant, currency).list;
        let (product, sold) = self.product_and_variant(product_number, variant);
        SeedOrderLine {
            id: self.id(u64::from(order) << 8 | u64::from(place), age),
            product_number,
            product: self.product_id(product_number),
            variant: sold.id,
            title: format!("{product} – {}", sold.title),
            sku: sold.sku,
            quantity,
            unit_price,
            total: Money::new(unit_price.minor * i64::from(quantity), currency),
        }
    }
}

/// `TP-` and ten characters of Crockford's base 32, from the digest of the id and of the number of tries before.
fn reference(id: OrderId) -> String {
    const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    let digest = Sha256::new().chain_update(id.uuid().as_bytes()).chain_update(0u32.to_be_bytes()).finalize();
    let characters = digest.iter().take(10).map(|byte| char::from(ALPHABET[usize::from(byte & 31)]));
    format!("TP-{}", characters.collect::<String>())
}

fn status(number: u32) -> SeedOrderStatus {
    match number % 20 {
        0 => SeedOrderStatus::Confirmed,
        1 => SeedOrderStatus::Processing,
        2 => SeedOrderStatus::Cancelled,
        3 => SeedOrderStatus::Returned,
        4 => SeedOrderStatus::Expired,
        5 if number % 60 == 5 => SeedOrderStatus::Pending,
        _ => SeedOrderStatus::Completed,
    }
}
