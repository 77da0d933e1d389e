//! The program that writes the answer: the client's selection in its order, over slots.

use std::sync::Arc;

use apollo_compiler::Name;
use apollo_compiler::ast::Type;
use apollo_compiler::schema::ExtendedType;
use rustc_hash::FxHashSet;
use supergraph::{FieldId, Supergraph, TypeId, TypeKind};

use super::conditions::{ConditionId, Conditions};
use super::shape::{RowType, ShapeId, Shapes};
use crate::authorize::{Denial, Denials};
use crate::plan::SelectedField;

/// The row of a selection in [`Projection::selections`].
pub(crate) type SelectionId = u32;

/// The whole program.
#[derive(Debug)]
pub(crate) struct Projection {
    pub(crate) selections: Vec<Box<[OutField]>>,
    pub(crate) root: SelectionId,
}

/// One field of the answer.
#[derive(Clone, Debug)]
pub(crate) struct OutField {
    /// `,"key":`; the first one's comma becomes the opening brace.
    pub(crate) key: Arc<[u8]>,
    pub(crate) name: Name,
    /// Left out if this does not hold.
    pub(crate) condition: ConditionId,
    pub(crate) source: OutSource,
    pub(crate) ty: Arc<OutType>,
    /// For messages; `None` for introspection.
    pub(crate) field: Option<FieldId>,
}

/// Where a field's value comes from.
#[derive(Clone, Copy, Debug)]
pub(crate) enum OutSource {
    Slot(u32),
    /// `__typename` where all rows have one type.
    Type(TypeId),
    /// `__typename` of the row.
    RowType(u32),
    /// The client may not see it.
    Denied(Denial),
}

/// What the API schema says of a value.
#[derive(Debug)]
pub(crate) struct OutType {
    pub(crate) non_null: bool,
    pub(crate) kind: OutKind,
}

#[derive(Debug)]
pub(crate) enum OutKind {
    List(Box<OutType>),
    Leaf(Leaf),
    Object(Dispatch),
}

/// The kinds of scalars and enums.
#[derive(Debug)]
pub(crate) enum Leaf {
    Int,
    Float,
    String,
    Id,
    Boolean,
    /// A custom scalar: any JSON.
    Any,
    /// The values that clients may see, in quotes.
    Enum(FxHashSet<Box<[u8]>>),
}

/// Which selection is written for an object.
#[derive(Debug)]
pub(crate) enum Dispatch {
    One(SelectionId),
    /// By the concrete type in a slot; ascending by type.
    ByType {
        slot: u32,
        selections: Box<[(TypeId, SelectionId)]>,
    },
}

impl Projection {
    /// The program for a client's selection.
    pub(crate) fn of(
        fields: &[SelectedField],
        supergraph: &Supergraph,
        shapes: &Shapes<'_>,
        denials: &Denials,
        conditions: &mut Conditions,
    ) -> Projection {
        let mut builder = Builder { supergraph, shapes, denials, conditions, selections: Vec::new() };
        let fields = builder.fields(fields, Some(super::shape::ROOT));
        let root = builder.push(fields.into_iter().map(|(_, field)| field).collect());
        Projection { selections: builder.selections, root }
    }
}

impl Projection {
    /// Whether the whole answer is withheld from the caller, and why.
    pub(crate) fn is_withheld(&self) -> Option<Denial> {
        self.selections[self.root as usize].iter().find_map(|field| match field.source {
            OutSource::Denied(denial) => Some(denial),
            _ => None,
        })
    }
}

struct Builder<'a> {
    supergraph: &'a Supergraph,
    shapes: &'a Shapes<'a>,
    denials: &'a Denials,
    conditions: &'a mut Conditions,
    selections: Vec<Box<[OutField]>>,
}

impl Builder<'_> {
    fn push(&mut self, fields: Vec<OutField>) -> SelectionId {
        self.selections.push(fields.into());
        (self.selections.len() - 1) as SelectionId
    }

    fn fields<'f>(
        &mut self,
        fields: &'f [SelectedField],
        shape: Option<ShapeId>,
    ) -> Vec<(&'f SelectedField, OutField)> {
        fields.iter().filter_map(|field| Some((field, self.field(field, shape?)?))).collect()
    }

    fn field(&mut self, field: &SelectedField, shape: ShapeId) -> Option<OutField> {
        let slot = self.shapes.slot(shape, &field.response_key).map(|(slot, _)| slot);
        let (source, kind) = if field.name == "__typename" {
            let source = match self.shapes.get(shape).row_type {
                RowType::Static(ty) => OutSource::Type(ty),
                RowType::Slot(slot) => OutSource::RowType(slot),
                RowType::Unknown => OutSource::Slot(slot?),
            };
            (source, OutKind::Leaf(Leaf::Any))
        } else if let Some(denial) = self.denials.of(field) {
            (OutSource::Denied(denial), OutKind::Leaf(Leaf::Any))
        } else {
            (OutSource::Slot(slot?), self.kind(field, shape)?)
        };
        Some(OutField {
            key: format!(",\"{}\":", field.response_key).into_bytes().into(),
            name: field.response_key.clone(),
            condition: self.conditions.number(&field.condition),
            source,
            ty: Arc::new(wrap(&field.ty, kind)),
            field: field.field,
        })
    }

    fn kind(&mut self, field: &SelectedField, shape: ShapeId) -> Option<OutKind> {
        // Introspection is answered as one ready JSON value.
        let Some(inner) = field.inner else { return Some(OutKind::Leaf(Leaf::Any)) };
        if !self.supergraph.ty(inner).is_composite() {
            return Some(OutKind::Leaf(self.leaf(inner)));
        }
        let child = self.shapes.child(shape, &field.response_key)?;
        Some(OutKind::Object(self.dispatch(inner, &field.selection, child)))
    }

    fn leaf(&self, inner: TypeId) -> Leaf {
        let ty = self.supergraph.ty(inner);
        match ty.name.as_str() {
            "Int" => return Leaf::Int,
            "Float" => return Leaf::Float,
            "String" => return Leaf::String,
            "ID" => return Leaf::Id,
            "Boolean" => return Leaf::Boolean,
            _ => {}
        }
        match self.supergraph.api_schema().types.get(&ty.name) {
            Some(ExtendedType::Enum(definition)) => {
                let names = definition.values.keys();
                Leaf::Enum(names.map(|name| format!("\"{name}\"").into_bytes().into()).collect())
            }
            _ => Leaf::Any,
        }
    }

    fn dispatch(&mut self, inner: TypeId, selection: &[SelectedField], child: ShapeId) -> Dispatch {
        let fields = self.fields(selection, Some(child));
        let declared = self.supergraph.ty(inner);
        let slot = match self.shapes.get(child).row_type {
            RowType::Slot(slot) => slot,
            RowType::Static(ty) => return self.one(fields, Some(ty)),
            RowType::Unknown => return self.one(fields, declared.possible.first().copied()),
        };
        if declared.kind == TypeKind::Object {
            return self.one(fields, Some(inner));
        }
        let hidden = declared.possible.iter().any(|ty| self.supergraph.ty(*ty).inaccessible);
        if !hidden && fields.iter().all(|(field, _)| field.on.is_none() && field.name != "__typename") {
            return self.one(fields, None);
        }
        let mut known: Vec<(Vec<usize>, SelectionId)> = Vec::new();
        let mut selections = Vec::new();
        for ty in declared.possible.iter().filter(|ty| !self.supergraph.ty(**ty).inaccessible) {
            let rows: Vec<usize> = (0..fields.len())
                .filter(|row| fields[*row].0.on.as_ref().is_none_or(|on| on.contains(*ty)))
                .collect();
            let id = match known.iter().find(|(other, _)| *other == rows) {
                Some((_, id)) => *id,
                None => {
                    let id = self.push(rows.iter().map(|row| fields[*row].1.clone()).collect());
                    known.push((rows, id));
                    id
                }
            };
            selections.push((*ty, id));
        }
        Dispatch::ByType { slot, selections: selections.into() }
    }

    /// One selection for all rows; of fields for other types nothing is written.
    fn one(&mut self, fields: Vec<(&SelectedField, OutField)>, ty: Option<TypeId>) -> Dispatch {
        let fields = fields.into_iter().filter(|(field, _)| match (&field.on, ty) {
            (Some(on), Some(ty)) => on.contains(ty),
            _ => true,
        });
        let fields = fields
            .map(|(_, mut field)| {
                if let (OutSource::RowType(_), Some(ty)) = (field.source, ty) {
                    field.source = OutSource::Type(ty);
                }
                field
            })
            .collect();
        Dispatch::One(self.push(fields))
    }
}

fn wrap(ty: &Type, kind: OutKind) -> OutType {
    let kind = match ty {
        Type::List(inner) | Type::NonNullList(inner) => OutKind::List(Box::new(wrap(inner, kind))),
        Type::Named(_) | Type::NonNullNamed(_) => kind,
    };
    OutType { non_null: ty.is_non_null(), kind }
}
