//! Reads a value tree of a subgraph in this process into the arena, by the same tables as JSON.
//!
//! Strings and numbers are written as JSON into one buffer, from which they are copied into the answer.

use std::io::Write;

use async_graphql_value::ConstValue;

use super::arena::{Arena, Value};
use super::json::{MAX_DEPTH, write_string};
use crate::compile::reader::{ReadField, ReadKind, ReadObject, Reader};
use crate::compile::type_names::TypeNames;

/// Reads the answer to one fetch.
pub(crate) struct TreeReader<'a> {
    pub(crate) arena: &'a mut Arena,
    names: &'a TypeNames,
    buffer: u16,
    text: Vec<u8>,
    limit: usize,
}

/// The tree nests too deep, or is larger than allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TooLarge;

impl<'a> TreeReader<'a> {
    /// A reader whose text will be kept in the arena under this number; `limit` bytes of it at most.
    pub(crate) fn new(arena: &'a mut Arena, names: &'a TypeNames, buffer: u16, limit: usize) -> Self {
        TreeReader { arena, names, buffer, text: Vec::new(), limit: limit.min(u32::MAX as usize) }
    }

    /// The text written, to be kept in the arena.
    pub(crate) fn into_text(self) -> Vec<u8> {
        self.text
    }

    /// Reads an object into an existing row; anything else changes nothing.
    pub(crate) fn object(
        &mut self,
        reader: &Reader,
        object: &ReadObject,
        row: u32,
        value: &ConstValue,
        depth: u32,
    ) -> Result<(), TooLarge> {
        let ConstValue::Object(map) = value else { return Ok(()) };
        if depth >= MAX_DEPTH {
            return Err(TooLarge);
        }
        let mut next = 0;
        for (key, value) in map {
            let expected = object.fields.get(next).filter(|field| *field.key == **key);
            let found = match expected {
                Some(_) => Some(next),
                None => object.find(key.as_bytes()),
            };
            let Some(index) = found else { continue };
            next = index + 1;
            let field = &object.fields[index];
            self.field(reader, field, row + field.slot, value, depth + 1)?;
        }
        Ok(())
    }

    fn field(
        &mut self,
        reader: &Reader,
        field: &ReadField,
        cell: u32,
        value: &ConstValue,
        depth: u32,
    ) -> Result<(), TooLarge> {
        let value = match &field.kind {
            ReadKind::Leaf { lists } => self.leaf(*lists, value, depth)?,
            ReadKind::Object(object) => {
                let existing = self.arena.get(cell);
                self.composite(reader, &reader.objects[*object as usize], existing, value, depth)?
            }
            ReadKind::Type => {
                let name = match value {
                    ConstValue::String(name) => name.as_bytes(),
                    ConstValue::Enum(name) => name.as_bytes(),
                    _ => return Ok(()),
                };
                let Some(ty) = self.names.find(name) else { return Ok(()) };
                Value::Type(ty)
            }
        };
        self.arena.set(cell, value);
        Ok(())
    }

    fn composite(
        &mut self,
        reader: &Reader,
        object: &ReadObject,
        existing: Value,
        value: &ConstValue,
        depth: u32,
    ) -> Result<Value, TooLarge> {
        match value {
            ConstValue::Object(_) => {
                let row = match existing {
                    Value::Row { first } => first,
                    _ => self.new_row(object)?,
                };
                self.object(reader, object, row, value, depth)?;
                Ok(Value::Row { first: row })
            }
            ConstValue::List(elements) => {
                if depth >= MAX_DEPTH {
                    return Err(TooLarge);
                }
                let mark = self.arena.open_list();
                for (position, element) in elements.iter().enumerate() {
                    let existing = match existing {
                        Value::List { first, len } if position < len as usize => {
                            self.arena.get(first + position as u32)
                        }
                        _ => Value::Missing,
                    };
                    let value = self.composite(reader, object, existing, element, depth + 1)?;
                    self.arena.push_element(value);
                }
                self.arena.close_list(mark).ok_or(TooLarge)
            }
            _ if existing.is_present() => Ok(existing),
            _ => Ok(Value::Null),
        }
    }

    fn new_row(&mut self, object: &ReadObject) -> Result<u32, TooLarge> {
        let row = self.arena.row(object.width).ok_or(TooLarge)?;
        if let Some((slot, ty)) = object.row_type {
            self.arena.set(row + slot, Value::Type(ty));
        }
        Ok(row)
    }

    fn leaf(&mut self, lists: u8, value: &ConstValue, depth: u32) -> Result<Value, TooLarge> {
        let start = self.text.len();
        let buffer = self.buffer;
        let value = match value {
            ConstValue::Null => return Ok(Value::Null),
            ConstValue::Boolean(value) => return Ok(Value::Bool(*value)),
            ConstValue::List(elements) if lists > 0 => {
                let mark = self.arena.open_list();
                for element in elements {
                    let value = self.leaf(lists - 1, element, depth)?;
                    self.arena.push_element(value);
                }
                return self.arena.close_list(mark).ok_or(TooLarge);
            }
            ConstValue::Number(number) => {
                write!(self.text, "{number}").map_err(|_| TooLarge)?;
                Value::Number { buffer, start: start as u32, end: self.text.len() as u32 }
            }
            ConstValue::String(text) => self.string(text),
            ConstValue::Enum(name) => self.string(name),
            ConstValue::List(_) | ConstValue::Object(_) | ConstValue::Binary(_) => {
                write_tree(&mut self.text, value, depth)?;
                Value::Json { buffer, start: start as u32, end: self.text.len() as u32 }
            }
        };
        if self.text.len() > self.limit { Err(TooLarge) } else { Ok(value) }
    }

    fn string(&mut self, text: &str) -> Value {
        let start = self.text.len() as u32;
        write_string(&mut self.text, text);
        Value::Text { buffer: self.buffer, start, end: self.text.len() as u32 }
    }
}

/// Appends a value as JSON; bytes become a list of numbers, as `serde_json` has it.
pub(crate) fn write_tree(out: &mut Vec<u8>, value: &ConstValue, depth: u32) -> Result<(), TooLarge> {
    if depth >= MAX_DEPTH {
        return Err(TooLarge);
    }
    match value {
        ConstValue::Null => out.extend_from_slice(b"null"),
        ConstValue::Boolean(value) => out.extend_from_slice(if *value { b"true" } else { b"false" }),
        ConstValue::Number(number) => write!(out, "{number}").map_err(|_| TooLarge)?,
        ConstValue::String(text) => write_string(out, text),
        ConstValue::Enum(name) => write_string(out, name),
        ConstValue::Binary(bytes) => write!(out, "{:?}", &bytes[..]).map_err(|_| TooLarge)?,
        ConstValue::List(elements) => {
            out.push(b'[');
            for (position, element) in elements.iter().enumerate() {
                if position > 0 {
                    out.push(b',');
                }
                write_tree(out, element, depth + 1)?;
            }
            out.push(b']');
        }
        ConstValue::Object(fields) => {
            out.push(b'{');
            for (position, (key, value)) in fields.iter().enumerate() {
                if position > 0 {
                    out.push(b',');
                }
                write_string(out, key);
                out.push(b':');
                write_tree(out, value, depth + 1)?;
            }
            out.push(b'}');
        }
    }
    Ok(())
}
