//! Objects whose fields need not be waited for side by side.

use std::borrow::Cow;
use std::ops::Deref;

use async_graphql::indexmap::IndexMap;
use async_graphql::parser::types::{Field, Selection};
use async_graphql::registry::{MetaType, Registry};
use async_graphql::{ContextSelectionSet, ObjectType, OutputType, Positioned, ServerResult, Value};

/// Objects of which more is asked go the usual way, so that looking for equal keys stays cheap.
const MOST: usize = 32;

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
        let mut fields = Vec::with_capacity(context.item.node.items.len());
        let own = self.0.introspection_type_name();
        if !collect(context, &own, &context.item.node.items, &mut fields) {
            return self.0.resolve(context, field).await;
        }
        let mut object = IndexMap::with_capacity(fields.len());
        for field in fields {
            let value = match field.node.name.node.as_str() {
                "__typename" => Ok(Some(Value::String(own.clone().into_owned()))),
                _ => self.0.resolve_field(&context.with_field(field)).await,
            };
            match value {
                Ok(value) => {
                    drop(object.insert(field.node.response_key().node.clone(), value.unwrap_or_default()))
                }
                // As the usual way does: the error is told and the field left out, and the others stay.
                Err(error) => context.add_error(error),
            }
        }
        Ok(if object.is_empty() { Value::Null } else { Value::Object(object) })
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

/// Collects the fields that are asked of an object of the type `own`, those in fragments on its type too. Says whether
/// this way will do: nothing decides whether a field is wanted, and each has a key of its own; equal keys may have to be
/// merged, which the usual way knows how to.
fn collect<'a>(
    context: &ContextSelectionSet<'_>,
    own: &str,
    selections: &'a [Positioned<Selection>],
    fields: &mut Vec<&'a Positioned<Field>>,
) -> bool {
    selections.iter().all(|selection| match &selection.node {
        Selection::Field(field) => {
            let key = &field.node.response_key().node;
            let is_new = fields.iter().all(|other| other.node.response_key().node != *key);
            fields.push(field);
            is_new && field.node.directives.is_empty() && fields.len() <= MOST
        }
        Selection::InlineFragment(fragment) if fragment.node.directives.is_empty() => {
            let on = fragment.node.type_condition.as_ref().map(|on| on.node.on.node.as_str());
            match on {
                Some(on) if on != own => is_other_object(context, on),
                _ => collect(context, own, &fragment.node.selection_set.node.items, fields),
            }
        }
        _ => false,
    })
}

/// Whether the name is that of an object, so that a fragment on it has nothing to do with objects of another type.
fn is_other_object(context: &ContextSelectionSet<'_>, name: &str) -> bool {
    matches!(context.schema_env.registry.types.get(name), Some(MetaType::Object { .. }))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use async_graphql::{Context, EmptyMutation, EmptySubscription, Object, Schema, SimpleObject};

    use super::*;

    struct Query;
    struct Lamp;

    #[derive(SimpleObject, Clone)]
    struct Bulb {
        watts: i32,
    }

    #[Object]
    impl Lamp {
        async fn title(&self, context: &Context<'_>) -> &str {
            context.data_unchecked::<Arc<AtomicUsize>>().fetch_add(1, Ordering::Relaxed);
            "Lamp"
        }

        async fn broken(&self) -> async_graphql::Result<Option<i32>> {
            Err("no".into())
        }

        async fn bulb(&self) -> InOrder<Bulb> {
            InOrder(Bulb { watts: 4 })
        }
    }

    #[Object]
    impl Query {
        async fn usual(&self) -> Vec<Lamp> {
            vec![Lamp, Lamp]
        }

        async fn in_order(&self) -> Listed<Lamp> {
            Listed(vec![Lamp, Lamp])
        }
    }

    #[tokio::test]
    async fn the_answer_is_that_of_the_usual_way_and_every_field_is_resolved_once() {
        let many: String = (0..=MOST).map(|number| format!("a{number}: title ")).collect();
        for (fields, titles) in [
            ("title", 1),
            ("kind: __typename name: title bulb { watts }", 1),
            ("title bulb { __typename } bulb { watts }", 1),
            ("title title", 2),
            ("title broken", 1),
            ("broken broken title", 1),
            ("... on Lamp { title } bulb { watts }", 1),
            ("title @skip(if: true) other: title @include(if: true)", 1),
            (&many, MOST + 1),
        ] {
            let mut answers = Vec::new();
            for way in ["usual", "inOrder"] {
                let asked = Arc::new(AtomicUsize::new(0));
                let schema =
                    Schema::build(Query, EmptyMutation, EmptySubscription).data(Arc::clone(&asked)).finish();
                let answer = schema.execute(format!("{{ lamps: {way} {{ {fields} }} }}")).await;
                assert_eq!(asked.load(Ordering::Relaxed), 2 * titles, "{way} {fields}");
                let errors: Vec<_> = answer.errors.iter().map(|error| format!("{:?}", error.path)).collect();
                answers.push((answer.data, errors));
            }
            assert_eq!(answers[0], answers[1], "{fields}");
        }
    }
}
