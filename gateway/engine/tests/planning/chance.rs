//! Documents made by chance over supergraphs with every feature: each plan must give what the document asks.

use apollo_compiler::ast::Type as TypeReference;
use apollo_compiler::{ExecutableDocument, Name};
use engine::plan::{PlanOptions, Planner};
use supergraph::{Supergraph, TypeId, TypeKind};

use super::run::Run;
use super::world::World;
use super::{EVERY_FEATURE, planner, planner_of};

/// A small generator, so that every run makes the same documents.
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % bound.max(1)
    }

    fn one_in(&mut self, bound: usize) -> bool {
        self.below(bound) == 0
    }
}

/// Writes a document.
struct Author<'a> {
    supergraph: &'a Supergraph,
    chance: Chance,
    fragments: Vec<String>,
    aliases: usize,
}

impl Author<'_> {
    fn document(&mut self, root: TypeId, keyword: &str) -> String {
        let body = self.selection(root, 5);
        let fragments = self.fragments.join(" ");
        format!(
            "{keyword} ($x: Boolean!, $y: Boolean!) {{ {body} ...V }} {fragments} fragment V on {} {{ __typename @skip(if: $x) @include(if: $y) }}",
            self.supergraph.ty(root).name
        )
    }

    fn selection(&mut self, ty: TypeId, depth: usize) -> String {
        let mut parts = Vec::new();
        for _ in 0..1 + self.chance.below(4) {
            match self.chance.below(8) {
                0 => parts.push(self.inline_fragment(ty, depth)),
                1 if depth > 1 => parts.push(self.spread(ty, depth)),
                2 => parts.push(format!("__typename {}", self.condition())),
                _ => parts.extend(self.field(ty, depth)),
            }
        }
        match parts.is_empty() {
            true => "__typename".to_owned(),
            false => parts.join(" "),
        }
    }

    fn field(&mut self, ty: TypeId, depth: usize) -> Option<String> {
        let fields: Vec<_> =
            self.supergraph.ty(ty).fields.values().map(|id| self.supergraph.field(*id)).collect();
        let fields: Vec<_> = fields.into_iter().filter(|field| !field.inaccessible).collect();
        if fields.is_empty() {
            return None;
        }
        let field = fields[self.chance.below(fields.len())];
        let inner = self.supergraph.ty(field.inner);
        if inner.is_composite() && depth == 0 {
            return None;
        }
        let mut arguments = Vec::new();
        for argument in &field.arguments {
            let is_needed = argument.ty.is_non_null() && argument.default_value.is_none();
            if is_needed || self.chance.one_in(4) {
                arguments.push(format!("{}: {}", argument.name, self.literal(&argument.ty)));
            }
        }
        let alias = if !arguments.is_empty() || self.chance.one_in(4) {
            self.aliases += 1;
            format!("a{}: ", self.aliases)
        } else if self.chance.one_in(12) {
            // A key that means something else to the engine.
            ["id: ", "_k_id: ", "weight: "][self.chance.below(3)].to_owned()
        } else {
            String::new()
        };
        let arguments =
            if arguments.is_empty() { String::new() } else { format!("({})", arguments.join(", ")) };
        let below = match inner.is_composite() {
            true => format!("{{ {} }}", self.selection(inner.id, depth - 1)),
            false => String::new(),
        };
        Some(format!("{alias}{}{arguments} {} {below}", field.name, self.condition()))
    }

    fn inline_fragment(&mut self, ty: TypeId, depth: usize) -> String {
        let on = self.narrower(ty);
        let condition = self.condition();
        format!("... on {} {condition} {{ {} }}", self.supergraph.ty(on).name, self.selection(on, depth))
    }

    fn spread(&mut self, ty: TypeId, depth: usize) -> String {
        let on = self.narrower(ty);
        let body = self.selection(on, depth - 1);
        let name = format!("F{}", self.fragments.len());
        self.fragments.push(format!("fragment {name} on {} {{ {body} }}", self.supergraph.ty(on).name));
        format!("...{name} {}", self.condition())
    }

    /// A type that overlaps with this one.
    fn narrower(&mut self, ty: TypeId) -> TypeId {
        let ty = self.supergraph.ty(ty);
        let mut types: Vec<TypeId> = ty.possible.clone();
        types.push(ty.id);
        for possible in &ty.possible {
            types.extend(&self.supergraph.ty(*possible).interfaces);
        }
        types.retain(|ty| !self.supergraph.ty(*ty).inaccessible);
        types[self.chance.below(types.len())]
    }

    fn condition(&mut self) -> &'static str {
        match self.chance.below(16) {
            0 => "@include(if: $x)",
            1 => "@skip(if: $x)",
            2 => "@include(if: $y)",
            3 => "@skip(if: $y) @include(if: $x)",
            4 => "@include(if: true)",
            5 => "@skip(if: true)",
            _ => "",
        }
    }

    fn literal(&mut self, ty: &TypeReference) -> String {
        if ty.is_list() {
            return format!("[{}]", self.literal(ty.item_type()));
        }
        let api = self.supergraph.api_schema();
        let name: &Name = ty.inner_named_type();
        match name.as_str() {
            "Int" => self.chance.below(9).to_string(),
            "Float" => "0.5".to_owned(),
            "Boolean" => "true".to_owned(),
            _ => match self.supergraph.type_named(name).map(|ty| ty.kind) {
                Some(TypeKind::Enum) => {
                    let values: Vec<_> = api.get_enum(name).expect("an enum").values.keys().collect();
                    values[self.chance.below(values.len())].to_string()
                }
                Some(TypeKind::InputObject) => {
                    let input = api.get_input_object(name).expect("an input").clone();
                    let needed = input.fields.iter().filter(|(_, field)| field.is_required());
                    let fields: Vec<String> =
                        needed.map(|(name, field)| format!("{name}: {}", self.literal(&field.ty))).collect();
                    format!("{{ {} }}", fields.join(", "))
                }
                _ => format!("\"s{}\"", self.chance.below(3)),
            },
        }
    }
}

/// A document made by chance.
pub fn document(supergraph: &Supergraph, seed: u64, keyword: &str) -> String {
    let operation = match keyword {
        "mutation" => apollo_compiler::ast::OperationType::Mutation,
        _ => apollo_compiler::ast::OperationType::Query,
    };
    let root = supergraph.root(operation).expect("the root type is there");
    let mut author = Author { supergraph, chance: Chance(seed), fragments: Vec::new(), aliases: 0 };
    author.document(root, keyword)
}

/// Plans and runs documents made by chance; returns how many were valid and so could be compared.
fn compare(planner: &Planner, seeds: std::ops::Range<u64>, keyword: &str) -> usize {
    let supergraph = planner.supergraph();
    let mut compared = 0;
    for seed in seeds {
        let text = document(supergraph, seed, keyword);
        let Ok(document) =
            ExecutableDocument::parse_and_validate(supergraph.api_schema(), &text, "chance.graphql")
        else {
            continue;
        };
        let plan = match planner.plan(&document, None, &PlanOptions::default()) {
            Ok(plan) => plan,
            Err(refused) => panic!("seed {seed}: {refused}\n{text}"),
        };
        let operation = document.operations.get(None).expect("one operation");
        for truths in [&[][..], &["x"], &["y"], &["x", "y"]] {
            let world = World { supergraph, truths };
            let expected = world.evaluate(&document, operation);
            let found = std::panic::catch_unwind(|| Run::answer(&world, &plan)).unwrap_or_else(|_| {
                panic!("seed {seed}, true {truths:?}: {text}\n{}", plan.explain(supergraph))
            });
            assert_eq!(found, expected, "seed {seed}, true {truths:?}: {text}\n{}", plan.explain(supergraph));
        }
        compared += 1;
    }
    compared
}

#[test]
fn documents_over_the_shop_are_answered_by_their_plans() {
    let planner = planner(include_str!("../../../../schema/supergraph/tests/fixtures/shop.graphql"));
    assert!(compare(&planner, 0..150, "query") > 60);
    assert!(compare(&planner, 0..50, "mutation") > 15);
}

#[test]
fn documents_over_every_feature_are_answered_by_their_plans() {
    let planner = planner_of(&EVERY_FEATURE);
    assert!(compare(&planner, 0..400, "query") > 120);
    assert!(compare(&planner, 0..100, "mutation") > 25);
}
