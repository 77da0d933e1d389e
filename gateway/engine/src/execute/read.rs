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

/// Takes back what an answer that turned out malformed has put into a row. Objects to which others add stay.
pub(crate) fn erase(arena: &mut Arena, reader: &Reader, object: &ReadObject, row: u32) {
    for field in &object.fields {
        let cell = row + field.slot;
        match &field.kind {
            ReadKind::Object(child) if !field.sole => {
                let value = arena.get(cell);
                erase_composite(arena, reader, &reader.objects[*child as usize], value);
            }
            ReadKind::Type => {}
            _ => arena.set(cell, Value::Missing),
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

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use proptest::prelude::*;
    use serde_json::Value as Json;

    fn field(key: &str, slot: u32, kind: ReadKind) -> ReadField {
        let quoted = format!("\"{key}\":").into_bytes().into();
        ReadField { key: key.into(), quoted, slot, kind, visible: None, condition: 0, sole: key == "b" }
    }

    /// A scalar, a list of scalars, an object with two of its own, and, for a table that hashes its keys,
    /// ten more scalars.
    fn reader(wide: bool) -> Reader {
        let mut fields = vec![
            field("a", 0, ReadKind::Leaf { lists: 0 }),
            field("b", 2, ReadKind::Leaf { lists: 1 }),
            field("c", 1, ReadKind::Object(1)),
        ];
        if wide {
            fields.extend((0..80).map(|n| field(&format!("w{n}"), 3 + n, ReadKind::Leaf { lists: 0 })));
        }
        let inner = vec![field("a", 1, ReadKind::Leaf { lists: 0 }), field("c", 0, ReadKind::Object(2))];
        let innermost = vec![field("b", 0, ReadKind::Leaf { lists: 2 })];
        let objects = vec![
            ReadObject::new(fields.len() as u32, None, fields.into()),
            ReadObject::new(2, None, inner.into()),
            ReadObject::new(1, None, innermost.into()),
        ];
        Reader { objects }
    }

    fn read(reader: &Reader, text: &[u8]) -> Option<Json> {
        std::str::from_utf8(text).ok()?;
        let (mut arena, names) = (Arena::default(), TypeNames::default());
        let row = arena.row(reader.objects[0].width)?;
        let buffer = arena.keep(Bytes::copy_from_slice(text))?;
        let mut json = JsonReader::new(text, buffer, &mut arena, &names);
        json.json.blank();
        json.object(reader, &reader.objects[0], row).ok()?;
        json.json.finish().ok()?;
        Some(dump(&arena, reader, Some(0), Value::Row { first: row }))
    }

    /// What was read, as JSON.
    fn dump(arena: &Arena, reader: &Reader, object: Option<usize>, value: Value) -> Json {
        match value {
            Value::Missing => unreachable!("left out"),
            Value::Null | Value::Type(_) => Json::Null,
            Value::Bool(value) => value.into(),
            Value::Number { .. } | Value::Text { .. } | Value::Json { .. } => {
                serde_json::from_slice(arena.text(value)).unwrap()
            }
            Value::List { first, len } => {
                (first..first + len).map(|cell| dump(arena, reader, object, arena.get(cell))).collect()
            }
            Value::Row { first } => {
                let fields = reader.objects[object.unwrap()].fields.iter();
                let known = fields.filter(|field| arena.get(first + field.slot) != Value::Missing);
                let known = known.map(|field| {
                    let object = match field.kind {
                        ReadKind::Object(object) => Some(object as usize),
                        _ => None,
                    };
                    (field.key.to_string(), dump(arena, reader, object, arena.get(first + field.slot)))
                });
                Json::Object(known.collect())
            }
        }
    }

    /// What should be read.
    fn expected(reader: &Reader, object: usize, value: &Json) -> Json {
        match value {
            Json::Object(map) => {
                let fields = reader.objects[object].fields.iter();
                let known = fields.filter_map(|field| {
                    let value = map.get(&*field.key)?;
                    let value = match field.kind {
                        ReadKind::Object(object) => expected(reader, object as usize, value),
                        _ => value.clone(),
                    };
                    Some((field.key.to_string(), value))
                });
                Json::Object(known.collect())
            }
            Json::Array(elements) => elements.iter().map(|it| expected(reader, object, it)).collect(),
            _ => Json::Null,
        }
    }

    /// JSON text with white space, keys in any order, keys twice, keys escaped.
    fn text() -> impl Strategy<Value = String> {
        let scalar = prop_oneof![
            Just("null".to_owned()),
            Just("true".to_owned()),
            Just("false".to_owned()),
            "-?(0|[1-9][0-9]{0,4})(\\.[0-9]{1,3})?([eE][+-]?[0-9])?",
            "\"([a-zé ]|\\\\n|\\\\\"|\\\\u00e9|\\\\\\\\){0,12}\"",
        ];
        let key = prop_oneof![
            4 => "[abcd]",
            1 => "w[0-9]{1,2}",
            1 => Just("\\u0061".to_owned()),
            1 => Just("other key".to_owned()),
        ];
        let blank = "[ \\n\\t\\r]{0,2}";
        scalar.prop_recursive(5, 60, 6, move |inner| {
            prop_oneof![
                (prop::collection::vec(inner.clone(), 0..4), blank)
                    .prop_map(|(elements, blank)| format!("[{blank}{}{blank}]", elements.join(","))),
                (prop::collection::vec((key.clone(), inner), 0..7), blank).prop_map(|(fields, blank)| {
                    let fields: Vec<String> = fields
                        .iter()
                        .map(|(key, value)| format!("\"{key}\"{blank}:{value}{blank}"))
                        .collect();
                    format!("{{{blank}{}}}", fields.join(&format!(",{blank}")))
                }),
            ]
        })
    }

    fn agrees(wide: bool, text: &[u8]) -> Result<(), TestCaseError> {
        let reader = reader(wide);
        let reference: Option<Json> = serde_json::from_slice(text).ok().filter(Json::is_object);
        let reference = reference.map(|value| expected(&reader, 0, &value));
        prop_assert_eq!(read(&reader, text), reference, "{}", text.escape_ascii());
        Ok(())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(600))]

        #[test]
        fn valid_text_is_read_as_serde_json_reads_it(text in text(), wide in any::<bool>()) {
            agrees(wide, format!("{{\"a\":1,\"c\":{text},\"b\":{text}}}").as_bytes())?;
            agrees(wide, text.as_bytes())?;
        }

        #[test]
        fn damaged_text_is_refused_where_serde_json_refuses_it(
            text in text(),
            wide in any::<bool>(),
            at in any::<prop::sample::Index>(),
            byte in prop_oneof![Just(None), prop::sample::select(b"{}[]\",:\\0e-n \x01\xff\x80".to_vec()).prop_map(Some)],
        ) {
            let mut text = format!("{{\"a\":1,\"c\":{text}}}").into_bytes();
            let at = at.index(text.len());
            match byte {
                None => text.truncate(at),
                Some(byte) => text[at] = byte,
            }
            agrees(wide, &text)?;
        }
    }

    #[test]
    fn of_equal_keys_the_last_one_counts_also_for_objects() {
        let both = br#"{"c":{"a":1,"c":{"b":[[1]]}},"a":1,"c":{"c":{}},"a":2,"a":3}"#;
        assert_eq!(read(&reader(false), both), Some(serde_json::json!({"a": 3, "c": {"c": {}}})));
        let wide = br#"{"w79":1,"w3":1,"w79":2,"w3":{"x":[]}}"#;
        assert_eq!(read(&reader(true), wide), Some(serde_json::json!({"w79": 2, "w3": {"x": []}})));
    }

    #[test]
    fn nesting_past_the_limit_is_refused_wherever_it_is() {
        for (open, close) in [("[", "]"), ("{\"x\":", "}")] {
            for key in ["a", "b", "c", "z"] {
                let nested = format!("{}1{}", open.repeat(100_000), close.repeat(100_000));
                assert_eq!(read(&reader(false), format!("{{\"{key}\":{nested}}}").as_bytes()), None);
            }
        }
    }

    #[test]
    fn a_malformed_answer_leaves_nothing_behind() {
        let (mut arena, names) = (Arena::default(), TypeNames::default());
        let reader = reader(false);
        let row = arena.row(3).unwrap();
        let text = br#"{"a":1,"c":{"a":2,"c":[{"b":[[3]]}]},"b":[4"#;
        let buffer = arena.keep(Bytes::from_static(text)).unwrap();
        let read = JsonReader::new(text, buffer, &mut arena, &names).object(&reader, &reader.objects[0], row);
        assert_eq!(read, Err(Malformed { at: text.len() }));
        arena.abandon_lists();
        erase(&mut arena, &reader, &reader.objects[0], row);
        let left = dump(&arena, &reader, Some(0), Value::Row { first: row });
        assert_eq!(left, serde_json::json!({"c": {"c": [{}]}}));
    }
}
