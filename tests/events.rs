//! Events stay readable: what the last release wrote is read by this one, and what this one writes by the last.
//!
//! `schema/events/released/` has the JSON Schemas of the last release. A release copies the current ones there.

use std::collections::BTreeSet;
use std::path::PathBuf;

use serde_json::{Value, json};

const PUBLISHERS: [&str; 5] = ["inventory", "orders", "payments", "products", "users"];

#[test]
fn no_event_breaks_with_the_last_release() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("schema/events");
    let read = |path: PathBuf| -> Value {
        let text =
            std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        serde_json::from_str(&text).unwrap()
    };
    let mut broken = Vec::new();
    for publisher in PUBLISHERS {
        let released = read(folder.join(format!("released/{publisher}.json")));
        let current = read(folder.join(format!("{publisher}.json")));
        broken.extend(Comparison::of(&released, &current).into_iter().map(|it| format!("{publisher}{it}")));
    }
    assert_eq!(broken, Vec::<String>::new());
}

/// Compares two schemas and collects what breaks. Of JSON Schema it knows what is made of our types.
struct Comparison<'s> {
    old: &'s Value,
    new: &'s Value,
    /// Definitions that are being compared: schemas may refer to themselves.
    under_way: BTreeSet<String>,
    broken: Vec<String>,
}

impl<'s> Comparison<'s> {
    fn of(old: &'s Value, new: &'s Value) -> Vec<String> {
        let mut comparison = Self { old, new, under_way: BTreeSet::new(), broken: Vec::new() };
        comparison.compare("", old, new);
        comparison.broken
    }

    fn compare(&mut self, path: &str, old: &'s Value, new: &'s Value) {
        if let Some(name) = old["$ref"].as_str()
            && !self.under_way.insert(name.to_owned())
        {
            return;
        }
        let (referred, old, new) = (old["$ref"].as_str(), resolve(self.old, old), resolve(self.new, new));
        self.types(path, old, new);
        self.fields(path, old, new);
        self.alternatives(path, old, new);
        if !old["items"].is_null() {
            self.compare(&format!("{path}[]"), &old["items"], &new["items"]);
        }
        let (were, are) = (list(&old["prefixItems"]), list(&new["prefixItems"]));
        if were.len() != are.len() {
            self.breaks(path, "has another length");
        }
        for (place, (was, is)) in were.iter().zip(are).enumerate() {
            self.compare(&format!("{path}[{place}]"), was, is);
        }
        if let Some(name) = referred {
            self.under_way.remove(name);
        }
    }

    /// What was possible still is, and the form of texts and numbers is the same.
    fn types(&mut self, path: &str, old: &Value, new: &Value) {
        let (were, are) = (types(old), types(new));
        // A value that was never null and now may be is not read by the last release.
        if were != are {
            self.breaks(path, &format!("was {were:?} and is {are:?}"));
        }
        for form in ["format", "pattern", "const"] {
            if old[form] != new[form] {
                self.breaks(path, &format!("has another {form}"));
            }
        }
        for value in list(&old["enum"]) {
            if !list(&new["enum"]).contains(value) {
                self.breaks(path, &format!("lost the value {value}"));
            }
        }
    }

    fn fields(&mut self, path: &str, old: &'s Value, new: &'s Value) {
        for (name, was) in old["properties"].as_object().into_iter().flatten() {
            match new["properties"].get(name) {
                Some(is) => self.compare(&format!("{path}.{name}"), was, is),
                None => self.breaks(&format!("{path}.{name}"), "is gone"),
            }
        }
        for name in list(&new["required"]) {
            if !list(&old["required"]).contains(name) {
                let name = name.as_str().unwrap_or_default();
                self.breaks(&format!("{path}.{name}"), "is required now: an added field has a default");
            }
        }
    }

    /// Each alternative that was there is there; variants of an enum are known by their tag.
    fn alternatives(&mut self, path: &str, old: &'s Value, new: &'s Value) {
        for kind in ["oneOf", "anyOf"] {
            let are = list(&new[kind]);
            for (place, was) in list(&old[kind]).iter().enumerate() {
                match tag(was) {
                    Some(tag_of_old) => match are.iter().find(|is| tag(is) == Some(tag_of_old)) {
                        Some(is) => self.compare(&format!("{path}<{tag_of_old}>"), was, is),
                        None => self.breaks(&format!("{path}<{tag_of_old}>"), "is gone"),
                    },
                    None => match are.get(place) {
                        Some(is) => self.compare(path, was, is),
                        None => self.breaks(path, "has fewer alternatives"),
                    },
                }
            }
        }
    }

    fn breaks(&mut self, path: &str, how: &str) {
        self.broken.push(format!("{path}: {how}"));
    }
}

fn resolve<'s>(root: &'s Value, schema: &'s Value) -> &'s Value {
    match schema["$ref"].as_str().and_then(|name| name.strip_prefix('#')) {
        Some(pointer) => root.pointer(pointer).unwrap_or_else(|| panic!("nothing at {pointer}")),
        None => schema,
    }
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

fn types(schema: &Value) -> BTreeSet<&str> {
    match &schema["type"] {
        Value::String(one) => BTreeSet::from([one.as_str()]),
        many => list(many).iter().filter_map(Value::as_str).collect(),
    }
}

/// What a variant of an enum is known by.
fn tag(variant: &Value) -> Option<&str> {
    variant["properties"]["type"]["const"].as_str().or_else(|| variant["const"].as_str())
}

#[test]
fn what_breaks_is_found_and_what_is_added_is_not() {
    let old = json!({
        "type": "object",
        "properties": { "id": { "type": "string" }, "lines": { "type": "array", "items": { "$ref": "#/$defs/L" } } },
        "required": ["id", "lines"],
        "$defs": { "L": {
            "type": "object",
            "properties": { "count": { "type": "integer" }, "note": { "type": ["string", "null"] } },
            "required": ["count"],
        } },
    });
    let with = |pointer: &str, value: Value| {
        let mut new = old.clone();
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        match value {
            Value::Null => drop(new.pointer_mut(parent).unwrap().as_object_mut().unwrap().remove(name)),
            value => new.pointer_mut(parent).unwrap()[name] = value,
        }
        Comparison::of(&old, &new)
    };
    let none: [&str; 0] = [];
    assert_eq!(Comparison::of(&old, &old), none);
    assert_eq!(with("/$defs/L/properties/added", json!({ "type": "string" })), none);
    assert_eq!(with("/$defs/L/properties/note", Value::Null), [".lines[].note: is gone"]);
    assert_eq!(with("/properties/id", Value::Null), [".id: is gone"]);
    let required = [".lines[].note: is required now: an added field has a default"];
    assert_eq!(with("/$defs/L/required", json!(["count", "note"])), required);
    assert_eq!(with("/$defs/L/properties/count", json!({ "type": "string" })).len(), 1);
    assert_eq!(with("/$defs/L/properties/count", json!({ "type": ["integer", "null"] })).len(), 1);
    assert_eq!(with("/properties/id", json!({ "type": "string", "format": "uuid" })).len(), 1);
}

#[test]
fn variants_of_an_enum_may_be_added_and_not_taken_away() {
    let variant = |name: &str, fields: Value| {
        let mut fields = fields;
        fields["type"] = json!({ "type": "string", "const": name });
        json!({ "type": "object", "properties": fields, "required": ["type"] })
    };
    let (made, gone) = (variant("Made", json!({ "by": { "type": "string" } })), variant("Gone", json!({})));
    let old = json!({ "oneOf": [made, gone] });
    let more = json!({ "oneOf": [variant("New", json!({})), gone, made] });
    assert_eq!(Comparison::of(&old, &more), Vec::<String>::new());
    assert_eq!(Comparison::of(&more, &old), ["<New>: is gone"]);
    let renamed = json!({ "oneOf": [variant("Made", json!({ "author": { "type": "string" } })), gone] });
    assert_eq!(Comparison::of(&old, &renamed), ["<Made>.by: is gone"]);
    let (values, fewer) = (json!({ "enum": ["A", "B"] }), json!({ "enum": ["A"] }));
    assert_eq!(Comparison::of(&fewer, &values), Vec::<String>::new());
    assert_eq!(Comparison::of(&values, &fewer), [": lost the value \"B\""]);
}
