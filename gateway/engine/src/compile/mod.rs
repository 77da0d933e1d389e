//! From a logical plan to what the executor runs: texts as bytes, slots as numbers, nothing left to look up.

pub(crate) mod conditions;
mod document;
pub(crate) mod projection;
pub(crate) mod reader;
pub(crate) mod representation;
pub(crate) mod shape;
pub(crate) mod type_names;

use std::fmt;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use apollo_compiler::ast::OperationType;
use async_graphql_value as agv;
use supergraph::{Supergraph, TypeId};

use self::conditions::{ConditionId, Conditions};
use self::projection::Projection;
use self::reader::Reader;
use self::representation::{Step, Writer, resolve_path};
use self::shape::{ROOT, RowType, ShapeId, Shapes, fragments_for};
use crate::authorize::Denials;
use crate::execute::json::write_string;
use crate::plan::{
    EntityGroup, EntityTarget, Fetch, FetchKind, FetchSelection, QueryPlan, SelectedField, TypeSet,
};
use crate::transport::Prepared;

/// A compiled plan.
#[derive(Debug)]
pub(crate) struct Program {
    pub(crate) stages: usize,
    pub(crate) fetches: Vec<CompiledFetch>,
    pub(crate) projection: Projection,
    pub(crate) conditions: Conditions,
    /// Slots of the root.
    pub(crate) root_width: u32,
    /// `__schema` and `__type` at the root: response key and slot.
    pub(crate) introspection: Vec<(String, u32)>,
    pub(crate) learned: Learned,
}

/// How large the buffers of earlier requests grew, so that those of the next are right the first time.
#[derive(Debug, Default)]
pub(crate) struct Learned {
    cells: AtomicUsize,
    body: AtomicUsize,
}

impl Learned {
    pub(crate) fn cells(&self) -> usize {
        self.cells.load(Ordering::Relaxed)
    }

    pub(crate) fn body(&self) -> usize {
        self.body.load(Ordering::Relaxed)
    }

    /// Sizes follow growth at once and shrink slowly, so one large answer is not paid for by all others.
    pub(crate) fn learn(&self, cells: usize, body: usize) {
        for (known, seen) in [(&self.cells, cells), (&self.body, body)] {
            let before = known.load(Ordering::Relaxed);
            let next = if seen >= before { seen } else { before - (before - seen) / 8 };
            known.store(next, Ordering::Relaxed);
        }
    }
}

/// One request to one subgraph.
pub(crate) struct CompiledFetch {
    pub(crate) name: String,
    pub(crate) document: String,
    /// `{"query":"…","variables":{`
    pub(crate) head: Vec<u8>,
    pub(crate) variables: Vec<VariableUse>,
    pub(crate) condition: ConditionId,
    /// How many fetches it waits for.
    pub(crate) inputs: u32,
    /// Those that wait for this one.
    pub(crate) dependents: Vec<u32>,
    pub(crate) kind: CompiledKind,
    /// The document as a subgraph in this process has parsed it.
    pub(crate) prepared: OnceLock<Prepared>,
}

/// A client's variable that a fetch passes on.
#[derive(Debug)]
pub(crate) struct VariableUse {
    /// The row of its declaration.
    pub(crate) row: usize,
    /// `"name":`
    pub(crate) key: Box<[u8]>,
    pub(crate) name: agv::Name,
}

#[derive(Debug)]
pub(crate) enum CompiledKind {
    Root { operation: OperationType, path: Box<[Step]>, reader: Reader, copies: bool },
    Entities { groups: Vec<CompiledGroup> },
}

/// One `_entities` field.
#[derive(Debug)]
pub(crate) struct CompiledGroup {
    pub(crate) alias: Box<str>,
    /// `"variable":`
    pub(crate) variable_key: Box<[u8]>,
    pub(crate) variable: agv::Name,
    pub(crate) condition: ConditionId,
    pub(crate) targets: Vec<CompiledTarget>,
}

/// Objects at one position that an `_entities` field adds to.
#[derive(Debug)]
pub(crate) struct CompiledTarget {
    pub(crate) path: Box<[Step]>,
    /// Only rows of these types.
    pub(crate) types: Option<TypeSet>,
    pub(crate) row_type: RowType,
    pub(crate) writer: Writer,
    pub(crate) reader: Reader,
    /// Whether rows of one entity may share its values.
    pub(crate) copies: bool,
}

impl fmt::Debug for CompiledFetch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CompiledFetch")
            .field("name", &self.name)
            .field("document", &self.document)
            .field("inputs", &self.inputs)
            .field("dependents", &self.dependents)
            .finish_non_exhaustive()
    }
}

/// The plan contradicts itself; a fault of the planner.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("fetch {0} of the plan refers to what nobody fetches")]
pub(crate) struct Inconsistent(usize);

impl Program {
    /// Compiles a plan. `client` is the whole selection of the client; the plan was made from what is left
    /// of it without `denials`.
    pub(crate) fn compile(
        plan: &QueryPlan,
        client: &[SelectedField],
        denials: &Denials,
        supergraph: &Supergraph,
    ) -> Result<Program, Inconsistent> {
        let mut shapes = Shapes::of(plan, supergraph, client);
        let mut conditions = Conditions::new();
        let introspection = introspected(client, &mut shapes);
        let mut compiler = Compiler { plan, supergraph, shapes: &shapes, conditions: &mut conditions };
        let mut fetches = Vec::with_capacity(plan.fetches.len());
        for (row, fetch) in plan.fetches.iter().enumerate() {
            fetches.push(compiler.fetch(fetch).ok_or(Inconsistent(row))?);
        }
        for (row, fetch) in plan.fetches.iter().enumerate() {
            for input in &fetch.after {
                fetches[input.index()].dependents.push(row as u32);
            }
        }
        Ok(Program {
            stages: plan.stages(),
            fetches,
            projection: Projection::of(client, supergraph, &shapes, denials, &mut conditions),
            conditions,
            root_width: shapes.width(ROOT),
            introspection,
            learned: Learned::default(),
        })
    }
}

fn introspected(client: &[SelectedField], shapes: &mut Shapes<'_>) -> Vec<(String, u32)> {
    let fields = client.iter().filter(|field| field.name == "__schema" || field.name == "__type");
    let keys = fields.map(|field| field.response_key.clone());
    keys.filter_map(|key| shapes.slot(ROOT, &key).map(|(slot, _)| (key.to_string(), slot))).collect()
}

struct Compiler<'a> {
    plan: &'a QueryPlan,
    supergraph: &'a Supergraph,
    shapes: &'a Shapes<'a>,
    conditions: &'a mut Conditions,
}

impl Compiler<'_> {
    fn fetch(&mut self, fetch: &Fetch) -> Option<CompiledFetch> {
        let kind = match &fetch.kind {
            FetchKind::Root { operation, path, selections } => {
                let (path, shape) = resolve_path(path, self.shapes)?;
                let declared = self.supergraph.root(*operation);
                let reader = self.reader(shape, declared, selections);
                let copies = reader.objects[0].is_sole_writer();
                CompiledKind::Root { operation: *operation, path, reader, copies }
            }
            FetchKind::Entities { groups } => {
                let groups = groups.iter().map(|group| self.group(group)).collect::<Option<Vec<_>>>()?;
                CompiledKind::Entities { groups }
            }
        };
        let document = document::print(fetch, &self.plan.variables);
        let mut head = b"{\"query\":".to_vec();
        write_string(&mut head, &document);
        head.extend_from_slice(b",\"variables\":{");
        let declared = self.plan.variables.iter().enumerate();
        let variables = declared
            .filter(|(_, variable)| fetch.variables.contains(&variable.name))
            .map(|(row, variable)| VariableUse {
                row,
                key: format!("\"{}\":", variable.name).into_bytes().into(),
                name: agv::Name::new(&variable.name),
            })
            .collect();
        Some(CompiledFetch {
            name: self.supergraph.subgraph(fetch.subgraph).name.clone(),
            document,
            head,
            variables,
            condition: self.conditions.number(&fetch.condition),
            inputs: fetch.after.len() as u32,
            dependents: Vec::new(),
            kind,
            prepared: OnceLock::new(),
        })
    }

    fn reader<'s>(
        &mut self,
        shape: ShapeId,
        declared: Option<TypeId>,
        selections: impl IntoIterator<Item = &'s FetchSelection>,
    ) -> Reader {
        Reader::of((self.shapes, self.supergraph), self.conditions, shape, declared, selections)
    }

    fn group(&mut self, group: &EntityGroup) -> Option<CompiledGroup> {
        let targets =
            group.targets.iter().map(|target| self.target(group, target)).collect::<Option<Vec<_>>>()?;
        Some(CompiledGroup {
            alias: group.alias.as_str().into(),
            variable_key: format!("\"{}\":", group.variable).into_bytes().into(),
            variable: agv::Name::new(&group.variable),
            condition: self.conditions.number(&group.condition),
            targets,
        })
    }

    fn target(&mut self, group: &EntityGroup, target: &EntityTarget) -> Option<CompiledTarget> {
        let (path, shape) = resolve_path(&target.path, self.shapes)?;
        let selections: Vec<&FetchSelection> = fragments_for(&group.selections, &target.types).collect();
        let reader = self.reader(shape, None, selections.iter().copied());
        let copies = reader.objects[0].is_sole_writer();
        Some(CompiledTarget {
            path,
            types: self.shapes.get(shape).filter(&target.types),
            row_type: self.shapes.get(shape).row_type,
            writer: Writer::of(target, shape, self.shapes)?,
            reader,
            copies,
        })
    }
}
