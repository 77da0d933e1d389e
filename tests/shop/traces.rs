//! Traces, as a real collector gets them, and the log lines that belong to them: one trace from the gateway to whoever
//! applies what a mutation has written, and what clients, and a collector that is away, can do about it.

use std::collections::HashMap;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context as _, ensure};
use serde_json::{Value, json};
use services::collector::Collector;
use services::{Ground, Service};

use crate::client::{Answer, Client};
use crate::kafka;
use crate::node;
use crate::operations::REGISTER;
use crate::process::Process;
use crate::setups::{Fleet, with_settings};
use crate::stage::eventually;
use crate::template::seeded_folder;

/// A place in a trace that a front end may be at.
const PARENT: (&str, &str) = ("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7");

/// A collector of our own, where one can be had.
fn collector(what: &str) -> anyhow::Result<Option<Collector>> {
    match Service::Collector.install() {
        Ok(()) => services::collector::start(&Ground::temporary()?).map(Some),
        Err(why) => node::skipped(what, &why.to_string()).map(|()| None),
    }
}

/// A span, as the collector writes it down.
#[derive(Debug, Default, Clone)]
struct Span {
    service: String,
    trace: String,
    id: String,
    parent: String,
    name: String,
    attributes: HashMap<String, String>,
}

impl Span {
    fn is(&self, service: &str, name: &str) -> bool {
        self.service == service && self.name == name
    }

    fn has(&self, attribute: &str, value: &str) -> bool {
        self.attributes.get(attribute).is_some_and(|found| found == value)
    }
}

/// All spans so far.
fn spans(collector: &Collector) -> anyhow::Result<Vec<Span>> {
    let mut spans: Vec<Span> = Vec::new();
    let (mut service, mut of_resource) = (String::new(), true);
    for line in collector.traces()?.lines() {
        let line = line.trim();
        if line.starts_with("ResourceSpans #") {
            of_resource = true;
        } else if line.starts_with("Span #") {
            of_resource = false;
            spans.push(Span { service: service.clone(), ..Span::default() });
        } else if let Some((name, value)) = line.strip_prefix("-> ").and_then(|it| it.split_once(": ")) {
            let value = value.split_once('(').map_or(value, |(_, inside)| inside.trim_end_matches(')'));
            match spans.last_mut() {
                Some(span) if !of_resource => drop(span.attributes.insert(name.to_owned(), value.to_owned())),
                _ if name == "service.name" => value.clone_into(&mut service),
                _ => {}
            }
        } else if let (Some((name, value)), Some(span)) = (line.split_once(':'), spans.last_mut()) {
            let value = value.trim().to_owned();
            match name.trim() {
                "Trace ID" => span.trace = value,
                "Parent ID" => span.parent = value,
                "ID" => span.id = value,
                "Name" => span.name = value,
                _ => {}
            }
        }
    }
    Ok(spans)
}

/// Registers somebody, and says under which address.
async fn register(client: &Client, name: &str, headers: &[(&str, &str)]) -> anyhow::Result<(Answer, String)> {
    let email = format!("{name}@example.com");
    let input = json!({ "i": { "email": email, "password": "correct horse battery" } });
    let body = json!({ "query": REGISTER, "operationName": "Register", "variables": input }).to_string();
    let answer = client.post(body, &[&[("content-type", "application/json")], headers].concat()).await?;
    ensure!(answer.status == 200, "{}: {}", answer.status, answer.text);
    let registered = &answer.json()?["data"]["userRegister"];
    ensure!(registered["user"]["email"] == email.as_str(), "{}", answer.text);
    Ok((answer, email))
}

fn request_id(answer: &Answer) -> anyhow::Result<String> {
    let id = answer.headers.get("x-request-id").context("an answer names its request")?;
    Ok(id.to_str()?.to_owned())
}

/// The trace of a request: the id of its first span in the gateway, and the trace's spans.
async fn trace_of(collector: &Collector, request: &str) -> anyhow::Result<(Span, Vec<Span>)> {
    eventually("the trace of a request", || async {
        let spans = spans(collector)?;
        let first = spans.iter().find(|span| span.has("request.id", request)).cloned();
        Ok(first
            .map(|first| (first.clone(), spans.into_iter().filter(|it| it.trace == first.trace).collect())))
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mutation_and_what_follows_from_it_are_one_trace_and_the_log_names_it() -> anyhow::Result<()> {
    let what = "one trace over all processes";
    let Some(collector) = collector(what)? else { return Ok(()) };
    let Some(broker) = kafka::broker(what)? else { return Ok(()) };
    let folder = seeded_folder()?;
    let mut settings = kafka::on(&broker);
    settings.extend([
        ("TECHPOTLI_OTLP_URL", collector.server.url().to_owned()),
        ("TECHPOTLI_TRACE_RATIO", "1".to_owned()),
        ("TECHPOTLI_LOG_FORMAT", "json".to_owned()),
        ("TECHPOTLI_LOG", "info,gateway=debug,subgraph=debug,messaging=debug".to_owned()),
    ]);
    let mut shop = Fleet::start(folder.path(), &settings, 1).await?;
    let worker = shop.workers.pop().context("it runs")?;
    let (answer, email) = register(&shop.stage.guest, "traced", &[]).await?;
    let request = request_id(&answer)?;

    let trace = eventually("a trace from the gateway to the consumer", || async {
        let (_, spans) = trace_of(&collector, &request).await?;
        let applied = |span: &Span| {
            span.is("techpotli-worker", "apply users") && span.has("subgraph.name", "notifications")
        };
        let below = spans.iter().find(|span| applied(span)).map(|span| span.id.clone());
        // The statements are there before the span around them; others may still be on their way.
        Ok(below.is_some_and(|id| spans.iter().any(|span| span.parent == id)).then_some(spans))
    })
    .await?;
    let one = |what: &str, is: &dyn Fn(&Span) -> bool| -> anyhow::Result<Span> {
        trace.iter().find(|span| is(span)).cloned().with_context(|| format!("{what}: {trace:#?}"))
    };
    let door = one("the gateway", &|span| span.is("techpotli-gateway", "POST /graphql"))?;
    ensure!(door.parent.is_empty(), "a trace begins at the gateway: {door:#?}");
    ensure!(door.has("graphql.operation.name", "Register"), "{door:#?}");
    let below = |parent: &Span, span: &Span| span.parent == parent.id;
    let fetch = one("the fetch", &|span| span.is("techpotli-gateway", "fetch users") && below(&door, span))?;
    let answered =
        one("the subgraph", &|span| span.is("techpotli-users", "graphql users") && below(&fetch, span))?;
    let statement = |parent: &Span, service: &str, table: &str, span: &Span| {
        let text = span.attributes.get("db.query.text").map_or("", String::as_str);
        span.is(service, "INSERT") && below(parent, span) && text.contains(table)
    };
    one("the outbox", &|span| statement(&answered, "techpotli-users", "outbox", span))?;
    let published =
        one("the relay", &|span| span.is("techpotli-worker", "publish users") && below(&answered, span))?;
    let applied = one("the consumer", &|span| {
        span.is("techpotli-worker", "apply users")
            && span.has("subgraph.name", "notifications")
            && below(&published, span)
    })?;
    one("what the consumer writes", &|span| statement(&applied, "techpotli-worker", "", span))?;
    ensure!(!collector.traces()?.contains(&email), "a statement is told without what was put into it");

    let users = shop.subgraphs.running.iter().find(|(name, _)| *name == "users").context("users runs")?;
    for (who, process, says) in [
        ("gateway", &shop.gateway, "answered"),
        ("users", &users.1, "answered"),
        ("worker", &worker, "an event was applied"),
    ] {
        let lines: Vec<Value> =
            process.said().iter().filter_map(|line| serde_json::from_str(line).ok()).collect();
        let named = lines.iter().any(|line| {
            line["message"] == says
                && line["request.id"] == request.as_str()
                && line["trace.id"] == door.trace.as_str()
        });
        ensure!(named, "{who} does not say '{says}' of {request} in {}: {lines:#?}", door.trace);
    }
    let faults = worker.terminate().await?;
    ensure!(faults.is_empty(), "{faults:#?}");
    Ok(())
}

async fn one_process(
    folder: &Path,
    collector: &Collector,
    settings: &[(&str, &str)],
) -> anyhow::Result<Process> {
    let mut command = with_settings(folder);
    command.env("TECHPOTLI_OTLP_URL", collector.server.url()).envs(settings.iter().copied());
    Process::start(command).await
}

/// What a client says of its trace, and what becomes of it where no trace is recorded by itself.
#[tokio::test(flavor = "multi_thread")]
async fn a_client_continues_its_trace_and_a_malformed_one_begins_none() -> anyhow::Result<()> {
    let Some(collector) = collector("traces that clients begin")? else { return Ok(()) };
    let folder = seeded_folder()?;
    let shop = one_process(folder.path(), &collector, &[("TECHPOTLI_TRACE_RATIO", "0")]).await?;
    let client = Client::guest(&shop.base);
    let (trace, span) = PARENT;
    let mut unrecorded = Vec::new();
    for (name, parent) in [
        ("none", None),
        ("unsampled", Some(format!("00-{trace}-{span}-00"))),
        ("malformed", Some(format!("00-{trace}-{span}-01-and-more"))),
        ("nobody", Some(format!("00-{}-{span}-01", "0".repeat(32)))),
    ] {
        let headers: Vec<(&str, &str)> =
            parent.iter().map(|parent| ("traceparent", parent.as_str())).collect();
        unrecorded.push(request_id(&register(&client, name, &headers).await?.0)?);
    }
    let parent = format!("00-{trace}-{span}-01");
    let (answer, _) = register(&client, "sampled", &[("traceparent", &parent)]).await?;
    let request = request_id(&answer)?;
    // What is left is sent before the process ends.
    ensure!(shop.terminate().await?.is_empty(), "no faults");
    let (first, spans) = trace_of(&collector, &request).await?;
    ensure!((first.trace.as_str(), first.parent.as_str()) == (trace, span), "{first:#?}");
    ensure!(first.service == "techpotli", "{first:#?}");
    ensure!(spans.iter().any(|span| span.name == "fetch users" && span.parent == first.id), "{spans:#?}");
    let told = collector.traces()?;
    for request in unrecorded {
        ensure!(!told.contains(&request), "{request} is in a trace");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_that_is_away_is_told_of_once_and_found_again() -> anyhow::Result<()> {
    let Some(collector) = collector("a collector that is away")? else { return Ok(()) };
    let folder = seeded_folder()?;
    let shop = one_process(folder.path(), &collector, &[("TECHPOTLI_TRACE_RATIO", "1")]).await?;
    let client = Client::guest(&shop.base);
    collector.server.kill()?;
    let mut known = 0;
    for round in 0..3 {
        register(&client, &format!("lost-{round}"), &[]).await?;
        known = eventually("spans that are lost", || async {
            let metrics = client.get("/metrics", &[]).await?.text;
            let lost = metrics.lines().find_map(|line| line.strip_prefix("techpotli_spans_lost_total "));
            let lost = lost.map_or(Ok(0), str::parse)?;
            Ok((lost > known).then_some(lost))
        })
        .await?;
    }
    let said = shop.said();
    let told = said.iter().filter(|line| line.contains("the collector of traces")).count();
    ensure!(told == 1, "told {told} times: {said:#?}");
    collector.server.start()?;
    let tries = AtomicUsize::new(0);
    eventually("spans for the collector that is back", || async {
        let name = format!("found-{}", tries.fetch_add(1, Ordering::Relaxed));
        let request = request_id(&register(&client, &name, &[]).await?.0)?;
        // What is refused at first is lost, so it need not be this one.
        Ok(spans(&collector)?
            .iter()
            .any(|span| span.attributes.contains_key("request.id"))
            .then_some(request))
    })
    .await?;
    ensure!(shop.faults().is_empty(), "{:#?}", shop.faults());
    Ok(())
}
