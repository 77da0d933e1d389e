//! `@interfaceObject`: fields that a subgraph adds to an interface reach every implementation.

use std::collections::BTreeMap;

use apollo_compiler::Name;
use apollo_compiler::ast::DirectiveList;
use apollo_compiler::schema::{Component, ExtendedType, FieldDefinition};

use super::Merger;
use crate::error::{CompositionError, ErrorCode, enumerate};
use crate::join;
use crate::subgraph::{fields, interfaces};

impl Merger<'_> {
    pub(super) fn add_interface_object_fields(&mut self, merged: &mut BTreeMap<Name, ExtendedType>) {
        for (index, graph) in self.graphs.iter().enumerate() {
            for (name, ty) in graph.schema.types.iter().filter(|(name, _)| graph.is_interface_object(name)) {
                self.check_usage(index, name);
                let added: Vec<Name> = fields(ty)
                    .filter(|field| !graph.facts.is_external(name, &field.name))
                    .map(|field| field.name.clone())
                    .collect();
                self.add_to_implementations(index, name, &added, merged);
            }
        }
        self.check_entity_interfaces(merged);
    }

    /// A subgraph that treats the interface as one object must not know its implementations.
    fn check_usage(&mut self, index: usize, name: &Name) {
        let graph = &self.graphs[index];
        let implementations: Vec<Name> = self
            .graphs
            .iter()
            .flat_map(|other| other.schema.types.iter())
            .filter(|(_, ty)| ty.is_object() && interfaces(ty).any(|interface| interface == name))
            .map(|(implementation, _)| implementation.clone())
            .filter(|implementation| graph.get(implementation).is_some())
            .collect();
        if let Some(implementation) = implementations.first() {
            let message = format!(
                "interface type \"{name}\" is defined as an @interfaceObject in subgraph \"{}\" so that subgraph should not \
                 define any of the implementation types of \"{name}\", but it defines type \"{implementation}\"",
                graph.name
            );
            let error = CompositionError::new(ErrorCode::InterfaceObjectUsageError, message);
            self.errors.push(error.at([graph.at(implementation.as_str())]));
        }
    }

    fn add_to_implementations(
        &mut self,
        index: usize,
        interface: &Name,
        added: &[Name],
        merged: &mut BTreeMap<Name, ExtendedType>,
    ) {
        let Some(ExtendedType::Interface(definition)) = merged.get(interface) else { return };
        let definitions: Vec<FieldDefinition> = added
            .iter()
            .filter_map(|name| definition.fields.get(name))
            .map(|field| (***field).clone())
            .collect();
        let implementations: Vec<Name> = merged
            .iter()
            .filter(|(_, ty)| ty.is_object() && interfaces(ty).any(|implemented| implemented == interface))
            .map(|(name, _)| name.clone())
            .collect();
        for implementation in implementations {
            for definition in &definitions {
                self.add_field(index, interface, &implementation, definition, merged);
            }
        }
    }

    fn add_field(
        &mut self,
        index: usize,
        interface: &Name,
        implementation: &Name,
        definition: &FieldDefinition,
        merged: &mut BTreeMap<Name, ExtendedType>,
    ) {
        let Some(ExtendedType::Object(object)) = merged.get_mut(implementation) else { return };
        let name = &definition.name;
        if object.fields.contains_key(name) {
            self.check_implementation_sharing(index, interface, implementation, name);
            return;
        }
        let own = definition.directives.iter().filter(|directive| directive.name != "join__field").cloned();
        let field = FieldDefinition {
            directives: DirectiveList([join::join_field_anywhere()].into_iter().chain(own).collect()),
            ..definition.clone()
        };
        object.make_mut().fields.insert(name.clone(), Component::new(field));
    }

    /// A field that both the interface object and an implementation resolve is shared.
    fn check_implementation_sharing(
        &mut self,
        index: usize,
        interface: &Name,
        implementation: &Name,
        name: &Name,
    ) {
        let here = &self.graphs[index];
        let resolving: Vec<usize> = self
            .graphs
            .iter()
            .enumerate()
            .filter(|(other, graph)| {
                *other != index
                    && graph.get(implementation).is_some_and(|ty| crate::subgraph::field(ty, name).is_some())
                    && !graph.facts.is_external(implementation, name)
            })
            .map(|(other, _)| other)
            .collect();
        let shareable = here.facts.is_shareable(interface, name)
            && resolving.iter().all(|other| self.graphs[*other].facts.is_shareable(implementation, name));
        if resolving.is_empty() || shareable {
            return;
        }
        let coordinate = format!("{implementation}.{name}");
        let message = format!(
            "non-shareable field \"{coordinate}\" is resolved from multiple subgraphs: it is resolved from {} and through \
             @interfaceObject field \"{interface}.{name}\" from subgraph \"{}\"",
            self.named(resolving.iter().copied()),
            here.name
        );
        let error = CompositionError::new(ErrorCode::InvalidFieldSharing, message);
        self.errors.push(error.at(self.places(resolving.into_iter(), &coordinate)));
    }

    /// A subgraph that resolves an interface by key must know every implementation.
    fn check_entity_interfaces(&mut self, merged: &BTreeMap<Name, ExtendedType>) {
        for (name, _) in merged.iter().filter(|(_, ty)| ty.is_interface()) {
            for graph in self.graphs {
                let resolves = !graph.is_federation_1()
                    && graph.get(name).is_some_and(ExtendedType::is_interface)
                    && graph.facts.keys(name).any(|key| key.resolvable);
                if !resolves {
                    continue;
                }
                let missing: Vec<&Name> = merged
                    .iter()
                    .filter(|(_, ty)| ty.is_object() && interfaces(ty).any(|implemented| implemented == name))
                    .map(|(implementation, _)| implementation)
                    .filter(|implementation| graph.get(implementation).is_none())
                    .collect();
                if !missing.is_empty() {
                    let message = format!(
                        "[{}] interface type \"{name}\" has a resolvable key in subgraph \"{}\" but that subgraph is missing \
                         some of the supergraph implementation types of \"{name}\": it should define {}",
                        graph.name,
                        graph.name,
                        enumerate(missing)
                    );
                    let error =
                        CompositionError::new(ErrorCode::InterfaceKeyMissingImplementationType, message);
                    self.errors.push(error.at([graph.at(name.as_str())]));
                }
            }
        }
    }
}
