//! `@link`: which specifications a subgraph uses, and under which names.

use apollo_compiler::ast::{Definition, Directive, Document, Value};
use apollo_compiler::{Name, Node};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::error::{CompositionError, ErrorCode};
use crate::federation;

const APOLLO_SPECS: &str = "https://specs.apollo.dev/";

/// Specifications whose main directive is one of federation's own under another roof.
const SPECS_OF_FEDERATION: [&str; 7] =
    ["tag", "inaccessible", "authenticated", "requiresScopes", "policy", "cost", "context"];

/// The version of federation that a subgraph is written for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Version {
    /// No `@link` to federation 2.
    One,
    /// Federation 2 with its minor version.
    Two(u32),
}

/// What the `@link`s of a subgraph say.
#[derive(Debug)]
pub(crate) struct Links {
    pub version: Version,
    /// Local directive name → full federation name.
    pub directives: FxHashMap<Name, Name>,
    /// Local names of federation's scalars.
    pub scalars: FxHashSet<String>,
    /// The name under which `@link` itself is known.
    pub link_name: String,
    /// Links to specifications that are neither federation's nor the core's.
    pub custom: Vec<CustomLink>,
    /// Arguments of `@composeDirective`, without the `@`.
    pub composed: Vec<String>,
}

/// A `@link` to somebody's own specification.
#[derive(Clone, Debug)]
pub(crate) struct CustomLink {
    /// Address without the version.
    pub identity: String,
    /// `(major, minor)`.
    pub version: (u32, u32),
    /// Name of the specification here: `as`, or the last part of its identity.
    pub name: String,
    /// Imported elements: name there, name here (both with `@` for directives).
    pub imports: Vec<(String, String)>,
}

impl CustomLink {
    /// The name that `local` (without `@`) has in the specification, if it is one of its directives.
    pub fn original(&self, local: &str) -> Option<String> {
        let imported = self.imports.iter().find(|(_, here)| here.strip_prefix('@') == Some(local));
        if let Some((there, _)) = imported {
            return there.strip_prefix('@').map(str::to_owned);
        }
        if local == self.name {
            return Some(self.identity.rsplit('/').next().unwrap_or(local).to_owned());
        }
        local.strip_prefix(self.name.as_str())?.strip_prefix("__").map(str::to_owned)
    }
}

/// One `@link` as written.
struct Application {
    identity: String,
    version: Option<(u32, u32)>,
    alias: Option<String>,
    imports: Vec<(String, String)>,
}

impl Application {
    fn name(&self) -> &str {
        let last = self.identity.rsplit('/').next().unwrap_or(&self.identity);
        self.alias.as_deref().unwrap_or(last)
    }
}

impl Links {
    /// Reads the links of the subgraph `subgraph`.
    pub fn read(subgraph: &str, document: &Document) -> Result<Self, Vec<CompositionError>> {
        let on_schema: Vec<&Node<Directive>> = document
            .definitions
            .iter()
            .filter(|d| matches!(d, Definition::SchemaDefinition(_) | Definition::SchemaExtension(_)))
            .flat_map(|definition| definition.directives().iter())
            .collect();
        let mut links = Links {
            version: Version::One,
            directives: FxHashMap::default(),
            scalars: FxHashSet::default(),
            link_name: link_name(&on_schema),
            custom: Vec::new(),
            composed: Vec::new(),
        };
        let mut errors = Vec::new();
        for directive in &on_schema {
            if directive.name != links.link_name.as_str() {
                continue;
            }
            match application(directive) {
                Ok(link) => links.add(link, subgraph, &mut errors),
                Err((code, problem)) => {
                    errors.push(CompositionError::within(code, subgraph, "@link", problem))
                }
            }
        }
        if links.version == Version::One {
            for name in federation::VERSION_1_DIRECTIVES {
                links.know(name.to_owned(), name);
            }
            links.scalars.extend(["FieldSet".to_owned(), "_FieldSet".to_owned()]);
        }
        links.composed = composed(&on_schema, &links);
        if errors.is_empty() { Ok(links) } else { Err(errors) }
    }

    fn add(&mut self, link: Application, subgraph: &str, errors: &mut Vec<CompositionError>) {
        let spec = link.identity.strip_prefix(APOLLO_SPECS).map(str::to_owned);
        match spec.as_deref() {
            Some("link") => {}
            Some("federation") => {
                if let Err((code, problem)) = self.add_federation(&link) {
                    errors.push(CompositionError::within(code, subgraph, "@link", problem));
                }
            }
            Some(name) if SPECS_OF_FEDERATION.contains(&name) => self.add_part_of_federation(name, &link),
            _ => self.custom.push(CustomLink {
                version: link.version.unwrap_or((0, 0)),
                name: link.name().to_owned(),
                identity: link.identity,
                imports: link.imports,
            }),
        }
    }

    fn add_federation(&mut self, link: &Application) -> Result<(), (ErrorCode, String)> {
        let minor = match link.version {
            Some((2, minor)) if minor <= federation::NEWEST_MINOR => minor,
            Some((1, _)) => return Ok(()),
            version => {
                let (major, minor) = version.unwrap_or_default();
                let text = format!(
                    "version v{major}.{minor} of federation is not known; use v2.0 to v2.{}",
                    federation::NEWEST_MINOR
                );
                return Err((ErrorCode::UnknownFederationLinkVersion, text));
            }
        };
        let minor = match self.version {
            Version::Two(other) => minor.max(other),
            Version::One => minor,
        };
        self.version = Version::Two(minor);
        let known =
            || federation::DIRECTIVES.iter().filter(|(_, since)| *since <= minor).map(|(name, _)| *name);
        for (there, here) in &link.imports {
            match there.strip_prefix('@') {
                Some(name) if known().any(|directive| directive == name) => {
                    self.know(here.trim_start_matches('@').to_owned(), name);
                }
                None if federation::SCALARS.contains(&there.as_str()) => {
                    self.scalars.insert(here.clone());
                }
                _ => {
                    let text = format!("cannot import unknown element \"{there}\" of federation v2.{minor}");
                    return Err((ErrorCode::InvalidLinkDirectiveUsage, text));
                }
            }
        }
        for name in known() {
            self.know(format!("{}__{name}", link.name()), name);
        }
        for scalar in federation::SCALARS {
            self.scalars.insert(format!("{}__{scalar}", link.name()));
        }
        Ok(())
    }

    fn add_part_of_federation(&mut self, spec: &str, link: &Application) {
        for (name, _) in federation::DIRECTIVES {
            let import = link.imports.iter().find(|(there, _)| there.strip_prefix('@') == Some(name));
            let local = match import {
                Some((_, here)) => here.trim_start_matches('@').to_owned(),
                None if name == spec => link.name().to_owned(),
                None => format!("{}__{name}", link.name()),
            };
            if name == spec
                || (spec == "cost" && name == "listSize")
                || (spec == "context" && name == "fromContext")
            {
                self.know(local, name);
            }
        }
    }

    fn know(&mut self, local: String, name: &str) {
        if let (Ok(local), Ok(full)) =
            (Name::new(&local), Name::new(&format!("{}{name}", federation::PREFIX)))
        {
            self.directives.insert(local, full);
        }
    }

    /// Is this type one that federation or the link specification defines?
    pub fn owns_type(&self, name: &str) -> bool {
        federation::MACHINERY_TYPES.contains(&name)
            || self.scalars.contains(name)
            || name.starts_with(federation::PREFIX)
            || name.starts_with("link__")
            || name.strip_prefix(self.link_name.as_str()).is_some_and(|rest| rest.starts_with("__"))
    }
}

/// `@link` may rename itself by linking its own specification.
fn link_name(on_schema: &[&Node<Directive>]) -> String {
    let own = format!("{APOLLO_SPECS}link/");
    on_schema
        .iter()
        .find(|d| string(d, "url").is_some_and(|url| url.starts_with(&own)))
        .map_or_else(|| "link".to_owned(), |d| d.name.to_string())
}

fn composed(on_schema: &[&Node<Directive>], links: &Links) -> Vec<String> {
    on_schema
        .iter()
        .filter(|d| links.directives.get(&d.name).is_some_and(|full| full == federation::COMPOSE_DIRECTIVE))
        .filter_map(|d| string(d, "name").map(|name| name.trim_start_matches('@').to_owned()))
        .collect()
}

fn string<'a>(directive: &'a Directive, argument: &str) -> Option<&'a str> {
    directive.specified_argument_by_name(argument)?.as_str()
}

fn application(directive: &Directive) -> Result<Application, (ErrorCode, String)> {
    let usage = |problem: &str| (ErrorCode::InvalidLinkDirectiveUsage, problem.to_owned());
    let url = string(directive, "url").ok_or_else(|| usage("@link needs a \"url\""))?;
    let (identity, version) = split_version(url);
    if version.is_none() && url.starts_with(APOLLO_SPECS.trim_end_matches('/')) {
        let problem = format!("the url \"{url}\" of @link must end in a name and a version such as v1.2");
        return Err((ErrorCode::InvalidLinkIdentifier, problem));
    }
    let mut imports = Vec::new();
    if let Some(list) = directive.specified_argument_by_name("import") {
        for element in list.as_list().ok_or_else(|| usage("\"import\" of @link must be a list"))? {
            imports.push(import(element).map_err(|problem| usage(&problem))?);
        }
    }
    Ok(Application { identity, version, alias: string(directive, "as").map(str::to_owned), imports })
}

fn import(element: &Value) -> Result<(String, String), String> {
    if let Some(name) = element.as_str() {
        return Ok((name.to_owned(), name.to_owned()));
    }
    let fields = element.as_object().ok_or("an import of @link must be a name or an object")?;
    let part =
        |wanted: &str| fields.iter().find(|(name, _)| name == wanted).and_then(|(_, value)| value.as_str());
    let name = part("name").ok_or("an import of @link needs a \"name\"")?;
    let alias = part("as").unwrap_or(name);
    if name.starts_with('@') != alias.starts_with('@') {
        return Err(format!("cannot import \"{name}\" as \"{alias}\": both or neither are directives"));
    }
    Ok((name.to_owned(), alias.to_owned()))
}

/// `https://host/spec/v2.5` → (`https://host/spec`, (2, 5)).
fn split_version(url: &str) -> (String, Option<(u32, u32)>) {
    let url = url.trim_end_matches('/');
    let parsed = url.rsplit_once('/').and_then(|(identity, version)| {
        let (major, minor) = version.strip_prefix('v')?.split_once('.')?;
        Some((identity.to_owned(), (major.parse().ok()?, minor.parse().ok()?)))
    });
    match parsed {
        Some((identity, version)) => (identity, Some(version)),
        None => (url.to_owned(), None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(sdl: &str) -> Result<Links, Vec<CompositionError>> {
        Links::read("a", &Document::parse(sdl, "a").unwrap())
    }

    fn full(links: &Links, local: &str) -> Option<String> {
        links.directives.get(local).map(ToString::to_string)
    }

    #[test]
    fn imported_renamed_and_prefixed_directives_are_the_same() {
        let links = read(
            r#"extend schema @link(url: "https://specs.apollo.dev/federation/v2.5", as: "fed",
                 import: ["@key", {name: "@shareable", as: "@shared"}])"#,
        )
        .unwrap();
        assert_eq!(links.version, Version::Two(5));
        assert_eq!(full(&links, "key").as_deref(), Some(federation::KEY));
        assert_eq!(full(&links, "shared").as_deref(), Some(federation::SHAREABLE));
        assert_eq!(full(&links, "fed__requires").as_deref(), Some(federation::REQUIRES));
        assert_eq!(full(&links, "requires"), None);
    }

    #[test]
    fn without_a_link_the_directives_of_federation_1_are_known() {
        let links = read("type Query { a: Int }").unwrap();
        assert_eq!(links.version, Version::One);
        assert_eq!(full(&links, "key").as_deref(), Some(federation::KEY));
        assert_eq!(full(&links, "shareable"), None);
    }

    #[test]
    fn an_unknown_import_is_refused() {
        let errors = read(
            r#"extend schema @link(url: "https://specs.apollo.dev/federation/v2.5", import: ["@keys"])"#,
        )
        .unwrap_err();
        assert_eq!(errors[0].code, ErrorCode::InvalidLinkDirectiveUsage);
    }

    #[test]
    fn an_unknown_version_is_refused() {
        let errors =
            read(r#"extend schema @link(url: "https://specs.apollo.dev/federation/v2.99")"#).unwrap_err();
        assert_eq!(errors[0].code, ErrorCode::UnknownFederationLinkVersion);
    }

    #[test]
    fn a_custom_link_knows_its_directives_original_names() {
        let links = read(
            r#"extend schema @link(url: "https://example.com/audit/v1.0", import: [{name: "@log", as: "@logged"}])"#,
        )
        .unwrap();
        assert_eq!(links.custom[0].original("logged").as_deref(), Some("log"));
        assert_eq!(links.custom[0].original("audit").as_deref(), Some("audit"));
        assert_eq!(links.custom[0].original("audit__trace").as_deref(), Some("trace"));
    }
}
