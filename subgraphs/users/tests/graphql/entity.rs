//! Users and addresses as the gateway comes back to them, and who sees what.

use auth::Viewer;
use serde_json::{Value, json};
use subgraph::testing;

use crate::Bench;

const ENTITIES: &str = "query E($r: [_Any!]!) { _entities(representations: $r) {
    ... on User { id displayName }
    ... on Address { id city } } }";
const PERSONAL: &str =
    "id version email emailVerified phone displayName locale roles { name scopes } mfaMethods
    addresses { nodes { city } } defaultShippingAddress { city } defaultBillingAddress { city } createdAt";

fn user(id: &Value) -> Value {
    json!({ "__typename": "User", "id": id })
}

impl Bench {
    /// A user with an address and a name that others see: their id and their address's.
    async fn resident(&self, email: &str) -> (Viewer, Value, Value) {
        use sea_orm::ConnectionTrait as _;
        let viewer = self.newcomer(email).await.viewer;
        let name = format!("UPDATE user SET display_name = 'Somebody' WHERE email = '{email}'");
        self.ports.database.schema().execute_unprepared(&name).await.unwrap();
        let home = json!({
            "kind": "BOTH", "recipient": "R", "line1": "L", "city": "Kuwait City", "countryCode": "KW",
        });
        let kept = self.mutate(&viewer, "addressUpsert", "address { id } userErrors { code }", home).await;
        let id = json!(viewer.user_id().unwrap().to_string());
        (viewer, id, kept["address"]["id"].clone())
    }
}

#[tokio::test]
async fn a_user_sees_all_of_their_own_account() {
    let bench = Bench::new().await;
    let (ada, _, _) = bench.resident("ada@example.com").await;
    let answer = bench.run(&ada, &format!("{{ me {{ {PERSONAL} }} }}"), json!({})).await;
    insta::assert_json_snapshot!(answer);
    assert_eq!(bench.run(&Viewer::anonymous(), "{ me { id } }", json!({})).await["data"]["me"], json!(null));
}

#[tokio::test]
async fn others_see_the_name_and_get_an_error_at_each_personal_field_alone() {
    let bench = Bench::new().await;
    let (_, ada, _) = bench.resident("ada@example.com").await;
    let (bob, _, _) = bench.resident("bob@example.com").await;
    let personal = [
        "version",
        "email",
        "emailVerified",
        "phone",
        "locale",
        "roles { name }",
        "mfaMethods",
        "addresses { nodes { id } }",
        "defaultShippingAddress { id }",
        "defaultBillingAddress { id }",
        "createdAt",
    ];
    for (viewer, refused) in [(Viewer::anonymous(), "UNAUTHENTICATED"), (bob, "FORBIDDEN")] {
        for field in personal {
            let document = format!(
                "query E($r: [_Any!]!) {{ _entities(representations: $r) {{ ... on User {{ displayName {field} }} }} }}"
            );
            let answer = bench.run(&viewer, &document, json!({ "r": [user(&ada)] })).await;
            assert_eq!(answer["data"]["_entities"], json!([{ "displayName": "Somebody" }]), "{field}");
            let errors = answer["errors"].as_array().unwrap();
            assert_eq!((errors.len(), &errors[0]["extensions"]["code"]), (1, &json!(refused)), "{field}");
        }
    }
}

#[tokio::test]
async fn support_and_services_see_personal_data_and_others_may_not_even_ask() {
    let bench = Bench::new().await;
    let (_, ada, _) = bench.resident("ada@example.com").await;
    let support = bench.staff("support@example.com", "support").await.viewer;
    let document = "query U($id: ID!) { user(id: $id) { email addresses { nodes { city } }
        defaultShippingAddress { city } roles { name } } }";
    let seen = bench.run(&support, document, json!({ "id": ada })).await;
    insta::assert_json_snapshot!(seen);
    let warehouse = bench.staff("warehouse@example.com", "warehouse").await.viewer;
    for (viewer, refused) in [(Viewer::anonymous(), "UNAUTHENTICATED"), (warehouse, "FORBIDDEN")] {
        let answer = bench.run(&viewer, document, json!({ "id": ada })).await;
        assert_eq!(answer["errors"][0]["extensions"]["code"], refused);
    }
    let service = Viewer::service("orders");
    let document = "query E($r: [_Any!]!) { _entities(representations: $r) { ... on User { email } } }";
    let answer = bench.run(&service, document, json!({ "r": [user(&ada)] })).await;
    assert_eq!(answer["data"]["_entities"], json!([{ "email": "ada@example.com" }]));
}

#[tokio::test]
async fn entities_keep_their_order_and_what_is_not_there_is_null_by_itself() {
    let bench = Bench::new().await;
    let (viewer, ada, home) = bench.resident("ada@example.com").await;
    let (_, bob, bobs) = bench.resident("bob@example.com").await;
    let address = |id: &Value| json!({ "__typename": "Address", "id": id });
    let unknown = json!("usr_0000000000000000000000000g");
    let asked = json!([
        user(&bob),
        user(&unknown),
        address(&bobs),
        user(&ada),
        user(&json!("nonsense")),
        address(&home),
        user(&bob),
    ]);
    let answer = bench.run(&viewer, ENTITIES, json!({ "r": asked })).await;
    let name = |id: &Value| json!({ "displayName": "Somebody", "id": id });
    let expected = json!([
        name(&bob), null, null, name(&ada), null, { "city": "Kuwait City", "id": home }, name(&bob),
    ]);
    assert_eq!(answer, json!({ "data": { "_entities": expected } }));
}

#[tokio::test]
async fn a_fetch_of_many_entities_takes_one_statement_for_each_type() {
    let bench = Bench::new().await;
    let mut asked = Vec::new();
    let mut last = Viewer::anonymous();
    for number in 0..30 {
        let (viewer, id, home) = bench.resident(&format!("user{number}@example.com")).await;
        asked.extend([user(&id), json!({ "__typename": "Address", "id": home })]);
        last = viewer;
    }
    let count = testing::statements(&bench.subgraph, &last, ENTITIES, json!({ "r": asked })).await;
    assert_eq!(count, 2);
    // The users are known by now, and both defaults come in one statement.
    let document = "{ me { defaultShippingAddress { id } defaultBillingAddress { city } } }";
    assert_eq!(testing::statements(&bench.subgraph, &last, document, json!({})).await, 1);
}
