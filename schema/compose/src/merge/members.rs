//! Members of unions: all that any subgraph has.

use apollo_compiler::Name;
use apollo_compiler::Node;
use apollo_compiler::ast::Directive;
use apollo_compiler::collections::IndexSet;
use apollo_compiler::schema::{ComponentName, ExtendedType};

use super::{Merger, Sources};
use crate::hint::{Hint, HintCode};
use crate::join;

impl<'a> Merger<'a> {
    /// The members and the directives that say whose they are.
    pub(super) fn members(
        &mut self,
        ty: &Name,
        sources: &Sources<'a>,
    ) -> (IndexSet<ComponentName>, Vec<Node<Directive>>) {
        let mut members: IndexSet<ComponentName> = IndexSet::default();
        let mut joins = Vec::new();
        for (graph, definition) in sources {
            let ExtendedType::Union(union) = definition else { continue };
            for member in &union.members {
                joins.push(join::join_union_member(&self.graphs[*graph].join, &member.name));
                members.insert(member.name.clone().into());
            }
        }
        for member in &members {
            let lacks = |definition: &ExtendedType| {
                definition
                    .as_union()
                    .is_some_and(|union| !union.members.iter().any(|other| other.name == member.name))
            };
            let missing: Vec<usize> =
                sources.iter().filter(|(_, definition)| lacks(definition)).map(|(graph, _)| *graph).collect();
            if !missing.is_empty() {
                let message = format!(
                    "union type \"{ty}\" includes member type \"{}\" in some but not all defining subgraphs: it is missing in {}",
                    member.name,
                    self.named(missing.iter().copied())
                );
                let places = self.places(missing.into_iter(), ty);
                self.hints.push(Hint::new(HintCode::InconsistentUnionMember, message, places));
            }
        }
        (members, joins)
    }
}
