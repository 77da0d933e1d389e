//! Finds the objects that a fetch adds to, and writes their representations, equal ones once.

use std::hash::BuildHasher;

use async_graphql_value::{self as agv, ConstValue, indexmap::IndexMap};
use hashbrown::{DefaultHashBuilder, HashTable};
use supergraph::TypeId;

use super::arena::{Arena, Value};
use super::json::unescape;
use crate::compile::CompiledGroup;
use crate::compile::representation::{Step, Writer, WriterField, WriterSource, admits};
use crate::compile::shape::RowType;
use crate::compile::type_names::TypeNames;

/// The objects that one `_entities` field is about, and their representations.
#[derive(Debug, Default)]
pub(crate) struct Targets {
    /// The different representations as JSON, one behind the other.
    pub(crate) text: Vec<u8>,
    /// The end of each in `text`.
    ends: Vec<usize>,
    /// For each representation one of the rows that have it.
    heads: Vec<u32>,
    pub(crate) rows: Vec<TargetRow>,
}

/// One object.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TargetRow {
    pub(crate) row: u32,
    /// Which target of the group found it.
    pub(crate) target: u32,
    /// The next one with the same representation, or [`END`].
    next: u32,
}

const END: u32 = u32::MAX;

impl Targets {
    /// Gathers the objects of all targets of a group.
    pub(crate) fn gather(group: &CompiledGroup, arena: &Arena, names: &TypeNames, root: u32) -> Self {
        let (table, hasher) = (HashTable::new(), DefaultHashBuilder::default());
        let mut gatherer = Gatherer { arena, names, targets: Targets::default(), table, hasher };
        for (number, target) in group.targets.iter().enumerate() {
            walk(arena, root, &target.path, &mut |row| {
                if admits(target.types.as_ref(), target.row_type, |slot| type_in(arena, row, slot)) {
                    gatherer.add(&target.writer, row, number as u32);
                }
            });
        }
        gatherer.targets
    }

    /// How many different representations there are.
    pub(crate) fn len(&self) -> usize {
        self.heads.len()
    }

    /// The objects that share a representation.
    pub(crate) fn sharing(&self, representation: usize) -> impl Iterator<Item = TargetRow> + '_ {
        let mut next = self.heads.get(representation).copied().unwrap_or(END);
        std::iter::from_fn(move || {
            let found = *self.rows.get(next as usize)?;
            next = found.next;
            Some(found)
        })
    }

    /// Whether a row was gathered for a target.
    pub(crate) fn has(&self, row: u32, target: u32) -> bool {
        self.rows.iter().any(|it| it.row == row && it.target == target)
    }

    /// The representations as a JSON list.
    pub(crate) fn write_list(&self, out: &mut Vec<u8>) {
        out.reserve(self.text.len() + self.ends.len() + 2);
        out.push(b'[');
        let mut start = 0;
        for (position, end) in self.ends.iter().enumerate() {
            if position > 0 {
                out.push(b',');
            }
            out.extend_from_slice(&self.text[start..*end]);
            start = *end;
        }
        out.push(b']');
    }

    /// The representations as values.
    pub(crate) fn to_values(&self, group: &CompiledGroup, arena: &Arena, names: &TypeNames) -> ConstValue {
        let values = self.heads.iter().map(|head| {
            let row = self.rows[*head as usize];
            let writer = &group.targets[row.target as usize].writer;
            write_value(writer, arena, names, row.row)
        });
        ConstValue::List(values.collect())
    }

    fn text_of(&self, representation: u32) -> &[u8] {
        let representation = representation as usize;
        let start = if representation == 0 { 0 } else { self.ends[representation - 1] };
        &self.text[start..self.ends[representation]]
    }
}

/// Gathers targets, knowing representations by their bytes.
struct Gatherer<'a> {
    arena: &'a Arena,
    names: &'a TypeNames,
    targets: Targets,
    table: HashTable<u32>,
    hasher: DefaultHashBuilder,
}

impl Gatherer<'_> {
    fn add(&mut self, writer: &Writer, row: u32, target: u32) {
        let targets = &mut self.targets;
        let start = targets.text.len();
        if write_object(&mut targets.text, writer, self.arena, self.names, row).is_err() {
            targets.text.truncate(start);
            return;
        }
        let number = targets.rows.len() as u32;
        let written = &targets.text[start..];
        let hash = self.hasher.hash_one(written);
        match self.table.find(hash, |other| targets.text_of(*other) == written) {
            Some(equal) => {
                let head = targets.heads[*equal as usize] as usize;
                let next = std::mem::replace(&mut targets.rows[head].next, number);
                targets.rows.push(TargetRow { row, target, next });
                targets.text.truncate(start);
            }
            None => {
                let representation = targets.heads.len() as u32;
                targets.ends.push(targets.text.len());
                targets.heads.push(number);
                targets.rows.push(TargetRow { row, target, next: END });
                // The table keeps no hashes; to grow, it asks for them again.
                let hasher = &self.hasher;
                self.table
                    .insert_unique(hash, representation, |other| hasher.hash_one(targets.text_of(*other)));
            }
        }
    }
}

/// Calls `found` for every row at the end of a path.
pub(crate) fn walk(arena: &Arena, row: u32, path: &[Step], found: &mut impl FnMut(u32)) {
    match path.split_first() {
        None => found(row),
        Some((step, rest)) => walk_value(arena, arena.get(row + step.slot), step, rest, found),
    }
}

fn walk_value(arena: &Arena, value: Value, step: &Step, rest: &[Step], found: &mut impl FnMut(u32)) {
    match value {
        Value::Row { first } if admits_row(arena, step, first) => walk(arena, first, rest, found),
        Value::List { first, len } => {
            for cell in first..first + len {
                walk_value(arena, arena.get(cell), step, rest, found);
            }
        }
        _ => {}
    }
}

/// Whether a path goes on with this row.
pub(crate) fn admits_row(arena: &Arena, step: &Step, row: u32) -> bool {
    admits(step.types.as_ref(), step.row_type, |slot| type_in(arena, row, slot))
}

/// The concrete type in a row's slot for it.
pub(crate) fn type_in(arena: &Arena, row: u32, slot: u32) -> Option<TypeId> {
    match arena.get(row + slot) {
        Value::Type(ty) => Some(ty),
        _ => None,
    }
}

fn row_type(arena: &Arena, row_type: RowType, row: u32) -> Option<TypeId> {
    match row_type {
        RowType::Static(ty) => Some(ty),
        RowType::Slot(slot) => type_in(arena, row, slot),
        RowType::Unknown => None,
    }
}

/// A value that a representation needs is not there, so the object has none.
#[derive(Debug, PartialEq, Eq)]
struct Incomplete;

fn write_object(
    out: &mut Vec<u8>,
    writer: &Writer,
    arena: &Arena,
    names: &TypeNames,
    row: u32,
) -> Result<(), Incomplete> {
    let mark = out.len();
    for field in &writer.fields {
        if !concerns(field, writer, arena, row) {
            continue;
        }
        out.extend_from_slice(&field.key);
        match &field.source {
            WriterSource::Name { quoted, .. } => out.extend_from_slice(quoted),
            WriterSource::RowType => {
                let ty = row_type(arena, writer.row_type, row).ok_or(Incomplete)?;
                out.extend_from_slice(names.quoted(ty));
            }
            WriterSource::Slot { slot, nullable, object } => {
                write_slot(out, arena.get(row + slot), nullable, object.as_deref(), arena, names)?;
            }
        }
    }
    close_object(out, mark);
    Ok(())
}

/// The comma before the first field becomes the opening brace.
pub(crate) fn close_object(out: &mut Vec<u8>, mark: usize) {
    match out.get_mut(mark) {
        Some(first) => *first = b'{',
        None => out.push(b'{'),
    }
    out.push(b'}');
}

fn concerns(field: &WriterField, writer: &Writer, arena: &Arena, row: u32) -> bool {
    admits(field.on.as_ref(), writer.row_type, |slot| type_in(arena, row, slot))
}

fn write_slot(
    out: &mut Vec<u8>,
    value: Value,
    nullable: &[bool],
    object: Option<&Writer>,
    arena: &Arena,
    names: &TypeNames,
) -> Result<(), Incomplete> {
    match value {
        Value::Missing => return Err(Incomplete),
        Value::Null => {
            if !nullable.first().copied().unwrap_or(true) {
                return Err(Incomplete);
            }
            out.extend_from_slice(b"null");
        }
        Value::Bool(value) => out.extend_from_slice(if value { b"true" } else { b"false" }),
        Value::Type(ty) => out.extend_from_slice(names.quoted(ty)),
        Value::Number { .. } | Value::Text { .. } | Value::Json { .. } => {
            out.extend_from_slice(arena.text(value));
        }
        Value::Row { first } => write_object(out, object.ok_or(Incomplete)?, arena, names, first)?,
        Value::List { first, len } => {
            out.push(b'[');
            for cell in first..first + len {
                if cell > first {
                    out.push(b',');
                }
                write_slot(
                    out,
                    arena.get(cell),
                    nullable.get(1..).unwrap_or_default(),
                    object,
                    arena,
                    names,
                )?;
            }
            out.push(b']');
        }
    }
    Ok(())
}

/// A representation as a value; only for rows whose representation could be written as bytes.
fn write_value(writer: &Writer, arena: &Arena, names: &TypeNames, row: u32) -> ConstValue {
    let mut map = IndexMap::with_capacity(writer.fields.len());
    for field in writer.fields.iter().filter(|field| concerns(field, writer, arena, row)) {
        let value = match &field.source {
            WriterSource::Name { text, .. } => ConstValue::String(text.to_string()),
            WriterSource::RowType => match row_type(arena, writer.row_type, row) {
                Some(ty) => type_value(names, ty),
                None => ConstValue::Null,
            },
            WriterSource::Slot { slot, object, .. } => {
                slot_value(arena.get(row + slot), object.as_deref(), arena, names)
            }
        };
        map.insert(agv::Name::clone(&field.name), value);
    }
    ConstValue::Object(map)
}

fn type_value(names: &TypeNames, ty: TypeId) -> ConstValue {
    let quoted = names.quoted(ty);
    ConstValue::String(String::from_utf8_lossy(&quoted[1..quoted.len() - 1]).into_owned())
}

fn slot_value(value: Value, object: Option<&Writer>, arena: &Arena, names: &TypeNames) -> ConstValue {
    match value {
        Value::Missing | Value::Null => ConstValue::Null,
        Value::Bool(value) => ConstValue::Boolean(value),
        Value::Type(ty) => type_value(names, ty),
        Value::Text { .. } => {
            let quoted = arena.text(value);
            ConstValue::String(unescape(&quoted[1..quoted.len() - 1]))
        }
        Value::Number { .. } | Value::Json { .. } => {
            let json = serde_json::from_slice(arena.text(value)).unwrap_or(serde_json::Value::Null);
            ConstValue::from_json(json).unwrap_or_default()
        }
        Value::Row { first } => {
            object.map_or(ConstValue::Null, |writer| write_value(writer, arena, names, first))
        }
        Value::List { first, len } => {
            let elements = (first..first + len).map(|cell| slot_value(arena.get(cell), object, arena, names));
            ConstValue::List(elements.collect())
        }
    }
}
