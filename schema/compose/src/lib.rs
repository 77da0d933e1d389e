//! Composes subgraph schemas into one supergraph, as Apollo's composition does.
//!
//! ```text
//! SDL ──read──▶ Graph (valid, federation's directives under full names) ──┐
//! SDL ──read──▶ Graph                                                   ──┼─merge─▶ Schema ─check─▶ SDL
//! SDL ──read──▶ Graph                                                   ──┘
//! ```
//!
//! Everything is pure: text in, text out, the same text for the same subgraphs in any order.

mod api;
mod authorization;
mod check;
mod error;
mod federation;
mod hint;
mod join;
mod link;
mod merge;
mod print;
mod satisfiability;
mod subgraph;

pub use api::api_schema;
pub use error::{CompositionError, ErrorCode, Location};
pub use hint::{Hint, HintCode};

use supergraph::{Supergraph, SupergraphError};

/// A subgraph as it is published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subgraph {
    /// Its name, by which `@override` and error messages know it.
    pub name: String,
    /// Where the gateway reaches it.
    pub url: String,
    /// Its schema, with federation's directives.
    pub sdl: String,
}

/// A supergraph and what was noticed on the way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Composition {
    /// The supergraph schema, with the join specification's directives.
    pub supergraph_sdl: String,
    /// The schema that clients see, sorted by name.
    pub api_sdl: String,
    /// What composes but may surprise.
    pub hints: Vec<Hint>,
}

/// Composes subgraphs.
///
/// # Errors
/// All reasons of the first stage that fails: reading each subgraph, merging them, checking the whole,
/// satisfiability (that every field can be reached from every place that offers it).
pub fn compose(subgraphs: &[Subgraph]) -> Result<Composition, Vec<CompositionError>> {
    let graphs = read(subgraphs)?;
    let merged = merge::merge(&graphs)?;
    check::all(&merged.schema, &graphs)?;
    let supergraph_sdl = print::schema(&merged.schema);
    let supergraph = Supergraph::parse(&supergraph_sdl).map_err(|refused| {
        // What the checks above let through although GraphQL does not, or what our own gateway cannot do.
        let code = match refused {
            SupergraphError::UnsupportedFeature { .. } | SupergraphError::Malformed { .. } => {
                ErrorCode::UnsupportedFeature
            }
            _ => ErrorCode::InvalidGraphql,
        };
        vec![CompositionError::new(code, refused.to_string())]
    })?;
    satisfiability::check(&supergraph)?;
    let api_sdl = api::print_sorted(supergraph.api_schema());
    Ok(Composition { supergraph_sdl, api_sdl, hints: merged.hints })
}

fn read(subgraphs: &[Subgraph]) -> Result<Vec<subgraph::Graph>, Vec<CompositionError>> {
    if subgraphs.is_empty() {
        return Err(vec![CompositionError::new(ErrorCode::NoSubgraphs, "there is no subgraph to compose")]);
    }
    let mut sorted: Vec<&Subgraph> = subgraphs.iter().collect();
    sorted.sort_by(|a, b| a.name.cmp(&b.name));
    let mut errors = Vec::new();
    for pair in sorted.windows(2).filter(|pair| pair[0].name == pair[1].name) {
        let message = format!("two subgraphs are named \"{}\"", pair[0].name);
        errors.push(CompositionError::new(ErrorCode::InvalidSubgraphName, message));
    }
    let names = join::graph_names(sorted.iter().map(|subgraph| subgraph.name.as_str()));
    let mut graphs = Vec::new();
    for (subgraph, join) in sorted.into_iter().zip(names) {
        match subgraph::read(subgraph, join) {
            Ok(graph) => graphs.push(graph),
            Err(found) => errors.extend(found),
        }
    }
    if errors.is_empty() { Ok(graphs) } else { Err(errors) }
}
