//! The deployment files: Compose reads them, and what they tell our image are settings that it has.

#![expect(clippy::unwrap_used, reason = "what cannot be read fails the test where it stands")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use compose_spec::service::{Command as ServiceCommand, Image};
use compose_spec::{Compose, Service};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn composition() -> Compose {
    let mut options = Compose::options();
    options.apply_merge(true);
    // What a person's .env may say is left at its default.
    let text = with_defaults(&read("docker-compose.yml"));
    let compose = options.from_yaml_str(&text).unwrap_or_else(|error| panic!("docker-compose.yml: {error}"));
    compose.validate_all().unwrap_or_else(|error| panic!("docker-compose.yml: {error}"));
    compose
}

/// `${NAME:-default}` → `default`.
fn with_defaults(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        let (inside, behind) = after.split_once('}').expect("a closed ${");
        let (_, default) = inside.split_once(":-").unwrap_or_else(|| panic!("${{{inside}}} has no default"));
        out.push_str(before);
        out.push_str(default);
        rest = behind;
    }
    out + rest
}

fn is_ours(service: &Service) -> bool {
    matches!(&service.image, Some(image) if Image::as_str(image) == "techpotli")
}

fn environment(service: &Service) -> BTreeMap<String, String> {
    let map = service.environment.clone().into_map().unwrap();
    map.into_iter()
        .map(|(key, value)| (key.to_string(), value.map_or_else(String::new, |value| value.to_string())))
        .collect()
}

fn arguments(service: &Service) -> Vec<String> {
    match &service.command {
        Some(ServiceCommand::List(words)) => words.clone(),
        other => panic!("a list of words, not {other:?}"),
    }
}

/// Our binary, with nothing inherited.
fn techpotli(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_techpotli"));
    command.env_clear().current_dir(folder);
    command
}

#[test]
fn our_services_are_given_settings_and_commands_that_the_binary_has() {
    let compose = composition();
    let folder = tempfile::tempdir().unwrap();
    let mut roles = BTreeSet::new();
    for (name, service) in compose.services.iter().filter(|(_, service)| is_ours(service)) {
        let words = arguments(service);
        let mut environment = environment(service);
        environment.insert("TECHPOTLI_DATA_DIR".into(), folder.path().display().to_string());
        let check = techpotli(folder.path()).args(["config", "check"]).envs(&environment).output().unwrap();
        let said = String::from_utf8_lossy(&check.stderr);
        assert!(check.status.success(), "{name} is told what the binary does not know: {said}");
        let help = techpotli(folder.path()).args(&words).arg("--help").output().unwrap();
        assert!(help.status.success(), "{name}: {words:?}: {}", String::from_utf8_lossy(&help.stderr));
        roles.insert(words.join(" "));
    }
    for subgraph in
        ["users", "products", "cart", "orders", "payments", "inventory", "notifications", "search"]
    {
        assert!(roles.contains(&format!("subgraph {subgraph}")), "{subgraph} does not run");
    }
    for role in ["worker", "migrate", "seed"] {
        assert!(roles.contains(role), "{role} does not run");
    }
}

#[test]
fn what_is_named_by_a_host_is_a_service_and_what_is_mounted_is_there() {
    let compose = composition();
    let names: BTreeSet<String> = compose.services.keys().map(ToString::to_string).collect();
    for (name, service) in compose.services.iter().filter(|(_, service)| is_ours(service)) {
        for (key, value) in environment(service) {
            for host in hosts(&value) {
                let known = names.contains(&host)
                    || read("docker-compose.yml").contains(&format!("aliases: [{host}]"));
                assert!(known, "{name}: {key} names {host}, which is no service");
            }
        }
    }
    for line in read("docker-compose.yml").lines() {
        let mounted = line.split(['"', ' ', '[']).find(|word| word.starts_with("./"));
        if let Some(path) = mounted.and_then(|word| word.split(':').next()) {
            assert!(root().join(path).exists(), "{path} is mounted and not there");
        }
    }
    for target in read("docker/prometheus.yml").lines().filter_map(|line| line.trim().strip_prefix("- ")) {
        if let Some((host, port)) = target.split_once(':').filter(|(_, port)| port.parse::<u16>().is_ok()) {
            assert!(names.contains(host), "Prometheus is told of {host}, which is no service");
            let service = &compose.services[&compose_spec::Identifier::new(host).unwrap()];
            let listen = &environment(service)["TECHPOTLI_LISTEN"];
            assert!(listen.ends_with(&format!(":{port}")), "{host} listens on {listen}, not {port}");
        }
    }
}

/// The hosts of the URLs in a text, also where several share a scheme.
fn hosts(text: &str) -> Vec<String> {
    let urls = text.split("://").skip(1).flat_map(|rest| rest.split(','));
    let host = |url: &str| {
        let place = url.split('/').next()?.rsplit('@').next()?;
        let host = place.split_once(':').map_or(place, |(host, _)| host);
        let is_host = !host.is_empty() && !host.contains('=');
        is_host.then(|| host.to_owned())
    };
    urls.filter_map(host).collect()
}

/// Users, passwords and names that two containers must agree on.
#[test]
fn the_engines_are_set_up_as_our_services_expect() {
    let compose = composition();
    let of = |name: &str| environment(&compose.services[&compose_spec::Identifier::new(name).unwrap()]);
    let (ours, mysql, replica) = (of("cart"), of("mysql"), of("mysql-replica"));
    let login = format!("mysql://{}:{}@", mysql["MARIADB_USER"], mysql["MARIADB_PASSWORD"]);
    for key in ["TECHPOTLI_DATABASE_URL", "TECHPOTLI_REPLICA_URLS"] {
        assert!(ours[key].starts_with(&login), "{key} logs in as somebody else than {login}");
    }
    let name = ours["TECHPOTLI_DATABASE_URL"].rsplit('/').next().unwrap();
    let grants = read("docker/mysql/grants.sql");
    let granted = format!("`{name}\\_%`.* TO '{}'", mysql["MARIADB_USER"]);
    assert!(grants.contains(&granted), "the user may not use the databases {name}_…");
    for key in ["MARIADB_REPLICATION_USER", "MARIADB_REPLICATION_PASSWORD"] {
        assert_eq!(mysql[key], replica[key], "{key}");
    }
    let kafka = of("kafka");
    let broker = ours["TECHPOTLI_BUS_URL"].trim_start_matches("kafka://");
    assert_eq!(kafka["KAFKA_ADVERTISED_LISTENERS"], format!("PLAINTEXT://{broker}"));
    let tempo = read("docker/tempo.yaml");
    let (_, port) = ours["TECHPOTLI_OTLP_URL"].rsplit_once(':').unwrap();
    assert!(tempo.contains(&format!("endpoint: 0.0.0.0:{port}")), "Tempo takes no OTLP on {port}");
    let sources = read("docker/grafana/provisioning/datasources/all.yml");
    let (_, port) = sources.split_once("http://tempo:").unwrap();
    let port: String = port.chars().take_while(char::is_ascii_digit).collect();
    assert!(tempo.contains(&format!("http_listen_port: {port}")), "Tempo answers no queries on {port}");
    let realm: serde_json::Value =
        serde_json::from_str(&read("gateway/keycloak/techpotli-realm.json")).unwrap();
    let issuer = &of("gateway")["TECHPOTLI_OIDC_ISSUER"];
    assert!(issuer.ends_with(&format!("/realms/{}", realm["realm"].as_str().unwrap())), "{issuer}");
    assert!(issuer.starts_with(&of("keycloak")["KC_HOSTNAME"]), "{issuer}");
    for key in ["TECHPOTLI_OIDC_CLIENT_SECRET", "TECHPOTLI_PUBLIC_URL"] {
        assert_eq!(of("gateway")[key], of("keycloak")[key], "{key}");
    }
}

/// How far from the name of a metric its labels are named, in bytes.
const NEAR: usize = 400;

#[test]
fn the_dashboard_shows_metrics_that_there_are() {
    let dashboard: serde_json::Value =
        serde_json::from_str(&read("docker/grafana/dashboards/techpotli.json")).unwrap();
    let mut sources = String::new();
    for folder in ["gateway/src", "shared", "src", "subgraphs"] {
        collect(&root().join(folder), &mut sources);
    }
    let mut seen = 0;
    for panel in dashboard["panels"].as_array().unwrap() {
        for target in panel["targets"].as_array().unwrap() {
            let expression = target["expr"].as_str().unwrap();
            let words = expression.split(|character: char| !character.is_alphanumeric() && character != '_');
            for metric in words.filter(|word| {
                ["gateway_", "database_", "techpotli_"].iter().any(|prefix| word.starts_with(prefix))
            }) {
                let metric = metric.trim_end_matches("_bucket");
                let counted: Vec<_> = sources.match_indices(&format!("\"{metric}\"")).collect();
                assert!(!counted.is_empty(), "nothing counts {metric}");
                for label in labels(expression) {
                    let is_near = |(at, _): &(usize, &str)| {
                        let bounds = [at.saturating_sub(NEAR), (at + NEAR).min(sources.len())];
                        let [start, end] = bounds.map(|place| sources.floor_char_boundary(place));
                        sources[start..end].contains(&format!("\"{label}\""))
                    };
                    assert!(counted.iter().any(is_near), "{metric} has no label {label}");
                }
                seen += 1;
            }
        }
    }
    assert!(seen > 10, "{seen} metrics are shown");
}

/// The labels that sums are made by; `le` is what histograms bring along.
fn labels(expression: &str) -> impl Iterator<Item = &str> {
    let lists = expression.split("by (").skip(1).filter_map(|rest| rest.split(')').next());
    lists.flat_map(|list| list.split(", ")).filter(|label| *label != "le")
}

fn collect(folder: &Path, into: &mut String) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, into);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            into.push_str(&std::fs::read_to_string(&path).unwrap());
        }
    }
}
