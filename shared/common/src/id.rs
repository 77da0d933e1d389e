//! Typed ids: a prefix that names the entity and a UUIDv7 in lower-case base32hex.
//!
//! `prod_06f2kq…` sorts by creation time as text and as bytes, is the same in every subgraph, and is stored as
//! 16 bytes. The text form is what clients see and must treat as opaque.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;
use std::str::FromStr;
use std::sync::{Arc, LazyLock, Mutex};

use data_encoding::{Encoding, Specification};
use rand::RngCore;
use sea_orm::sea_query::{ArrayType, ColumnType, Nullable, ValueType, ValueTypeErr};
use sea_orm::{ColIdx, DbErr, QueryResult, TryFromU64, TryGetError, TryGetable, Value};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::Uuid;

use crate::clock::Clock;

/// Characters of the encoded UUID.
const ENCODED: usize = 26;

static BASE32: LazyLock<Encoding> = LazyLock::new(|| {
    let mut specification = Specification::new();
    specification.symbols.push_str("0123456789abcdefghijklmnopqrstuv");
    specification.encoding().expect("32 distinct symbols are a valid alphabet")
});

/// An entity that has ids of its own. Implemented by the markers in this module.
pub trait Entity: Copy + Eq + Ord + Hash + fmt::Debug + Send + Sync + 'static {
    /// The text before the underscore, unique among all entities of the shop.
    const PREFIX: &'static str;
}

/// The id of an `E`.
pub struct Id<E>(Uuid, PhantomData<fn() -> E>);

/// Why a text is no id of the wanted entity.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not an id of the form {prefix}_…")]
pub struct ParseIdError {
    /// The prefix that was wanted.
    pub prefix: &'static str,
}

impl<E: Entity> Id<E> {
    /// The id with these 128 bits.
    pub const fn from_uuid(uuid: Uuid) -> Self {
        Self(uuid, PhantomData)
    }

    /// The 128 bits.
    pub const fn uuid(self) -> Uuid {
        self.0
    }

    /// The id that is always the same for the same seed, entity and number: used by the seed.
    pub fn stable(at_ms: u64, seed: [u8; 10]) -> Self {
        Self::from_uuid(uuid::Builder::from_unix_timestamp_millis(at_ms, &seed).into_uuid())
    }
}

impl<E> Clone for Id<E> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<E> Copy for Id<E> {}
impl<E> PartialEq for Id<E> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}
impl<E> Eq for Id<E> {}
impl<E> PartialOrd for Id<E> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl<E> Ord for Id<E> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.cmp(&other.0)
    }
}
impl<E> Hash for Id<E> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}

impl<E: Entity> fmt::Display for Id<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = [0u8; ENCODED];
        BASE32.encode_mut(self.0.as_bytes(), &mut text);
        f.write_str(E::PREFIX)?;
        f.write_str("_")?;
        f.write_str(std::str::from_utf8(&text).map_err(|_| fmt::Error)?)
    }
}

impl<E: Entity> fmt::Debug for Id<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl<E: Entity> FromStr for Id<E> {
    type Err = ParseIdError;

    fn from_str(text: &str) -> Result<Self, ParseIdError> {
        let error = ParseIdError { prefix: E::PREFIX };
        let encoded =
            text.strip_prefix(E::PREFIX).and_then(|rest| rest.strip_prefix('_')).ok_or(error.clone())?;
        if encoded.len() != ENCODED {
            return Err(error);
        }
        let mut bytes = [0u8; 16];
        match BASE32.decode_mut(encoded.as_bytes(), &mut bytes) {
            Ok(16) => Ok(Self::from_uuid(Uuid::from_bytes(bytes))),
            _ => Err(error),
        }
    }
}

impl<E: Entity> Serialize for Id<E> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de, E: Entity> Deserialize<'de> for Id<E> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

// Column type: 16 bytes on both databases, the same bytes as the UUID.

impl<E> From<Id<E>> for Value {
    fn from(id: Id<E>) -> Self {
        id.0.into()
    }
}

impl<E: Entity> TryGetable for Id<E> {
    fn try_get_by<I: ColIdx>(row: &QueryResult, index: I) -> Result<Self, TryGetError> {
        Uuid::try_get_by(row, index).map(Self::from_uuid)
    }
}

impl<E: Entity> ValueType for Id<E> {
    fn try_from(value: Value) -> Result<Self, ValueTypeErr> {
        <Uuid as ValueType>::try_from(value).map(Self::from_uuid)
    }

    fn type_name() -> String {
        E::PREFIX.to_owned()
    }

    fn array_type() -> ArrayType {
        <Uuid as ValueType>::array_type()
    }

    fn column_type() -> ColumnType {
        <Uuid as ValueType>::column_type()
    }
}

impl<E> Nullable for Id<E> {
    fn null() -> Value {
        <Uuid as Nullable>::null()
    }
}

impl<E> sea_orm::IntoActiveValue<Id<E>> for Id<E>
where
    Value: From<Id<E>>,
{
    fn into_active_value(self) -> sea_orm::ActiveValue<Id<E>> {
        sea_orm::ActiveValue::Set(self)
    }
}

impl<E: Entity> TryFromU64 for Id<E> {
    fn try_from_u64(_: u64) -> Result<Self, DbErr> {
        Err(DbErr::ConvertFromU64(E::PREFIX))
    }
}

/// Makes new ids: random in production, a counted sequence in tests, so that snapshots are stable.
#[derive(Clone, Debug)]
pub struct Ids(Source);

#[derive(Clone, Debug)]
enum Source {
    Random(Clock),
    Counted(Arc<Mutex<u64>>),
}

impl Ids {
    /// UUIDv7 of the clock's time and 74 random bits.
    pub fn random(clock: Clock) -> Self {
        Self(Source::Random(clock))
    }

    /// 1, 2, 3, … in the random bits, at time zero.
    pub fn counted() -> Self {
        Self(Source::Counted(Arc::default()))
    }

    /// A new id.
    pub fn next<E: Entity>(&self) -> Id<E> {
        match &self.0 {
            Source::Random(clock) => {
                let mut random = [0u8; 10];
                rand::rng().fill_bytes(&mut random);
                Id::stable(clock.now().millis().unsigned_abs(), random)
            }
            Source::Counted(last) => {
                let mut last = last.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                *last += 1;
                let mut counted = [0u8; 10];
                counted[2..].copy_from_slice(&last.to_be_bytes());
                Id::stable(0, counted)
            }
        }
    }
}

// The entities of the shop, each with its prefix and its subgraph.

/// A customer or a member of staff. Owned by `users`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum User {}
impl Entity for User {
    const PREFIX: &'static str = "usr";
}
/// The id of a [`User`].
pub type UserId = Id<User>;

/// An address in a user's address book. Owned by `users`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Address {}
impl Entity for Address {
    const PREFIX: &'static str = "addr";
}
/// The id of a [`Address`].
pub type AddressId = Id<Address>;

/// A login. Owned by `users`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Session {}
impl Entity for Session {
    const PREFIX: &'static str = "ses";
}
/// The id of a [`Session`].
pub type SessionId = Id<Session>;

/// A second factor that is asked for. Owned by `users`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MfaChallenge {}
impl Entity for MfaChallenge {
    const PREFIX: &'static str = "mfa";
}
/// The id of a [`MfaChallenge`].
pub type MfaChallengeId = Id<MfaChallenge>;

/// A product. Owned by `products`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Product {}
impl Entity for Product {
    const PREFIX: &'static str = "prod";
}
/// The id of a [`Product`].
pub type ProductId = Id<Product>;

/// A variant of a product: what can be bought. Owned by `products`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Variant {}
impl Entity for Variant {
    const PREFIX: &'static str = "var";
}
/// The id of a [`Variant`].
pub type VariantId = Id<Variant>;

/// A category. Owned by `products`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Category {}
impl Entity for Category {
    const PREFIX: &'static str = "cat";
}
/// The id of a [`Category`].
pub type CategoryId = Id<Category>;

/// A sales channel. Owned by `products`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Channel {}
impl Entity for Channel {
    const PREFIX: &'static str = "chn";
}
/// The id of a [`Channel`].
pub type ChannelId = Id<Channel>;

/// A review of a product. Owned by `products`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Review {}
impl Entity for Review {
    const PREFIX: &'static str = "rev";
}
/// The id of a [`Review`].
pub type ReviewId = Id<Review>;

/// A cart. Owned by `cart`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cart {}
impl Entity for Cart {
    const PREFIX: &'static str = "cart";
}
/// The id of a [`Cart`].
pub type CartId = Id<Cart>;

/// A line of a cart. Owned by `cart`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CartLine {}
impl Entity for CartLine {
    const PREFIX: &'static str = "cln";
}
/// The id of a [`CartLine`].
pub type CartLineId = Id<CartLine>;

/// A wish list. Owned by `cart`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Wishlist {}
impl Entity for Wishlist {
    const PREFIX: &'static str = "wish";
}
/// The id of a [`Wishlist`].
pub type WishlistId = Id<Wishlist>;

/// A promotion. Owned by `cart`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Promotion {}
impl Entity for Promotion {
    const PREFIX: &'static str = "prm";
}
/// The id of a [`Promotion`].
pub type PromotionId = Id<Promotion>;

/// An order. Owned by `orders`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Order {}
impl Entity for Order {
    const PREFIX: &'static str = "ord";
}
/// The id of a [`Order`].
pub type OrderId = Id<Order>;

/// A line of an order. Owned by `orders`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OrderLine {}
impl Entity for OrderLine {
    const PREFIX: &'static str = "oln";
}
/// The id of a [`OrderLine`].
pub type OrderLineId = Id<OrderLine>;

/// A shipment. Owned by `orders`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fulfillment {}
impl Entity for Fulfillment {
    const PREFIX: &'static str = "ful";
}
/// The id of a [`Fulfillment`].
pub type FulfillmentId = Id<Fulfillment>;

/// A return of goods. Owned by `orders`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Return {}
impl Entity for Return {
    const PREFIX: &'static str = "ret";
}
/// The id of a [`Return`].
pub type ReturnId = Id<Return>;

/// One run of the checkout. Owned by `orders`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CheckoutAttempt {}
impl Entity for CheckoutAttempt {
    const PREFIX: &'static str = "chk";
}
/// The id of a [`CheckoutAttempt`].
pub type CheckoutAttemptId = Id<CheckoutAttempt>;

/// A payment. Owned by `payments`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Payment {}
impl Entity for Payment {
    const PREFIX: &'static str = "pay";
}
/// The id of a [`Payment`].
pub type PaymentId = Id<Payment>;

/// A step of a payment at the provider. Owned by `payments`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Transaction {}
impl Entity for Transaction {
    const PREFIX: &'static str = "txn";
}
/// The id of a [`Transaction`].
pub type TransactionId = Id<Transaction>;

/// A refund. Owned by `payments`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Refund {}
impl Entity for Refund {
    const PREFIX: &'static str = "rfn";
}
/// The id of a [`Refund`].
pub type RefundId = Id<Refund>;

/// A stored payment method. Owned by `payments`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PaymentMethod {}
impl Entity for PaymentMethod {
    const PREFIX: &'static str = "pm";
}
/// The id of a [`PaymentMethod`].
pub type PaymentMethodId = Id<PaymentMethod>;

/// A gift card. Owned by `payments`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum GiftCard {}
impl Entity for GiftCard {
    const PREFIX: &'static str = "gift";
}
/// The id of a [`GiftCard`].
pub type GiftCardId = Id<GiftCard>;

/// A place where stock lies. Owned by `inventory`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StockLocation {}
impl Entity for StockLocation {
    const PREFIX: &'static str = "loc";
}
/// The id of a [`StockLocation`].
pub type StockLocationId = Id<StockLocation>;

/// Stock set aside for a cart or an order. Owned by `inventory`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reservation {}
impl Entity for Reservation {
    const PREFIX: &'static str = "rsv";
}
/// The id of a [`Reservation`].
pub type ReservationId = Id<Reservation>;

/// A message to a user. Owned by `notifications`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Notification {}
impl Entity for Notification {
    const PREFIX: &'static str = "ntf";
}
/// The id of a [`Notification`].
pub type NotificationId = Id<Notification>;

/// A webhook endpoint. Owned by `notifications`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Webhook {}
impl Entity for Webhook {
    const PREFIX: &'static str = "whk";
}
/// The id of a [`Webhook`].
pub type WebhookId = Id<Webhook>;

/// One answered search. Owned by `search`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SearchRun {}
impl Entity for SearchRun {
    const PREFIX: &'static str = "srch";
}
/// The id of a [`SearchRun`].
pub type SearchRunId = Id<SearchRun>;

/// One answered recommendation. Owned by `search`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RecommendationRun {}
impl Entity for RecommendationRun {
    const PREFIX: &'static str = "rec";
}
/// The id of a [`RecommendationRun`].
pub type RecommendationRunId = Id<RecommendationRun>;

/// An event between subgraphs. Owned by `messaging`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Event {}
impl Entity for Event {
    const PREFIX: &'static str = "evt";
}
/// The id of a [`Event`].
pub type EventId = Id<Event>;

/// Something to be done in the background. Owned by `jobs`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Job {}
impl Entity for Job {
    const PREFIX: &'static str = "job";
}
/// The id of a [`Job`].
pub type JobId = Id<Job>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_survives_its_text() {
        let id: ProductId = Ids::random(Clock::system()).next();
        assert_eq!(id.to_string().parse::<ProductId>(), Ok(id));
        assert!(id.to_string().starts_with("prod_"));
    }

    #[test]
    fn an_id_of_another_entity_is_refused() {
        let cart: CartId = Ids::counted().next();
        assert!(cart.to_string().parse::<ProductId>().is_err());
        assert!("prod_".parse::<ProductId>().is_err());
        assert!("prod_zzzzzzzzzzzzzzzzzzzzzzzzzz".parse::<ProductId>().is_err());
    }

    #[test]
    fn ids_sort_by_creation_as_text_too() {
        let ids = Ids::counted();
        let made: Vec<OrderId> = (0..100).map(|_| ids.next()).collect();
        assert!(made.windows(2).all(|pair| pair[0] < pair[1] && pair[0].to_string() < pair[1].to_string()));
    }
}
