//! The seeded world.

use auth::Viewer;
use seed::{DEMO_PASSWORD, DEMO_USERS, World};
use serde_json::json;
use subgraph::seeding::Progress;

use crate::{Bench, code};

const SMALL: World = World { seed: 1, products: 1, users: 30, orders: 1 };

#[tokio::test]
async fn demo_users_of_every_role_log_in_and_others_do_not() {
    let bench = Bench::new().await;
    users::seed(&bench.ports, &SMALL, &Progress::silent()).await.unwrap();
    for demo in &DEMO_USERS {
        let answer = bench.try_login(demo.email, DEMO_PASSWORD).await;
        let login = bench.read_login(&answer).unwrap();
        let me = bench.run(
            &login.viewer,
            "{ me { displayName roles { name } addresses { nodes { city } } } }",
            json!({}),
        );
        let expected = json!({
            "displayName": demo.name, "roles": [{ "name": demo.role }],
            "addresses": { "nodes": [{ "city": "Portland" }] },
        });
        assert_eq!(me.await["data"]["me"], expected);
    }
    assert_eq!(code(&bench.try_login(&SMALL.user(7).email, DEMO_PASSWORD).await), "INVALID");
}

#[tokio::test]
async fn seeding_again_adds_only_what_a_larger_world_has_more() {
    let bench = Bench::new().await;
    let larger = World { users: 50, ..SMALL };
    for world in [SMALL, SMALL, larger] {
        users::seed(&bench.ports, &world, &Progress::silent()).await.unwrap();
    }
    let everybody: Vec<_> =
        (0..50).map(|number| json!({ "__typename": "User", "id": larger.user_id(number) })).collect();
    let document = "query E($r: [_Any!]!) { _entities(representations: $r) { ... on User { email } } }";
    let answer = bench.run(&Viewer::service("orders"), document, json!({ "r": everybody })).await;
    let expected: Vec<_> = (0..50).map(|number| json!({ "email": larger.user(number).email })).collect();
    assert_eq!(answer["data"]["_entities"], json!(expected));
}
