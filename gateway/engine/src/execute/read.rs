//! Reads received JSON into the arena, once, by the tables of the plan.
//!
//! The next key in the order asked is compared first; unknown keys are stepped over. Where a row exists
//! already, since another fetch has put something there, its slots are added to. Of two equal keys in one
//! object the last one counts.

use std::borrow::Cow;
use std::ops::Range;

use super::arena::{Arena, Value};
use super::json::{Json, MAX_DEPTH, Malformed, Quoted, unescape};
use crate::compile::reader::{ReadField, ReadKind, ReadObject, Reader};
use crate::compile::type_names::TypeNames;

/// Reads one received buffer.
pub(crate) struct JsonReader<'a> {
    pub(crate) json: Json<'a>,
    pub(crate) arena: &'a mut Arena,
    names: &'a TypeNames,
    buffer: u16,
    depth: u32,
}

/// Where the parts of a response beside `data` stand in its text.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Envelope {
    /// `data` was there and not null.
    pub(crate) has_data: bool,
    pub(crate) errors: Option<Range<usize>>,
    pub(crate) extensions: Option<Range<usize>>,
}

impl<'a> JsonReader<'a> {
    /// A reader of `text`, which is UTF-8 and kept in the arena under this number.
    pub(crate) fn new(text: &'a [u8], buffer: u16, arena: &'a mut Arena, names: &'a TypeNames) -> Self {
        JsonReader { json: Json::new(text), arena, names, buffer, depth: 0 }
    }

    /// Reads a whole GraphQL response; `data` is called where its object begins.
    pub(crate) fn response(
        &mut self,
        mut data: impl FnMut(&mut Self) -> Result<(), Malformed>,
    ) -> Result<Envelope, Malformed> {
        let mut envelope = Envelope::default();
        self.json.blank();
        self.enter(b'{')?;
        self.json.blank();
        let mut more = !self.json.take(b'}');
        while more {
            let key = self.json.key()?;
            self.json.blank();
            let start = self.json.at();
            match &*self.unescaped(key) {
                b"data" if self.json.peek() == Some(b'{') => {
                    data(self)?;
                    envelope.has_data = true;
                }
                b"errors" => {
                    self.json.skip(self.depth)?;
                    envelope.errors = Some(start..self.json.at());
                }
                b"extensions" => {
                    self.json.skip(self.depth)?;
                    envelope.extensions = Some(start..self.json.at());
                }
                b"data" => {
                    self.json.literal(b"null")?;
                    envelope.has_data = false;
                }
                _ => self.json.skip(self.depth)?,
            }
            more = self.json.another(b'}')?;
        }
        self.json.finish()?;
        Ok(envelope)
    }

    /// Reads the lists of entities inside `data`: `find` knows lists by their keys, and `element` is called
    /// at the start of each element, with its list and position, and must step over it.
    pub(crate) fn entities(
        &mut self,
        find: impl Fn(&[u8]) -> Option<usize>,
        mut element: impl FnMut(&mut Self, usize, usize) -> Result<(), Malformed>,
    ) -> Result<(), Malformed> {
        self.enter(b'{')?;
        self.json.blank();
        let mut more = !self.json.take(b'}');
        while more {
            let key = self.json.key()?;
            self.json.blank();
            match find(&self.unescaped(key)) {
                Some(list) if self.json.peek() == Some(b'[') => {
                    self.enter(b'[')?;
                    self.json.blank();
                    let mut position = 0;
                    let mut more = !self.json.take(b']');
                    while more {
                        element(self, list, position)?;
                        position += 1;
                        more = self.json.another(b']')?;
                    }
                    self.depth -= 1;
                }
                _ => self.json.skip(self.depth)?,
            }
            more = self.json.another(b'}')?;
        }
        self.depth -= 1;
        Ok(())
    }

    /// Reads the object that begins here into an existing row.
    pub(crate) fn object(&mut self, reader: &Reader, object: &ReadObject, row: u32) -> Result<(), Malformed> {
        self.enter(b'{')?;
        self.json.blank();
        let mut more = !self.json.take(b'}');
        let mut next = 0;
        let mut seen = Seen::default();
        while more {
            let expected = object.fields.get(next);
            let found = match expected {
                Some(field) if self.json.take_all(&field.quoted) => Some(next),
                _ => {
                    let key = self.json.key()?;
                    object.find(&self.unescaped(key))
                }
            };
            self.json.blank();
            match found {
                Some(index) => {
                    let field = &object.fields[index];
                    next = index + 1;
                    if seen.again(index) {
                        self.arena.set(row + field.slot, Value::Missing);
                    }
                    self.field(reader, field, row + field.slot)?;
                }
                None => self.json.skip(self.depth)?,
            }
            more = self.json.another(b'}')?;
        }
        self.depth -= 1;
        Ok(())
    }

    fn field(&mut self, reader: &Reader, field: &ReadField, cell: u32) -> Result<(), Malformed> {
        let value = match &field.kind {
            ReadKind::Leaf { lists } => self.leaf(*lists)?,
            ReadKind::Object(object) => {
                let existing = self.arena.get(cell);
                self.composite(reader, &reader.objects[*object as usize], existing)?
            }
            ReadKind::Type => match self.typename()? {
                Some(value) => value,
                // The name of an interface, from a subgraph that has only an object for it.
                None => return Ok(()),
            },
        };
        self.arena.set(cell, value);
        Ok(())
    }

    fn composite(
        &mut self,
        reader: &Reader,
        object: &ReadObject,
        existing: Value,
    ) -> Result<Value, Malformed> {
        match self.json.peek() {
            Some(b'{') => {
                let row = match existing {
                    Value::Row { first } => first,
                    _ => self.new_row(object)?,
                };
                self.object(reader, object, row)?;
                Ok(Value::Row { first: row })
            }
            Some(b'[') => self.list(|this, position| {
                let existing = match existing {
                    Value::List { first, len } if position < len => this.arena.get(first + position),
                    _ => Value::Missing,
                };
                this.composite(reader, object, existing)
            }),
            _ => {
                // A null, or a scalar where an object must be: no value. What others have put here stays.
                self.json.skip(self.depth)?;
                Ok(if existing.is_present() { existing } else { Value::Null })
            }
        }
    }

    fn new_row(&mut self, object: &ReadObject) -> Result<u32, Malformed> {
        let row = self.arena.row(object.width).ok_or_else(|| self.json.malformed())?;
        if let Some((slot, ty)) = object.row_type {
            self.arena.set(row + slot, Value::Type(ty));
        }
        Ok(row)
    }

    fn leaf(&mut self, lists: u8) -> Result<Value, Malformed> {
        let buffer = self.buffer;
        let start = self.json.at() as u32;
        match self.json.peek() {
            Some(b'"') => {
                let quoted = self.json.string()?;
                Ok(Value::Text { buffer, start, end: quoted.end as u32 })
            }
            Some(b'-' | b'0'..=b'9') => {
                self.json.number()?;
                Ok(Value::Number { buffer, start, end: self.json.at() as u32 })
            }
            Some(b'n') => self.json.literal(b"null").map(|()| Value::Null),
            Some(b't') => self.json.literal(b"true").map(|()| Value::Bool(true)),
            Some(b'f') => self.json.literal(b"false").map(|()| Value::Bool(false)),
            Some(b'[') if lists > 0 => self.list(|this, _| this.leaf(lists - 1)),
            _ => {
                self.json.skip(self.depth)?;
                Ok(Value::Json { buffer, start, end: self.json.at() as u32 })
            }
        }
    }

    fn list(
        &mut self,
        mut element: impl FnMut(&mut Self, u32) -> Result<Value, Malformed>,
    ) -> Result<Value, Malformed> {
        self.enter(b'[')?;
        self.json.blank();
        let mark = self.arena.open_list();
        let mut position = 0;
        let mut more = !self.json.take(b']');
        while more {
            let value = element(self, position)?;
            self.arena.push_element(value);
            position += 1;
            more = self.json.another(b']')?;
        }
        self.depth -= 1;
        self.arena.close_list(mark).ok_or_else(|| self.json.malformed())
    }

    fn typename(&mut self) -> Result<Option<Value>, Malformed> {
        if self.json.peek() != Some(b'"') {
            self.json.skip(self.depth)?;
            return Ok(None);
        }
        let quoted = self.json.string()?;
        Ok(self.names.find(self.json.inside(quoted)).map(Value::Type))
    }

    /// Steps over a value nobody wants.
    pub(crate) fn skip(&mut self) -> Result<(), Malformed> {
        self.json.skip(self.depth)
    }

    fn enter(&mut self, open: u8) -> Result<(), Malformed> {
        if self.depth >= MAX_DEPTH {
            return Err(self.json.malformed());
        }
        self.json.expect(open)?;
        self.depth += 1;
        Ok(())
    }

    fn unescaped(&self, key: Quoted) -> Cow<'a, [u8]> {
        let inside = self.json.inside(key);
        match key.escaped {
            false => Cow::Borrowed(inside),
            true => Cow::Owned(unescape(inside).into_bytes()),
        }
    }
}

/// Which keys of an object have been read.
#[derive(Default)]
pub(crate) struct Seen {
    first: u64,
    rest: Vec<u64>,
}

impl Seen {
    /// Whether this one was, and notes that it is now.
    pub(crate) fn again(&mut self, index: usize) -> bool {
        let bit = 1 << (index % 64);
        let word = match index / 64 {
            0 => &mut self.first,
            word => {
                if self.rest.len() < word {
                    self.rest.resize(word, 0);
                }
                &mut self.rest[word - 1]
            }
        };
        let again = *word & bit != 0;
        *word |= bit;
        again
    }
}

/// Takes back what an answer that turned out malformed has put into a row.
pub(crate) fn erase(arena: &mut Arena, reader: &Reader, object: &ReadObject, row: u32) {
    for field in &object.fields {
        let cell = row + field.slot;
        match (&field.kind, arena.get(cell)) {
            (ReadKind::Object(child), value) => {
                let child = &reader.objects[*child as usize];
                erase_composite(arena, reader, child, value);
            }
            (ReadKind::Type, _) => {}
            (ReadKind::Leaf { .. }, _) => arena.set(cell, Value::Missing),
        }
    }
}

fn erase_composite(arena: &mut Arena, reader: &Reader, object: &ReadObject, value: Value) {
    match value {
        Value::Row { first } => erase(arena, reader, object, first),
        Value::List { first, len } => {
            for cell in first..first + len {
                erase_composite(arena, reader, object, arena.get(cell));
            }
        }
        _ => {}
    }
}
