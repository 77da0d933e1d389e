//! Gateways that tell each other by a real Redis what viewers have written, and know when they cannot know.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use async_graphql_value::{ConstValue, Variables};
use auth::Asker;
use axum::extract::ConnectInfo;
use engine::{LocalRequest, LocalResponse, LocalSubgraph, Prepared, RequestContext, Subgraphs};
use futures::future::{BoxFuture, join_all};
use futures::stream::{self, BoxStream};
use gateway::{GatewayConfig, SharedWrites};
use serde_json::{Value, json};

use crate::door::{Door, engine, post};
use crate::place::{Place, redis_is_here};

const DATABASES: &str = "type Query { marks: String! } type Mutation { write(marks: String!): String }";
/// How far behind a replica may be.
const LAG: Duration = Duration::from_secs(5);
/// What is answered while anything may have been written.
const IN_DOUBT: &str = "in doubt";

/// Says that its databases are as far as it is told, and how far they must be for the viewer.
struct Databases;

impl LocalSubgraph for Databases {
    fn prepare(&self, _: &str) -> Prepared {
        Arc::new(())
    }

    fn call<'a>(
        &'a self,
        request: LocalRequest<'a>,
        context: &'a RequestContext,
    ) -> BoxFuture<'a, LocalResponse> {
        let asker = context.local::<Asker>().unwrap();
        let doubtful = asker.of("a subgraph that nobody has written to").mark.is_some();
        let marks = if doubtful { IN_DOUBT.to_owned() } else { asker.written.to_string() };
        let written = request.variables.values().next().map(|text| text.clone().into_json().unwrap());
        let extensions = written.map_or(Value::Null, |written| json!({ "written": written }));
        let data = ConstValue::from_json(json!({ "marks": marks, "write": null })).unwrap();
        let extensions = ConstValue::from_json(extensions).unwrap();
        Box::pin(async { LocalResponse { data, extensions, ..LocalResponse::default() } })
    }

    fn subscribe(
        self: Arc<Self>,
        _: Prepared,
        _: Variables,
        _: Arc<RequestContext>,
    ) -> BoxStream<'static, LocalResponse> {
        Box::pin(stream::empty())
    }
}

fn gateway(place: Option<&Place>) -> Door {
    let door = Door::with(|config| {
        config.replica_lag = LAG;
        config.written = place.map(|place| SharedWrites { ask: place.remote(), tell: place.remote() });
    });
    let subgraphs = Subgraphs::new().with_local("shop", Arc::new(Databases));
    door.gateway.replace_engine(engine(DATABASES, subgraphs, &GatewayConfig::default()));
    door
}

async fn ask(door: &Door, address: &str, headers: &[(&str, &str)], body: Value) -> Value {
    let mut request = post(headers, &body.to_string());
    request.extensions_mut().insert(ConnectInfo(SocketAddr::new(address.parse().unwrap(), 1)));
    let reply = door.send(request).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    reply.json()
}

async fn write(door: &Door, address: &str, headers: &[(&str, &str)], marks: &str) {
    let query = "mutation Write($marks: String!) { write(marks: $marks) }";
    let body = json!({ "query": query, "variables": { "marks": marks } });
    assert_eq!(ask(door, address, headers, body).await, json!({ "data": { "write": null } }));
}

async fn read(door: &Door, address: &str, headers: &[(&str, &str)]) -> String {
    let answer = ask(door, address, headers, json!({ "query": "{ marks }" })).await;
    answer["data"]["marks"].as_str().unwrap().to_owned()
}

/// Waits until the gateway is sure of what it hears.
async fn is_sure(door: &Door) {
    for _ in 0..600 {
        if read(door, "203.0.113.200", &[]).await.is_empty() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("the gateway is in doubt for ever");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_written_by_one_gateway_the_other_knows_by_one_redis() {
    if redis_is_here() {
        know_of_each_other(&Place::one_server()).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_written_by_one_gateway_the_other_knows_by_a_redis_cluster() {
    if redis_is_here() {
        know_of_each_other(&Place::cluster()).await;
    }
}

async fn know_of_each_other(place: &Place) {
    let [one, other, alone] = [gateway(Some(place)), gateway(Some(place)), gateway(None)];
    assert_eq!(read(&other, "203.0.113.1", &[]).await, IN_DOUBT, "it has just begun");
    is_sure(&one).await;
    is_sure(&other).await;

    // The very first write of all: the other gateway does not even ask yet.
    write(&one, "203.0.113.1", &[], "cart:0-7").await;
    assert_eq!(read(&other, "203.0.113.1", &[]).await, "cart:0-7");
    assert_eq!(read(&one, "203.0.113.1", &[]).await, "cart:0-7");
    assert_eq!(read(&alone, "203.0.113.1", &[]).await, "", "the control is told nothing");
    assert_eq!(read(&other, "203.0.113.2", &[]).await, "", "somebody else");

    // A user, from wherever; the doors give their first user the same id.
    let tokens = [one.token(&[]), other.token(&[])];
    let [at_one, at_other] = tokens.each_ref().map(|token| [("authorization", token.as_str())]);
    write(&one, "203.0.113.3", &at_one, "orders:0-12.users:x").await;
    assert_eq!(read(&other, "203.0.113.4", &at_other).await, "orders:0-12.users:x");
    assert_eq!(read(&other, "203.0.113.3", &[]).await, "", "a guest of the same address");
    // Whoever brings the cookie along is not asked about.
    let told = [at_other[0], ("cookie", "techpotli_written=cart:0-1")];
    assert_eq!(read(&other, "203.0.113.4", &told).await, "cart:0-1");

    // Side by side nothing is lost, and the highest counts, in whatever order they come.
    let from = "203.0.113.5";
    let writes = (1..=50).map(|number| {
        let (one, other) = (&one, &other);
        async move {
            let (here, there) =
                (format!("cart:0-{number}"), format!("cart:1-{}.orders:0-{number}", 51 - number));
            tokio::join!(write(one, from, &[], &here), write(other, from, &[], &there));
        }
    });
    join_all(writes).await;
    let third = gateway(Some(place));
    is_sure_of(&third, from, "cart:0-50+1-50.orders:0-50", &one).await;
    for number in ["9007199254740992", "9007199254740993", "10"] {
        write(&one, from, &[], &format!("cart:0-{number}")).await;
    }
    assert_eq!(read(&third, from, &[]).await, "cart:0-9007199254740993+1-50.orders:0-50");
}

/// Waits until a gateway that has just begun is sure, and reads the same then; the marks are kept alive meanwhile.
async fn is_sure_of(door: &Door, address: &str, marks: &str, by: &Door) {
    for _ in 0..600 {
        write(by, address, &[], "cart:0-1").await;
        let read = read(door, address, &[]).await;
        if read != IN_DOUBT {
            assert_eq!(read, marks);
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("the gateway is in doubt for ever");
}

#[tokio::test(flavor = "multi_thread")]
async fn while_redis_is_away_and_a_while_after_that_it_is_in_doubt_what_was_written() {
    if !redis_is_here() {
        return;
    }
    let place = Place::one_server();
    let [one, other] = [gateway(Some(&place)), gateway(Some(&place))];
    is_sure(&one).await;
    is_sure(&other).await;
    let from = "203.0.113.1";
    write(&one, from, &[], "cart:0-7").await;
    assert_eq!(read(&other, from, &[]).await, "cart:0-7");
    place.servers[0].kill().unwrap();
    write(&one, from, &[], "cart:0-8").await;
    assert_eq!(read(&other, from, &[]).await, IN_DOUBT);
    // Whoever brings the cookie along is sure all the same.
    let told = [("cookie", "techpotli_written=cart:0-8")];
    assert_eq!(read(&other, from, &told).await, "cart:0-8");
    place.servers[0].start().unwrap();
    // Redis is back and says 7: it was never told of 8.
    assert_eq!(read(&other, from, &[]).await, IN_DOUBT);
    is_sure(&other).await;
    is_sure(&one).await;
    write(&one, from, &[], "cart:0-9").await;
    assert_eq!(read(&other, from, &[]).await, "cart:0-9");
}

#[tokio::test(flavor = "multi_thread")]
async fn where_nobody_ever_says_what_was_written_no_request_asks() {
    if !redis_is_here() {
        return;
    }
    let place = Place::one_server();
    let [one, other] = [gateway(Some(&place)), gateway(Some(&place))];
    is_sure(&one).await;
    is_sure(&other).await;
    let gets = async || -> u64 {
        let client = redis::Client::open(place.servers[0].url()).unwrap();
        let mut link = client.get_multiplexed_async_connection().await.unwrap();
        let info: String = redis::cmd("INFO").arg("commandstats").query_async(&mut link).await.unwrap();
        let line = info.lines().find_map(|line| line.strip_prefix("cmdstat_get:calls=")).unwrap();
        line.split(',').next().unwrap().parse().unwrap()
    };
    let asked = async || {
        let before = gets().await;
        for _ in 0..200 {
            read(&other, "203.0.113.1", &[]).await;
        }
        gets().await - before
    };
    // Those are the looks of two gateways.
    let unasked = asked().await;
    assert!(unasked < 100, "{unasked}");
    write(&one, "203.0.113.2", &[], "cart:0-7").await;
    let asked = asked().await;
    assert!(asked >= 200, "{asked}");
}
