//! Renaming in a parsed document: directives to their full names, root types to the usual ones.

use apollo_compiler::ast::{Definition, DirectiveList, FieldDefinition, InputValueDefinition, Type};
use apollo_compiler::{Name, Node};
use rustc_hash::FxHashMap;

/// What to call things instead.
pub(super) struct Renaming<'a> {
    pub directives: &'a FxHashMap<Name, Name>,
    pub types: FxHashMap<Name, Name>,
}

impl Renaming<'_> {
    /// Renames everything in a type definition or extension.
    pub fn definition(&self, definition: &mut Definition) {
        match definition {
            Definition::ScalarTypeDefinition(node) => self.directives(&mut node.make_mut().directives),
            Definition::ScalarTypeExtension(node) => self.directives(&mut node.make_mut().directives),
            Definition::ObjectTypeDefinition(node) => {
                let node = node.make_mut();
                self.type_name(&mut node.name);
                self.directives(&mut node.directives);
                self.fields(&mut node.fields);
            }
            Definition::ObjectTypeExtension(node) => {
                let node = node.make_mut();
                self.type_name(&mut node.name);
                self.directives(&mut node.directives);
                self.fields(&mut node.fields);
            }
            Definition::InterfaceTypeDefinition(node) => {
                let node = node.make_mut();
                self.directives(&mut node.directives);
                self.fields(&mut node.fields);
            }
            Definition::InterfaceTypeExtension(node) => {
                let node = node.make_mut();
                self.directives(&mut node.directives);
                self.fields(&mut node.fields);
            }
            _ => self.definition_without_fields(definition),
        }
    }

    fn definition_without_fields(&self, definition: &mut Definition) {
        match definition {
            Definition::UnionTypeDefinition(node) => {
                let node = node.make_mut();
                self.directives(&mut node.directives);
                node.members.iter_mut().for_each(|member| self.type_name(member));
            }
            Definition::UnionTypeExtension(node) => {
                let node = node.make_mut();
                self.directives(&mut node.directives);
                node.members.iter_mut().for_each(|member| self.type_name(member));
            }
            Definition::EnumTypeDefinition(node) => {
                let node = node.make_mut();
                self.directives(&mut node.directives);
                node.values.iter_mut().for_each(|value| self.directives(&mut value.make_mut().directives));
            }
            Definition::EnumTypeExtension(node) => {
                let node = node.make_mut();
                self.directives(&mut node.directives);
                node.values.iter_mut().for_each(|value| self.directives(&mut value.make_mut().directives));
            }
            Definition::InputObjectTypeDefinition(node) => {
                let node = node.make_mut();
                self.directives(&mut node.directives);
                self.inputs(&mut node.fields);
            }
            Definition::InputObjectTypeExtension(node) => {
                let node = node.make_mut();
                self.directives(&mut node.directives);
                self.inputs(&mut node.fields);
            }
            Definition::DirectiveDefinition(node) => self.inputs(&mut node.make_mut().arguments),
            _ => {}
        }
    }

    fn fields(&self, fields: &mut [Node<FieldDefinition>]) {
        for field in fields {
            let field = field.make_mut();
            self.directives(&mut field.directives);
            self.inputs(&mut field.arguments);
            self.reference(&mut field.ty);
        }
    }

    fn inputs(&self, inputs: &mut [Node<InputValueDefinition>]) {
        for input in inputs {
            if !input.directives.is_empty() {
                self.directives(&mut input.make_mut().directives);
            }
        }
    }

    fn directives(&self, directives: &mut DirectiveList) {
        for directive in directives.iter_mut() {
            if let Some(full) = self.directives.get(&directive.name) {
                directive.make_mut().name = full.clone();
            }
        }
    }

    fn reference(&self, ty: &mut Type) {
        if self.types.is_empty() {
            return;
        }
        match ty {
            Type::Named(name) | Type::NonNullNamed(name) => self.type_name(name),
            Type::List(inner) | Type::NonNullList(inner) => self.reference(inner),
        }
    }

    fn type_name(&self, name: &mut Name) {
        if let Some(usual) = self.types.get(name) {
            *name = usual.clone();
        }
    }
}
