//! Chooses one offer for each wanted field so that together they cost least.
//!
//! Fields that go to the same subgraph at the same stage share a fetch, so this is a small set cover: exact
//! by branch and bound while there are few kinds of fields, greedy beyond.

use smallvec::SmallVec;
use supergraph::SubgraphId;

use super::PlanError;
use super::budget::Budget;
use super::search::{Choice, Solution};

/// The fetches for one object: a subgraph and the stage at which it can be asked, ascending.
pub(super) type MoveSet = SmallVec<[(SubgraphId, u32); 4]>;

/// What it costs to meet a demand: stages first, then fetches, then fields.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Cost {
    /// Fetches that wait for one another, beyond the one that found the object.
    pub(super) stages: u32,
    /// The fetches for the object itself.
    pub(super) moves: MoveSet,
    /// Fetches for objects below it.
    pub(super) fetches_below: u32,
    pub(super) fields: u32,
}

/// One way to get a field.
#[derive(Clone, Debug)]
pub(super) struct Offer {
    pub(super) choice: Choice,
    /// The subgraph that is entered.
    pub(super) enters: Option<SubgraphId>,
    pub(super) cost: Cost,
}

impl Cost {
    /// All fetches.
    pub(super) fn fetches(&self) -> u32 {
        self.moves.len() as u32 + self.fetches_below
    }

    /// Whether this is cheaper than the other.
    pub(super) fn is_less(&self, other: &Cost) -> bool {
        (self.stages, self.fetches(), self.fields) < (other.stages, other.fetches(), other.fields)
    }

    /// Adds the cost for other objects of the same position.
    pub(super) fn add_beside(&mut self, other: &Cost) {
        self.stages = self.stages.max(other.stages);
        self.fetches_below += other.fetches_below;
        self.fields += other.fields;
        add_moves(&mut self.moves, &other.moves);
    }

    /// Adds an offer that is taken for the same object.
    pub(super) fn add_offer(&mut self, offer: &Offer, moves: &mut MoveSet) {
        self.stages = self.stages.max(offer.cost.stages);
        self.fetches_below += offer.cost.fetches_below;
        self.fields += offer.cost.fields;
        add_moves(moves, &offer.cost.moves);
    }
}

impl Offer {
    /// Takes the field where the object was found.
    pub(super) fn stay(below: &Cost) -> Offer {
        let cost = Cost {
            stages: below.stages,
            moves: MoveSet::default(),
            fetches_below: below.fetches(),
            fields: below.fields + 1,
        };
        Offer { choice: Choice::Stay, enters: None, cost }
    }

    /// Takes the field from another fetch, once what it asks for is in hand.
    pub(super) fn go(entry: usize, enters: SubgraphId, before: &Solution, below: &Cost) -> Offer {
        let stage = before.cost.stages + 1;
        let mut moves = before.cost.moves.clone();
        add_moves(&mut moves, &[(enters, stage)]);
        let cost = Cost {
            stages: stage + below.stages,
            moves,
            fetches_below: before.cost.fetches_below + below.fetches(),
            fields: before.cost.fields + below.fields + 1,
        };
        Offer { choice: Choice::Go { entry }, enters: Some(enters), cost }
    }

    /// Takes the field by a fetch of a root type.
    pub(super) fn root(row: usize, enters: SubgraphId, below: &Cost) -> Offer {
        let before = Solution { cost: Cost::default(), choices: Vec::new() };
        Offer::go(row, enters, &before, below)
    }

    /// Whether it needs no further fetch, so that no other offer can be better.
    pub(super) fn is_free(&self) -> bool {
        self.cost.fetches() == 0
    }
}

fn add_moves(moves: &mut MoveSet, more: &[(SubgraphId, u32)]) {
    for one in more {
        if let Err(row) = moves.binary_search(one) {
            moves.insert(row, *one);
        }
    }
}

/// Fields with the same offers are chosen for as one.
struct Kind<'o> {
    offers: &'o [Offer],
    fields: Vec<usize>,
}

/// Steps after which the search for the best combination settles for the best so far.
const EXACT_STEPS: usize = 4_000;
/// Kinds of fields beyond which the choice is greedy from the start.
const EXACT_KINDS: usize = 24;

/// The row of the offer to take, for each field.
pub(super) fn choose(offers: &[&[Offer]], budget: &mut Budget<'_>) -> Result<Vec<usize>, PlanError> {
    let mut kinds: Vec<Kind<'_>> = Vec::new();
    for (field, offers) in offers.iter().enumerate() {
        budget.step()?;
        match kinds.iter_mut().find(|kind| is_same_kind(kind.offers, offers)) {
            Some(kind) => kind.fields.push(field),
            None => kinds.push(Kind { offers, fields: vec![field] }),
        }
    }
    // Where there is no choice the moves are known: look at these first.
    kinds.sort_by_key(|kind| kind.offers.len());
    let mut chooser = Chooser { kinds: &kinds, best: None, steps: 0 };
    let taken = match kinds.len() <= EXACT_KINDS {
        true => {
            chooser.visit(&mut Vec::new(), &Total::default());
            chooser.best.map(|(_, taken)| taken).unwrap_or_default()
        }
        false => chooser.greedy(),
    };
    let mut rows = vec![0; offers.len()];
    for (kind, row) in kinds.iter().zip(taken) {
        for field in &kind.fields {
            rows[*field] = row;
        }
    }
    Ok(rows)
}

fn is_same_kind(left: &[Offer], right: &[Offer]) -> bool {
    left.len() == right.len()
        && left.iter().zip(right).all(|(left, right)| {
            left.choice == right.choice
                && left.cost.stages == right.cost.stages
                && left.cost.moves == right.cost.moves
                && left.cost.fetches_below == right.cost.fetches_below
        })
}

struct Chooser<'o> {
    kinds: &'o [Kind<'o>],
    best: Option<(Total, Vec<usize>)>,
    steps: usize,
}

#[derive(Clone, Default)]
struct Total {
    stages: u32,
    moves: MoveSet,
    fetches_below: u32,
    fields: u32,
}

impl Total {
    fn with(&self, kind: &Kind<'_>, offer: &Offer) -> Total {
        let mut total = self.clone();
        let count = kind.fields.len() as u32;
        total.stages = total.stages.max(offer.cost.stages);
        total.fetches_below += offer.cost.fetches_below * count;
        total.fields += offer.cost.fields * count;
        add_moves(&mut total.moves, &offer.cost.moves);
        total
    }

    fn rank(&self) -> (u32, u32, u32) {
        (self.stages, self.moves.len() as u32 + self.fetches_below, self.fields)
    }
}

impl Chooser<'_> {
    fn visit(&mut self, taken: &mut Vec<usize>, total: &Total) {
        if self.best.as_ref().is_some_and(|(best, _)| total.rank() >= best.rank()) {
            return;
        }
        let Some(kind) = self.kinds.get(taken.len()) else {
            self.best = Some((total.clone(), taken.clone()));
            return;
        };
        let mut ways: Vec<(Total, usize)> =
            kind.offers.iter().enumerate().map(|(row, offer)| (total.with(kind, offer), row)).collect();
        // The most promising first, so that the bound is good early and the first leaf is the greedy choice.
        ways.sort_by_key(|(total, row)| (total.rank(), *row));
        for (total, row) in ways {
            self.steps += 1;
            if self.steps > EXACT_STEPS && self.best.is_some() {
                return;
            }
            taken.push(row);
            self.visit(taken, &total);
            taken.pop();
        }
    }

    fn greedy(&self) -> Vec<usize> {
        let mut total = Total::default();
        let mut taken = Vec::with_capacity(self.kinds.len());
        for kind in self.kinds {
            let ways = kind.offers.iter().enumerate().map(|(row, offer)| (total.with(kind, offer), row));
            let Some((best, row)) = ways.min_by_key(|(total, row)| (total.rank(), *row)) else { continue };
            total = best;
            taken.push(row);
        }
        taken
    }
}
