//! Errors of a request: those of subgraphs, brought to the client's paths, and those of fetches that failed.

use serde_json::{Map, Value as Json};

use super::arena::{Arena, Value};
use super::entities::{Targets, admits_row};
use crate::compile::reader::{ReadKind, ReadObject, Reader};
use crate::compile::representation::Step;
use crate::compile::{CompiledFetch, CompiledGroup, CompiledKind};
use crate::error::{ErrorCode, GraphQLError, PathSegment};

/// An error as a subgraph reported it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reported {
    pub(crate) message: String,
    pub(crate) path: Vec<PathSegment>,
    pub(crate) extensions: Map<String, Json>,
}

impl Reported {
    /// Only a code says so.
    pub(crate) fn is_meant_for_clients(&self) -> bool {
        !self.message.is_empty() && self.extensions.get("code").is_some_and(Json::is_string)
    }
}

/// For one reported or failed thing at most so many places are named.
const MAX_PLACES: usize = 16;

/// The errors of one request, so many at most.
#[derive(Debug)]
pub(crate) struct Faults {
    errors: Vec<GraphQLError>,
    max: usize,
}

impl Faults {
    pub(crate) fn new(max: usize) -> Self {
        Faults { errors: Vec::new(), max }
    }

    pub(crate) fn push(&mut self, error: GraphQLError) {
        if self.errors.len() < self.max && !self.errors.contains(&error) {
            self.errors.push(error);
        }
    }

    /// Adds what was noticed while writing, unless something at the same place, above or below is known.
    pub(crate) fn push_violation(&mut self, error: GraphQLError) {
        let explained = self.errors.iter().any(|known| {
            let shared = known.path.len().min(error.path.len());
            known.path[..shared] == error.path[..shared]
        });
        if !explained {
            self.push(error);
        }
    }

    pub(crate) fn into_errors(self) -> Vec<GraphQLError> {
        self.errors
    }
}

/// Reads the `errors` of a response; entries that are not errors become one without a message.
pub(crate) fn parse(text: &[u8]) -> Vec<Reported> {
    let Ok(Json::Array(entries)) = serde_json::from_slice(text) else { return Vec::new() };
    entries.into_iter().map(reported).collect()
}

fn reported(entry: Json) -> Reported {
    let Json::Object(mut entry) = entry else { return Reported::default() };
    let message = match entry.remove("message") {
        Some(Json::String(message)) => message,
        _ => String::new(),
    };
    let path = match entry.remove("path") {
        Some(Json::Array(segments)) => segments.into_iter().filter_map(segment).collect(),
        _ => Vec::new(),
    };
    let extensions = match entry.remove("extensions") {
        Some(Json::Object(extensions)) => extensions,
        _ => Map::new(),
    };
    Reported { message, path, extensions }
}

fn segment(value: Json) -> Option<PathSegment> {
    match value {
        Json::String(key) => Some(PathSegment::Key(key)),
        Json::Number(number) => Some(PathSegment::Index(usize::try_from(number.as_u64()?).ok()?)),
        _ => None,
    }
}

/// What the client sees of a reported error: the message only where a code says that it is meant for it.
pub(crate) fn shown(reported: &Reported, path: Vec<PathSegment>) -> GraphQLError {
    if !reported.is_meant_for_clients() {
        return GraphQLError::new(ErrorCode::Internal, "Internal error").at(path);
    }
    GraphQLError {
        message: reported.message.clone(),
        locations: Vec::new(),
        path,
        extensions: reported.extensions.clone(),
    }
}

/// Where the answer to a fetch went, to find the client's paths for its errors.
pub(crate) struct Whereabouts<'a> {
    pub(crate) fetch: &'a CompiledFetch,
    pub(crate) arena: &'a Arena,
    pub(crate) root: u32,
    /// By number, which conditions hold.
    pub(crate) conditions: &'a [bool],
    /// By group, empty for a root fetch.
    pub(crate) targets: &'a [Targets],
}

impl Whereabouts<'_> {
    /// Adds an error of the subgraph at each of its places in the client's answer.
    pub(crate) fn report(&self, reported: &Reported, faults: &mut Faults) {
        let mut paths = Vec::new();
        match &self.fetch.kind {
            CompiledKind::Root { path, reader, .. } => {
                for (row, mut place) in self.places(path, None) {
                    follow(self.arena, reader, &reader.objects[0], row, &reported.path, &mut place);
                    paths.push(place);
                }
            }
            CompiledKind::Entities { groups } => self.entity_paths(groups, &reported.path, &mut paths),
        }
        if paths.is_empty() {
            paths.push(Vec::new());
        }
        for path in paths {
            faults.push(shown(reported, path));
        }
    }

    /// Adds an error for each place that a failed fetch leaves null.
    pub(crate) fn fail(&self, error: &GraphQLError, faults: &mut Faults) {
        let mut named = false;
        let mut name = |reader: &Reader, place: &[PathSegment]| {
            for field in &reader.objects[0].fields {
                let Some(key) = &field.visible else { continue };
                if !self.conditions[usize::from(field.condition)] {
                    continue;
                }
                let mut path = place.to_vec();
                path.push(PathSegment::Key(key.to_string()));
                faults.push(error.clone().at(path));
                named = true;
            }
        };
        match &self.fetch.kind {
            CompiledKind::Root { path, reader, .. } => {
                self.places(path, None).iter().for_each(|(_, place)| name(reader, place));
            }
            CompiledKind::Entities { groups } => {
                for (group, targets) in groups.iter().zip(self.targets) {
                    for (number, target) in group.targets.iter().enumerate() {
                        let wanted = |row| targets.has(row, number as u32);
                        let places = self.places(&target.path, Some(&wanted));
                        places.iter().for_each(|(_, place)| name(&target.reader, place));
                    }
                }
            }
        }
        if !named {
            faults.push(error.clone());
        }
    }

    fn entity_paths(
        &self,
        groups: &[CompiledGroup],
        path: &[PathSegment],
        paths: &mut Vec<Vec<PathSegment>>,
    ) {
        let Some((PathSegment::Key(alias), rest)) = path.split_first() else { return };
        let Some(number) = groups.iter().position(|group| *group.alias == **alias) else { return };
        let (group, targets) = (&groups[number], &self.targets[number]);
        let (index, rest) = match rest.split_first() {
            Some((PathSegment::Index(index), rest)) => (Some(*index), rest),
            _ => (None, rest),
        };
        for (number, target) in group.targets.iter().enumerate() {
            let wanted = |row| match index {
                Some(index) => targets.sharing(index).any(|it| it.row == row && it.target == number as u32),
                None => targets.has(row, number as u32),
            };
            let mut of_target = Vec::new();
            for (row, mut place) in self.places(&target.path, Some(&wanted)) {
                let reader = &target.reader;
                let value = follow(self.arena, reader, &reader.objects[0], row, rest, &mut place);
                of_target.push((place, value));
            }
            // Without an index it is meant where there is no value, if that is so anywhere.
            if index.is_none() && of_target.iter().any(|(_, value)| !value.is_present()) {
                of_target.retain(|(_, value)| !value.is_present());
            }
            paths.extend(of_target.into_iter().map(|(place, _)| place));
        }
        paths.truncate(MAX_PLACES);
    }

    /// The rows at the end of a path with their places in the client's answer.
    fn places(&self, path: &[Step], wanted: Option<&dyn Fn(u32) -> bool>) -> Vec<(u32, Vec<PathSegment>)> {
        let mut search =
            Search { arena: self.arena, wanted, place: Vec::new(), hidden: 0, found: Vec::new() };
        search.row(self.root, path);
        search.found
    }
}

struct Search<'a> {
    arena: &'a Arena,
    wanted: Option<&'a dyn Fn(u32) -> bool>,
    place: Vec<PathSegment>,
    /// How many steps lie behind one that the client has not asked for.
    hidden: usize,
    found: Vec<(u32, Vec<PathSegment>)>,
}

impl Search<'_> {
    fn row(&mut self, row: u32, path: &[Step]) {
        if self.found.len() >= MAX_PLACES {
            return;
        }
        let Some((step, rest)) = path.split_first() else {
            if self.wanted.is_none_or(|wanted| wanted(row)) {
                self.found.push((row, self.place.clone()));
            }
            return;
        };
        let visible = step.visible.as_ref().map(|key| PathSegment::Key(key.to_string()));
        let entered = self.enter(visible);
        self.value(self.arena.get(row + step.slot), step, rest);
        self.leave(entered);
    }

    fn value(&mut self, value: Value, step: &Step, rest: &[Step]) {
        match value {
            Value::Row { first } if admits_row(self.arena, step, first) => self.row(first, rest),
            Value::List { first, len } => {
                for index in 0..len {
                    let entered = self.enter(Some(PathSegment::Index(index as usize)));
                    self.value(self.arena.get(first + index), step, rest);
                    self.leave(entered);
                }
            }
            _ => {}
        }
    }

    fn enter(&mut self, segment: Option<PathSegment>) -> bool {
        match segment {
            Some(segment) if self.hidden == 0 => {
                self.place.push(segment);
                true
            }
            _ => {
                self.hidden += 1;
                false
            }
        }
    }

    fn leave(&mut self, entered: bool) {
        if entered {
            self.place.pop();
        } else {
            self.hidden -= 1;
        }
    }
}

/// Follows a subgraph's path from a row, adding the client's keys to `place` as far as the client has asked
/// for them. Gives the value at the end.
fn follow(
    arena: &Arena,
    reader: &Reader,
    object: &ReadObject,
    row: u32,
    path: &[PathSegment],
    place: &mut Vec<PathSegment>,
) -> Value {
    let mut visible = true;
    let mut at = Some((object, row));
    let mut inside = None;
    let mut value = Value::Row { first: row };
    for segment in path {
        match segment {
            PathSegment::Key(key) => {
                let Some((object, row)) = at else { return Value::Missing };
                let Some(field) = object.find(key.as_bytes()) else { return Value::Missing };
                let field = &object.fields[field];
                visible &= field.visible.is_some();
                if let Some(key) = field.visible.as_ref().filter(|_| visible) {
                    place.push(PathSegment::Key(key.to_string()));
                }
                value = arena.get(row + field.slot);
                inside = match field.kind {
                    ReadKind::Object(child) => Some(&reader.objects[child as usize]),
                    _ => None,
                };
            }
            PathSegment::Index(index) => {
                let Value::List { first, len } = value else { return Value::Missing };
                if *index >= len as usize {
                    return Value::Missing;
                }
                if visible {
                    place.push(segment.clone());
                }
                value = arena.get(first + *index as u32);
            }
        }
        at = match (inside, value) {
            (Some(object), Value::Row { first }) => Some((object, first)),
            _ => None,
        };
    }
    value
}
