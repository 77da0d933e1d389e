//! Takes the answer to a fetch into the arena and notes its errors.

use async_graphql_value::ConstValue;
use bytes::Bytes;

use super::arena::{Arena, Value};
use super::entities::{Targets, walk};
use super::faults::{Reported, parse, shown};
use super::json::Malformed;
use super::read::{Envelope, JsonReader, erase};
use super::read_local::{TooLarge, TreeReader};
use super::run::{Run, parse_extensions};
use crate::compile::reader::{ReadKind, Reader};
use crate::compile::{CompiledGroup, CompiledKind};
use crate::transport::{CallError, LocalResponse};

/// What an answer says beside its data.
#[derive(Debug, Default)]
pub(crate) struct Landing {
    pub(crate) status: u16,
    pub(crate) bytes: usize,
    pub(crate) errors: usize,
    pub(crate) extensions: Option<serde_json::Value>,
}

impl Run<'_> {
    pub(crate) fn read_json(&mut self, row: usize, status: u16, body: Bytes) -> Landing {
        let mut landing = Landing { status, bytes: body.len(), ..Landing::default() };
        let kept = match u32::try_from(body.len()).is_ok() && std::str::from_utf8(&body).is_ok() {
            true => self.arena.keep(body.clone()),
            false => None,
        };
        let Some(buffer) = kept else {
            self.fail(row, CallError::Malformed);
            return landing;
        };
        match self.read_body(row, buffer, &body) {
            Err(malformed) => {
                tracing::warn!(
                    subgraph.name = self.request.program.fetches[row].name,
                    json.at = malformed.at,
                    "a subgraph's answer is malformed"
                );
                self.arena.abandon_lists();
                self.erase_all(row);
                self.fail(row, CallError::Malformed);
            }
            Ok(envelope) => {
                let reported = envelope.errors.map(|range| parse(&body[range])).unwrap_or_default();
                landing.errors = reported.len();
                let extensions = envelope.extensions.map(|range| &body[range]);
                // What has the text may have the member; what has not is not worth a tree.
                let heeded = extensions
                    .filter(|text| self.heeds(|name| memchr::memmem::find(text, name.as_bytes()).is_some()));
                landing.extensions = heeded.and_then(parse_extensions);
                self.report(row, envelope.has_data, reported);
            }
        }
        landing
    }

    fn read_body(&mut self, row: usize, buffer: u16, body: &Bytes) -> Result<Envelope, Malformed> {
        let names = &self.request.engine.names;
        let rows = self.root_rows(row);
        let targets = &self.targets[row];
        let mut json = JsonReader::new(body, buffer, &mut self.arena, names);
        json.response(|json| match &self.request.program.fetches[row].kind {
            CompiledKind::Root { reader, copies, .. } => {
                let start = json.json.at();
                for (number, row) in rows.iter().enumerate() {
                    if number > 0 && *copies {
                        copy(json.arena, reader, rows[0], *row);
                        continue;
                    }
                    json.json.seek(start);
                    json.object(reader, &reader.objects[0], *row)?;
                }
                Ok(())
            }
            CompiledKind::Entities { groups } => read_entities(json, groups, targets),
        })
    }

    pub(crate) fn read_local(&mut self, row: usize, response: LocalResponse) -> Landing {
        let LocalResponse { data, errors, extensions } = response;
        let mut landing = Landing { status: 200, errors: errors.len(), ..Landing::default() };
        if let ConstValue::Object(said) = &extensions
            && self.heeds(|name| said.contains_key(name))
        {
            landing.extensions = extensions.into_json().ok();
        }
        let has_data = data != ConstValue::Null;
        match self.read_tree(row, &data) {
            Ok(bytes) => landing.bytes = bytes,
            Err(TooLarge) => {
                self.arena.abandon_lists();
                self.erase_all(row);
                self.fail(row, CallError::TooLarge);
                return landing;
            }
        }
        let reported = errors.into_iter().map(|error| Reported {
            message: error.message,
            path: error.path,
            extensions: error.extensions,
        });
        self.report(row, has_data, reported.collect());
        landing
    }

    fn read_tree(&mut self, row: usize, data: &ConstValue) -> Result<usize, TooLarge> {
        let rows = self.root_rows(row);
        let buffer = self.arena.keep(Bytes::new()).ok_or(TooLarge)?;
        let engine = self.request.engine;
        let limit = engine.options.max_response_bytes;
        let mut tree = TreeReader::new(&mut self.arena, &engine.names, buffer, limit);
        let read = match &self.request.program.fetches[row].kind {
            CompiledKind::Root { reader, copies, .. } => {
                let mut read = Ok(());
                for (number, row) in rows.iter().enumerate() {
                    if number > 0 && *copies {
                        copy(tree.arena, reader, rows[0], *row);
                    } else if read.is_ok() {
                        read = tree.object(reader, &reader.objects[0], *row, data, 0);
                    }
                }
                read
            }
            CompiledKind::Entities { groups } => {
                entities_of_tree(&mut tree, groups, &self.targets[row], data)
            }
        };
        let text = tree.into_text();
        let bytes = text.len();
        self.arena.fill(buffer, Bytes::from(text));
        read.map(|()| bytes)
    }

    /// The rows that the answer to a root fetch fills.
    fn root_rows(&self, row: usize) -> Vec<u32> {
        let mut rows = Vec::new();
        if let CompiledKind::Root { path, .. } = &self.request.program.fetches[row].kind {
            walk(&self.arena, self.root, path, &mut |row| rows.push(row));
        }
        rows
    }

    fn erase_all(&mut self, row: usize) {
        for root in self.root_rows(row) {
            if let CompiledKind::Root { reader, .. } = &self.request.program.fetches[row].kind {
                erase(&mut self.arena, reader, &reader.objects[0], root);
            }
        }
        if let CompiledKind::Entities { groups } = &self.request.program.fetches[row].kind {
            for (group, targets) in groups.iter().zip(&self.targets[row]) {
                for target in &targets.rows {
                    let reader = &group.targets[target.target as usize].reader;
                    erase(&mut self.arena, reader, &reader.objects[0], target.row);
                }
            }
        }
    }

    fn report(&mut self, row: usize, has_data: bool, reported: Vec<Reported>) {
        if reported.is_empty() && !has_data {
            self.fail(row, CallError::Malformed);
            return;
        }
        for error in reported {
            self.log(row, &error);
            // An error about the whole request concerns each place that it leaves null.
            if !has_data && error.path.is_empty() {
                self.fail_with(row, &shown(&error, Vec::new()));
                continue;
            }
            let (whereabouts, faults) = self.whereabouts(row);
            whereabouts.report(&error, faults);
        }
    }

    /// What is kept from the client is kept for us.
    fn log(&self, row: usize, error: &Reported) {
        if !error.is_meant_for_clients() {
            tracing::warn!(
                subgraph.name = self.request.program.fetches[row].name,
                error.message = error.message,
                "a subgraph reports a fault"
            );
        }
    }
}

fn read_entities(
    json: &mut JsonReader<'_>,
    groups: &[CompiledGroup],
    targets: &[Targets],
) -> Result<(), Malformed> {
    let find = |alias: &[u8]| groups.iter().position(|group| group.alias.as_bytes() == alias);
    json.entities(find, |json, number, position| {
        let start = json.json.at();
        let mut done = None;
        if json.json.peek() == Some(b'{') {
            for target in targets[number].sharing(position) {
                let compiled = &groups[number].targets[target.target as usize];
                match done {
                    Some((of, first)) if of == target.target && compiled.copies => {
                        copy(json.arena, &compiled.reader, first, target.row);
                    }
                    _ => {
                        json.json.seek(start);
                        json.object(&compiled.reader, &compiled.reader.objects[0], target.row)?;
                        done = Some((target.target, target.row));
                    }
                }
            }
        }
        match done {
            Some(_) => Ok(()),
            None => json.skip(),
        }
    })
}

fn entities_of_tree(
    tree: &mut TreeReader<'_>,
    groups: &[CompiledGroup],
    targets: &[Targets],
    data: &ConstValue,
) -> Result<(), TooLarge> {
    let ConstValue::Object(lists) = data else { return Ok(()) };
    for (group, targets) in groups.iter().zip(targets) {
        let Some(ConstValue::List(elements)) = lists.get(&*group.alias) else { continue };
        for (position, element) in elements.iter().enumerate() {
            let mut done = None;
            for target in targets.sharing(position) {
                let compiled = &group.targets[target.target as usize];
                match done {
                    Some((of, first)) if of == target.target && compiled.copies => {
                        copy(tree.arena, &compiled.reader, first, target.row);
                    }
                    _ => {
                        let reader = &compiled.reader;
                        tree.object(reader, &reader.objects[0], target.row, element, 0)?;
                        done = Some((target.target, target.row));
                    }
                }
            }
        }
    }
    Ok(())
}

/// Gives a row the values that another one of the same entity has just got.
fn copy(arena: &mut Arena, reader: &Reader, from: u32, to: u32) {
    for field in &reader.objects[0].fields {
        let value = arena.get(from + field.slot);
        let is_type = matches!(field.kind, ReadKind::Type);
        if !(is_type && value == Value::Missing) {
            arena.set(to + field.slot, value);
        }
    }
}
