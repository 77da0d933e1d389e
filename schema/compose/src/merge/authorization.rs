//! Interfaces demand what their implementations demand, so that no detour through one leaks anything.

use std::collections::BTreeMap;

use apollo_compiler::Name;
use apollo_compiler::schema::{DirectiveList, ExtendedType};

use super::component;
use crate::authorization::{Demands, is_demand};
use crate::subgraph::{fields, interfaces};

/// Adds the demands of implementations to interfaces and their fields.
pub(super) fn propagate(merged: &mut BTreeMap<Name, ExtendedType>) {
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
                let field = field.make_mut();
                let demands = Demands::of(field.directives.iter()).and(demands);
                field.directives.retain(|directive| !is_demand(&directive.name));
                field.directives.extend(demands.directives());
            }
        }
    }
}
