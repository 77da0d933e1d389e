//! The shop's own schema composes: the supergraph is the one in the snapshot.

use crate::subgraphs::shop;

#[test]
fn the_shop_composes_without_errors_or_hints() {
    let composition = compose::compose(&shop()).expect("the shop's schema is valid");
    assert_eq!(composition.hints, []);
    insta::assert_snapshot!("supergraph", composition.supergraph_sdl);
    insta::assert_snapshot!("api", composition.api_sdl);
}

#[test]
fn the_order_of_subgraphs_does_not_matter() {
    let mut subgraphs = shop();
    let once = compose::compose(&subgraphs).expect("valid");
    subgraphs.reverse();
    assert_eq!(compose::compose(&subgraphs).expect("valid"), once);
}

#[test]
fn the_api_schema_of_a_supergraph_is_the_compositions() {
    let composition = compose::compose(&shop()).expect("valid");
    assert_eq!(compose::api_schema(&composition.supergraph_sdl).expect("a supergraph"), composition.api_sdl);
}
