//! Objects whose fields need not be waited for side by side.

use std::borrow::Cow;
use std::ops::Deref;

use async_graphql::indexmap::IndexMap;
use async_graphql::parser::types::{Field, Selection};
use async_graphql::registry::Registry;
use async_graphql::{ContextSelectionSet, ObjectType, OutputType, Positioned, ServerResult, Value};

/// An object whose fields are resolved one after another, in place. Side by side, every field is a future on the heap,
/// which for a value that is there already costs more than the value. For objects of which at most one field waits.
#[derive(Debug, Clone)]
pub struct InOrder<T>(pub T);

impl<T> Deref for InOrder<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: ObjectType> OutputType for InOrder<T> {
    fn type_name() -> Cow<'static, str> {
        T::type_name()
    }

    fn introspection_type_name(&self) -> Cow<'static, str> {
        self.0.introspection_type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        T::create_type_info(registry)
    }

    async fn resolve(
        &self,
        context: &ContextSelectionSet<'_>,
        field: &Positioned<Field>,
    ) -> ServerResult<Value> {
        let selections = &context.item.node.items;
        if !selections.iter().all(|selection| is_simple(&selection.node)) {
            return self.0.resolve(context, field).await;
        }
        let mut object = IndexMap::with_capacity(selections.len());
        for selection in selections {
            let Selection::Field(field) = &selection.node else { continue };
            let value = match field.node.name.node.as_str() {
                "__typename" => Value::String(self.0.introspection_type_name().into_owned()),
                _ => self.0.resolve_field(&context.with_field(field)).await?.unwrap_or_default(),
            };
            object.insert(field.node.response_key().node.clone(), value);
        }
        // A key that was asked for twice may have to be merged, which the usual way knows how to.
        if object.len() < selections.len() {
            return self.0.resolve(context, field).await;
        }
        Ok(Value::Object(object))
    }
}

/// A list of such objects, resolved one after another as well. For objects that wait for nothing.
#[derive(Debug, Clone)]
pub struct Listed<T>(pub Vec<T>);

impl<T: ObjectType> OutputType for Listed<T> {
    fn type_name() -> Cow<'static, str> {
        <Vec<T> as OutputType>::type_name()
    }

    fn qualified_type_name() -> String {
        <Vec<T> as OutputType>::qualified_type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        <Vec<T> as OutputType>::create_type_info(registry)
    }

    async fn resolve(
        &self,
        context: &ContextSelectionSet<'_>,
        field: &Positioned<Field>,
    ) -> ServerResult<Value> {
        let mut list = Vec::with_capacity(self.0.len());
        for (place, object) in self.0.iter().enumerate() {
            let context = context.with_index(place);
            let resolved = InOrder(object).resolve(&context, field).await;
            list.push(resolved.map_err(|error| context.set_error_path(error))?);
        }
        Ok(Value::List(list))
    }
}

impl<T> FromIterator<T> for Listed<T> {
    fn from_iter<I: IntoIterator<Item = T>>(objects: I) -> Self {
        Self(objects.into_iter().collect())
    }
}

/// Whether the selection is a field of the object itself, and nothing decides whether it is wanted.
fn is_simple(selection: &Selection) -> bool {
    matches!(selection, Selection::Field(field) if field.node.directives.is_empty())
}
