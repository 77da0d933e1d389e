//! Composition from outside: the corpus of small cases, the shop, and the composers on npm beside ours.

mod chance;
mod corpus;
mod javascript;
mod liberal;
mod node;
mod shop;
mod subgraphs;
