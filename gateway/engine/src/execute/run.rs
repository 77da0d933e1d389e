//! One request: fetches start when their inputs are there, and all of them live in one task.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use serde_json::Map;
use serde_json::value::RawValue;
use tokio::time::{Instant, Sleep};
use tracing::Instrument as _;

use super::arena::{Arena, Value};
use super::entities::{Targets, walk};
use super::faults::{Faults, Whereabouts};
use super::land::Landing;
use super::outgoing::{is_mutation, outgoing};
use super::project::{Notes, Writer};
use super::variables::Coerced;
use crate::compile::conditions::ALWAYS;
use crate::compile::{CompiledFetch, CompiledKind, Program};
use crate::context::RequestContext;
use crate::engine::Inner;
use crate::error::GraphQLError;
use crate::response::{FetchTrace, Response, Trace, write_errors};
use crate::transport::{Answer, CallError};

/// What a request is about. Nothing in it changes while it runs.
#[derive(Clone, Copy)]
pub(crate) struct Request<'a> {
    pub(crate) engine: &'a Inner,
    pub(crate) program: &'a Program,
    pub(crate) variables: &'a Coerced,
    /// By number, which conditions of the program hold.
    pub(crate) conditions: &'a [bool],
    pub(crate) context: &'a RequestContext,
    /// What `__schema` and `__type` are, ready as JSON, by the rows of [`Program::introspection`].
    pub(crate) introspected: &'a [Bytes],
}

/// The member of a subgraph's `extensions` whose own members go into the response's `extensions`.
pub(crate) const CLIENT_EXTENSION: &str = "client";

/// A fetch that is over.
struct Landed {
    row: usize,
    sent: Instant,
    sent_bytes: usize,
    answer: Result<Answer, CallError>,
}

/// A request on its way.
pub(crate) struct Run<'a> {
    pub(crate) request: Request<'a>,
    pub(crate) arena: Arena,
    pub(crate) root: u32,
    pub(crate) faults: Faults,
    /// For each fetch how many inputs are still missing.
    waiting: Vec<u32>,
    /// Fetches whose inputs are there.
    ready: Vec<u32>,
    /// For each fetch that was sent, what its entities are.
    pub(crate) targets: Vec<Vec<Targets>>,
    /// Fetches that are neither over nor left out.
    open: Vec<bool>,
    /// In whose name calls begin, once that is not the request's own.
    successor: Option<Arc<RequestContext>>,
    begun: Instant,
    /// What subgraphs say to the client beside data and errors.
    said: Option<Box<Map<String, serde_json::Value>>>,
    trace: Option<Trace>,
}

impl<'a> Run<'a> {
    pub(crate) fn new(request: Request<'a>) -> Self {
        let program = request.program;
        let mut arena = Arena::with_capacity(program.learned.cells());
        let root = arena.row(program.root_width).unwrap_or(0);
        let mut run = Run {
            request,
            arena,
            root,
            faults: Faults::new(request.engine.options.max_errors),
            waiting: program.fetches.iter().map(|fetch| fetch.inputs).collect(),
            ready: Vec::with_capacity(program.fetches.len()),
            targets: program.fetches.iter().map(|_| Vec::new()).collect(),
            open: vec![true; program.fetches.len()],
            successor: None,
            begun: Instant::now(),
            said: None,
            trace: request.context.trace.then(|| Trace { stages: program.stages, ..Trace::default() }),
        };
        // The last one in is taken first.
        let ready = (0..program.fetches.len() as u32).rev();
        run.ready.extend(ready.filter(|row| run.waiting[*row as usize] == 0));
        run.introspection();
        run
    }

    fn introspection(&mut self) {
        for ((_, slot), json) in self.request.program.introspection.iter().zip(self.request.introspected) {
            let Some(buffer) = self.arena.keep(json.clone()) else { continue };
            let value = match &json[..] {
                b"null" => Value::Null,
                json => Value::Json { buffer, start: 0, end: json.len() as u32 },
            };
            self.arena.set(self.root + slot, value);
        }
    }

    /// Runs all fetches, until all are over or the deadline has come.
    pub(crate) async fn drive(&mut self, deadline: Option<Instant>) {
        let mut flying = FuturesUnordered::new();
        let mut alarm = deadline.map(|deadline| Box::pin(tokio::time::sleep_until(deadline)));
        loop {
            while let Some(row) = self.ready.pop() {
                match self.begin(row as usize) {
                    Some(flight) => flying.push(flight),
                    None => self.settle(row as usize),
                }
            }
            if flying.is_empty() {
                return;
            }
            match next(&mut flying, &mut alarm).await {
                Next::Landed(landed) => self.land(landed),
                Next::Over => return,
                Next::Alarm => {
                    self.give_up();
                    return;
                }
            }
        }
    }

    /// Sends a fetch. `None` if it has nothing to ask.
    fn begin(&mut self, row: usize) -> Option<impl Future<Output = Landed> + use<'a>> {
        let request = self.request;
        let fetch: &'a CompiledFetch = &request.program.fetches[row];
        if !request.conditions[usize::from(fetch.condition)] {
            return None;
        }
        self.targets[row] = self.gather(fetch)?;
        let successor = self.successor.clone();
        let context = successor.as_deref().unwrap_or(request.context);
        let call = outgoing(&request, fetch, &self.arena, &self.targets[row], context);
        // Of a target that no log is about: whoever collects traces lets it through, and for others it is none.
        let span = tracing::info_span!(
            target: "otel", "fetch", otel.kind = "client", otel.name = format!("fetch {}", fetch.name),
            subgraph.name = &*fetch.name
        );
        let flight = async move {
            let sent = Instant::now();
            let (call, sent_bytes) = call;
            let answer = match call {
                Some(call) => call.send(successor.as_deref().unwrap_or(request.context)).await,
                None => Err(CallError::Unreachable),
            };
            Landed { row, sent, sent_bytes, answer }
        };
        Some(flight.instrument(span))
    }

    /// What a fetch is about; `None` if there is no object for it.
    fn gather(&self, fetch: &CompiledFetch) -> Option<Vec<Targets>> {
        match &fetch.kind {
            CompiledKind::Root { path, .. } => {
                let mut any = path.is_empty();
                walk(&self.arena, self.root, path, &mut |_| any = true);
                any.then(Vec::new)
            }
            CompiledKind::Entities { groups } => {
                let mut targets = Vec::with_capacity(groups.len());
                for group in groups {
                    let wanted =
                        group.condition == ALWAYS || self.request.conditions[usize::from(group.condition)];
                    targets.push(match wanted {
                        true => Targets::gather(group, &self.arena, &self.request.engine.names, self.root),
                        false => Targets::default(),
                    });
                }
                targets.iter().any(|targets| targets.len() > 0).then_some(targets)
            }
        }
    }

    /// A fetch is over: what waited only for it is ready.
    fn settle(&mut self, row: usize) {
        self.open[row] = false;
        let program = self.request.program;
        for dependent in program.fetches[row].dependents.iter().rev() {
            let waiting = &mut self.waiting[*dependent as usize];
            *waiting -= 1;
            if *waiting == 0 {
                self.ready.push(*dependent);
            }
        }
    }

    fn land(&mut self, landed: Landed) {
        let over = Instant::now();
        let row = landed.row;
        let landing = self.take_in(row, landed.answer);
        self.succeed(row, &landing);
        if let Some(serde_json::Value::Object(said)) =
            landing.extensions.as_ref().and_then(|extensions| extensions.get(CLIENT_EXTENSION))
        {
            self.said.get_or_insert_default().extend(said.clone());
        }
        if let Some(observer) = &self.request.context.observer {
            let took = over.saturating_duration_since(landed.sent);
            let subgraph = &self.request.program.fetches[row].name;
            observer.fetched(subgraph, took, landing.status, landing.errors);
        }
        if let Some(trace) = &mut self.trace {
            let micros = |duration: Duration| u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
            trace.fetches.push(FetchTrace {
                fetch: row,
                subgraph: self.request.program.fetches[row].name.clone(),
                start_us: micros(landed.sent.saturating_duration_since(self.begun)),
                duration_us: micros(over.saturating_duration_since(landed.sent)),
                sent_bytes: landed.sent_bytes,
                received_bytes: landing.bytes,
                entities: self.targets[row].iter().map(Targets::len).sum(),
                status: landing.status,
                errors: landing.errors,
                extensions: landing.extensions,
            });
        }
        self.settle(row);
    }

    /// What a subgraph has said may change in whose name the rest is asked.
    fn succeed(&mut self, row: usize, landing: &Landing) {
        let fetch = &self.request.program.fetches[row];
        if let (Some(succession), Some(extensions)) = (&self.request.context.succession, &landing.extensions)
            && let Some(context) = succession.after(&fetch.name, extensions, is_mutation(fetch))
        {
            self.successor = Some(Arc::new(context));
        }
    }

    /// Whether anybody wants to know what a subgraph says beside its data, by whether it says a member of that name.
    pub(crate) fn heeds(&self, mut says: impl FnMut(&str) -> bool) -> bool {
        let context = self.request.context;
        let succession = context.succession.as_ref();
        context.trace
            || says(CLIENT_EXTENSION)
            || succession.is_some_and(|succession| succession.heeds().iter().any(|name| says(name)))
    }

    /// The first fetch of a subscription has brought an event.
    pub(crate) fn land_event(&mut self, answer: Result<Answer, CallError>) {
        self.ready.retain(|row| *row != 0);
        let now = Instant::now();
        self.land(Landed { row: 0, sent: now, sent_bytes: 0, answer });
    }

    fn take_in(&mut self, row: usize, answer: Result<Answer, CallError>) -> Landing {
        match answer {
            Ok(Answer::Json { status, body }) => self.read_json(row, status, body),
            Ok(Answer::Local(response)) => self.read_local(row, response),
            Err(error) => {
                let status = match error {
                    CallError::Status(status) => status.as_u16(),
                    _ => 0,
                };
                self.fail(row, error);
                Landing { status, ..Landing::default() }
            }
        }
    }

    /// Notes that a fetch has brought nothing.
    pub(crate) fn fail(&mut self, row: usize, error: CallError) {
        let name = &self.request.program.fetches[row].name;
        self.fail_with(row, &GraphQLError::new(error.code(), format!("The subgraph {name} {error}")));
    }

    pub(crate) fn fail_with(&mut self, row: usize, error: &GraphQLError) {
        let (whereabouts, faults) = self.whereabouts(row);
        whereabouts.fail(error, faults);
    }

    /// Where the answer to a fetch went, and where its errors go.
    pub(crate) fn whereabouts(&mut self, row: usize) -> (Whereabouts<'_>, &mut Faults) {
        let whereabouts = Whereabouts {
            fetch: &self.request.program.fetches[row],
            arena: &self.arena,
            root: self.root,
            conditions: self.request.conditions,
            targets: &self.targets[row],
        };
        (whereabouts, &mut self.faults)
    }

    /// The deadline has come: what is open stays null, also what waited for it.
    fn give_up(&mut self) {
        let program = self.request.program;
        for (row, fetch) in program.fetches.iter().enumerate() {
            if !self.open[row] {
                continue;
            }
            if self.waiting[row] > 0 {
                let wanted = self.request.conditions[usize::from(fetch.condition)];
                let Some(targets) = self.gather(fetch).filter(|_| wanted) else { continue };
                self.targets[row] = targets;
            }
            self.fail(row, CallError::Deadline);
        }
    }

    /// Writes the response.
    pub(crate) fn respond(mut self) -> Response {
        let program = self.request.program;
        let mut body = Vec::with_capacity(program.learned.body() + 64);
        body.extend_from_slice(b"{\"data\":");
        let mut writer = Writer {
            projection: &program.projection,
            arena: &self.arena,
            names: &self.request.engine.names,
            supergraph: &self.request.engine.supergraph,
            conditions: self.request.conditions,
            max_errors: self.request.engine.options.max_errors,
            out: body,
            objects: 0,
            notes: Notes::default(),
        };
        writer.data(self.root);
        let Writer { out: mut body, objects, notes, .. } = writer;
        for error in notes.denied {
            self.faults.push(error);
        }
        for error in notes.violations {
            self.faults.push_violation(error);
        }
        program.learned.learn(self.arena.len(), body.len());
        let mut errors = self.faults.into_errors();
        if !errors.is_empty() {
            stamp(&mut errors, self.request.context);
            body.push(b',');
            write_errors(&mut body, &errors);
        }
        body.push(b'}');
        if let Some(trace) = &mut self.trace {
            trace.duration_us = u64::try_from(self.begun.elapsed().as_micros()).unwrap_or(u64::MAX);
        }
        Response::executed(body, objects, errors.len(), self.said, self.trace)
    }
}

/// Puts the request's id into each error.
pub(crate) fn stamp(errors: &mut [GraphQLError], context: &RequestContext) {
    let Some(id) = &context.request_id else { return };
    for error in errors {
        error.extensions.insert("requestId".into(), id.as_ref().into());
    }
}

enum Next {
    Landed(Landed),
    Over,
    Alarm,
}

/// Waits for the next fetch to be over, or for the deadline. What has landed counts before a deadline.
async fn next<F: Future<Output = Landed>>(
    flying: &mut FuturesUnordered<F>,
    alarm: &mut Option<Pin<Box<Sleep>>>,
) -> Next {
    poll_fn(|cx| {
        if let Poll::Ready(landed) = flying.poll_next_unpin(cx) {
            return Poll::Ready(landed.map_or(Next::Over, Next::Landed));
        }
        match alarm {
            Some(alarm) => alarm.as_mut().poll(cx).map(|()| Next::Alarm),
            None => Poll::Pending,
        }
    })
    .await
}

/// JSON of a subgraph's `extensions`.
pub(crate) fn parse_extensions(text: &[u8]) -> Option<serde_json::Value> {
    serde_json::from_slice::<&RawValue>(text).ok().and_then(|raw| serde_json::from_str(raw.get()).ok())
}
