//! Changes to carts and wish lists.

use async_graphql::{Context, Object, Result};
use events::calls::cart::{CompleteCart, FreezeCart, ThawCart};
use subgraph::graphql::{Authenticated, ServiceCall, ServiceOnly, authenticated, parse_id, viewer};

use super::input::{
    CartAddressInput, CartBuyerInput, CartCodesInput, CartCreateInput, CartDeliverySelectInput,
    CartLinesAddInput, CartLinesUpdateInput, CartMergeInput, WishlistItemInput, changes, wanted,
};
use super::part;
use super::payload::{CartPayload, WishlistPayload};
use super::wishlist::Wishlist;
use crate::domain::{Address, Refusal};
use crate::service::{AddressEdit, Carts, Edit, Merge, NewCart, Request, Wish};

/// Where changing begins.
pub struct Mutation;

/// Where changing begins.
#[Object]
impl Mutation {
    /// Makes a cart: the viewer's, or a guest's, which belongs to whoever knows its id.
    async fn cart_create(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The cart.")] input: CartCreateInput,
    ) -> Result<CartPayload> {
        let new = NewCart {
            lines: wanted(input.lines.unwrap_or_default())?,
            country: input.country_code.map(|country| country.0),
            currency: input.currency.map(|currency| currency.0),
            key: input.idempotency_key.map(|key| key.0),
        };
        let outcome = part::<Carts>(context)?.create(viewer(context), &new).await?;
        CartPayload::of(context, None, outcome).await
    }

    /// Puts variants into a cart.
    async fn cart_lines_add(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The cart and what to put into it.")] input: CartLinesAddInput,
    ) -> Result<CartPayload> {
        let request = Request {
            cart: parse_id(&input.cart_id)?,
            expected_version: input.expected_version,
            key: Some(input.idempotency_key.0),
            edit: Edit::Add(wanted(input.lines)?),
        };
        edit(context, request).await
    }

    /// Changes how many of something are in a cart, or removes it.
    async fn cart_lines_update(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The cart and its lines.")] input: CartLinesUpdateInput,
    ) -> Result<CartPayload> {
        let request = Request {
            cart: parse_id(&input.cart_id)?,
            expected_version: input.expected_version,
            key: None,
            edit: Edit::Update(changes(input.lines)?),
        };
        edit(context, request).await
    }

    /// Says who buys.
    async fn cart_buyer_set(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The cart and its buyer.")] input: CartBuyerInput,
    ) -> Result<CartPayload> {
        let request = Request {
            cart: parse_id(&input.cart_id)?,
            expected_version: input.expected_version,
            key: None,
            edit: Edit::Buyer(input.email),
        };
        edit(context, request).await
    }

    /// Says where to send the goods and the bill.
    async fn cart_address_set(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The cart and its addresses.")] input: CartAddressInput,
    ) -> Result<CartPayload> {
        let cart = parse_id(&input.cart_id)?;
        let from_book = input.address_id.as_ref().map(parse_id).transpose()?;
        if from_book.is_some() && input.address.is_some() {
            return CartPayload::of(context, Some(cart), Err(Refusal::AddressTwice)).await;
        }
        let shipping = input.address.map(Address::try_from).transpose();
        let billing = input.billing.map(Address::try_from).transpose();
        let (shipping, billing) = match (shipping, billing) {
            (Ok(shipping), Ok(billing)) => (shipping, billing),
            (Err(refusal), _) | (_, Err(refusal)) => {
                return CartPayload::of(context, Some(cart), Err(refusal)).await;
            }
        };
        let request = Request {
            cart,
            expected_version: input.expected_version,
            key: None,
            edit: Edit::Address(Box::new(AddressEdit { from_book, shipping, billing })),
        };
        edit(context, request).await
    }

    /// Chooses how to send a cart.
    async fn cart_delivery_select(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The cart and the option.")] input: CartDeliverySelectInput,
    ) -> Result<CartPayload> {
        let request = Request {
            cart: parse_id(&input.cart_id)?,
            expected_version: input.expected_version,
            key: None,
            edit: Edit::Delivery(input.delivery_option_id.0),
        };
        edit(context, request).await
    }

    /// Sets the promotion codes of a cart.
    async fn cart_codes_set(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The cart and its codes.")] input: CartCodesInput,
    ) -> Result<CartPayload> {
        let request = Request {
            cart: parse_id(&input.cart_id)?,
            expected_version: input.expected_version,
            key: None,
            edit: Edit::Codes(input.codes),
        };
        edit(context, request).await
    }

    /// Merges the cart from before the login into the viewer's, which is made where there is none. A cart that was
    /// merged before has no second effect.
    #[graphql(guard = "Authenticated", directive = authenticated::apply())]
    async fn cart_merge(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The cart from before the login.")] input: CartMergeInput,
    ) -> Result<CartPayload> {
        let viewer = viewer(context);
        let user = viewer.require_user()?;
        let guest = parse_id(&input.guest_cart_id)?;
        let merge =
            Merge { guest, policy: input.policy.unwrap_or_default().into(), key: input.idempotency_key.0 };
        let outcome = part::<Carts>(context)?.merge(viewer, user, &merge).await?;
        CartPayload::of(context, Some(guest), outcome).await
    }

    /// Puts a variant on a wish list of the viewer.
    #[graphql(guard = "Authenticated", directive = authenticated::apply())]
    async fn wishlist_item_add(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The wish list and the variant.")] input: WishlistItemInput,
    ) -> Result<WishlistPayload> {
        let user = viewer(context).require_user()?;
        let wish = Wish {
            list: input.wishlist_id.as_ref().map(parse_id).transpose()?,
            variant: parse_id(&input.variant_id)?,
        };
        Ok(match part::<Carts>(context)?.wish(user, wish).await? {
            Ok(list) => WishlistPayload { wishlist: Some(Wishlist(list)), user_errors: Vec::new() },
            Err(refusal) => WishlistPayload { wishlist: None, user_errors: vec![refusal.into()] },
        })
    }

    /// For other subgraphs: freezes a cart for a checkout.
    #[graphql(inaccessible, guard = "ServiceOnly")]
    async fn cart_freeze(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "What is asked.")] request: ServiceCall,
    ) -> Result<ServiceCall> {
        let request: FreezeCart = request.read()?;
        let reply = part::<Carts>(context)?.freeze(viewer(context), &request).await?;
        Ok(ServiceCall::reply::<FreezeCart>(&reply)?)
    }

    /// For other subgraphs: makes a cart active again after a checkout that failed.
    #[graphql(inaccessible, guard = "ServiceOnly")]
    async fn cart_thaw(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "What is asked.")] request: ServiceCall,
    ) -> Result<ServiceCall> {
        let request: ThawCart = request.read()?;
        part::<Carts>(context)?.thaw(viewer(context), &request).await?;
        Ok(ServiceCall::reply::<ThawCart>(&())?)
    }

    /// For other subgraphs: marks a cart as ordered.
    #[graphql(inaccessible, guard = "ServiceOnly")]
    async fn cart_complete(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "What is asked.")] request: ServiceCall,
    ) -> Result<ServiceCall> {
        let request: CompleteCart = request.read()?;
        part::<Carts>(context)?.complete(&request).await?;
        Ok(ServiceCall::reply::<CompleteCart>(&())?)
    }
}

async fn edit(context: &Context<'_>, request: Request) -> Result<CartPayload> {
    let id = request.cart;
    let outcome = part::<Carts>(context)?.edit(viewer(context), request).await?;
    CartPayload::of(context, Some(id), outcome).await
}
