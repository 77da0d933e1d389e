//! Builds the nodes, edges and entries of a [`QueryGraph`].

use rustc_hash::FxHashMap;

use super::{Entry, FieldEdge, GraphNode, NodeId, OverrideState, QueryGraph};
use crate::{Field, FieldId, FieldJoin, FieldSet, FieldSetSelection, SubgraphId, Supergraph, TypeId};

pub(super) fn build(supergraph: &Supergraph) -> QueryGraph {
    let mut builder = Builder { supergraph, nodes: Vec::new(), ids: FxHashMap::default(), open: Vec::new() };
    let mut plain = FxHashMap::default();
    for ty in supergraph.types().iter().filter(|ty| ty.is_composite()) {
        for join in &ty.joins {
            plain.insert((join.subgraph, ty.id), builder.node(join.subgraph, ty.id, FieldSet::default()));
        }
    }
    while let Some(id) = builder.open.pop() {
        builder.connect(id);
    }
    let nodes = builder.nodes;
    let entries = supergraph.types().iter().map(|ty| entries(supergraph, &plain, ty.id)).collect();
    QueryGraph { nodes, plain, entries }
}

struct Builder<'a> {
    supergraph: &'a Supergraph,
    nodes: Vec<GraphNode>,
    ids: FxHashMap<(SubgraphId, TypeId, FieldSet), NodeId>,
    /// Nodes without edges as yet.
    open: Vec<NodeId>,
}

impl Builder<'_> {
    fn node(&mut self, subgraph: SubgraphId, ty: TypeId, provided: FieldSet) -> NodeId {
        let next = NodeId(self.nodes.len() as u32);
        let id = *self.ids.entry((subgraph, ty, provided.clone())).or_insert(next);
        if id == next {
            let (fields, downcasts) = (FxHashMap::default(), Vec::new());
            self.nodes.push(GraphNode { subgraph, ty, provided, fields, downcasts });
            self.open.push(id);
        }
        id
    }

    fn connect(&mut self, id: NodeId) {
        let GraphNode { subgraph, ty, provided, .. } = &self.nodes[id.0 as usize];
        let (subgraph, ty, provided) = (*subgraph, self.supergraph.ty(*ty), provided.clone());
        let mut fields = FxHashMap::default();
        for field in ty.fields.values().map(|field| self.supergraph.field(*field)) {
            if let Some(edge) = self.field_edge(subgraph, field, &provided) {
                fields.insert(field.id, edge);
            }
        }
        let mut downcasts = Vec::new();
        if let Some(join) = ty.join(subgraph).filter(|_| ty.is_abstract()) {
            for possible in &join.possible {
                let provided = narrow(self.supergraph, &provided, *possible);
                downcasts.push((*possible, self.node(subgraph, *possible, provided)));
            }
        }
        let node = &mut self.nodes[id.0 as usize];
        node.fields = fields;
        node.downcasts = downcasts;
    }

    fn field_edge(&mut self, subgraph: SubgraphId, field: &Field, provided: &FieldSet) -> Option<FieldEdge> {
        let join = field.join(subgraph)?;
        let given = given(provided, &field.name);
        if given.is_none() && !self.resolves(field, join) {
            return None;
        }
        let only_if = if given.is_none() { override_state(field, join)? } else { None };
        let inner = self.supergraph.type_named(join.ty.inner_named_type())?;
        let to = inner.is_composite().then(|| {
            let mut provided = given.unwrap_or_default();
            for selection in join.provides.iter().flat_map(|set| &set.selections) {
                if !provided.selections.contains(selection) {
                    provided.selections.push(selection.clone());
                }
            }
            let provided = match inner.is_abstract() {
                true => provided,
                false => narrow(self.supergraph, &provided, inner.id),
            };
            self.node(subgraph, inner.id, provided)
        });
        Some(FieldEdge { field: field.id, to, requires: join.requires.clone(), only_if })
    }

    /// Whether the subgraph resolves the field by itself. One that it marks external it resolves only as
    /// part of a key, which it must have to know the entity at all.
    fn resolves(&self, field: &Field, join: &FieldJoin) -> bool {
        !join.used_overridden && (!join.external || self.is_in_key(field, join.subgraph))
    }

    fn is_in_key(&self, field: &Field, subgraph: SubgraphId) -> bool {
        let keys = self.supergraph.ty(field.parent).join(subgraph).map(|join| &join.keys[..]);
        let mut parts = keys.unwrap_or_default().iter().flat_map(|key| &key.selection.selections);
        parts.any(|part| matches!(part, FieldSetSelection::Field(part) if part.field == field.id))
    }
}

/// For which requests the subgraph resolves the field; `None` if for none, as another took it over.
fn override_state(field: &Field, join: &FieldJoin) -> Option<Option<OverrideState>> {
    let state = |label: &Option<String>, is_set| label.clone().map(|label| OverrideState { label, is_set });
    if let Some(own) = &join.overrides {
        return Some(state(&own.label, true));
    }
    let taken = field.joins.iter().filter_map(|other| other.overrides.as_ref());
    match taken.into_iter().find(|by| by.from == Some(join.subgraph)) {
        Some(by) => state(&by.label, false).map(Some),
        None => Some(None),
    }
}

/// What is provided of a field's value, if the field is provided.
fn given(provided: &FieldSet, name: &str) -> Option<FieldSet> {
    let mut found: Option<FieldSet> = None;
    for selection in &provided.selections {
        if let FieldSetSelection::Field(field) = selection
            && field.name == name
        {
            found.get_or_insert_default().selections.extend(field.set.selections.iter().cloned());
        }
    }
    found
}

/// What of a provided selection holds for one object type, with its fields resolved on that type.
fn narrow(supergraph: &Supergraph, provided: &FieldSet, to: TypeId) -> FieldSet {
    let mut narrowed = FieldSet::default();
    for selection in &provided.selections {
        match selection {
            FieldSetSelection::Typename => {}
            FieldSetSelection::Fragment { on, set } if supergraph.ty(*on).possible.contains(&to) => {
                narrowed.selections.extend(narrow(supergraph, set, to).selections);
            }
            FieldSetSelection::Fragment { .. } => {}
            FieldSetSelection::Field(field) => {
                let own: Option<FieldId> = supergraph.field_named(to, &field.name).map(|own| own.id);
                let mut field = field.clone();
                field.field = own.unwrap_or(field.field);
                narrowed.selections.push(FieldSetSelection::Field(field));
            }
        }
    }
    narrowed
}

fn entries(
    supergraph: &Supergraph,
    plain: &FxHashMap<(SubgraphId, TypeId), NodeId>,
    id: TypeId,
) -> Vec<Entry> {
    let ty = supergraph.ty(id);
    let mut entries = Vec::new();
    let is_root = supergraph.query == id;
    for join in ty.joins.iter().filter(|_| ty.is_composite()) {
        let node = plain[&(join.subgraph, id)];
        if is_root {
            entries.push(Entry { subgraph: join.subgraph, node, key: None });
        }
        entries.extend(resolvable(join).map(|key| Entry { subgraph: join.subgraph, node, key: Some(key) }));
    }
    for interface in ty.interfaces.iter().map(|interface| supergraph.ty(*interface)) {
        for join in interface.joins.iter().filter(|join| join.is_interface_object) {
            let node = plain[&(join.subgraph, interface.id)];
            let objects = resolvable(join).map(|key| Entry { subgraph: join.subgraph, node, key: Some(key) });
            entries.extend(objects);
        }
    }
    entries.sort_by_key(|entry| entry.subgraph);
    entries
}

fn resolvable(join: &crate::TypeJoin) -> impl Iterator<Item = FieldSet> {
    join.keys.iter().filter(|key| key.resolvable).map(|key| key.selection.clone())
}
