//! Tables by which an answer is read: for each object the keys that were asked for, in that order.

use apollo_compiler::Name;
use indexmap::IndexMap;
use rustc_hash::FxHashMap;
use supergraph::{Supergraph, TypeId, TypeKind};

use super::conditions::{ConditionId, Conditions};
use super::shape::{RowType, ShapeId, Shapes};
use crate::plan::{Condition, FetchSelection};

/// How to read one answer, or one entity of it. The first object is the outermost.
#[derive(Debug, Default)]
pub(crate) struct Reader {
    pub(crate) objects: Vec<ReadObject>,
}

/// What is expected inside one object.
#[derive(Debug)]
pub(crate) struct ReadObject {
    /// How many slots a new row gets.
    pub(crate) width: u32,
    /// Goes into this slot of a new row, where the declared type is concrete and others come here, too.
    pub(crate) row_type: Option<(u32, TypeId)>,
    /// In the order asked, which is nearly always the order answered.
    pub(crate) fields: Box<[ReadField]>,
    by_key: Option<FxHashMap<Box<[u8]>, u32>>,
}

/// What is expected under one key.
#[derive(Debug)]
pub(crate) struct ReadField {
    pub(crate) key: Box<str>,
    /// `"key":`
    pub(crate) quoted: Box<[u8]>,
    pub(crate) slot: u32,
    pub(crate) kind: ReadKind,
    /// The client's key; `None` where the client asked for nothing.
    pub(crate) visible: Option<Name>,
    /// Asked for only if this holds.
    pub(crate) condition: ConditionId,
    /// No other fetch writes into the slot.
    pub(crate) sole: bool,
}

/// The kind of value under a key.
#[derive(Debug)]
pub(crate) enum ReadKind {
    /// A scalar or enum inside so many lists.
    Leaf { lists: u8 },
    /// `__typename`.
    Type,
    /// An object, or lists of objects, read by this row of [`Reader::objects`].
    Object(u32),
}

/// Past so many keys a hash finds one sooner than a comparison with each.
const LINEAR: usize = 8;

impl ReadObject {
    pub(crate) fn new(width: u32, row_type: Option<(u32, TypeId)>, fields: Box<[ReadField]>) -> Self {
        let by_key = (fields.len() > LINEAR).then(|| {
            let keys = fields.iter().enumerate();
            keys.map(|(row, field)| (field.key.as_bytes().into(), row as u32)).collect()
        });
        ReadObject { width, row_type, fields, by_key }
    }

    /// The field of this key, not escaped.
    pub(crate) fn find(&self, key: &[u8]) -> Option<usize> {
        match &self.by_key {
            Some(by_key) => by_key.get(key).map(|row| *row as usize),
            None => self.fields.iter().position(|field| field.key.as_bytes() == key),
        }
    }

    /// Whether rows that share an entity may share its values, instead of reading them once for each: not
    /// where another fetch adds to objects inside.
    pub(crate) fn is_sole_writer(&self) -> bool {
        self.fields.iter().all(|field| field.sole || !matches!(field.kind, ReadKind::Object(_)))
    }
}

impl Reader {
    /// The reader of what `selections` ask for at a position.
    pub(crate) fn of<'s>(
        (shapes, supergraph): (&Shapes<'_>, &Supergraph),
        conditions: &mut Conditions,
        shape: ShapeId,
        declared: Option<TypeId>,
        selections: impl IntoIterator<Item = &'s FetchSelection>,
    ) -> Reader {
        let mut builder = Builder { shapes, supergraph, conditions, objects: Vec::new() };
        let selections: Vec<&FetchSelection> = selections.into_iter().collect();
        builder.object(shape, declared, &[], &selections);
        Reader { objects: builder.objects.into_iter().flatten().collect() }
    }
}

struct Builder<'a> {
    shapes: &'a Shapes<'a>,
    supergraph: &'a Supergraph,
    conditions: &'a mut Conditions,
    objects: Vec<Option<ReadObject>>,
}

/// All fields of one response key: those of different fragments are read alike.
struct Merged<'s> {
    field: &'s crate::plan::FetchField,
    selections: Vec<&'s FetchSelection>,
    /// The declared types, where they differ.
    declared: Vec<TypeId>,
    condition: Condition,
}

impl Builder<'_> {
    fn object(
        &mut self,
        shape: ShapeId,
        declared: Option<TypeId>,
        also_declared: &[TypeId],
        selections: &[&FetchSelection],
    ) -> u32 {
        let row = self.objects.len();
        self.objects.push(None);
        let mut merged = IndexMap::new();
        merge(selections.iter().copied(), &mut merged);
        let fields: Box<[ReadField]> =
            merged.into_values().filter_map(|merged| self.field(shape, merged)).collect();
        let concrete = declared
            .filter(|ty| also_declared.iter().all(|other| other == ty))
            .filter(|ty| self.supergraph.ty(*ty).kind == TypeKind::Object);
        let row_type = match (self.shapes.get(shape).row_type, concrete) {
            (RowType::Slot(slot), Some(ty)) => Some((slot, ty)),
            _ => None,
        };
        let width = self.shapes.width(shape);
        self.objects[row] = Some(ReadObject::new(width, row_type, fields));
        row as u32
    }

    fn field(&mut self, shape: ShapeId, merged: Merged<'_>) -> Option<ReadField> {
        let field = merged.field;
        let (slot, known) = self.shapes.slot(shape, &field.slot)?;
        let (visible, sole) = (known.visible, known.writers == 1);
        let composite = field.inner.filter(|inner| self.supergraph.ty(*inner).is_composite());
        let kind = match (composite, self.shapes.child(shape, &field.slot)) {
            _ if field.name == "__typename" => ReadKind::Type,
            (Some(inner), Some(child)) => {
                ReadKind::Object(self.object(child, Some(inner), &merged.declared, &merged.selections))
            }
            _ => ReadKind::Leaf { lists: list_levels(&field.ty) },
        };
        Some(ReadField {
            key: field.response_key.as_str().into(),
            quoted: format!("\"{}\":", field.response_key).into_bytes().into(),
            slot,
            kind,
            visible: visible.then(|| field.slot.clone()),
            condition: self.conditions.number(&merged.condition),
            sole,
        })
    }
}

/// Gathers the fields of all fragments, those of one response key together.
fn merge<'s>(
    selections: impl IntoIterator<Item = &'s FetchSelection>,
    merged: &mut IndexMap<&'s Name, Merged<'s>>,
) {
    for selection in selections {
        match selection {
            FetchSelection::Fragment(fragment) => merge(&fragment.selections, merged),
            FetchSelection::Field(field) => {
                let known = merged.entry(&field.response_key).or_insert_with(|| Merged {
                    field,
                    selections: Vec::new(),
                    declared: Vec::new(),
                    condition: Condition::never(),
                });
                known.condition = known.condition.or(&field.condition);
                known.selections.extend(&field.selections);
                known.declared.extend(field.inner);
            }
        }
    }
}

/// How many lists are around the named type.
pub(crate) fn list_levels(ty: &apollo_compiler::ast::Type) -> u8 {
    use apollo_compiler::ast::Type;
    let mut levels = 0u8;
    let mut ty = ty;
    while let Type::List(inner) | Type::NonNullList(inner) = ty {
        levels = levels.saturating_add(1);
        ty = inner;
    }
    levels
}
