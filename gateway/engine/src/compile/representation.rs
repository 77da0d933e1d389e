//! Programs that write representations of entities from the slots of a row.

use apollo_compiler::Name;
use apollo_compiler::ast::Type;
use async_graphql_value as agv;
use supergraph::TypeId;

use super::shape::{RowType, ShapeId, Shapes};
use crate::plan::{EntityTarget, RepresentationField, TypeSet};

/// One object of a representation: its fields in order.
#[derive(Debug)]
pub(crate) struct Writer {
    pub(crate) fields: Box<[WriterField]>,
    /// How the concrete type of the row is known, for fields that are only for some.
    pub(crate) row_type: RowType,
}

/// One field of a representation.
#[derive(Debug)]
pub(crate) struct WriterField {
    /// `,"name":`; the first one's comma becomes the opening brace.
    pub(crate) key: Box<[u8]>,
    pub(crate) name: agv::Name,
    pub(crate) source: WriterSource,
    /// Only for rows of these types.
    pub(crate) on: Option<TypeSet>,
}

/// Where the value of a field comes from.
#[derive(Debug)]
pub(crate) enum WriterSource {
    /// A name known beforehand, as it is and in quotes.
    Name { quoted: Box<[u8]>, text: agv::Name },
    /// The concrete type of the row.
    RowType,
    /// A slot, with nullability from outside in: the value's, then that of each list level inside.
    Slot { slot: u32, nullable: Box<[bool]>, object: Option<Box<Writer>> },
}

impl Writer {
    /// The writer of a target's representations; `__typename` comes first.
    pub(crate) fn of(target: &EntityTarget, shape: ShapeId, shapes: &Shapes<'_>) -> Option<Writer> {
        let quoted = format!("\"{}\"", target.typename).into_bytes().into();
        let text = agv::Name::new(&target.typename);
        let typename = WriterField {
            key: b",\"__typename\":".as_slice().into(),
            name: agv::Name::new("__typename"),
            source: WriterSource::Name { quoted, text },
            on: None,
        };
        let declared = target.representation.iter().filter(|field| field.name != "__typename");
        let mut fields = vec![typename];
        for field in declared {
            fields.push(writer_field(field, shape, shapes)?);
        }
        Some(Writer { fields: fields.into(), row_type: shapes.get(shape).row_type })
    }

    fn nested(fields: &[RepresentationField], shape: ShapeId, shapes: &Shapes<'_>) -> Option<Writer> {
        let fields =
            fields.iter().map(|field| writer_field(field, shape, shapes)).collect::<Option<Vec<_>>>()?;
        Some(Writer { fields: fields.into(), row_type: shapes.get(shape).row_type })
    }
}

fn writer_field(field: &RepresentationField, shape: ShapeId, shapes: &Shapes<'_>) -> Option<WriterField> {
    let source = if field.name == "__typename" {
        WriterSource::RowType
    } else {
        let (slot, _) = shapes.slot(shape, &field.slot)?;
        let object = match (field.fields.is_empty(), shapes.child(shape, &field.slot)) {
            (false, Some(child)) => Some(Box::new(Writer::nested(&field.fields, child, shapes)?)),
            _ => None,
        };
        WriterSource::Slot { slot, nullable: nullability(&field.ty), object }
    };
    Some(WriterField {
        key: format!(",\"{}\":", field.name).into_bytes().into(),
        name: agv::Name::new(&field.name),
        source,
        on: field.on.clone(),
    })
}

fn nullability(ty: &Type) -> Box<[bool]> {
    let mut levels = Vec::new();
    let mut ty = ty;
    loop {
        levels.push(!ty.is_non_null());
        match ty {
            Type::List(inner) | Type::NonNullList(inner) => ty = inner,
            Type::Named(_) | Type::NonNullNamed(_) => return levels.into(),
        }
    }
}

/// A step of a path, with slots as numbers.
#[derive(Debug)]
pub(crate) struct Step {
    pub(crate) slot: u32,
    /// For paths of errors; `None` where the client asked for nothing.
    pub(crate) visible: Option<Name>,
    /// Go on only with rows of these types.
    pub(crate) types: Option<TypeSet>,
    /// How the types of those rows are known.
    pub(crate) row_type: RowType,
}

/// Numbers the slots of a path; also tells the shape at its end.
pub(crate) fn resolve_path(
    path: &[crate::plan::PathStep],
    shapes: &Shapes<'_>,
) -> Option<(Box<[Step]>, ShapeId)> {
    let mut shape = super::shape::ROOT;
    let mut steps = Vec::with_capacity(path.len());
    for step in path {
        let (slot, known) = shapes.slot(shape, &step.slot)?;
        let visible = known.visible.then(|| step.slot.clone());
        shape = known.child?;
        let types = step.types.as_ref().and_then(|types| shapes.get(shape).filter(types));
        steps.push(Step { slot, visible, types, row_type: shapes.get(shape).row_type });
    }
    Some((steps.into(), shape))
}

/// Whether a row whose slot for the type holds `found` is of one of `types`, if it must be. A row about whose
/// type nothing can be known takes part.
pub(crate) fn admits(
    types: Option<&TypeSet>,
    row_type: RowType,
    found: impl Fn(u32) -> Option<TypeId>,
) -> bool {
    let Some(types) = types else { return true };
    match row_type {
        RowType::Unknown => true,
        RowType::Static(ty) => types.contains(ty),
        RowType::Slot(slot) => found(slot).is_some_and(|ty| types.contains(ty)),
    }
}
