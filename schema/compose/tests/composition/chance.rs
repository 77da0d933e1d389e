//! Damaged schemas: whatever the text, composing ends in a supergraph or in errors, the same each time.

use std::sync::LazyLock;

use compose::Subgraph;
use proptest::prelude::*;

use crate::subgraphs::{Case, corpus};

static CORPUS: LazyLock<Vec<Case>> = LazyLock::new(corpus);

/// Something done to a text at some place (in thousandths of its length).
#[derive(Clone, Debug)]
enum Damage {
    CutWord,
    DoubleLine,
    DropLine,
    SwapWordWithNext,
    Insert(&'static str),
}

const INSERTED: &[&str] = &[
    "!",
    "[",
    "]",
    "{",
    "}",
    "@key",
    "@external",
    "(",
    "Query",
    "\"",
    "é",
    "extend",
    " implements T",
    "= 1",
];

fn damage() -> impl Strategy<Value = Damage> {
    prop_oneof![
        Just(Damage::CutWord),
        Just(Damage::DoubleLine),
        Just(Damage::DropLine),
        Just(Damage::SwapWordWithNext),
        prop::sample::select(INSERTED).prop_map(Damage::Insert),
    ]
}

fn apply(text: &str, place: usize, damage: &Damage) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let mut lines: Vec<String> = lines.into_iter().map(str::to_owned).collect();
    if lines.is_empty() {
        return String::new();
    }
    let row = place * (lines.len() - 1) / 1000;
    let mut words: Vec<String> = lines[row].split(' ').map(str::to_owned).collect();
    let word = (place * 7 % 1000) * (words.len() - 1) / 1000;
    match damage {
        Damage::CutWord => drop(words.remove(word)),
        Damage::SwapWordWithNext if word + 1 < words.len() => words.swap(word, word + 1),
        Damage::SwapWordWithNext => words.reverse(),
        Damage::Insert(text) => words.insert(word, (*text).to_owned()),
        Damage::DoubleLine => words.extend(words.clone()),
        Damage::DropLine => words.clear(),
    }
    lines[row] = words.join(" ");
    lines.join("\n")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn composing_damaged_subgraphs_ends_in_one_verdict(
        case in 0..1000_usize,
        blows in prop::collection::vec((0..1000_usize, 0..8_usize, damage()), 1..4),
    ) {
        let mut subgraphs: Vec<Subgraph> = CORPUS[case % CORPUS.len()].subgraphs.clone();
        for (place, which, damage) in &blows {
            let which = which % subgraphs.len();
            subgraphs[which].sdl = apply(&subgraphs[which].sdl, *place, damage);
        }
        let once = compose::compose(&subgraphs);
        subgraphs.reverse();
        prop_assert_eq!(compose::compose(&subgraphs), once);
    }
}
