//! Objects whose fields need not be waited for side by side.

use std::borrow::Cow;
use std::ops::Deref;

use async_graphql::indexmap::IndexMap;
use async_graphql::parser::types::{Field, Selection};
use async_graphql::registry::Registry;
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
        let selections = &context.item.node.items;
        if !are_simple(selections) {
            return self.0.resolve(context, field).await;
        }
        let mut object = IndexMap::with_capacity(selections.len());
        for selection in selections {
            let Selection::Field(field) = &selection.node else { continue };
            let value = match field.node.name.node.as_str() {
                "__typename" => Ok(Some(Value::String(self.0.introspection_type_name().into_owned()))),
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

/// Whether all are fields of the object itself, nothing decides whether they are wanted, and each has a key of its own:
/// equal keys may have to be merged, which the usual way knows how to.
fn are_simple(selections: &[Positioned<Selection>]) -> bool {
    selections.len() <= MOST
        && selections.iter().enumerate().all(|(place, selection)| {
            key(selection).is_some_and(|own| selections[..place].iter().all(|other| key(other) != Some(own)))
        })
}

/// The response key of a field without directives.
fn key(selection: &Positioned<Selection>) -> Option<&str> {
    match &selection.node {
        Selection::Field(field) if field.node.directives.is_empty() => {
            Some(field.node.response_key().node.as_str())
        }
        _ => None,
    }
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
