//! From drafts to the fetches of the plan: joined, ordered, each waiting only for what nothing else implies.

use std::collections::BTreeSet;

use apollo_compiler::ast::{Value, VariableDefinition};
use apollo_compiler::{Name, Node};
use supergraph::{SubgraphId, Supergraph};

use super::aliases::disambiguate;
use super::draft::{Draft, DraftId, DraftKind, Selections};
use super::need::Need;
use super::{
    Condition, EntityGroup, EntityTarget, Fetch, FetchFragment, FetchId, FetchKind, FetchSelection, TypeSet,
};

/// Makes the fetches of a plan.
pub(super) fn merge(
    supergraph: &Supergraph,
    mut drafts: Vec<Draft>,
    mut selections: Selections,
    variables: &[Node<VariableDefinition>],
) -> Vec<Fetch> {
    let folded = fold(&mut drafts, &mut selections);
    let batches = batches(&drafts, &folded);
    let mut batch_of = vec![FetchId(0); drafts.len()];
    for (row, batch) in batches.iter().enumerate() {
        for draft in batch {
            batch_of[*draft] = FetchId(row as u32);
        }
    }
    for (from, into) in &folded {
        batch_of[*from] = batch_of[*into];
    }
    let writer = Writer { supergraph, drafts: &drafts, selections: &selections, variables };
    let mut ancestors: Vec<BTreeSet<FetchId>> = Vec::with_capacity(batches.len());
    let mut fetches = Vec::with_capacity(batches.len());
    for (row, batch) in batches.iter().enumerate() {
        let direct: BTreeSet<FetchId> =
            batch.iter().flat_map(|draft| drafts[*draft].after.iter().map(|id| batch_of[*id])).collect();
        let implied = |id: &FetchId| direct.iter().any(|other| ancestors[other.index()].contains(id));
        let after: Vec<FetchId> = direct.iter().copied().filter(|id| !implied(id)).collect();
        let mut all = direct.clone();
        for id in &direct {
            all.extend(ancestors[id.index()].iter().copied());
        }
        ancestors.push(all);
        fetches.push(writer.fetch(FetchId(row as u32), batch, after));
    }
    fetches
}

/// The stage of each draft: one more than the latest it waits for.
fn stages(drafts: &[Draft]) -> Vec<usize> {
    let mut stages: Vec<usize> = Vec::with_capacity(drafts.len());
    for draft in drafts {
        stages.push(draft.after.iter().map(|id| stages[*id]).max().unwrap_or(0) + 1);
    }
    stages
}

/// Joins a draft that nothing waits for with a later one for the same objects of the same subgraph: it is
/// over no later than the plan, and one fetch is saved. Returns which draft went into which.
fn fold(drafts: &mut [Draft], selections: &mut Selections) -> Vec<(DraftId, DraftId)> {
    let stages = stages(drafts);
    let awaited: BTreeSet<DraftId> = drafts.iter().flat_map(|draft| draft.after.iter().copied()).collect();
    let mut folded: Vec<(DraftId, DraftId)> = Vec::new();
    for row in 0..drafts.len() {
        let DraftKind::Entity { ty, known_as, representation } = drafts[row].kind.clone() else { continue };
        if awaited.contains(&row) {
            continue;
        }
        let need = Need { representation, condition: drafts[row].condition.clone() };
        let is_later_twin = |other: &usize| {
            let (one, other_draft) = (&drafts[row], &drafts[*other]);
            let same_type = match &other_draft.kind {
                DraftKind::Entity { ty: other, known_as: other_known_as, .. } => {
                    (*other, *other_known_as) == (ty, known_as)
                }
                DraftKind::Root(_) => false,
            };
            same_type
                && stages[*other] > stages[row]
                && one.subgraph == other_draft.subgraph
                && one.path == other_draft.path
                && need.fits(other_draft)
        };
        let Some(into) = (0..drafts.len()).filter(is_later_twin).min_by_key(|other| stages[*other]) else {
            continue;
        };
        let from = drafts[row].clone();
        let twin = &mut drafts[into];
        twin.after.extend(from.after);
        need.join(twin);
        selections.absorb(twin.selection, from.selection);
        folded.push((row, into));
    }
    folded
}

/// The drafts that make one fetch each, in an order in which none waits for a later one: entities of one
/// subgraph that can be asked for at the same stage go together.
fn batches(drafts: &[Draft], folded: &[(DraftId, DraftId)]) -> Vec<Vec<DraftId>> {
    let stages = stages_of_joined(drafts, folded);
    let mut batches: Vec<(usize, SubgraphId, bool, Vec<DraftId>)> = Vec::new();
    for (row, draft) in drafts.iter().enumerate() {
        if folded.iter().any(|(from, _)| *from == row) {
            continue;
        }
        let is_entity = matches!(draft.kind, DraftKind::Entity { .. });
        let same = |(stage, subgraph, entity, _): &&mut (usize, SubgraphId, bool, Vec<DraftId>)| {
            is_entity && *entity && *stage == stages[row] && *subgraph == draft.subgraph
        };
        match batches.iter_mut().find(same) {
            Some((.., batch)) => batch.push(row),
            None => batches.push((stages[row], draft.subgraph, is_entity, vec![row])),
        }
    }
    batches.sort_by_key(|(stage, .., batch)| (*stage, batch[0]));
    batches.into_iter().map(|(.., batch)| batch).collect()
}

/// The stages once drafts were joined, which may have made a draft wait for one of a higher row.
fn stages_of_joined(drafts: &[Draft], folded: &[(DraftId, DraftId)]) -> Vec<usize> {
    let mut known = stages(drafts);
    loop {
        let mut changed = false;
        for (row, draft) in drafts.iter().enumerate() {
            let joined =
                |id: &DraftId| folded.iter().find(|(from, _)| from == id).map_or(*id, |(_, into)| *into);
            let stage = draft.after.iter().map(|id| known[joined(id)]).max().unwrap_or(0) + 1;
            if stage > known[row] {
                known[row] = stage;
                changed = true;
            }
        }
        if !changed {
            return known;
        }
    }
}

struct Writer<'a> {
    supergraph: &'a Supergraph,
    drafts: &'a [Draft],
    selections: &'a Selections,
    variables: &'a [Node<VariableDefinition>],
}

impl Writer<'_> {
    fn fetch(&self, id: FetchId, batch: &[DraftId], after: Vec<FetchId>) -> Fetch {
        let first = &self.drafts[batch[0]];
        let (kind, condition) = match &first.kind {
            DraftKind::Root(operation) => {
                let mut selections =
                    self.selections.finish(self.supergraph, first.selection, &first.condition);
                if let Some(root) = self.supergraph.root(*operation) {
                    disambiguate(self.supergraph, first.subgraph, root, &mut selections);
                }
                let kind = FetchKind::Root { operation: *operation, path: first.path.clone(), selections };
                (kind, first.condition.clone())
            }
            DraftKind::Entity { .. } => {
                let groups = self.groups(batch);
                let mut condition = Condition::never();
                for group in &groups {
                    condition = condition.or_loosely(&group.condition);
                }
                (FetchKind::Entities { groups }, condition)
            }
        };
        let used = used_variables(&kind);
        let declared = self.variables.iter().map(|variable| &variable.name);
        let variables = declared.filter(|name| used.contains(name.as_str())).cloned().collect();
        Fetch { id, subgraph: first.subgraph, kind, after, condition, variables }
    }

    /// One group for each selection on a type; selections on different types share a group.
    fn groups(&self, batch: &[DraftId]) -> Vec<EntityGroup> {
        let mut groups: Vec<EntityGroup> = Vec::new();
        for draft in batch.iter().map(|row| &self.drafts[*row]) {
            let DraftKind::Entity { ty, known_as, representation } = &draft.kind else { continue };
            let known_as = self.supergraph.ty(*known_as);
            let mut selections = self.selections.finish(self.supergraph, draft.selection, &draft.condition);
            disambiguate(self.supergraph, draft.subgraph, known_as.id, &mut selections);
            let fragment = FetchSelection::Fragment(FetchFragment {
                on: known_as.name.clone(),
                types: TypeSet::new(known_as.possible.iter().copied()),
                selections,
            });
            let target = EntityTarget {
                path: draft.path.clone(),
                types: TypeSet::new(self.supergraph.ty(*ty).possible.iter().copied()),
                typename: known_as.name.clone(),
                representation: representation.clone(),
            };
            let takes = |group: &&mut EntityGroup| {
                let same_type = |known: &&FetchSelection| matches!(known, FetchSelection::Fragment(it) if it.on == known_as.name);
                group.condition == draft.condition
                    && group.selections.iter().find(same_type).is_none_or(|known| *known == fragment)
            };
            match groups.iter_mut().find(takes) {
                Some(group) => {
                    if !group.selections.contains(&fragment) {
                        group.selections.push(fragment);
                    }
                    group.targets.push(target);
                }
                None => groups.push(EntityGroup {
                    alias: Name::new_unchecked("_entities"),
                    variable: Name::new_unchecked("representations"),
                    selections: vec![fragment],
                    targets: vec![target],
                    condition: draft.condition.clone(),
                }),
            }
        }
        self.name(&mut groups);
        groups
    }

    fn name(&self, groups: &mut [EntityGroup]) {
        let is_free = |name: &str| self.variables.iter().all(|variable| variable.name != *name);
        let mut base = "representations".to_owned();
        while !self.variables.iter().all(|variable| !variable.name.starts_with(base.as_str()))
            && !is_free(&base)
        {
            base.push('_');
        }
        if groups.len() == 1 {
            groups[0].variable = Name::new_unchecked(&base);
            return;
        }
        let mut short = "r".to_owned();
        while (0..groups.len()).any(|row| !is_free(&format!("{short}{row}"))) {
            short.push('_');
        }
        for (row, group) in groups.iter_mut().enumerate() {
            group.alias = Name::new_unchecked(&format!("_e{row}"));
            group.variable = Name::new_unchecked(&format!("{short}{row}"));
        }
    }
}

fn used_variables(kind: &FetchKind) -> BTreeSet<String> {
    let mut used = BTreeSet::new();
    match kind {
        FetchKind::Root { selections, .. } => in_selections(selections, &mut used),
        FetchKind::Entities { groups } => {
            for group in groups {
                in_selections(&group.selections, &mut used);
            }
        }
    }
    used
}

fn in_selections(selections: &[FetchSelection], used: &mut BTreeSet<String>) {
    for selection in selections {
        match selection {
            FetchSelection::Fragment(fragment) => in_selections(&fragment.selections, used),
            FetchSelection::Field(field) => {
                used.extend(field.condition.variables().map(ToString::to_string));
                for argument in &field.arguments {
                    in_value(&argument.value, used);
                }
                in_selections(&field.selections, used);
            }
        }
    }
}

fn in_value(value: &Value, used: &mut BTreeSet<String>) {
    match value {
        Value::Variable(name) => {
            used.insert(name.to_string());
        }
        Value::List(items) => items.iter().for_each(|item| in_value(item, used)),
        Value::Object(fields) => fields.iter().for_each(|(_, value)| in_value(value, used)),
        _ => {}
    }
}
