//! Why subgraphs do not compose: a code that Apollo's tools know, a message, and where.

use std::fmt;

/// One reason why no supergraph could be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CompositionError {
    /// The class of the error, named as in Apollo's list of composition errors.
    pub code: ErrorCode,
    /// A sentence for the person who wrote the subgraph.
    pub message: String,
    /// The places concerned, in the order of the subgraphs' names.
    pub locations: Vec<Location>,
}

/// A place in a subgraph, as a schema coordinate (`Product.price`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Location {
    /// Name of the subgraph.
    pub subgraph: String,
    /// Schema coordinate there: `Type`, `Type.field`, `Type.field(argument:)`, `@directive`.
    pub coordinate: String,
}

impl Location {
    pub(crate) fn new(subgraph: &str, coordinate: impl Into<String>) -> Self {
        Self { subgraph: subgraph.to_owned(), coordinate: coordinate.into() }
    }
}

impl CompositionError {
    pub(crate) fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), locations: Vec::new() }
    }

    /// An error at one place of one subgraph; the message starts with the subgraph's name.
    pub(crate) fn within(
        code: ErrorCode,
        subgraph: &str,
        coordinate: impl Into<String>,
        message: impl fmt::Display,
    ) -> Self {
        Self {
            code,
            message: format!("[{subgraph}] {message}"),
            locations: vec![Location::new(subgraph, coordinate)],
        }
    }

    pub(crate) fn at(mut self, locations: impl IntoIterator<Item = Location>) -> Self {
        self.locations.extend(locations);
        self
    }
}

impl fmt::Display for CompositionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message)
    }
}

impl std::error::Error for CompositionError {}

/// The codes of Apollo's composition errors that this composer can give.
///
/// `Display` prints them as Apollo does: `FieldTypeMismatch` is `FIELD_TYPE_MISMATCH`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ErrorCode {
    AuthRequirementsAppliedOnInterface,
    CostAppliedToInterfaceField,
    DefaultValueUsesInaccessible,
    DirectiveCompositionError,
    DirectiveDefinitionInvalid,
    DisallowedInaccessible,
    EmptyMergedEnumType,
    EmptyMergedInputType,
    EnumValueMismatch,
    ExtensionWithNoBase,
    ExternalArgumentDefaultMismatch,
    ExternalArgumentMissing,
    ExternalArgumentTypeMismatch,
    ExternalMissingOnBase,
    ExternalOnInterface,
    ExternalTypeMismatch,
    ExternalUnused,
    FieldArgumentDefaultMismatch,
    FieldArgumentTypeMismatch,
    FieldTypeMismatch,
    ImplementedByInaccessible,
    InputFieldDefaultMismatch,
    InterfaceFieldNoImplem,
    InterfaceKeyMissingImplementationType,
    InterfaceKeyNotOnImplementation,
    InterfaceObjectUsageError,
    InvalidFieldSharing,
    InvalidGraphql,
    InvalidLinkDirectiveUsage,
    InvalidLinkIdentifier,
    InvalidShareableUsage,
    InvalidSubgraphName,
    KeyDirectiveInFieldsArg,
    KeyFieldsHasArgs,
    KeyFieldsSelectInvalidType,
    KeyInvalidFields,
    KeyInvalidFieldsType,
    KeyUnsupportedOnInterface,
    ListSizeAppliedToNonList,
    ListSizeInvalidAssumedSize,
    ListSizeInvalidSizedField,
    ListSizeInvalidSlicingArgument,
    MergedDirectiveApplicationOnExternal,
    MissingTransitiveAuthRequirements,
    NoQueries,
    NoSubgraphs,
    OnlyInaccessibleChildren,
    OverrideCollisionWithAnotherDirective,
    OverrideFromSelfError,
    OverrideLabelInvalid,
    OverrideOnInterface,
    OverrideSourceHasOverride,
    ProvidesDirectiveInFieldsArg,
    ProvidesFieldsHasArgs,
    ProvidesFieldsMissingExternal,
    ProvidesInvalidFields,
    ProvidesInvalidFieldsType,
    ProvidesOnNonObjectField,
    ProvidesUnsupportedOnInterface,
    QueryRootTypeInaccessible,
    ReferencedInaccessible,
    RequiredArgumentMissingInSomeSubgraph,
    RequiredInaccessible,
    RequiredInputFieldMissingInSomeSubgraph,
    RequiresDirectiveInFieldsArg,
    RequiresFieldsMissingExternal,
    RequiresInvalidFields,
    RequiresInvalidFieldsType,
    RequiresUnsupportedOnInterface,
    RootMutationUsed,
    RootQueryUsed,
    RootSubscriptionUsed,
    SatisfiabilityError,
    ShareableHasMismatchedRuntimeTypes,
    TypeDefinitionInvalid,
    TypeKindMismatch,
    UnknownFederationLinkVersion,
    UnsupportedFeature,
    UnsupportedLinkedFeature,
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&screaming_snake(&format!("{self:?}")))
    }
}

/// `FieldTypeMismatch` → `FIELD_TYPE_MISMATCH`.
pub(crate) fn screaming_snake(variant: &str) -> String {
    let mut text = String::with_capacity(variant.len() + 8);
    for (index, letter) in variant.chars().enumerate() {
        if letter.is_ascii_uppercase() && index > 0 {
            text.push('_');
        }
        text.push(letter.to_ascii_uppercase());
    }
    text
}

/// Puts a list of things into a sentence: `"a", "b" and "c"`.
pub(crate) fn enumerate<S: fmt::Display>(items: impl IntoIterator<Item = S>) -> String {
    let quoted: Vec<String> = items.into_iter().map(|item| format!("\"{item}\"")).collect();
    match quoted.split_last() {
        None => String::new(),
        Some((only, [])) => only.clone(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
    }
}

/// `subgraph "a"`, or `subgraphs "a" and "b"`.
pub(crate) fn in_subgraphs<S: fmt::Display>(names: impl IntoIterator<Item = S>) -> String {
    let names: Vec<S> = names.into_iter().collect();
    let noun = if names.len() == 1 { "subgraph" } else { "subgraphs" };
    format!("{noun} {}", enumerate(names))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_prints_as_apollo_spells_it() {
        assert_eq!(ErrorCode::FieldTypeMismatch.to_string(), "FIELD_TYPE_MISMATCH");
        assert_eq!(ErrorCode::InvalidGraphql.to_string(), "INVALID_GRAPHQL");
    }

    #[test]
    fn a_list_reads_as_a_sentence() {
        assert_eq!(enumerate(["a"]), "\"a\"");
        assert_eq!(in_subgraphs(["a", "b", "c"]), "subgraphs \"a\", \"b\" and \"c\"");
    }
}
