//! A subgraph of this process, as the engine calls it.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_graphql::{Name, ServerError, Variables};
use async_graphql_value::ConstValue;
use auth::{Asker, Caller, Viewer};
use axum::body::Bytes;
use engine::{LocalError, LocalRequest, LocalResponse, LocalSubgraph, PathSegment, Prepared, RequestContext};
use futures::StreamExt as _;
use futures::future::BoxFuture;
use futures::stream::BoxStream;
use subgraph::{Document, Subgraph};

/// A subgraph of this process.
pub struct Local(pub Subgraph);

impl LocalSubgraph for Local {
    fn prepare(&self, document: &str) -> Prepared {
        match Document::parse(document) {
            Ok(document) => Arc::new(document),
            // The engine writes these documents: one that does not parse is answered as a fault when it is run.
            Err(fault) => {
                tracing::error!(reason = fault.chain(), "the engine wrote a document that does not parse");
                Arc::new(())
            }
        }
    }

    /// Whoever wants to see how an answer is come by is shown it.
    fn known(&self, body: &Bytes, context: &RequestContext) -> Option<Bytes> {
        if context.trace { None } else { self.0.known(body, &self.caller(context)) }
    }

    fn call<'a>(
        &'a self,
        request: LocalRequest<'a>,
        context: &'a RequestContext,
    ) -> BoxFuture<'a, LocalResponse> {
        Box::pin(async move {
            let LocalRequest { prepared, variables, body } = request;
            let Some(document) = prepared.downcast_ref::<Document>() else {
                return unparsed();
            };
            let caller = self.caller(context);
            let answer = self.0.run(document, variables, body, caller, context.trace).await;
            translate(if context.trace { answer.explained() } else { answer.response })
        })
    }

    fn subscribe(
        self: Arc<Self>,
        prepared: Prepared,
        variables: Variables,
        context: Arc<RequestContext>,
    ) -> BoxStream<'static, LocalResponse> {
        match prepared.downcast_ref::<Document>() {
            Some(document) => {
                self.0.subscribe_to(document, variables, self.caller(&context).viewer).map(translate).boxed()
            }
            None => futures::stream::iter([unparsed()]).boxed(),
        }
    }
}

impl Local {
    fn caller(&self, context: &RequestContext) -> Caller {
        match context.local::<Asker>() {
            Some(asker) => asker.of(self.0.name),
            None => Viewer::anonymous().into(),
        }
    }
}

fn unparsed() -> LocalResponse {
    let error = LocalError { message: "the document does not parse".into(), ..LocalError::default() };
    LocalResponse { errors: vec![error], ..LocalResponse::default() }
}

fn translate(response: async_graphql::Response) -> LocalResponse {
    LocalResponse {
        data: response.data,
        errors: response.errors.into_iter().map(error).collect(),
        extensions: extensions(response.extensions),
    }
}

fn error(error: ServerError) -> LocalError {
    let path = error.path.into_iter().map(|segment| match segment {
        async_graphql::PathSegment::Field(name) => PathSegment::Key(name.as_str().into()),
        async_graphql::PathSegment::Index(index) => PathSegment::Index(index),
    });
    let extensions = match error.extensions.map(serde_json::to_value) {
        Some(Ok(serde_json::Value::Object(extensions))) => extensions,
        _ => serde_json::Map::new(),
    };
    LocalError { message: error.message, path: path.collect(), extensions }
}

fn extensions(said: BTreeMap<String, ConstValue>) -> ConstValue {
    match said.is_empty() {
        true => ConstValue::Null,
        false => ConstValue::Object(said.into_iter().map(|(name, value)| (Name::new(name), value)).collect()),
    }
}
