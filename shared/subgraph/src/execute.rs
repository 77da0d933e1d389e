//! A built subgraph, and how one request runs in it.

use std::sync::Arc;

use async_graphql::parser::types::{ExecutableDocument, OperationType};
use async_graphql::{Executor, Request, Response, ServerError, Value, Variables};
use auth::{Caller, Viewer, WRITTEN_EXTENSION};
use axum::body::Bytes;
use common::{Fault, FaultCode};
use database::Database;
use database::statements::{self, Statements};
use futures::StreamExt as _;
use futures::future::BoxFuture;
use futures::stream::BoxStream;
use jobs::Job;
use messaging::{Consumer, Receiver};
use runtime::Tasks;

use crate::graphql::{pass_on_notes, pass_on_session};
use crate::remembered::Remembered;
use crate::{News, Peers, Ports, upkeep};

/// A document that was parsed once and is run many times.
#[derive(Clone, Debug)]
pub struct Document(ExecutableDocument);

impl Document {
    /// Parses a document.
    pub fn parse(text: &str) -> Result<Self, Fault> {
        async_graphql::parser::parse_query(text).map(Self).map_err(Fault::internal)
    }
}

/// What a subgraph answers, and the statements that it took.
#[derive(Debug)]
pub struct Answer {
    /// The GraphQL response.
    pub response: Response,
    /// The SQL statements that ran for it.
    pub statements: Statements,
}

impl Answer {
    /// The response, with what it took in its extensions: `sql` is how many statements ran, and `statements` their texts,
    /// where they were kept.
    pub fn explained(self) -> Response {
        let Self { mut response, statements } = self;
        response.extensions.insert("sql".to_owned(), statements.count.into());
        if let Some(texts) = statements.texts {
            response.extensions.insert("statements".to_owned(), texts.into());
        }
        response
    }
}

/// An async-graphql schema without its types.
trait Schema: Send + Sync {
    fn execute(&self, request: Request) -> BoxFuture<'_, Response>;
    fn subscribe(&self, request: Request) -> BoxStream<'static, Response>;
}

impl<E: Executor> Schema for E {
    fn execute(&self, request: Request) -> BoxFuture<'_, Response> {
        Box::pin(Executor::execute(self, request))
    }

    fn subscribe(&self, request: Request) -> BoxStream<'static, Response> {
        self.execute_stream(request, None)
    }
}

type Prepare = dyn Fn(Request) -> Request + Send + Sync;

/// A built subgraph: plain parts that a role of the binary puts together.
#[derive(Clone)]
pub struct Subgraph {
    /// Its name in the supergraph.
    pub name: &'static str,
    /// Its schema, as published to the composer.
    pub sdl: Arc<str>,
    /// What it does with the events of others.
    pub receiver: Option<Receiver>,
    /// What it does in the background.
    pub jobs: Vec<Job>,
    pub(crate) news: Vec<News>,
    schema: Arc<dyn Schema>,
    prepare: Arc<Prepare>,
    pub(crate) database: Database,
    peers: Peers,
    tasks: Tasks,
    remembered: Remembered,
}

impl Subgraph {
    /// A subgraph with this schema. `prepare` puts into each request what its resolvers need beside the viewer, such as
    /// fresh loaders.
    pub fn new<E, F>(ports: &Ports, schema: E, sdl: String, prepare: F) -> Self
    where
        E: Executor,
        F: Fn(Request) -> Request + Send + Sync + 'static,
    {
        Self {
            name: ports.name,
            sdl: sdl.into(),
            receiver: None,
            jobs: vec![upkeep::job(ports)],
            news: Vec::new(),
            schema: Arc::new(schema),
            prepare: Arc::new(prepare),
            database: ports.database.clone(),
            peers: ports.peers.clone(),
            tasks: ports.tasks.clone(),
            remembered: Remembered::new(ports),
        }
    }

    /// The same subgraph, listening to events.
    #[must_use]
    pub fn consuming(mut self, ports: &Ports, consumer: Consumer) -> Self {
        self.receiver =
            Some(Receiver::new(ports.name, ports.database.clone(), ports.clock.clone(), consumer));
        self
    }

    /// The same subgraph, with a job.
    #[must_use]
    pub fn working(mut self, job: Job) -> Self {
        self.jobs.push(job);
        self
    }

    /// The same subgraph, whose other processes are told what its jobs change. Their consumer hears of it as of an event
    /// that was applied, whose topic and key are those of the news.
    #[must_use]
    pub fn spreading(mut self, news: News) -> Self {
        self.news.push(news);
        self
    }

    /// Runs a query or mutation on the caller's behalf; `texts` keeps the text of the SQL statements. A mutation that has
    /// begun comes to its end, even where the caller does not wait for it.
    pub async fn execute(&self, mut request: Request, caller: impl Into<Caller>, texts: bool) -> Answer {
        let caller = caller.into();
        if only_reads(&mut request) {
            return self.carry_out(request, caller, texts).await;
        }
        let subgraph = self.clone();
        let answer = self.tasks.finish(async move { subgraph.carry_out(request, caller, texts).await }).await;
        statements::add(&answer.statements);
        answer
    }

    async fn carry_out(&self, request: Request, caller: Caller, texts: bool) -> Answer {
        let (mut response, statements) = if self.database.has_replicas() {
            self.execute_replicated(request, caller, texts).await
        } else {
            let request = (self.prepare)(request).data::<Arc<Viewer>>(caller.viewer);
            statements::counted(texts, self.schema.execute(request)).await
        };
        self.finish(&mut response);
        pass_on_session(&mut response);
        pass_on_notes(&mut response);
        Answer { response, statements }
    }

    /// A query may be shown what replicas have, unless another subgraph asks, which decides something by the answer.
    /// Whoever is shown more, or may have written, here or in the subgraphs that were called, is told how far they are.
    async fn execute_replicated(
        &self,
        mut request: Request,
        caller: Caller,
        texts: bool,
    ) -> (Response, Statements) {
        let shows = !caller.viewer.is_service() && only_reads(&mut request);
        let request = (self.prepare)(request).data::<Arc<Viewer>>(caller.viewer);
        let run = statements::counted(texts, self.schema.execute(request));
        let ((mut response, statements), ahead) = if !shows {
            (run.await, true)
        } else if caller.mark.is_none() {
            database::reading(None, run).await
        } else {
            // What this process remembers may be older than what the viewer has written by another one.
            Box::pin(cache::afresh(database::reading(caller.mark, run))).await
        };
        if ahead {
            self.say_written(&mut response).await;
        }
        (response, statements)
    }

    /// Says in the answer how far the databases are.
    async fn say_written(&self, response: &mut Response) {
        let Some(mark) = self.database.mark().await else { return };
        let mut written = self.peers.written();
        written.add(self.name, mark);
        response.extensions.insert(WRITTEN_EXTENSION.to_owned(), Value::from(written.to_string()));
    }

    /// The whole answer to a query as JSON, where it was given a moment ago and would be the same now, whoever
    /// asks. `body` is the query as it comes over HTTP.
    pub fn known(&self, body: &Bytes, caller: &Caller) -> Option<Bytes> {
        self.remembered.answer(caller, body)
    }

    /// Runs a document that was parsed before. Where `body`, the query as it comes over HTTP, is asked again and again,
    /// its answer is remembered for [`Subgraph::known`].
    pub async fn run(
        &self,
        document: &Document,
        variables: Variables,
        body: Option<Bytes>,
        caller: impl Into<Caller>,
        texts: bool,
    ) -> Answer {
        let mut request = Request::new("").variables(variables);
        request.set_parsed_query(document.0.clone());
        self.answer(request, body, caller.into(), texts).await
    }

    /// Runs a query or mutation, and remembers the answer where `body` is a query and somebody has asked it before.
    pub(crate) async fn answer(
        &self,
        mut request: Request,
        body: Option<Bytes>,
        caller: Caller,
        texts: bool,
    ) -> Answer {
        let question = body.filter(|_| !texts).and_then(|body| self.remembered.question(&caller, &body));
        let Some(question) = question.filter(|_| only_reads(&mut request)) else {
            return self.execute(request, caller, texts).await;
        };
        let at = self.remembered.now();
        let (answer, reads) = Box::pin(cache::noting(self.execute(request, caller, texts))).await;
        if answer.statements.count == 0 {
            self.remembered.keep(question, at, reads, &answer.response);
        }
        answer
    }

    /// Starts a subscription on the viewer's behalf.
    pub fn subscribe(
        &self,
        request: Request,
        viewer: impl Into<Arc<Viewer>>,
    ) -> BoxStream<'static, Response> {
        let subgraph = self.clone();
        let request = (self.prepare)(request).data::<Arc<Viewer>>(viewer.into());
        let responses = self.schema.subscribe(request);
        Box::pin(responses.then(move |mut response| {
            let subgraph = subgraph.clone();
            async move {
                subgraph.finish(&mut response);
                subgraph.say_written(&mut response).await;
                response
            }
        }))
    }

    /// Starts a subscription with a document that was parsed before.
    pub fn subscribe_to(
        &self,
        document: &Document,
        variables: Variables,
        viewer: impl Into<Arc<Viewer>>,
    ) -> BoxStream<'static, Response> {
        let mut request = Request::new("").variables(variables);
        request.set_parsed_query(document.0.clone());
        self.subscribe(request, viewer)
    }

    /// Gives every error its code, and logs those that are ours.
    fn finish(&self, response: &mut Response) {
        for error in &mut response.errors {
            let fault = error.source::<Fault>().cloned();
            match fault {
                Some(fault) => {
                    if fault.code.is_ours() {
                        tracing::error!(subgraph = self.name, path = ?error.path, reason = fault.chain(), "a resolver failed");
                    }
                    set_code(error, fault.code);
                }
                None if has_code(error) => {}
                None => set_code(error, FaultCode::BadInput),
            }
        }
    }
}

pub(crate) fn only_reads(request: &mut Request) -> bool {
    // What does not parse does not run.
    request.parsed_query().is_ok_and(|document| {
        document.operations.iter().all(|(_, operation)| operation.node.ty == OperationType::Query)
    })
}

fn has_code(error: &ServerError) -> bool {
    error.extensions.as_ref().is_some_and(|extensions| extensions.get("code").is_some())
}

fn set_code(error: &mut ServerError, code: FaultCode) {
    let extensions = error.extensions.get_or_insert_default();
    extensions.set("code", Value::from(code.as_str()));
    if code.retryable() {
        extensions.set("retryable", Value::from(true));
    }
}
