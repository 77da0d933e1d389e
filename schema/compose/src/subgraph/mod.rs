//! A subgraph as the composer sees it: a valid schema whose federation directives carry full names,
//! and the facts about its fields that merging asks for.

mod check;
mod costs;
mod default_values;
mod definitions;
mod facts;
mod field_sets;
mod read;
mod rename;

pub(crate) use self::facts::Facts;
pub(crate) use self::field_sets::{Purpose, each_field};
pub(crate) use self::read::read;

use apollo_compiler::Name;
use apollo_compiler::Schema;
use apollo_compiler::ast::Directive;
use apollo_compiler::schema::{ExtendedType, FieldDefinition};
use apollo_compiler::validation::Valid;

use crate::error::Location;
use crate::link::{Links, Version};

/// One subgraph, read and found valid on its own.
pub(crate) struct Graph {
    pub name: String,
    pub url: String,
    /// Its value in `enum join__Graph`.
    pub join: Name,
    pub schema: Valid<Schema>,
    pub links: Links,
    pub facts: Facts,
}

/// Coordinate of a field: type and field name.
pub(crate) type Coordinate = (Name, Name);

impl Graph {
    /// The type `name`, unless it is machinery of federation.
    pub fn get(&self, name: &str) -> Option<&ExtendedType> {
        self.schema.types.get(name).filter(|_| !crate::federation::is_machinery(name))
    }

    pub fn is_federation_1(&self) -> bool {
        self.links.version == Version::One
    }

    pub fn at(&self, coordinate: impl Into<String>) -> Location {
        Location::new(&self.name, coordinate)
    }

    pub fn is_interface_object(&self, type_name: &str) -> bool {
        self.get(type_name).is_some_and(|ty| ty.directives().has(crate::federation::INTERFACE_OBJECT))
    }
}

/// The fields of an object or interface type, in order; none for other kinds.
pub(crate) fn fields(ty: &ExtendedType) -> impl Iterator<Item = &FieldDefinition> {
    let fields = match ty {
        ExtendedType::Object(object) => Some(&object.fields),
        ExtendedType::Interface(interface) => Some(&interface.fields),
        _ => None,
    };
    fields.into_iter().flat_map(|fields| fields.values()).map(|component| &***component)
}

/// One field of an object or interface type.
pub(crate) fn field<'a>(ty: &'a ExtendedType, name: &str) -> Option<&'a FieldDefinition> {
    let field = match ty {
        ExtendedType::Object(object) => object.fields.get(name),
        ExtendedType::Interface(interface) => interface.fields.get(name),
        _ => None,
    };
    field.map(|component| &***component)
}

/// The interfaces that an object or interface type says it implements.
pub(crate) fn interfaces(ty: &ExtendedType) -> impl Iterator<Item = &Name> {
    let names = match ty {
        ExtendedType::Object(object) => Some(&object.implements_interfaces),
        ExtendedType::Interface(interface) => Some(&interface.implements_interfaces),
        _ => None,
    };
    names.into_iter().flatten().map(|component| &component.name)
}

/// A string argument of a directive.
pub(crate) fn text<'a>(directive: &'a Directive, argument: &str) -> Option<&'a str> {
    directive.specified_argument_by_name(argument)?.as_str()
}
