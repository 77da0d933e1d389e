//! Where a merged type comes from, as directives of the join specification.

use apollo_compiler::ast::Directive;
use apollo_compiler::schema::ExtendedType;
use apollo_compiler::{Name, Node, name};

use super::{Merger, Sources};
use crate::federation;
use crate::join;
use crate::subgraph::interfaces;

impl<'a> Merger<'a> {
    /// `@join__type`: which subgraphs have the type, and by which keys it is found there.
    pub(super) fn join_types(&self, name: &Name, sources: &Sources<'a>) -> Vec<Node<Directive>> {
        let mut joins = Vec::new();
        for graph in self.holders(name, sources) {
            let graph = &self.graphs[graph];
            let interface_object = graph.is_interface_object(name);
            let finish = |join: join::Application| {
                if interface_object { join.flag(name!("isInterfaceObject"), true) } else { join }.done()
            };
            // Federation 1 has no entity interfaces.
            let keyed = !graph.is_federation_1() || graph.get(name).is_some_and(ExtendedType::is_object);
            let mut keys = graph.facts.keys(name).filter(|_| keyed).peekable();
            if keys.peek().is_none() {
                joins.push(finish(join::join_type(&graph.join)));
            }
            for key in keys {
                let mut join = join::join_type(&graph.join).text(name!("key"), &key.text);
                let marked = graph.get(name).is_some_and(|ty| ty.directives().has(federation::EXTENDS));
                if key.on_extension && (marked || !graph.is_federation_1()) {
                    join = join.flag(name!("extension"), true);
                }
                if !key.resolvable {
                    join = join.flag(name!("resolvable"), false);
                }
                joins.push(finish(join));
            }
        }
        joins
    }

    /// The subgraphs that have a type. Each has a query type, if only for the gateway's own fields.
    pub(super) fn holders(&self, name: &Name, sources: &Sources<'a>) -> Vec<usize> {
        if name == "Query" {
            (0..self.graphs.len()).collect()
        } else {
            sources.iter().map(|source| source.0).collect()
        }
    }

    pub(super) fn join_implements(&self, sources: &Sources<'a>) -> Vec<Node<Directive>> {
        let graphs = self.graphs;
        sources
            .iter()
            .flat_map(|(graph, ty)| interfaces(ty).map(|i| join::join_implements(&graphs[*graph].join, i)))
            .collect()
    }
}
