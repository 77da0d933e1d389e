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
    let lines = body.lines().filter(|line| !line.starts_with("directive @"));
    let mut sdl = String::from(LINK);
    for line in lines {
        sdl.push_str(line.trim_end());
        sdl.push('\n');
    }
    let mut end = sdl.trim_end().to_owned();
    end.push('\n');
    end
}
