//! Writes the client's answer in one pass over the program, into one buffer.
//!
//! A null where none may be cuts the buffer back to where the parent began and tries there, so propagation
//! costs a length.

use supergraph::Supergraph;

use super::arena::{Arena, Value};
use super::entities::{close_object, type_in};
use crate::authorize::Denial;
use crate::compile::projection::{
    Dispatch, Leaf, OutField, OutKind, OutSource, OutType, Projection, SelectionId,
};
use crate::compile::type_names::TypeNames;
use crate::error::{ErrorCode, GraphQLError, PathSegment};

/// What the writer noticed on its way.
#[derive(Debug, Default)]
pub(crate) struct Notes {
    /// Fields withheld from the caller.
    pub(crate) denied: Vec<GraphQLError>,
    /// Nulls where none may be, and values of wrong kinds. Most have a cause that is reported already.
    pub(crate) violations: Vec<GraphQLError>,
}

/// One writing of an answer.
pub(crate) struct Writer<'a> {
    pub(crate) projection: &'a Projection,
    pub(crate) arena: &'a Arena,
    pub(crate) names: &'a TypeNames,
    pub(crate) supergraph: &'a Supergraph,
    /// By number, which conditions hold.
    pub(crate) conditions: &'a [bool],
    /// At most so many notes of each kind are kept.
    pub(crate) max_errors: usize,
    pub(crate) out: Vec<u8>,
    /// How many objects there were below the root.
    pub(crate) objects: u64,
    pub(crate) notes: Notes,
}

/// A null has come up to a place that cannot be null.
struct Nulled;

/// Where the writer is, from the innermost place outwards.
#[derive(Clone, Copy)]
struct Place<'p> {
    outer: Option<&'p Place<'p>>,
    step: Step<'p>,
}

#[derive(Clone, Copy)]
enum Step<'p> {
    Root,
    Field(&'p OutField),
    Index(u32),
}

const ROOT: Place<'static> = Place { outer: None, step: Step::Root };

impl<'p> Place<'p> {
    fn to_path(self) -> Vec<PathSegment> {
        let mut path = Vec::new();
        let mut place = Some(&self);
        while let Some(here) = place {
            match here.step {
                Step::Root => {}
                Step::Field(field) => path.push(PathSegment::Key(field.name.to_string())),
                Step::Index(index) => path.push(PathSegment::Index(index as usize)),
            }
            place = here.outer;
        }
        path.reverse();
        path
    }

    /// The field that this place is or is inside of.
    fn field(&self) -> Option<&'p OutField> {
        let mut place = Some(self);
        while let Some(here) = place {
            if let Step::Field(field) = here.step {
                return Some(field);
            }
            place = here.outer;
        }
        None
    }
}

impl Writer<'_> {
    /// Writes the value of `data`.
    pub(crate) fn data(&mut self, root: u32) {
        let mark = self.out.len();
        if self.selection(self.projection.root, root, &ROOT).is_err() {
            self.out.truncate(mark);
            self.out.extend_from_slice(b"null");
        }
    }

    fn selection(&mut self, id: SelectionId, row: u32, place: &Place<'_>) -> Result<(), Nulled> {
        let projection = self.projection;
        let mark = self.out.len();
        for field in &projection.selections[id as usize] {
            if !self.conditions[usize::from(field.condition)] {
                continue;
            }
            self.out.extend_from_slice(&field.key);
            let value = match field.source {
                OutSource::Slot(slot) | OutSource::RowType(slot) => self.arena.get(row + slot),
                OutSource::Type(ty) => Value::Type(ty),
                OutSource::Denied(denial) => {
                    self.withhold(denial, &Place { outer: Some(place), step: Step::Field(field) });
                    if field.ty.non_null {
                        return Err(Nulled);
                    }
                    self.out.extend_from_slice(b"null");
                    continue;
                }
            };
            self.value(&field.ty, value, &Place { outer: Some(place), step: Step::Field(field) })?;
        }
        close_object(&mut self.out, mark);
        Ok(())
    }

    fn value(&mut self, ty: &OutType, value: Value, place: &Place<'_>) -> Result<(), Nulled> {
        let written = match (&ty.kind, value) {
            (_, Value::Missing | Value::Null) => {
                if ty.non_null {
                    self.violation("Cannot return null for non-nullable", place);
                    return Err(Nulled);
                }
                self.out.extend_from_slice(b"null");
                return Ok(());
            }
            (OutKind::Leaf(leaf), value) => return self.leaf(leaf, value, ty.non_null, place),
            (OutKind::List(inner), Value::List { first, len }) => {
                let mark = self.out.len();
                let written = self.list(inner, first, len, place);
                if written.is_err() {
                    self.out.truncate(mark);
                }
                written
            }
            (OutKind::Object(dispatch), Value::Row { first }) => {
                self.objects += 1;
                let mark = self.out.len();
                let written = match self.choose(dispatch, first) {
                    Some(selection) => self.selection(selection, first, place),
                    None => {
                        self.violation("An object of a type that is not known was returned for", place);
                        Err(Nulled)
                    }
                };
                if written.is_err() {
                    self.out.truncate(mark);
                }
                written
            }
            _ => {
                self.violation("A value of the wrong kind was returned for", place);
                Err(Nulled)
            }
        };
        match written {
            Err(Nulled) if !ty.non_null => {
                self.out.extend_from_slice(b"null");
                Ok(())
            }
            written => written,
        }
    }

    fn list(&mut self, inner: &OutType, first: u32, len: u32, place: &Place<'_>) -> Result<(), Nulled> {
        self.out.push(b'[');
        for index in 0..len {
            if index > 0 {
                self.out.push(b',');
            }
            let place = Place { outer: Some(place), step: Step::Index(index) };
            self.value(inner, self.arena.get(first + index), &place)?;
        }
        self.out.push(b']');
        Ok(())
    }

    fn choose(&self, dispatch: &Dispatch, row: u32) -> Option<SelectionId> {
        match dispatch {
            Dispatch::One(selection) => Some(*selection),
            Dispatch::ByType { slot, selections } => {
                let ty = type_in(self.arena, row, *slot)?;
                let found = selections.binary_search_by_key(&ty, |(ty, _)| *ty).ok()?;
                Some(selections[found].1)
            }
        }
    }

    fn leaf(&mut self, leaf: &Leaf, value: Value, non_null: bool, place: &Place<'_>) -> Result<(), Nulled> {
        let arena = self.arena;
        match (leaf, value) {
            (Leaf::String | Leaf::Id | Leaf::Any, Value::Text { .. })
            | (Leaf::Float | Leaf::Any, Value::Number { .. })
            | (Leaf::Any, Value::Json { .. }) => self.out.extend_from_slice(arena.text(value)),
            (Leaf::Int, Value::Number { .. }) if is_int(arena.text(value)) => {
                self.out.extend_from_slice(arena.text(value));
            }
            (Leaf::Enum(values), Value::Text { .. }) if values.contains(arena.text(value)) => {
                self.out.extend_from_slice(arena.text(value));
            }
            (Leaf::Id, Value::Number { .. }) => {
                self.out.push(b'"');
                self.out.extend_from_slice(arena.text(value));
                self.out.push(b'"');
            }
            (Leaf::Boolean | Leaf::Any, Value::Bool(value)) => {
                self.out.extend_from_slice(if value { b"true" } else { b"false" });
            }
            (_, Value::Type(ty)) => self.out.extend_from_slice(self.names.quoted(ty)),
            _ => {
                self.violation("A value of the wrong kind was returned for", place);
                if non_null {
                    return Err(Nulled);
                }
                self.out.extend_from_slice(b"null");
            }
        }
        Ok(())
    }

    fn withhold(&mut self, denial: Denial, place: &Place<'_>) {
        if self.notes.denied.len() < self.max_errors {
            let error = GraphQLError::new(denial.code(), denial.message()).at(place.to_path());
            self.notes.denied.push(error);
        }
    }

    fn violation(&mut self, what: &str, place: &Place<'_>) {
        if self.notes.violations.len() >= self.max_errors {
            return;
        }
        let definition = place.field().and_then(|field| field.field).map(|id| self.supergraph.field(id));
        let coordinate = definition.map_or_else(
            || "introspection".to_owned(),
            |field| format!("{}.{}", self.supergraph.ty(field.parent).name, field.name),
        );
        let error = GraphQLError::new(ErrorCode::Internal, format!("{what} field {coordinate}"));
        self.notes.violations.push(error.at(place.to_path()));
    }
}

/// Whether a JSON number is a GraphQL `Int`: whole, and of 32 bits.
fn is_int(text: &[u8]) -> bool {
    if text.len() <= 9 {
        return !text.iter().any(|byte| matches!(byte, b'.' | b'e' | b'E'));
    }
    std::str::from_utf8(text).is_ok_and(|text| text.parse::<i32>().is_ok())
}
