//! Reads supergraph SDL into the tables of [`Supergraph`].

use apollo_compiler::ast::{Directive, FieldDefinition, Type as TypeReference, Value};
use apollo_compiler::schema::{Component, ExtendedType};
use apollo_compiler::{Name, Node, Schema};
use indexmap::IndexMap;
use rustc_hash::FxHashMap;

use crate::api_schema::{Machinery, api_schema, spec_name};
use crate::{
    Authorization, Field, FieldId, FieldJoin, FieldSet, Key, Override, Subgraph, SubgraphId, Supergraph,
    SupergraphError, Type, TypeId, TypeJoin, TypeKind,
};

/// Specifications that a supergraph may need for its execution, and that this crate reads.
const SUPPORTED: [&str; 8] =
    ["link", "join", "inaccessible", "tag", "authenticated", "requiresScopes", "policy", "cost"];

impl Supergraph {
    /// Reads supergraph SDL, as a federation composer writes it.
    pub fn parse(sdl: &str) -> Result<Supergraph, SupergraphError> {
        let schema = Schema::parse_and_validate(sdl, "supergraph.graphql")
            .map_err(|refused| SupergraphError::Invalid(refused.errors.to_string()))?;
        refuse_unknown_features(&schema)?;
        let machinery = Machinery::of(&schema);
        let reader = Reader::new(&schema, &machinery)?;
        let mut fields = Vec::with_capacity(reader.field_ids.len());
        let mut types = Vec::with_capacity(reader.type_ids.len());
        for name in &reader.type_names {
            types.push(reader.ty(name, &mut fields)?);
        }
        read_possible_types(&schema, &reader, &mut types);
        inherit_authorization(&types, &mut fields);

        let root = |name: &Option<apollo_compiler::schema::ComponentName>| {
            name.as_ref().and_then(|name| reader.type_ids.get(&name.name).copied())
        };
        let definition = &schema.schema_definition;
        Ok(Supergraph {
            query: root(&definition.query).ok_or(SupergraphError::NotASupergraph("it has no query type"))?,
            mutation: root(&definition.mutation),
            subscription: root(&definition.subscription),
            api_schema: api_schema(&schema, &machinery)?,
            subgraphs: reader.subgraphs,
            type_ids: reader.type_ids,
            types,
            fields,
        })
    }
}

fn refuse_unknown_features(schema: &Schema) -> Result<(), SupergraphError> {
    for link in schema.schema_definition.directives.get_all("link") {
        let argument = |name| link.specified_argument_by_name(name);
        let url = argument("url").and_then(|value| value.as_str()).unwrap_or_default();
        let needed = argument("for").is_some();
        if needed && !spec_name(url).is_some_and(|name| SUPPORTED.contains(&name)) {
            return Err(SupergraphError::UnsupportedFeature { url: url.to_owned() });
        }
    }
    Ok(())
}

/// What is known before the types are read: names and their ids.
struct Reader<'a> {
    schema: &'a Schema,
    subgraphs: Vec<Subgraph>,
    graphs: FxHashMap<Name, SubgraphId>,
    type_names: Vec<Name>,
    type_ids: FxHashMap<Name, TypeId>,
    field_ids: FxHashMap<(Name, Name), FieldId>,
}

impl<'a> Reader<'a> {
    fn new(schema: &'a Schema, machinery: &Machinery) -> Result<Self, SupergraphError> {
        let subgraphs = read_subgraphs(schema)?;
        let mut reader = Reader {
            schema,
            graphs: subgraphs.iter().map(|subgraph| (subgraph.graph.clone(), subgraph.id)).collect(),
            subgraphs,
            type_names: Vec::new(),
            type_ids: FxHashMap::default(),
            field_ids: FxHashMap::default(),
        };
        // By name, so that supergraphs that differ only in the order of their types get the same ids.
        let is_own = |name: &&Name| !machinery.owns(name) && !name.starts_with("__");
        let mut names: Vec<&Name> = schema.types.keys().filter(is_own).collect();
        names.sort();
        for name in names {
            let ty = &schema.types[name];
            reader.type_ids.insert(name.clone(), TypeId(reader.type_names.len() as u32));
            reader.type_names.push(name.clone());
            for field in output_fields(ty).into_iter().flatten().map(|(field, _)| field) {
                let id = FieldId(reader.field_ids.len() as u32);
                reader.field_ids.insert((name.clone(), field.clone()), id);
            }
        }
        Ok(reader)
    }

    fn ty(&self, name: &Name, fields: &mut Vec<Field>) -> Result<Type, SupergraphError> {
        let definition = &self.schema.types[name];
        let directives = || definition.directives().iter().map(|directive| &directive.node);
        let mut joins: Vec<TypeJoin> = Vec::new();
        for join in directives().filter(|directive| directive.name == "join__type") {
            let subgraph = self.graph(join, name)?;
            let row = match joins.iter().position(|known| known.subgraph == subgraph) {
                Some(row) => row,
                None => {
                    joins.push(TypeJoin {
                        subgraph,
                        keys: Vec::new(),
                        is_interface_object: false,
                        possible: Vec::new(),
                        interfaces: Vec::new(),
                    });
                    joins.len() - 1
                }
            };
            joins[row].is_interface_object |= flag(join, "isInterfaceObject").unwrap_or(false);
            if let Some(key) = text(join, "key") {
                let selection = self.field_set(key, name, name)?;
                joins[row].keys.push(Key { selection, resolvable: flag(join, "resolvable").unwrap_or(true) });
            }
        }
        joins.sort_by_key(|join| join.subgraph);

        let id = self.type_ids[name];
        let mut own_fields = IndexMap::new();
        for (field_name, field) in output_fields(definition).into_iter().flatten() {
            let read = self.field(name, field, &joins, FieldId(fields.len() as u32))?;
            own_fields.insert(field_name.clone(), read.id);
            fields.push(read);
        }
        Ok(Type {
            id,
            name: name.clone(),
            kind: kind(definition),
            fields: own_fields,
            possible: Vec::new(),
            interfaces: Vec::new(),
            joins,
            authorization: authorization(directives()),
            inaccessible: definition.directives().has("inaccessible"),
        })
    }

    fn field(
        &self,
        parent: &Name,
        field: &Component<FieldDefinition>,
        parent_joins: &[TypeJoin],
        id: FieldId,
    ) -> Result<Field, SupergraphError> {
        let inner_name = field.ty.inner_named_type();
        let inner = *self.type_ids.get(inner_name).ok_or_else(|| {
            malformed(format!("{parent}.{}", field.name), format!("there is no type {inner_name}"))
        })?;
        let mut joins = Vec::new();
        let mut is_joined = false;
        for join in field.directives.get_all("join__field") {
            is_joined = true;
            // Without a graph the field comes from an interface object and no subgraph has it on this type.
            if join.specified_argument_by_name("graph").is_some() {
                joins.push(self.field_join(parent, field, inner_name, join)?);
            }
        }
        if !is_joined {
            joins.extend(parent_joins.iter().map(|join| FieldJoin {
                subgraph: join.subgraph,
                ty: field.ty.clone(),
                requires: None,
                provides: None,
                external: false,
                overrides: None,
                used_overridden: false,
            }));
        }
        joins.sort_by_key(|join| join.subgraph);
        Ok(Field {
            id,
            parent: self.type_ids[parent],
            name: field.name.clone(),
            ty: field.ty.clone(),
            inner,
            arguments: field.arguments.clone(),
            joins,
            authorization: authorization(field.directives.iter()),
            inaccessible: field.directives.has("inaccessible"),
        })
    }

    fn field_join(
        &self,
        parent: &Name,
        field: &FieldDefinition,
        inner: &Name,
        join: &Directive,
    ) -> Result<FieldJoin, SupergraphError> {
        let place = format!("{parent}.{}", field.name);
        let set = |name, on: &Name| match text(join, name) {
            Some(text) => self.field_set(text, on, &place).map(Some),
            None => Ok(None),
        };
        if join.specified_argument_by_name("contextArguments").is_some() {
            return Err(malformed(place, "@fromContext is not supported"));
        }
        let ty = match text(join, "type") {
            Some(text) => TypeReference::parse(text, "type")
                .map_err(|refused| malformed(&place, refused.to_string()))?,
            None => field.ty.clone(),
        };
        let overrides = text(join, "override").map(|from| Override {
            from: self.subgraphs.iter().find(|subgraph| subgraph.name == from).map(|subgraph| subgraph.id),
            label: text(join, "overrideLabel").map(str::to_owned),
        });
        Ok(FieldJoin {
            subgraph: self.graph(join, &place)?,
            ty,
            requires: set("requires", parent)?,
            provides: set("provides", inner)?,
            external: flag(join, "external").unwrap_or(false),
            overrides,
            used_overridden: flag(join, "usedOverridden").unwrap_or(false),
        })
    }

    fn field_set(&self, text: &str, on: &Name, place: &str) -> Result<FieldSet, SupergraphError> {
        FieldSet::parse(text, on, self.schema, &self.field_ids, &self.type_ids)
            .map_err(|message| malformed(place, message))
    }

    fn graph(&self, directive: &Directive, place: &str) -> Result<SubgraphId, SupergraphError> {
        directive
            .specified_argument_by_name("graph")
            .and_then(|value| value.as_enum())
            .and_then(|graph| self.graphs.get(graph).copied())
            .ok_or_else(|| malformed(place, "its join directive names no subgraph"))
    }
}

fn read_subgraphs(schema: &Schema) -> Result<Vec<Subgraph>, SupergraphError> {
    let graphs = schema
        .get_enum("join__Graph")
        .ok_or(SupergraphError::NotASupergraph("the enum join__Graph is missing"))?;
    let mut subgraphs = Vec::with_capacity(graphs.values.len());
    for (graph, value) in &graphs.values {
        let join = value
            .directives
            .get("join__graph")
            .ok_or_else(|| malformed(format!("join__Graph.{graph}"), "it has no @join__graph"))?;
        subgraphs.push(Subgraph {
            id: SubgraphId(subgraphs.len() as u16),
            graph: graph.clone(),
            name: text(join, "name").unwrap_or(graph).to_owned(),
            url: text(join, "url").unwrap_or_default().to_owned(),
        });
    }
    Ok(subgraphs)
}

/// Fills in which object types an abstract type can be, for the whole supergraph and for each subgraph.
fn read_possible_types(schema: &Schema, reader: &Reader<'_>, types: &mut [Type]) {
    let members = |name: &Name, directive: &str, argument: &str| {
        let mut found: Vec<(SubgraphId, TypeId)> = schema.types[name]
            .directives()
            .get_all(directive)
            .filter_map(|join| {
                let graph = join.specified_argument_by_name("graph")?.as_enum()?;
                Some((*reader.graphs.get(graph)?, *reader.type_ids.get(text(join, argument)?)?))
            })
            .collect();
        found.sort();
        found
    };
    for row in 0..types.len() {
        let (id, name, kind) = (types[row].id, types[row].name.clone(), types[row].kind);
        match kind {
            TypeKind::Object | TypeKind::Interface => {
                for (subgraph, interface) in members(&name, "join__implements", "interface") {
                    push_once(&mut types[row].interfaces, interface);
                    if let Some(join) = join_mut(&mut types[row], subgraph) {
                        push_once(&mut join.interfaces, interface);
                    }
                    if kind == TypeKind::Object {
                        push_once(&mut types[interface.index()].possible, id);
                        if let Some(join) = join_mut(&mut types[interface.index()], subgraph) {
                            push_once(&mut join.possible, id);
                        }
                    }
                }
                if kind == TypeKind::Object {
                    types[row].possible = vec![id];
                    types[row].joins.iter_mut().for_each(|join| join.possible = vec![id]);
                }
            }
            TypeKind::Union => {
                for (subgraph, member) in members(&name, "join__unionMember", "member") {
                    push_once(&mut types[row].possible, member);
                    if let Some(join) = join_mut(&mut types[row], subgraph) {
                        push_once(&mut join.possible, member);
                    }
                }
            }
            TypeKind::Scalar | TypeKind::Enum | TypeKind::InputObject => {}
        }
    }
    for ty in types {
        ty.possible.sort();
        ty.interfaces.sort();
        for join in &mut ty.joins {
            join.possible.sort();
            join.interfaces.sort();
        }
    }
}

fn join_mut(ty: &mut Type, subgraph: SubgraphId) -> Option<&mut TypeJoin> {
    ty.joins.iter_mut().find(|join| join.subgraph == subgraph)
}

fn push_once(ids: &mut Vec<TypeId>, id: TypeId) {
    if !ids.contains(&id) {
        ids.push(id);
    }
}

/// A field demands what its parent and its value demand.
fn inherit_authorization(types: &[Type], fields: &mut [Field]) {
    for field in fields {
        field.authorization.and(&types[field.parent.index()].authorization);
        field.authorization.and(&types[field.inner.index()].authorization);
    }
}

fn authorization<'a>(directives: impl Iterator<Item = &'a Node<Directive>>) -> Authorization {
    let mut authorization = Authorization::default();
    for directive in directives {
        match directive.name.as_str() {
            "authenticated" => authorization.authenticated = true,
            "requiresScopes" => authorization.scopes.extend(groups(directive, "scopes")),
            "policy" => authorization.policies.extend(groups(directive, "policies")),
            _ => {}
        }
    }
    authorization
}

fn groups(directive: &Directive, argument: &str) -> Option<Vec<Vec<String>>> {
    let texts = |value: &Node<Value>| match value.as_list() {
        Some(all) => all.iter().filter_map(|value| value.as_str()).map(str::to_owned).collect(),
        None => value.as_str().map(str::to_owned).into_iter().collect(),
    };
    let any = directive.specified_argument_by_name(argument)?;
    Some(any.as_list()?.iter().map(texts).collect())
}

fn output_fields(
    ty: &ExtendedType,
) -> Option<&apollo_compiler::collections::IndexMap<Name, Component<FieldDefinition>>> {
    match ty {
        ExtendedType::Object(object) => Some(&object.fields),
        ExtendedType::Interface(interface) => Some(&interface.fields),
        _ => None,
    }
}

fn kind(ty: &ExtendedType) -> TypeKind {
    match ty {
        ExtendedType::Scalar(_) => TypeKind::Scalar,
        ExtendedType::Object(_) => TypeKind::Object,
        ExtendedType::Interface(_) => TypeKind::Interface,
        ExtendedType::Union(_) => TypeKind::Union,
        ExtendedType::Enum(_) => TypeKind::Enum,
        ExtendedType::InputObject(_) => TypeKind::InputObject,
    }
}

fn text<'a>(directive: &'a Directive, argument: &str) -> Option<&'a str> {
    directive.specified_argument_by_name(argument)?.as_str()
}

fn flag(directive: &Directive, argument: &str) -> Option<bool> {
    directive.specified_argument_by_name(argument)?.to_bool()
}

fn malformed(place: impl Into<String>, message: impl Into<String>) -> SupergraphError {
    SupergraphError::Malformed { place: place.into(), message: message.into() }
}
