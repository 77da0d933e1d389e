//! `techpotli schema`: print and compose.

use std::path::Path;

use anyhow::{Context as _, anyhow};
use compose::Composition;
use runtime::Tasks;
use subgraph::testing::Folder;

use crate::assembly::{self, Shop};
use crate::cli::SchemaCommand;
use crate::settings::Settings;

/// Runs it.
pub async fn run(command: SchemaCommand) -> anyhow::Result<()> {
    match command {
        SchemaCommand::Print { subgraph, out } => {
            let (shop, composition) = ours().await?;
            match (subgraph, out) {
                (_, Some(folder)) => write_all(&shop, &composition, &folder),
                (Some(name), None) => {
                    let found = shop.subgraphs.iter().find(|subgraph| subgraph.name == name);
                    print!("{}", found.ok_or_else(|| anyhow!("there is no subgraph '{name}'"))?.sdl);
                    Ok(())
                }
                (None, None) => {
                    print!("{}", composition.api_sdl);
                    Ok(())
                }
            }
        }
        SchemaCommand::Compose { subgraphs } => compose_files(&subgraphs),
    }
}

/// The shop's own schemas, built on empty databases that go away.
async fn ours() -> anyhow::Result<(Shop, Composition)> {
    let folder = Folder::new()?;
    let settings = Settings::for_folder(folder.path());
    let ports = assembly::open_all(&settings, &settings.keys()?, &Tasks::new()).await?;
    let shop = Shop::build(ports);
    let composition =
        assembly::compose_all(shop.subgraphs.iter().map(|subgraph| (subgraph.name, &*subgraph.sdl)))?;
    Ok((shop, composition))
}

fn write_all(shop: &Shop, composition: &Composition, folder: &Path) -> anyhow::Result<()> {
    let subgraphs = folder.join("subgraphs");
    std::fs::create_dir_all(&subgraphs).with_context(|| format!("{} cannot be made", subgraphs.display()))?;
    let write = |path: std::path::PathBuf, text: &str| {
        std::fs::write(&path, text).with_context(|| format!("{} cannot be written", path.display()))
    };
    for subgraph in &shop.subgraphs {
        write(subgraphs.join(format!("{}.graphql", subgraph.name)), &subgraph.sdl)?;
    }
    let events = folder.join("events");
    std::fs::create_dir_all(&events).with_context(|| format!("{} cannot be made", events.display()))?;
    for (publisher, schema) in events::schemas() {
        let text = serde_json::to_string_pretty(&schema)? + "\n";
        write(events.join(format!("{publisher}.json")), &text)?;
    }
    write(folder.join("supergraph.graphql"), &composition.supergraph_sdl)?;
    write(folder.join("api.graphql"), &composition.api_sdl)
}

fn compose_files(subgraphs: &[String]) -> anyhow::Result<()> {
    let mut read = Vec::new();
    for given in subgraphs {
        let (name, place) =
            given.split_once('=').ok_or_else(|| anyhow!("'{given}' must look like NAME=FILE[@URL]"))?;
        let (file, url) = place.split_once('@').unwrap_or((place, ""));
        let sdl =
            std::fs::read_to_string(file).with_context(|| format!("the schema {file} cannot be read"))?;
        let url = if url.is_empty() { format!("http://{name}/graphql") } else { url.to_owned() };
        read.push(compose::Subgraph { name: name.to_owned(), url, sdl });
    }
    match compose::compose(&read) {
        Ok(composition) => {
            for hint in &composition.hints {
                eprintln!("hint: {}: {}", hint.code, hint.message);
            }
            print!("{}", composition.supergraph_sdl);
            Ok(())
        }
        Err(errors) => {
            for error in &errors {
                eprintln!("error: {}: {}", error.code, error.message);
            }
            Err(anyhow!("the schemas do not compose: {} errors", errors.len()))
        }
    }
}
