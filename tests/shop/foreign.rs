//! A gateway for others: subgraphs of a JavaScript server, composed and served by the binary, no shop code running.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, ensure};
use serde_json::{Value, json};

use crate::client::{Client, same};
use crate::node;
use crate::process::{Process, binary, run};

const TEST: &str = "a supergraph of foreign subgraphs";

/// The JavaScript server; it ends when this is dropped.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended before; then there is nothing to kill.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts it and says where it serves each subgraph: `NAME=URL`.
fn start(scripts: &Path) -> anyhow::Result<(Server, Vec<String>)> {
    let mut child = Command::new("node")
        .arg(scripts.join("server.mjs"))
        .stdout(Stdio::piped())
        .stdin(Stdio::null())
        .spawn()?;
    let stdout = child.stdout.take().context("stdout is piped")?;
    let server = Server(child);
    let lines = BufReader::new(stdout).lines().take(2).collect::<Result<Vec<_>, _>>()?;
    let places: Vec<String> = lines.iter().map(|line| line.replacen(' ', "=", 1)).collect();
    ensure!(places.len() == 2 && places.iter().all(|place| place.contains("=http://")), "it says {lines:?}");
    Ok((server, places))
}

#[tokio::test(flavor = "multi_thread")]
async fn foreign_subgraphs_are_composed_and_served() -> anyhow::Result<()> {
    let scripts = match node::workspace("tests/foreign", "shop-foreign-js") {
        Ok(scripts) => scripts,
        Err(why) => return node::skipped(TEST, &why),
    };
    let folder = tempfile::tempdir()?;
    let path =
        |name: &str| folder.path().join(name).to_str().map(str::to_owned).context("a name that is text");
    node::run(&scripts, "server.mjs", &["--sdl", &path("")?])?;
    let subgraphs =
        [format!("books={}", path("books.graphql")?), format!("readers={}", path("readers.graphql")?)];
    let composed = run(folder.path(), &["schema", "compose", &subgraphs[0], &subgraphs[1]])?;
    ensure!(composed.status.success(), "{}", String::from_utf8_lossy(&composed.stderr));
    std::fs::write(path("supergraph.graphql")?, &composed.stdout)?;
    let (server, places) = start(&scripts)?;
    let mut command = binary(folder.path());
    command.args(["gateway", "--listen", "127.0.0.1:0", "--supergraph", &path("supergraph.graphql")?]);
    command.args(["--subgraph", &places[0], "--subgraph", &places[1]]);
    let gateway = Process::start(command).await?;
    let client = Client::guest(&gateway.base);
    queries(&client).await?;
    errors(&client).await?;
    ensure!(gateway.faults().is_empty(), "{:?}", gateway.faults());
    let left: Vec<_> = std::fs::read_dir(folder.path())?.flatten().map(|entry| entry.file_name()).collect();
    ensure!(left.len() == 3, "the gateway of others made files: {left:?}");
    drop(server);
    let answer = client.ask("{ book(isbn: \"1\") { title } }", None, json!({})).await?;
    ensure!(answer.refusal()?.1 == "SUBGRAPH_UNAVAILABLE", "with the server gone: {}", answer.text);
    same("the field alone is null", &answer.json()?["data"], json!({ "book": null }))
}

async fn queries(client: &Client) -> anyhow::Result<()> {
    let page = "query Page($isbn: ID!, $least: Int, $fans: Boolean!) { book(isbn: $isbn) { name: title hours \
        big: cover(size: LARGE) small: cover opinions(atLeast: $least) { stars reader } \
        author { name fans @include(if: $fans) books { isbn } } } }";
    let data = client.data(page, "Page", json!({ "isbn": "1", "least": 3, "fans": true })).await?;
    let expected = json!({ "name": "The Analytical Engine", "hours": 5, "big": "/1-large.png", "small": "/1-small.png",
        "opinions": [{ "stars": 5, "reader": "Charles" }],
        "author": { "name": "Ada", "fans": 300, "books": [{ "isbn": "1" }] } });
    same("a page across both", &data["book"], expected)?;
    let data = client.data(page, "Page", json!({ "isbn": "1", "least": 9, "fans": false })).await?;
    same("not asked for", &data["book"]["author"], json!({ "name": "Ada", "books": [{ "isbn": "1" }] }))?;
    let data = client.data(page, "Page", json!({ "isbn": "none", "fans": true })).await?;
    same("an unknown book", &data["book"], Value::Null)?;
    let back = "query Back { opinions { reader of { isbn title shelf { room } } } }";
    let data = client.data(back, "Back", json!({})).await?;
    let titles: Vec<&Value> = (0..3).map(|place| &data["opinions"][place]["of"]["title"]).collect();
    ensure!(titles == ["The Analytical Engine", "The Analytical Engine", "Compilers"], "{data}");
    let find = "query Find($text: String!) { find(text: $text) { __typename ... on Book { title hours } ... on Author { name fans } } }";
    let data = client.data(find, "Find", json!({ "text": "A" })).await?;
    let found = json!([{ "__typename": "Book", "title": "The Analytical Engine", "hours": 5 },
        { "__typename": "Book", "title": "A Book Without an Author", "hours": 0.25 },
        { "__typename": "Author", "name": "Ada", "fans": 300 }]);
    same("a union across both", &data["find"], found)?;
    let moved = "mutation Move { move(isbn: \"3\", room: \"attic\") { shelf { room place } opinions { stars } } \
        back: move(isbn: \"3\", room: \"south\") { shelf { room } } }";
    let data = client.data(moved, "Move", json!({})).await?;
    same("moved", &data["move"], json!({ "shelf": { "room": "attic", "place": 1 }, "opinions": [] }))?;
    same("and back, in this order", &data["back"]["shelf"]["room"], "south")?;
    let types = "query Types { __type(name: \"Book\") { description fields { name } } }";
    let data = client.data(types, "Types", json!({})).await?;
    same("its description", &data["__type"]["description"], "A book of the library.")?;
    let names = data["__type"]["fields"].to_string();
    ensure!(["isbn", "title", "hours", "opinions"].iter().all(|name| names.contains(name)), "{names}");
    let shop = client.ask("{ products { id } }", None, json!({})).await?;
    ensure!(shop.refusal()? == (400, "GRAPHQL_VALIDATION_FAILED".to_owned()), "a shop: {}", shop.text);
    Ok(())
}

async fn errors(client: &Client) -> anyhow::Result<()> {
    let query = "query Secrets { mine: books { isbn hidden: secret } }";
    let body = client.ask(query, Some("Secrets"), json!({})).await?.json()?;
    let rows = json!([{ "isbn": "1", "hidden": "of 1" }, { "isbn": "2", "hidden": null }, { "isbn": "3", "hidden": "of 3" }]);
    same("what there is", &body["data"]["mine"], rows)?;
    same("one error", &body["errors"].as_array().map_or(0, Vec::len).into(), 1)?;
    same("in the client's words", &body["errors"][0]["path"], json!(["mine", 1, "hidden"]))?;
    same("with its code", &body["errors"][0]["extensions"]["code"], "FORBIDDEN")?;
    same("and its message", &body["errors"][0]["message"], "Not for you.")?;
    let body = client.ask("{ all: broken }", None, json!({})).await?.json()?;
    same("null goes up to the data", &body["data"], Value::Null)?;
    same("where", &body["errors"][0]["path"], json!(["all"]))?;
    same("the subgraph's own code", &body["errors"][0]["extensions"]["code"], "EMPTY_SHELF")
}
