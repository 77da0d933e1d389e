//! A plan as text, for people.

use std::fmt::{self, Write};

use supergraph::Supergraph;

use super::{
    Condition, EntityTarget, Fetch, FetchKind, FetchSelection, PathStep, QueryPlan, RepresentationField,
};

/// A plan with the supergraph it was made for, to be printed.
pub struct Explanation<'a> {
    plan: &'a QueryPlan,
    supergraph: &'a Supergraph,
}

impl QueryPlan {
    /// The plan in a form that people can read.
    pub fn explain<'a>(&'a self, supergraph: &'a Supergraph) -> Explanation<'a> {
        Explanation { plan: self, supergraph }
    }
}

impl fmt::Display for Explanation<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count =
            |count: usize, one: &str, many: &str| format!("{count} {}", if count == 1 { one } else { many });
        let (fetches, stages) = (self.plan.fetches.len(), self.plan.stages());
        writeln!(f, "{} in {}", count(fetches, "fetch", "fetches"), count(stages, "stage", "stages"))?;
        for fetch in &self.plan.fetches {
            self.fetch(f, fetch)?;
        }
        Ok(())
    }
}

impl Explanation<'_> {
    fn fetch(&self, f: &mut fmt::Formatter<'_>, fetch: &Fetch) -> fmt::Result {
        write!(f, "{}: {}", fetch.id.0, self.supergraph.subgraph(fetch.subgraph).name)?;
        for (position, id) in fetch.after.iter().enumerate() {
            write!(f, "{}{}", if position == 0 { " after " } else { ", " }, id.0)?;
        }
        condition(f, &fetch.condition)?;
        writeln!(f)?;
        match &fetch.kind {
            FetchKind::Root { operation, path, selections } => {
                if !path.is_empty() {
                    writeln!(f, "   at {}", self.path(path))?;
                }
                writeln!(f, "   {} {{ {} }}", operation.name(), Selections(selections))
            }
            FetchKind::Entities { groups } => {
                for group in groups {
                    for target in &group.targets {
                        writeln!(f, "   {}", self.target(target))?;
                    }
                    write!(f, "   {}", group.alias)?;
                    if groups.len() > 1 {
                        condition(f, &group.condition)?;
                    }
                    writeln!(f, " {{ {} }}", Selections(&group.selections))?;
                }
                Ok(())
            }
        }
    }

    fn target(&self, target: &EntityTarget) -> String {
        format!(
            "at {} {} by {{ {} }}",
            self.path(&target.path),
            target.typename,
            Fields(&target.representation)
        )
    }

    fn path(&self, path: &[PathStep]) -> String {
        let mut text = String::new();
        for step in path {
            if !text.is_empty() {
                text.push('.');
            }
            text.push_str(&step.slot);
            text.push_str(&"[]".repeat(usize::from(step.lists)));
            if let Some(types) = &step.types {
                let names: Vec<&str> = types.iter().map(|id| self.supergraph.ty(id).name.as_str()).collect();
                text.push_str(&format!("<{}>", names.join("|")));
            }
        }
        text
    }
}

fn condition(f: &mut fmt::Formatter<'_>, condition: &Condition) -> fmt::Result {
    match condition.is_always() {
        true => Ok(()),
        false => write!(f, " if {condition}"),
    }
}

struct Selections<'a>(&'a [FetchSelection]);

impl fmt::Display for Selections<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, selection) in self.0.iter().enumerate() {
            if position > 0 {
                f.write_char(' ')?;
            }
            match selection {
                FetchSelection::Fragment(fragment) => {
                    write!(f, "... on {} {{ {} }}", fragment.on, Selections(&fragment.selections))?;
                }
                FetchSelection::Field(field) => {
                    if field.response_key != field.name {
                        write!(f, "{}: ", field.response_key)?;
                    }
                    f.write_str(&field.name)?;
                    for (position, argument) in field.arguments.iter().enumerate() {
                        f.write_str(if position == 0 { "(" } else { ", " })?;
                        write!(f, "{}: {}", argument.name, argument.value.serialize().no_indent())?;
                    }
                    if !field.arguments.is_empty() {
                        f.write_char(')')?;
                    }
                    condition(f, &field.condition)?;
                    if !field.selections.is_empty() {
                        write!(f, " {{ {} }}", Selections(&field.selections))?;
                    }
                }
            }
        }
        Ok(())
    }
}

struct Fields<'a>(&'a [RepresentationField]);

impl fmt::Display for Fields<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, field) in self.0.iter().enumerate() {
            if position > 0 {
                f.write_char(' ')?;
            }
            f.write_str(&field.name)?;
            if field.slot != field.name {
                write!(f, " from {}", field.slot)?;
            }
            if !field.fields.is_empty() {
                write!(f, " {{ {} }}", Fields(&field.fields))?;
            }
        }
        Ok(())
    }
}
