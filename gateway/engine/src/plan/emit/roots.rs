//! The fetches that begin an operation: its root fields.

use std::borrow::Cow;
use std::collections::BTreeSet;

use apollo_compiler::ast::OperationType;
use rustc_hash::FxHashMap;
use supergraph::query_graph::NodeId;

use super::{Emission, Place};
use crate::plan::choose::{self, Offer};
use crate::plan::demand::DemandItem;
use crate::plan::draft::{Draft, DraftId, DraftKind};
use crate::plan::position::Positions;
use crate::plan::search::Choice;
use crate::plan::{Condition, PlanError, SelectedField};

/// A root field, or a part of one, with the subgraphs that can be asked for it.
struct RootField<'s> {
    field: Cow<'s, SelectedField>,
    offers: Vec<Offer>,
}

impl Emission<'_, '_> {
    /// Drafts the fetches of an operation.
    pub(in crate::plan) fn operation(
        &mut self,
        operation: OperationType,
        selection: &[SelectedField],
    ) -> Result<(), PlanError> {
        match operation {
            OperationType::Mutation => self.series(operation, selection),
            OperationType::Query | OperationType::Subscription => {
                self.roots(operation, selection, &BTreeSet::new(), None).map(drop)
            }
        }
    }

    /// The fields of a mutation, one after the other, each with all that follows from it.
    fn series(&mut self, operation: OperationType, selection: &[SelectedField]) -> Result<(), PlanError> {
        let mut before = BTreeSet::new();
        let mut reusable = None;
        for field in selection {
            let known = self.drafts.len();
            let Some(root) = self.roots(operation, std::slice::from_ref(field), &before, reusable)? else {
                continue;
            };
            // A subgraph keeps the order of the fields it is sent together, but what follows from one of
            // them must be over before the next is sent.
            reusable = (self.drafts.len() == root + 1).then_some(root);
            if known < self.drafts.len() {
                before = (known.min(root)..self.drafts.len()).collect();
            }
        }
        Ok(())
    }

    /// Fetches fields of a root type; returns the last root fetch used.
    fn roots(
        &mut self,
        operation: OperationType,
        selection: &[SelectedField],
        after: &BTreeSet<DraftId>,
        reusable: Option<DraftId>,
    ) -> Result<Option<DraftId>, PlanError> {
        let roots = self.graph.roots(self.supergraph, operation);
        let mut parts: Vec<RootField<'_>> = Vec::new();
        for field in selection {
            let Some(item) = self.search.demands.item(field) else { continue };
            parts.extend(self.root_offers(&roots, field, &item)?);
        }
        let offers: Vec<&[Offer]> = parts.iter().map(|part| &part.offers[..]).collect();
        let taken = choose::choose(&offers, &mut self.search.budget)?;
        let mut drafts: FxHashMap<NodeId, DraftId> = FxHashMap::default();
        let mut last = None;
        for (RootField { field, offers }, row) in parts.iter().zip(taken) {
            let Choice::Go { entry } = offers[row].choice else { continue };
            let node = roots[entry];
            let subgraph = self.graph.node(node).subgraph;
            let draft = *drafts.entry(node).or_insert_with(|| {
                let reused = reusable.filter(|draft| self.drafts[*draft].subgraph == subgraph);
                reused.unwrap_or_else(|| {
                    let selection = self.selections.start();
                    self.drafts.push(Draft {
                        subgraph,
                        kind: DraftKind::Root(operation),
                        path: Vec::new(),
                        selection,
                        after: after.clone(),
                        condition: Condition::never(),
                    });
                    self.drafts.len() - 1
                })
            });
            let known = &mut self.drafts[draft];
            known.condition = known.condition.or_loosely(&field.condition);
            let place = Place {
                draft,
                selection: known.selection,
                around: None,
                position: Positions::ROOT,
                path: Vec::new(),
                node,
                condition: Condition::always(),
            };
            last = Some(draft);
            self.stay(&place, field, &mut BTreeSet::new())?;
        }
        Ok(last)
    }

    /// The subgraphs that can be asked for a root field. If none has all of it, it is asked for in parts.
    fn root_offers<'s>(
        &mut self,
        roots: &[NodeId],
        field: &'s SelectedField,
        item: &DemandItem,
    ) -> Result<Vec<RootField<'s>>, PlanError> {
        let whole = self.root_offers_of(roots, item)?;
        if !whole.is_empty() {
            return Ok(vec![RootField { field: Cow::Borrowed(field), offers: whole }]);
        }
        let mut parts = Vec::new();
        for part in self.search.leaf_paths(item.of)? {
            let offers = self.root_offers_of(roots, &DemandItem { of: part, ..item.clone() })?;
            if offers.is_empty() {
                parts.clear();
                break;
            }
            parts.push(RootField { field: Cow::Owned(self.restrict(field, part)), offers });
        }
        match parts.is_empty() {
            true => {
                let root = roots.first().map(|node| self.graph.node(*node).ty);
                Err(root.map_or(PlanError::NoRootType, |root| self.search.unreachable(root, &item.name)))
            }
            false => Ok(parts),
        }
    }

    fn root_offers_of(&mut self, roots: &[NodeId], item: &DemandItem) -> Result<Vec<Offer>, PlanError> {
        let mut offers = Vec::new();
        for (row, node) in roots.iter().enumerate() {
            self.search.budget.step()?;
            let Some(edge) = self.search.edge(*node, &item.name) else { continue };
            if let Some(below) = self.search.below(edge, item.of)? {
                offers.push(Offer::root(row, self.graph.node(*node).subgraph, &below));
            }
        }
        Ok(offers)
    }
}
