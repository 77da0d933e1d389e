//! From which locations an order is served.

use std::cmp::Reverse;

use common::id::StockLocationId;

/// What one location has of a variant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shelf {
    /// Where.
    pub location: StockLocationId,
    /// How many are there and promised to nobody; below zero where more is promised than is there.
    pub free: i64,
    /// Whether it stands in the country that the goods are sent to.
    pub home: bool,
}

/// Takes `wanted` from the shelves: those at home first, the fullest first, so that few parcels are sent. What is
/// missing is put on the first shelf where `oversell` allows it. `None` where there is not enough.
pub fn allocate(mut shelves: Vec<Shelf>, wanted: i64, oversell: bool) -> Option<Vec<(StockLocationId, i64)>> {
    shelves.sort_by_key(|shelf| (Reverse(shelf.home), Reverse(shelf.free), shelf.location));
    let mut portions: Vec<(StockLocationId, i64)> = Vec::new();
    let mut missing = wanted;
    for shelf in &shelves {
        let taken = shelf.free.clamp(0, missing);
        if taken > 0 {
            portions.push((shelf.location, taken));
            missing -= taken;
        }
    }
    if missing == 0 {
        return Some(portions);
    }
    let first = shelves.first().filter(|_| oversell)?.location;
    match portions.iter_mut().find(|(location, _)| *location == first) {
        Some((_, taken)) => *taken += missing,
        None => portions.push((first, missing)),
    }
    Some(portions)
}

/// Shares what was taken from several places out among several who want it, in order: whom, from where, how many. Both
/// come to the same sum.
pub fn share_out<W: Copy, P: Copy>(wanted: &[(W, i32)], taken: &[(P, i32)]) -> Vec<(W, P, i32)> {
    let mut shares = Vec::new();
    let mut places = taken.iter().copied();
    let mut place = places.next();
    for (whom, mut missing) in wanted.iter().copied() {
        while let Some((from, left)) = place.filter(|_| missing > 0) {
            let quantity = left.min(missing);
            shares.push((whom, from, quantity));
            missing -= quantity;
            place = if left > quantity { Some((from, left - quantity)) } else { places.next() };
        }
    }
    shares
}

#[cfg(test)]
mod tests {
    use super::*;
    use common::Ids;

    #[test]
    fn goods_come_from_home_first_and_from_few_places() {
        let ids = Ids::counted();
        let [home, near, far]: [StockLocationId; 3] = [ids.next(), ids.next(), ids.next()];
        let shelves = |home_has, near_has, far_has| {
            vec![
                Shelf { location: far, free: far_has, home: false },
                Shelf { location: near, free: near_has, home: false },
                Shelf { location: home, free: home_has, home: true },
            ]
        };
        for (shelves, wanted, oversell, portions) in [
            (shelves(5, 50, 9), 3, false, Some(vec![(home, 3)])),
            (shelves(2, 9, 50), 5, false, Some(vec![(home, 2), (far, 3)])),
            (shelves(0, 3, 3), 6, false, Some(vec![(near, 3), (far, 3)])),
            (shelves(1, 1, 1), 4, false, None),
            (shelves(1, 1, 1), 4, true, Some(vec![(home, 2), (near, 1), (far, 1)])),
            (shelves(-2, 0, 0), 1, true, Some(vec![(home, 1)])),
            (vec![], 1, true, None),
        ] {
            assert_eq!(allocate(shelves.clone(), wanted, oversell), portions, "{shelves:?} {wanted}");
        }
    }

    #[test]
    fn what_is_taken_is_shared_out_in_order_and_to_the_last_piece() {
        for (wanted, taken, shares) in [
            (vec![('a', 3)], vec![(1, 3)], vec![('a', 1, 3)]),
            (vec![('a', 3)], vec![(1, 2), (2, 1)], vec![('a', 1, 2), ('a', 2, 1)]),
            (vec![('a', 1), ('b', 2)], vec![(1, 3)], vec![('a', 1, 1), ('b', 1, 2)]),
            (vec![('a', 2), ('b', 2)], vec![(1, 3), (2, 1)], vec![('a', 1, 2), ('b', 1, 1), ('b', 2, 1)]),
            (vec![('a', 1), ('b', 1)], vec![(1, 1), (2, 1)], vec![('a', 1, 1), ('b', 2, 1)]),
        ] {
            assert_eq!(share_out(&wanted, &taken), shares, "{wanted:?} {taken:?}");
        }
    }
}
