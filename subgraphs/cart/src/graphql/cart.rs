//! Carts.

use std::sync::Arc;

use async_graphql::{Context, Enum, ID, Object, Result, SimpleObject};
use common::{Cursor, Fault, Money as Amount, PageArgs};
use subgraph::graphql::{Connection, CountryCode, CurrencyCode, DateTime, Money};
use tokio::sync::OnceCell;

use super::address::CartAddress;
use super::line::CartLine;
use super::loader::Loaders;
use super::part;
use super::promotion::PromotionApplication;
use super::user::User;
use crate::domain::{self, Priced};
use crate::service::Carts;

/// A cart.
#[derive(Clone)]
pub struct Cart {
    row: Arc<domain::Cart>,
    /// Read and priced when a field first needs it.
    priced: Arc<OnceCell<Arc<Priced>>>,
}

/// Where a cart is in its life.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "domain::CartState")]
pub enum CartState {
    /// The buyer fills it.
    Active,
    /// A checkout is under way; nothing in it changes.
    Frozen,
    /// Its lines went into the cart of the customer who logged in.
    Merged,
    /// It became an order.
    Ordered,
    /// Nobody came back for it.
    Abandoned,
}

/// What a cart comes to.
#[derive(SimpleObject)]
pub struct CartCost {
    /// The lines before discounts.
    pub subtotal: Money,
    /// What promotions take off the lines, as a positive amount.
    pub discount: Money,
    /// What delivery costs; null while no delivery option is chosen.
    pub shipping: Option<Money>,
    /// The tax of lines and delivery: within the prices, or on top of them, as is usual in the channel.
    pub tax: Option<Money>,
    /// What is to be paid.
    pub total: Money,
    /// Whether the total can still change: the address is incomplete or no delivery option is chosen.
    pub estimated: bool,
}

/// A way to send the cart.
#[derive(SimpleObject)]
pub struct DeliveryOption {
    /// The option's id, for `cartDeliverySelect`.
    pub id: ID,
    /// The option's name.
    pub title: String,
    /// What it costs, promotions not counted.
    pub cost: Money,
    /// Working days it takes at least.
    pub min_days: Option<i32>,
    /// Working days it takes at the most.
    pub max_days: Option<i32>,
}

impl From<Arc<domain::Cart>> for Cart {
    fn from(row: Arc<domain::Cart>) -> Self {
        Self { row, priced: Arc::default() }
    }
}

impl From<Priced> for Cart {
    fn from(priced: Priced) -> Self {
        let row = Arc::new(priced.basket.cart.clone());
        Self { row, priced: Arc::new(OnceCell::new_with(Some(Arc::new(priced)))) }
    }
}

impl Cart {
    /// The cart with its lines and what it comes to.
    pub async fn priced(&self, context: &Context<'_>) -> Result<&Arc<Priced>, Fault> {
        self.priced
            .get_or_try_init(|| async {
                let lines = Loaders::of(context)?.lines.load(self.row.id).await?.unwrap_or_default();
                let priced =
                    part::<Carts>(context)?.priced(domain::Cart::clone(&self.row), lines.to_vec()).await?;
                Ok(Arc::new(priced))
            })
            .await
    }
}

/// A cart.
#[Object]
impl Cart {
    /// The cart's id.
    pub async fn id(&self) -> ID {
        self.row.id.into()
    }

    /// Rises with every change by the buyer.
    async fn version(&self) -> i32 {
        self.row.version
    }

    /// Where it is in its life.
    async fn state(&self) -> CartState {
        self.row.state.into()
    }

    /// What everything in it is priced in.
    async fn currency(&self) -> CurrencyCode {
        CurrencyCode(self.row.currency)
    }

    /// The country that it is sent to.
    async fn country_code(&self) -> Option<CountryCode> {
        Some(CountryCode(self.row.destination().to_owned()))
    }

    /// Whose it is; null for a guest's.
    async fn owner(&self) -> Option<User> {
        self.row.owner.map(|id| User { id })
    }

    /// Where to write to the buyer.
    async fn buyer_email(&self) -> Option<&str> {
        self.row.email.as_deref()
    }

    /// Where to send the goods.
    async fn shipping_address(&self) -> Option<CartAddress> {
        self.row.shipping_address.as_ref().map(CartAddress::from)
    }

    /// Where to send the bill; the shipping address where it is null.
    async fn billing_address(&self) -> Option<CartAddress> {
        self.row.billing_address.as_ref().map(CartAddress::from)
    }

    /// The lines, in the order in which they were added.
    async fn lines(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "How many, at most 100.", default_with = "Some(100)")] first: Option<i32>,
        #[graphql(desc = "The `endCursor` of the page before.")] after: Option<String>,
    ) -> Result<Connection<CartLine>> {
        let page = PageArgs::parse(first.unwrap_or(100), after.as_deref()).map_err(Fault::from)?;
        let priced = self.priced(context).await?;
        let begin = match &page.after {
            Some(cursor) => Some(cursor.key(0, 1).map_err(Fault::from)?),
            None => None,
        };
        let places = priced.basket.lines.iter().enumerate();
        let rest = places.filter(|(_, line)| begin.is_none_or(|begin: i32| line.position > begin));
        let rows: Vec<CartLine> = rest
            .take(page.first + 1)
            .map(|(place, _)| CartLine { priced: Arc::clone(priced), place })
            .collect();
        Ok(Connection::new(&page, rows, |line| Cursor::new(&[&line.line().position]), |line| line))
    }

    /// The products of its lines, each once, for what others make of them. Hidden from clients.
    #[graphql(inaccessible)]
    async fn product_ids(&self, context: &Context<'_>) -> Result<Vec<ID>> {
        let lines = Loaders::of(context)?.lines.load(self.row.id).await?.unwrap_or_default();
        let mut products = Vec::new();
        for product in lines.iter().filter_map(|line| Some(line.offer.as_ref()?.product)) {
            if !products.contains(&product) {
                products.push(product);
            }
        }
        Ok(products.into_iter().map(ID::from).collect())
    }

    /// How many articles there are, over all lines.
    async fn total_quantity(&self, context: &Context<'_>) -> Result<i32> {
        Ok(self.priced(context).await?.basket.total_quantity())
    }

    /// What it comes to.
    async fn cost(&self, context: &Context<'_>) -> Result<CartCost> {
        let quote = &self.priced(context).await?.quote;
        let money = |minor| Money(Amount::new(minor, quote.currency));
        Ok(CartCost {
            subtotal: money(quote.subtotal),
            discount: money(quote.discount),
            shipping: quote.shipping.map(money),
            tax: Some(money(quote.tax)),
            total: money(quote.total),
            estimated: quote.estimated,
        })
    }

    /// The promotions that apply.
    async fn promotions(&self, context: &Context<'_>) -> Result<Vec<PromotionApplication>> {
        let quote = &self.priced(context).await?.quote;
        let applications = quote.applications.iter();
        Ok(applications.map(|application| PromotionApplication::new(application, quote.currency)).collect())
    }

    /// How it can be sent; none while it is empty or a checkout is under way.
    async fn delivery_options(&self, context: &Context<'_>) -> Result<Vec<DeliveryOption>> {
        let quote = &self.priced(context).await?.quote;
        let options = quote.options.iter().map(|option| DeliveryOption {
            id: ID::from(option.id),
            title: option.title.to_owned(),
            cost: Amount::new(option.cost_minor, quote.currency).into(),
            min_days: Some(option.min_days),
            max_days: Some(option.max_days),
        });
        Ok(options.collect())
    }

    /// The delivery option that the buyer chose.
    async fn selected_delivery_option_id(&self) -> Option<ID> {
        self.row.delivery_option.clone().map(ID::from)
    }

    /// When the buyer last changed it.
    async fn updated_at(&self) -> DateTime {
        self.row.updated_at.into()
    }
}
