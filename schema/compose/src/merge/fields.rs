//! Fields of object and interface types: who resolves each, of which type, and what the join says.

use apollo_compiler::ast::{Directive, Type};
use apollo_compiler::collections::IndexMap;
use apollo_compiler::schema::{Component, FieldDefinition};
use apollo_compiler::{Name, Node, name};

use super::overrides::Overridden;
use super::{Kind, Merger, Sources, ast_listed};
use crate::error::{CompositionError, ErrorCode};
use crate::federation;
use crate::hint::{Hint, HintCode};
use crate::join;
use crate::subgraph::{Graph, Purpose, field, fields, interfaces, text};

/// One subgraph's definition of a field.
pub(super) struct FieldSource<'a> {
    pub graph: usize,
    pub field: &'a FieldDefinition,
    /// Mentioned here, resolved elsewhere.
    pub external: bool,
    pub overridden: Option<Overridden>,
}

impl<'a> Merger<'a> {
    pub(super) fn fields(
        &mut self,
        ty: &Name,
        kind: Kind,
        sources: &Sources<'a>,
    ) -> IndexMap<Name, Component<FieldDefinition>> {
        let mut names: IndexMap<&Name, ()> = IndexMap::default();
        for (_, definition) in sources {
            names.extend(fields(definition).map(|field| (&field.name, ())));
        }
        let mut merged = IndexMap::default();
        for name in names.into_keys() {
            let of_field = self.field_sources(ty, name, sources);
            // Federation 1 tolerated external fields that nothing uses: they are not there at all.
            if of_field.is_empty() {
                continue;
            }
            if let Some(field) = self.field(ty, kind, sources, of_field) {
                merged.insert(name.clone(), Component::new(field));
            }
        }
        merged
    }

    fn field_sources(&self, ty: &Name, name: &Name, sources: &Sources<'a>) -> Vec<FieldSource<'a>> {
        let mut found = Vec::new();
        for (index, definition) in sources {
            let Some(field) = field(definition, name) else { continue };
            let graph = &self.graphs[*index];
            let external = graph.facts.is_external(ty, name);
            if external && graph.is_federation_1() && !is_used(graph, ty, name) {
                continue;
            }
            let overridden = self.overrides.overridden(*index, ty, name);
            found.push(FieldSource { graph: *index, field, external, overridden });
        }
        found
    }

    fn field(
        &mut self,
        ty: &Name,
        kind: Kind,
        type_sources: &Sources<'a>,
        sources: Vec<FieldSource<'a>>,
    ) -> Option<FieldDefinition> {
        let name = &sources[0].field.name;
        let coordinate = format!("{ty}.{name}");
        // What was overridden still answers for its type: requests are moved, not the schema.
        let mut declaring: Vec<&FieldSource<'a>> = sources.iter().filter(|source| !source.external).collect();
        if declaring.is_empty() {
            if !self.is_added_by_interface_object(name, type_sources) {
                self.report_unresolved(&coordinate, &sources);
                return None;
            }
            declaring = sources.iter().collect();
        }
        if kind == Kind::Object {
            self.check_sharing(ty, &coordinate, &sources);
        }
        let ty_merged =
            self.field_type(&coordinate, &declaring).unwrap_or_else(|| declaring[0].field.ty.clone());
        self.use_output(ty_merged.inner_named_type());
        let arguments = self.arguments(&coordinate, &declaring);
        let described = declaring.iter().map(|source| (source.graph, source.field.description.as_ref()));
        let description = self.description(&coordinate, described);
        let applied = |source: &FieldSource<'a>| {
            let (graph, directives) = (source.graph, &source.field.directives);
            directives
                .iter()
                .map(move |directive| (graph, &**directive))
                .collect::<Vec<(usize, &Directive)>>()
        };
        for source in sources.iter().filter(|source| source.external) {
            self.check_directives_of_external(&coordinate, &applied(source));
        }
        let applied: Vec<(usize, &Directive)> = declaring.iter().flat_map(|source| applied(source)).collect();
        let own = self.directives(&coordinate, &applied);
        let joins = self.join_fields(ty, type_sources, &sources, &declaring);
        let merged = FieldDefinition {
            description,
            name: name.clone(),
            arguments,
            ty: ty_merged,
            directives: ast_listed(joins, own),
        };
        self.check_external(&coordinate, &merged, &sources);
        self.hint_missing(ty, kind, name, type_sources, &sources);
        let at_once: Vec<&FieldSource<'a>> =
            declaring.into_iter().filter(|s| s.overridden.is_none()).collect();
        if kind == Kind::Object {
            self.check_runtime_types(&coordinate, &at_once);
        }
        Some(merged)
    }

    fn report_unresolved(&mut self, coordinate: &str, sources: &[FieldSource<'a>]) {
        let message = format!(
            "field \"{coordinate}\" is marked @external on all the subgraphs in which it is listed ({})",
            self.named(sources.iter().map(|source| source.graph))
        );
        let error = CompositionError::new(ErrorCode::ExternalMissingOnBase, message);
        self.errors.push(error.at(self.places(sources.iter().map(|source| source.graph), coordinate)));
    }

    /// Does a subgraph resolve the field for every implementation of an interface that the type has?
    fn is_added_by_interface_object(&self, name: &Name, type_sources: &Sources<'a>) -> bool {
        type_sources.iter().flat_map(|(_, ty)| interfaces(ty)).any(|interface| {
            self.graphs.iter().any(|graph| {
                graph.is_interface_object(interface)
                    && graph.get(interface).is_some_and(|ty| field(ty, name).is_some())
                    && !graph.facts.is_external(interface, name)
            })
        })
    }

    /// A field that several subgraphs resolve must be shareable in all of them.
    fn check_sharing(&mut self, ty: &Name, coordinate: &str, sources: &[FieldSource<'a>]) {
        let name = &sources[0].field.name;
        // A progressive override leaves two subgraphs resolving the field, by turns; what is external but
        // provided is resolved here too, in some places.
        let at_once: Vec<&FieldSource> = sources
            .iter()
            .filter(|source| source.overridden.is_none())
            .filter(|source| !source.external || self.graphs[source.graph].facts.is_provided(ty, name))
            .collect();
        if at_once.len() < 2 {
            return;
        }
        let shareable = |source: &&&FieldSource| {
            ty != "Subscription" && self.graphs[source.graph].facts.is_shareable(ty, name)
        };
        let refusing: Vec<usize> =
            at_once.iter().filter(|source| !shareable(source)).map(|source| source.graph).collect();
        if refusing.is_empty() {
            return;
        }
        let all = self.named(at_once.iter().map(|source| source.graph));
        let message = if ty == "Subscription" {
            format!(
                "Fields on root level subscription object cannot be shared: \"{coordinate}\" is resolved from {all}"
            )
        } else {
            format!(
                "non-shareable field \"{coordinate}\" is resolved from multiple subgraphs: it is resolved from {all} \
                 and defined as non-shareable in {}",
                if refusing.len() == at_once.len() { "all of them".to_owned() } else { self.named(refusing) }
            )
        };
        let error = CompositionError::new(ErrorCode::InvalidFieldSharing, message);
        self.errors.push(error.at(self.places(at_once.iter().map(|source| source.graph), coordinate)));
    }

    fn field_type(&mut self, coordinate: &str, declaring: &[&FieldSource<'a>]) -> Option<Type> {
        let types: Vec<&Type> = declaring.iter().map(|source| &source.field.ty).collect();
        let given: Vec<(usize, String)> =
            declaring.iter().map(|source| (source.graph, source.field.ty.to_string())).collect();
        if given.iter().all(|(_, ty)| *ty == given[0].1) {
            return Some(types[0].clone());
        }
        let places = self.places(declaring.iter().map(|source| source.graph), coordinate);
        let told = self.told("type", &given, |ty| format!("\"{ty}\""));
        match self.hierarchy.most_general(&types) {
            Some(general) => {
                let message = format!(
                    "type of field \"{coordinate}\" is inconsistent but compatible across subgraphs: \
                     the supergraph takes \"{general}\"; it has {told}"
                );
                self.hints.push(Hint::new(HintCode::InconsistentButCompatibleFieldType, message, places));
                Some(general.clone())
            }
            None => {
                let message =
                    format!("type of field \"{coordinate}\" is incompatible across subgraphs: it has {told}");
                self.errors.push(CompositionError::new(ErrorCode::FieldTypeMismatch, message).at(places));
                None
            }
        }
    }

    /// The `@join__field`s; none at all when every subgraph that has the type resolves the field plainly.
    fn join_fields(
        &self,
        ty: &Name,
        type_sources: &Sources<'a>,
        sources: &[FieldSource<'a>],
        declaring: &[&FieldSource<'a>],
    ) -> Vec<Node<Directive>> {
        let same_type = declaring.iter().all(|source| source.field.ty == declaring[0].field.ty);
        let mut joins = Vec::new();
        let mut plain = sources.len() == self.holders(ty, type_sources).len() && same_type;
        for source in sources {
            let graph = &self.graphs[source.graph];
            let name = &source.field.name;
            let join = join::join_field(&graph.join);
            let label = match &source.overridden {
                Some(Overridden { label: None }) => {
                    plain = false;
                    if is_used(graph, ty, name) {
                        let ty = (!same_type).then(|| source.field.ty.to_string());
                        let join = join.maybe_text(name!("type"), ty.as_deref());
                        joins.push(join.flag(name!("usedOverridden"), true).done());
                    }
                    continue;
                }
                Some(Overridden { label }) => label.clone(),
                None => None,
            };
            let mut join = join
                .maybe_text(name!("requires"), graph.facts.on_field(Purpose::Requires, ty, name))
                .maybe_text(name!("provides"), graph.facts.on_field(Purpose::Provides, ty, name));
            if !same_type {
                join = join.text(name!("type"), &source.field.ty.to_string());
            }
            if source.external {
                join = join.flag(name!("external"), true);
            }
            let mut said = 0;
            if let Some(directive) = source.field.directives.get(federation::OVERRIDE) {
                join = join.maybe_text(name!("override"), text(directive, "from"));
                if self.is_effective(directive, ty, name) {
                    join = join.maybe_text(name!("overrideLabel"), text(directive, "label"));
                } else {
                    // From a subgraph that has not the field nothing is taken, with whatever label.
                    said = 1;
                }
            }
            let join = join.maybe_text(name!("overrideLabel"), label.as_deref());
            let join = super::arguments::with_contexts(join, source, graph).done();
            plain &= join.arguments.len() == 1 + said;
            joins.push(join);
        }
        if plain { Vec::new() } else { joins }
    }

    fn is_effective(&self, overriding: &Directive, ty: &Name, name: &Name) -> bool {
        let from = self.graphs.iter().position(|graph| text(overriding, "from") == Some(&graph.name));
        from.is_some_and(|from| self.overrides.overridden(from, ty, name).is_some())
    }

    /// What a subgraph says of a field that it does not resolve must be true of the merged one.
    fn check_external(&mut self, coordinate: &str, merged: &FieldDefinition, sources: &[FieldSource<'a>]) {
        for source in sources.iter().filter(|source| source.external) {
            let subgraph = &self.graphs[source.graph].name;
            let declared = &source.field.ty;
            let mut found = Vec::new();
            if !self.hierarchy.is_same_shape(declared, &merged.ty) {
                let message = format!(
                    "type of field \"{coordinate}\" is incompatible across subgraphs (where marked @external): \
                     it has type \"{}\" in the supergraph but \"{declared}\" in subgraph \"{subgraph}\"",
                    merged.ty
                );
                found.push((ErrorCode::ExternalTypeMismatch, message));
            }
            for argument in &merged.arguments {
                let of_argument = format!("argument \"{coordinate}({}:)\"", argument.name);
                let Some(declared) = source.field.argument_by_name(&argument.name) else {
                    let message = format!(
                        "{of_argument} is not declared where the field is @external, in subgraph \"{subgraph}\""
                    );
                    found.push((ErrorCode::ExternalArgumentMissing, message));
                    continue;
                };
                if !self.hierarchy.is_subtype(&argument.ty, &declared.ty) {
                    let message = format!(
                        "{of_argument} has type \"{}\" in the supergraph but \"{}\" where the field is @external, in subgraph \"{subgraph}\"",
                        argument.ty, declared.ty
                    );
                    found.push((ErrorCode::ExternalArgumentTypeMismatch, message));
                } else if argument.default_value != declared.default_value {
                    let message = format!(
                        "{of_argument} has another default value where the field is @external, in subgraph \"{subgraph}\""
                    );
                    found.push((ErrorCode::ExternalArgumentDefaultMismatch, message));
                }
            }
            let place = self.graphs[source.graph].at(coordinate);
            let errors = found
                .into_iter()
                .map(|(code, message)| CompositionError::new(code, message).at([place.clone()]));
            self.errors.extend(errors);
        }
    }
}

/// Does the subgraph itself need the field, although it does not resolve it?
pub(super) fn is_used(graph: &Graph, ty: &Name, name: &Name) -> bool {
    graph.facts.is_selected(ty, name)
        || graph.get(ty).is_some_and(|definition| {
            interfaces(definition)
                .any(|i| graph.get(i).is_some_and(|interface| field(interface, name).is_some()))
        })
}
