//! The SDL that a subgraph publishes.

use async_graphql::{ObjectType, SDLExportOptions, Schema, SubscriptionType};

/// What our subgraphs use of federation.
const LINK: &str = "extend schema @link(url: \"https://specs.apollo.dev/federation/v2.5\", import: [\"@key\", \
\"@external\", \"@requires\", \"@provides\", \"@shareable\", \"@inaccessible\", \"@authenticated\", \
\"@requiresScopes\", \"@tag\"])\n";

/// Exports a schema for the composer. async-graphql writes a fixed `@link` without `@authenticated`, and defines the
/// directives that we declare; both are put right here.
pub fn export<Q, M, S>(schema: &Schema<Q, M, S>) -> String
where
    Q: ObjectType + 'static,
    M: ObjectType + 'static,
    S: SubscriptionType + 'static,
{
    let options = SDLExportOptions::new()
        .federation()
        .include_specified_by()
        .use_space_ident()
        .sorted_fields()
        .sorted_enum_items()
        .prefer_single_line_descriptions();
    let exported = schema.sdl_with_options(options);
    let body = exported.split("extend schema @link(").next().unwrap_or_default();
    let mut sdl = String::from(LINK);
    let mut description = String::new();
    let mut open = false;
    for line in body.lines().map(str::trim_end) {
        let quotes = line.matches("\"\"\"").count();
        if open || line.starts_with('"') {
            open ^= quotes % 2 == 1;
            description.push_str(line);
            description.push('\n');
            continue;
        }
        if !line.starts_with("directive @") {
            sdl.push_str(&description);
            sdl.push_str(line);
            sdl.push('\n');
        }
        description.clear();
    }
    sdl.truncate(sdl.trim_end().len());
    sdl.push('\n');
    sdl
}
