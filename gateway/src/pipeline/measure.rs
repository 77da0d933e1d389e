//! How big a document really is: depth, fields, aliases and directives with fragments followed.
//!
//! A fragment is measured once and then only added, so the time is linear in the text however often fragments are
//! spread, and sums stop at the largest number instead of wrapping. A cycle measures as nothing here; validation
//! refuses it.

use std::collections::HashMap;

use apollo_compiler::ast::{Definition, Document, FragmentDefinition, OperationDefinition, Selection};
use apollo_compiler::{Name, Node};

use crate::config::Limits;

/// Lists of types and fields may nest this often inside `__schema` and `__type`: enough for every tool, too little to
/// walk in circles (graphql-js: MaxIntrospectionDepthRule).
const INTROSPECTION_LISTS: u64 = 2;
/// Fields below `__schema` and `__type` may nest this deep: tools ask for types within types nine times.
const INTROSPECTION_DEPTH: u64 = 24;

/// Selection sets that may be open at a time, those of spread fragments among them. Whoever nests deeper is refused for
/// its depth; the bound keeps the stack small.
const DEEPEST: u32 = 256;

/// The size of a selection set. All but the depths are sums.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Size {
    /// Fields above one another; introspection counts one.
    pub(crate) depth: u64,
    /// Fields at the top.
    pub(crate) root_fields: u64,
    pub(crate) selections: u64,
    pub(crate) aliases: u64,
    pub(crate) directives: u64,
    /// Fields above one another below `__schema` and `__type`.
    introspection_depth: u64,
    /// Fields above one another below `__schema` and `__type` that list types, fields or arguments again.
    introspection_lists: u64,
    /// What the last two would be if this set stood below one of those fields.
    as_introspection: (u64, u64),
}

impl Size {
    /// Both, one beside the other.
    fn beside(self, other: Size) -> Size {
        Size {
            depth: self.depth.max(other.depth),
            root_fields: self.root_fields.saturating_add(other.root_fields),
            selections: self.selections.saturating_add(other.selections),
            aliases: self.aliases.saturating_add(other.aliases),
            directives: self.directives.saturating_add(other.directives),
            introspection_depth: self.introspection_depth.max(other.introspection_depth),
            introspection_lists: self.introspection_lists.max(other.introspection_lists),
            as_introspection: (
                self.as_introspection.0.max(other.as_introspection.0),
                self.as_introspection.1.max(other.as_introspection.1),
            ),
        }
    }

    /// A field with this below it.
    fn in_field(self, name: &str, aliased: bool) -> Size {
        let is_meta = matches!(name, "__schema" | "__type");
        let lists_again = matches!(name, "fields" | "interfaces" | "possibleTypes" | "inputFields");
        let (deep, lists) = self.as_introspection;
        Size {
            depth: if is_meta { 1 } else { self.depth.saturating_add(1) },
            root_fields: 1,
            selections: self.selections.saturating_add(1),
            aliases: self.aliases.saturating_add(u64::from(aliased)),
            directives: self.directives,
            introspection_depth: if is_meta { deep } else { self.introspection_depth },
            introspection_lists: if is_meta { lists } else { self.introspection_lists },
            as_introspection: (deep.saturating_add(1), lists.saturating_add(u64::from(lists_again))),
        }
    }

    /// Number by number the larger one.
    fn or_larger(self, other: Size) -> Size {
        Size {
            root_fields: self.root_fields.max(other.root_fields),
            selections: self.selections.max(other.selections),
            aliases: self.aliases.max(other.aliases),
            directives: self.directives.max(other.directives),
            ..self.beside(other)
        }
    }

    /// Of a fragment that may be spread nowhere: what does not depend on where that would be.
    fn anywhere(self) -> Size {
        let depth = if self.depth == u64::MAX { u64::MAX } else { 0 };
        let Size { selections, aliases, directives, .. } = self;
        Size { depth, selections, aliases, directives, ..Size::default() }
    }

    fn with_directives(self, directives: u64) -> Size {
        Size { directives: self.directives.saturating_add(directives), ..self }
    }

    /// The first bound that is passed, in words.
    pub(crate) fn exceeds(&self, limits: &Limits) -> Option<String> {
        [
            ("fields above one another", self.depth, limits.depth),
            ("aliases", self.aliases, limits.aliases),
            ("fields at its top", self.root_fields, limits.root_fields),
            ("directives", self.directives, limits.directives),
            ("fields, fragments followed", self.selections, limits.selections),
            ("lists of types above one another", self.introspection_lists, INTROSPECTION_LISTS),
            ("introspection fields above one another", self.introspection_depth, INTROSPECTION_DEPTH),
        ]
        .into_iter()
        .find(|(_, size, limit)| size > limit)
        .map(|(what, _, limit)| format!("The document has more than {limit} {what}."))
    }
}

/// The size of the largest operation, or of a fragment that is larger: all of them are validated.
pub(crate) fn measure(document: &Document) -> Size {
    let mut ruler = Ruler::new(document);
    let mut largest = Size::default();
    for definition in &document.definitions {
        let size = match definition {
            Definition::OperationDefinition(operation) => ruler.operation(operation),
            Definition::FragmentDefinition(fragment) => ruler.fragment(&fragment.name).anywhere(),
            _ => continue,
        };
        largest = largest.or_larger(size);
    }
    Size { directives: largest.directives.max(ruler.directives_in_text), ..largest }
}

struct Ruler<'a> {
    fragments: HashMap<&'a Name, &'a Node<FragmentDefinition>>,
    /// `None` while the fragment is being measured.
    measured: HashMap<&'a Name, Option<Size>>,
    /// Every directive of the document once.
    directives_in_text: u64,
    /// Selection sets that are open at the moment.
    level: u32,
}

impl<'a> Ruler<'a> {
    fn new(document: &'a Document) -> Self {
        let fragments = document.definitions.iter().filter_map(|definition| match definition {
            Definition::FragmentDefinition(fragment) => Some((&fragment.name, fragment)),
            _ => None,
        });
        Self { fragments: fragments.collect(), measured: HashMap::new(), directives_in_text: 0, level: 0 }
    }

    fn operation(&mut self, operation: &'a Node<OperationDefinition>) -> Size {
        let variables: usize = operation.variables.iter().map(|variable| variable.directives.len()).sum();
        let own = self.directives(operation.directives.len() + variables);
        self.set(&operation.selection_set).with_directives(own)
    }

    fn fragment(&mut self, name: &'a Name) -> Size {
        if let Some(size) = self.measured.get(name) {
            return size.unwrap_or_default();
        }
        // An unknown fragment: validation says so.
        let Some(fragment) = self.fragments.get(name).copied() else { return Size::default() };
        self.measured.insert(name, None);
        let own = self.directives(fragment.directives.len());
        let size = self.set(&fragment.selection_set).with_directives(own);
        self.measured.insert(name, Some(size));
        size
    }

    fn set(&mut self, selections: &'a [Selection]) -> Size {
        if self.level == DEEPEST {
            return Size { depth: u64::MAX, ..Size::default() };
        }
        self.level += 1;
        let mut size = Size::default();
        for selection in selections {
            size = size.beside(self.selection(selection));
        }
        self.level -= 1;
        size
    }

    fn selection(&mut self, selection: &'a Selection) -> Size {
        match selection {
            Selection::Field(field) => {
                let directives = self.directives(field.directives.len());
                let below = self.set(&field.selection_set);
                below.in_field(&field.name, field.alias.is_some()).with_directives(directives)
            }
            Selection::InlineFragment(inline) => {
                let directives = self.directives(inline.directives.len());
                self.set(&inline.selection_set).with_directives(directives)
            }
            Selection::FragmentSpread(spread) => {
                let directives = self.directives(spread.directives.len());
                self.fragment(&spread.fragment_name).with_directives(directives)
            }
        }
    }

    fn directives(&mut self, count: usize) -> u64 {
        self.directives_in_text = self.directives_in_text.saturating_add(count as u64);
        count as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use apollo_compiler::parser::Parser;

    fn size(text: &str) -> Size {
        measure(&Parser::new().parse_ast(text, "query").unwrap())
    }

    fn refusal(text: &str) -> Option<String> {
        size(text).exceeds(&Limits::default())
    }

    #[test]
    fn sizes_follow_fragments_each_time_they_are_spread() {
        let text = "query($a: Boolean! @x) { one: a @x { ...F } b { ...F ... on T @x { c } } }
                    fragment F on T @x { two: d e { f } }";
        let size = size(text);
        assert_eq!((size.depth, size.root_fields, size.selections), (3, 2, 9));
        assert_eq!((size.aliases, size.directives), (3, 5));
    }

    #[test]
    fn a_fragment_bomb_saturates_and_is_refused() {
        let mut text = String::from("{ ...F0 }");
        for at in 0..200 {
            text += &format!(" fragment F{at} on Query {{ ...F{next} ...F{next} }}", next = at + 1);
        }
        text += " fragment F200 on Query { x: a }";
        let size = size(&text);
        assert_eq!((size.selections, size.aliases, size.root_fields), (u64::MAX, u64::MAX, u64::MAX));
        assert!(size.exceeds(&Limits::default()).is_some());
    }

    #[test]
    fn cycles_and_unknown_fragments_end() {
        assert_eq!(size("{ ...A } fragment A on Q { a ...B } fragment B on Q { b ...A }").selections, 2);
        assert_eq!(size("{ ...A @x } fragment A on Q { ...A @x a }").selections, 1);
        assert_eq!(size("{ a ...Nobody }").selections, 1);
    }

    #[test]
    fn nesting_that_fragments_hide_is_found() {
        let chain = |length: usize| {
            let mut text = String::from("{ ...F0 }");
            for at in 0..length {
                text += &format!(" fragment F{at} on Query {{ ...F{} }}", at + 1);
            }
            text + &format!(" fragment F{length} on Query {{ a }}")
        };
        assert_eq!(refusal(&chain(100)), None);
        assert!(refusal(&chain(7_500)).unwrap().contains("12 fields above one another"));
    }

    #[test]
    fn every_bound_refuses_the_first_document_past_it() {
        let repeat = |text: &str, times: usize| text.repeat(times);
        for (within, beyond, what) in [
            (
                format!("{}a{}", repeat("{a", 11) + "{", repeat("}", 12)),
                format!("{}a{}", repeat("{a", 12) + "{", repeat("}", 13)),
                "above one another",
            ),
            (
                format!("{{ t {{ {} }} }}", repeat("a: a ", 30)),
                format!("{{ t {{ {} }} }}", repeat("a: a ", 31)),
                "aliases",
            ),
            (format!("{{ {} }}", repeat("a ", 20)), format!("{{ {} }}", repeat("a ", 21)), "at its top"),
            (
                format!("{{ a {} }}", repeat("@x ", 50)),
                format!("{{ a {} }}", repeat("@x ", 51)),
                "directives",
            ),
            (
                format!("{{ t {{ {} }} }}", repeat("a ", 9_999)),
                format!("{{ t {{ {} }} }}", repeat("a ", 10_000)),
                "fragments followed",
            ),
            (
                "{ __schema { types { fields { type { fields { name } } } } } }".into(),
                "{ __schema { types { fields { type { fields { type { fields { name } } } } } } } }".into(),
                "lists of types",
            ),
            (
                format!("{{ __schema {{ {} name {} }} }}", repeat("a {", 23), repeat("}", 23)),
                format!("{{ __schema {{ {} name {} }} }}", repeat("a {", 24), repeat("}", 24)),
                "introspection fields",
            ),
        ] {
            assert_eq!(refusal(&within), None, "{what}");
            assert!(refusal(&beyond).unwrap_or_default().contains(what), "{what}: {:?}", refusal(&beyond));
        }
    }

    #[test]
    fn a_fragment_counts_where_it_is_spread() {
        let wide = format!("{{ p {{ ...P }} }} fragment P on P {{ {} }}", "a ".repeat(100));
        assert_eq!(refusal(&wide), None);
        let top = format!("{{ ...P }} fragment P on Query {{ {} }}", "a ".repeat(21));
        assert!(refusal(&top).is_some());
    }

    #[test]
    fn names_that_look_like_introspection_hide_nothing() {
        let deep = format!("{}a{}", "{a".repeat(12) + "{", "}".repeat(13));
        assert!(refusal(&format!("query __schema {deep}")).is_some());
        assert!(refusal(&format!("{{ ...__schema }} fragment __schema on Query {deep}")).is_some());
        assert!(refusal(&format!("{{ __schema: a {deep} }}")).is_some());
    }

    #[test]
    fn the_introspection_of_tools_passes() {
        let of_type = "ofType { kind name ".repeat(9) + &" }".repeat(9);
        let text = format!(
            "query IntrospectionQuery {{ __schema {{ queryType {{ name }} types {{ ...T }}
             directives {{ name args(includeDeprecated: true) {{ ...I }} }} }} }}
             fragment T on __Type {{ kind name fields(includeDeprecated: true) {{ name args {{ ...I }}
             type {{ ...R }} }} inputFields {{ ...I }} interfaces {{ ...R }} possibleTypes {{ ...R }} }}
             fragment I on __InputValue {{ name type {{ ...R }} defaultValue }}
             fragment R on __Type {{ kind name {of_type} }}"
        );
        assert_eq!(refusal(&text), None);
    }
}
