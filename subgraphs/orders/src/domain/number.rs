//! Order numbers: what people read to each other.

use common::id::OrderId;
use sha2::{Digest as _, Sha256};

/// Digits and letters without those that are taken for others (Crockford's base 32).
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// Characters behind the prefix: 50 bits.
const LENGTH: usize = 10;

/// The number of an order: `TP-` and ten characters that tell neither how many orders there are nor the order's id.
/// Where the number is taken, the next `try_no` gives another one.
pub fn number(order: OrderId, try_no: u32) -> String {
    let mut hash = Sha256::new();
    hash.update(order.uuid().as_bytes());
    hash.update(try_no.to_be_bytes());
    let digest = hash.finalize();
    let mut text = String::from("TP-");
    for byte in digest.iter().take(LENGTH) {
        text.push(char::from(ALPHABET[usize::from(byte & 31)]));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use common::Ids;
    use std::collections::HashSet;

    #[test]
    fn numbers_are_short_stable_and_different() {
        let ids = Ids::counted();
        let orders: Vec<OrderId> = (0..10_000).map(|_| ids.next()).collect();
        let numbers: HashSet<String> = orders.iter().map(|order| number(*order, 0)).collect();
        assert_eq!(numbers.len(), orders.len());
        assert_eq!(number(orders[0], 0), number(orders[0], 0));
        assert_ne!(number(orders[0], 0), number(orders[0], 1));
        assert_eq!(number(orders[0], 0).len(), 13);
    }
}
