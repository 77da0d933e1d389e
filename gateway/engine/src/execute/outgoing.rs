//! What is sent to a subgraph, in the form that its transport takes.

use async_graphql_value::{ConstValue, Variables};
use bytes::Bytes;

use super::arena::Arena;
use super::entities::Targets;
use super::run::Request;
use crate::RequestContext;
use crate::compile::{CompiledFetch, CompiledKind};
use crate::transport::{Call, LocalRequest, LocalSubgraph, Prepared, Transport};

/// The call of a fetch, and how many bytes it sends.
pub(crate) fn outgoing<'a>(
    request: &Request<'a>,
    fetch: &'a CompiledFetch,
    arena: &Arena,
    targets: &[Targets],
    context: &RequestContext,
) -> (Option<Call<'a>>, usize) {
    match request.engine.subgraphs.transport(&fetch.name) {
        None => (None, 0),
        Some(Transport::Local(subgraph)) => {
            let sent = targets.iter().map(|targets| targets.text.len()).sum();
            let body = (!is_mutation(fetch)).then(|| http_body(request, fetch, targets));
            if let Some(known) = body.as_ref().and_then(|body| subgraph.known(body, context)) {
                return (Some(Call::Known(known)), sent);
            }
            let variables = local_variables(request, fetch, arena, targets);
            let prepared = prepared(fetch, &**subgraph);
            let request = LocalRequest { prepared, variables, body };
            (Some(Call::Local { subgraph: &**subgraph, request }), sent)
        }
        Some(Transport::Http(subgraph)) => {
            let body = http_body(request, fetch, targets);
            let sent = body.len();
            let sharing = request.engine.sharing.as_ref().filter(|_| !is_mutation(fetch));
            (Some(Call::Http { subgraph, name: &fetch.name, body, sharing }), sent)
        }
    }
}

/// The document as the subgraph has parsed it, once.
pub(crate) fn prepared<'a>(fetch: &'a CompiledFetch, subgraph: &dyn LocalSubgraph) -> &'a Prepared {
    fetch.prepared.get_or_init(|| subgraph.prepare(&fetch.document))
}

/// Whether it asks for a root field of a mutation.
pub(crate) fn is_mutation(fetch: &CompiledFetch) -> bool {
    use apollo_compiler::ast::OperationType;
    matches!(fetch.kind, CompiledKind::Root { operation: OperationType::Mutation, .. })
}

/// The JSON body of a request.
pub(crate) fn http_body(request: &Request<'_>, fetch: &CompiledFetch, targets: &[Targets]) -> Bytes {
    let representations: usize = targets.iter().map(|targets| targets.text.len() + targets.len() + 32).sum();
    let mut body = Vec::with_capacity(fetch.head.len() + representations + 128);
    body.extend_from_slice(&fetch.head);
    let start = body.len();
    if let CompiledKind::Entities { groups } = &fetch.kind {
        for (group, targets) in groups.iter().zip(targets) {
            separate(&mut body, start);
            body.extend_from_slice(&group.variable_key);
            targets.write_list(&mut body);
        }
    }
    for variable in &fetch.variables {
        let Some(value) = &request.variables[variable.row] else { continue };
        separate(&mut body, start);
        body.extend_from_slice(&variable.key);
        serde_json::to_writer(&mut body, value).expect("a JSON value can be written to memory");
    }
    body.extend_from_slice(b"}}");
    Bytes::from(body)
}

fn separate(body: &mut Vec<u8>, start: usize) {
    if body.len() > start {
        body.push(b',');
    }
}

/// The variables of a call in this process.
pub(crate) fn local_variables(
    request: &Request<'_>,
    fetch: &CompiledFetch,
    arena: &Arena,
    targets: &[Targets],
) -> Variables {
    let mut variables = Variables::default();
    if let CompiledKind::Entities { groups } = &fetch.kind {
        for (group, targets) in groups.iter().zip(targets) {
            let values = targets.to_values(group, arena, &request.engine.names);
            variables.insert(group.variable.clone(), values);
        }
    }
    for variable in &fetch.variables {
        let Some(value) = &request.variables[variable.row] else { continue };
        if let Ok(value) = ConstValue::from_json(value.clone()) {
            variables.insert(variable.name.clone(), value);
        }
    }
    variables
}
