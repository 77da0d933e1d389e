//! Interfaces demand what their implementations demand, and implementations what interface objects
//! demand for their fields, so that no detour leaks anything.

use std::collections::BTreeMap;

use apollo_compiler::Name;
use apollo_compiler::schema::{DirectiveList, ExtendedType, FieldDefinition};

use super::component;
use crate::authorization::{Demands, is_demand};
use crate::subgraph::{fields, interfaces};

/// Carries demands from interface objects to implementations, and from there to interfaces.
pub(super) fn propagate(merged: &mut BTreeMap<Name, ExtendedType>) {
    to_implementations(merged);
    to_interfaces(merged);
}

/// What an interface itself demands for a field comes from interface objects: no other may.
fn to_implementations(merged: &mut BTreeMap<Name, ExtendedType>) {
    let mut demanding: BTreeMap<Name, Vec<(Name, Demands)>> = BTreeMap::new();
    for (name, ty) in merged.iter().filter(|(_, ty)| ty.is_interface()) {
        let of_fields = fields(ty).map(|field| (field.name.clone(), Demands::of(field.directives.iter())));
        let of_fields: Vec<(Name, Demands)> = of_fields.filter(|(_, demands)| !demands.is_open()).collect();
        if !of_fields.is_empty() {
            demanding.insert(name.clone(), of_fields);
        }
    }
    if demanding.is_empty() {
        return;
    }
    for ty in merged.values_mut() {
        let added: Vec<(Name, Demands)> =
            interfaces(ty).filter_map(|interface| demanding.get(interface)).flatten().cloned().collect();
        if let ExtendedType::Object(object) = ty {
            for (name, demands) in added {
                if let Some(field) = object.make_mut().fields.get_mut(&name) {
                    demand(field.make_mut(), demands);
                }
            }
        }
    }
}

fn demand(field: &mut FieldDefinition, demands: Demands) {
    let demands = Demands::of(field.directives.iter()).and(demands);
    field.directives.retain(|directive| !is_demand(&directive.name));
    field.directives.extend(demands.directives());
}

fn to_interfaces(merged: &mut BTreeMap<Name, ExtendedType>) {
    let mut of_interfaces: BTreeMap<Name, (Demands, BTreeMap<Name, Demands>)> = BTreeMap::new();
    for ty in merged.values().filter(|ty| ty.is_object()) {
        let own = Demands::of(ty.directives().iter().map(|directive| &directive.node));
        for interface in interfaces(ty) {
            let (whole, parts) = of_interfaces.entry(interface.clone()).or_default();
            *whole = std::mem::take(whole).and(own.clone());
            for field in fields(ty) {
                let demands = Demands::of(field.directives.iter());
                if !demands.is_open() {
                    let part = parts.entry(field.name.clone()).or_default();
                    *part = std::mem::take(part).and(demands);
                }
            }
        }
    }
    for (name, (whole, parts)) in of_interfaces {
        let Some(ExtendedType::Interface(interface)) = merged.get_mut(&name) else { continue };
        let parts: Vec<(Name, Demands)> =
            parts.into_iter().filter(|(field, _)| interface.fields.contains_key(field)).collect();
        if whole.is_open() && parts.is_empty() {
            continue;
        }
        let interface = interface.make_mut();
        let own = Demands::of(interface.directives.iter().map(|directive| &directive.node));
        let kept = interface.directives.iter().filter(|directive| !is_demand(&directive.name)).cloned();
        let added = own.and(whole).directives().into_iter().map(component);
        interface.directives = DirectiveList(kept.chain(added).collect());
        for (field, demands) in parts {
            if let Some(field) = interface.fields.get_mut(&field) {
                demand(field.make_mut(), demands);
            }
        }
    }
}
