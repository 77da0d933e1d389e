//! Shapes: which slots a row has at each position of the answer.
//!
//! A shape is the union of all that any fetch puts at its position and all that the client reads there, so
//! the answers of different subgraphs land in the same row and need no merging.

use apollo_compiler::Name;
use indexmap::IndexMap;
use supergraph::{Supergraph, TypeId, TypeKind};

use crate::plan::{
    FetchKind, FetchSelection, PathStep, QueryPlan, RepresentationField, SelectedField, TypeSet,
};

/// The row of a shape in [`Shapes`].
pub(crate) type ShapeId = usize;

/// The slots of one position.
#[derive(Debug)]
pub(crate) struct Shape {
    pub(crate) slots: IndexMap<Name, Slot>,
    /// What is known of the concrete type of a row before anything is read.
    pub(crate) row_type: RowType,
    /// The concrete types that rows can have, by the declared types of what is fetched.
    possible: Vec<TypeId>,
    /// Those declared types that are abstract; for an interface object the interface stands in type sets.
    declared: Vec<TypeId>,
}

/// One slot of a shape.
#[derive(Debug, Default)]
pub(crate) struct Slot {
    /// The shape of the objects in this slot.
    pub(crate) child: Option<ShapeId>,
    /// How many fetches write here.
    pub(crate) writers: u32,
    /// Whether the client reads here; if not, no error may point here.
    pub(crate) visible: bool,
}

/// How the concrete type of a row is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RowType {
    /// No fetch reaches the position.
    Unknown,
    /// All rows have this type.
    Static(TypeId),
    /// Each row says so in this slot.
    Slot(u32),
}

impl Shape {
    fn new(row_type: RowType) -> Self {
        Shape { slots: IndexMap::new(), row_type, possible: Vec::new(), declared: Vec::new() }
    }

    /// The types to look for among the rows, unless all rows have one of them. Then it does not matter what
    /// type a row has, and a row of an interface object need not know it yet.
    pub(crate) fn filter(&self, types: &TypeSet) -> Option<TypeSet> {
        let all = !self.possible.is_empty() && self.possible.iter().all(|ty| types.contains(*ty));
        let any_declared = self.declared.iter().any(|ty| types.contains(*ty));
        (!all && !any_declared).then(|| types.clone())
    }
}

/// All shapes of a plan; the first is the root's.
#[derive(Debug)]
pub(crate) struct Shapes<'a> {
    supergraph: &'a Supergraph,
    typename: &'a Name,
    shapes: Vec<Shape>,
}

pub(crate) const ROOT: ShapeId = 0;

impl<'a> Shapes<'a> {
    /// The shapes that a plan needs.
    pub(crate) fn of(plan: &'a QueryPlan, supergraph: &'a Supergraph, client: &[SelectedField]) -> Self {
        let root = Shape::new(RowType::Static(plan.root));
        let mut shapes = Shapes { supergraph, typename: &plan.typename, shapes: vec![root] };
        shapes.add_client(ROOT, client);
        for fetch in &plan.fetches {
            match &fetch.kind {
                FetchKind::Root { path, selections, .. } => {
                    let shape = shapes.follow(path);
                    if let (RowType::Unknown, Some(query)) = (
                        shapes.shapes[shape].row_type,
                        supergraph.root(apollo_compiler::ast::OperationType::Query),
                    ) {
                        shapes.see_type(shape, query);
                    }
                    shapes.add_fetched(shape, selections);
                }
                FetchKind::Entities { groups } => {
                    for group in groups {
                        for target in &group.targets {
                            let shape = shapes.follow(&target.path);
                            shapes.add_representation(shape, &target.representation);
                            shapes.add_fetched_for(shape, &group.selections, &target.types);
                        }
                    }
                }
            }
        }
        shapes
    }

    pub(crate) fn get(&self, id: ShapeId) -> &Shape {
        &self.shapes[id]
    }

    pub(crate) fn width(&self, id: ShapeId) -> u32 {
        self.shapes[id].slots.len() as u32
    }

    /// The number of a slot that exists, with what is known of it.
    pub(crate) fn slot(&self, shape: ShapeId, name: &str) -> Option<(u32, &Slot)> {
        let (index, _, slot) = self.shapes[shape].slots.get_full(name)?;
        Some((index as u32, slot))
    }

    /// The shape that a slot leads to.
    pub(crate) fn child(&self, shape: ShapeId, name: &str) -> Option<ShapeId> {
        self.shapes[shape].slots.get(name)?.child
    }

    fn slot_mut(&mut self, shape: ShapeId, name: &Name) -> &mut Slot {
        self.shapes[shape].slots.entry(name.clone()).or_default()
    }

    fn make_child(&mut self, shape: ShapeId, name: &Name) -> ShapeId {
        if let Some(child) = self.slot_mut(shape, name).child {
            return child;
        }
        let child = self.shapes.len();
        self.shapes.push(Shape::new(RowType::Unknown));
        self.slot_mut(shape, name).child = Some(child);
        child
    }

    fn follow(&mut self, path: &[PathStep]) -> ShapeId {
        path.iter().fold(ROOT, |shape, step| self.make_child(shape, &step.slot))
    }

    /// Notes that rows of this declared type come here.
    fn see_type(&mut self, shape: ShapeId, declared: TypeId) {
        let definition = self.supergraph.ty(declared);
        let concrete = definition.kind == TypeKind::Object;
        self.shapes[shape].possible.extend(&definition.possible);
        if !concrete {
            self.shapes[shape].declared.push(declared);
        }
        let known = self.shapes[shape].row_type;
        let is_static = match known {
            RowType::Unknown => concrete,
            RowType::Static(other) => concrete && other == declared,
            RowType::Slot(_) => return,
        };
        self.shapes[shape].row_type = if is_static {
            RowType::Static(declared)
        } else {
            let (slot, _) = self.shapes[shape].slots.insert_full(self.typename.clone(), Slot::default());
            RowType::Slot(slot as u32)
        };
    }

    fn add_client(&mut self, shape: ShapeId, fields: &[SelectedField]) {
        for field in fields {
            if field.name == "__typename" {
                continue;
            }
            self.slot_mut(shape, &field.response_key).visible = true;
            if field.inner.is_some_and(|inner| self.supergraph.ty(inner).is_composite()) {
                let child = self.make_child(shape, &field.response_key);
                self.add_client(child, &field.selection);
            }
        }
    }

    fn add_fetched(&mut self, shape: ShapeId, selections: &[FetchSelection]) {
        for selection in selections {
            match selection {
                FetchSelection::Fragment(fragment) => self.add_fetched(shape, &fragment.selections),
                FetchSelection::Field(field) => {
                    self.slot_mut(shape, &field.slot).writers += 1;
                    let Some(inner) = field.inner else { continue };
                    if self.supergraph.ty(inner).is_composite() {
                        let child = self.make_child(shape, &field.slot);
                        self.see_type(child, inner);
                        self.add_fetched(child, &field.selections);
                    }
                }
            }
        }
    }

    fn add_fetched_for(&mut self, shape: ShapeId, selections: &[FetchSelection], types: &TypeSet) {
        for selection in fragments_for(selections, types) {
            self.add_fetched(shape, std::slice::from_ref(selection));
        }
    }

    fn add_representation(&mut self, shape: ShapeId, fields: &[RepresentationField]) {
        for field in fields {
            self.slot_mut(shape, &field.slot);
            if !field.fields.is_empty() {
                let child = self.make_child(shape, &field.slot);
                self.add_representation(child, &field.fields);
            }
        }
    }
}

/// The parts of a selection on `_Entity` that concern objects of these types.
pub(crate) fn fragments_for<'s>(
    selections: &'s [FetchSelection],
    types: &'s TypeSet,
) -> impl Iterator<Item = &'s FetchSelection> {
    selections.iter().filter(move |selection| match selection {
        FetchSelection::Field(_) => true,
        FetchSelection::Fragment(fragment) => fragment.types.iter().any(|ty| types.contains(ty)),
    })
}
