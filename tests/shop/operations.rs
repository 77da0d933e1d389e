//! The documents that front ends send, as they send them.

pub const BOOT: &str = include_str!("../operations/01_boot.graphql");
pub const HOME: &str = include_str!("../operations/02_home.graphql");
pub const PLP: &str = include_str!("../operations/03_plp.graphql");
pub const SUGGEST: &str = include_str!("../operations/04_suggest.graphql");
pub const PDP: &str = include_str!("../operations/05_pdp.graphql");
pub const CART_ADD: &str = include_str!("../operations/06_cart_add.graphql");
pub const CART_VIEW: &str = include_str!("../operations/07_cart_view.graphql");
pub const CODES: &str = include_str!("../operations/08_codes.graphql");
pub const LOGIN_MERGE: &str = include_str!("../operations/09_login_merge.graphql");
pub const ADDRESS_DELIVERY: &str = include_str!("../operations/10_address_delivery.graphql");
pub const CHECKOUT: &str = include_str!("../operations/11_checkout.graphql");
pub const ORDERS: &str = include_str!("../operations/12_orders.graphql");
pub const ENGAGE: &str = include_str!("../operations/15_engage.graphql");
pub const GUEST: &str = include_str!("../operations/17_guest_checkout.graphql");

/// Registering, which no operation file has.
pub const REGISTER: &str = "mutation Register($i: UserRegisterInput!) { userRegister(input: $i) \
    { user { id email } userErrors { code field message } } }";
/// Staff changing stock.
pub const ADJUST: &str = "mutation Adjust($i: StockAdjustInput!) { stockAdjust(input: $i) \
    { level { onHand reserved available version } userErrors { code message } } }";
/// Staff changing a product.
pub const UPSERT: &str = "mutation Upsert($i: ProductUpsertInput!) { productUpsert(input: $i) \
    { product { version } userErrors { code field message } } }";
/// A session with both its tokens.
pub const LOG_IN: &str = "mutation LogIn($i: SessionCreateInput!) { sessionCreate(input: $i) { userErrors { code message } \
    result { __typename ... on Session { accessToken refreshToken user { id email } } } } }";
/// What can be promised of a variant, and what lies where, which only staff see.
pub const STOCK: &str = "query Stock($ids: [ID!]!) { nodes(ids: $ids) { ... on ProductVariant { id \
    availability { status quantity } } } }";
/// The buyer's bank: the test provider's action is done.
pub const CONFIRM_ACTION: &str = "mutation Confirm($id: ID!, $secret: String!) \
    { testPaymentActionComplete(attemptId: $id, clientSecret: $secret) }";
