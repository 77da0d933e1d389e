//! The command line, as far as it goes without fetching anything.

use std::process::{Command, Output};

fn services(arguments: &[&str]) -> Output {
    let nowhere = tempfile::tempdir().expect("a temporary folder");
    Command::new(env!("CARGO_BIN_EXE_services"))
        .args(arguments)
        .env("PATH", nowhere.path())
        .env("TECHPOTLI_SERVICES_CACHE", nowhere.path().join("cache"))
        .output()
        .expect("the program of this package starts")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn the_help_of_up_explains_every_service() {
    let help = text(&services(&["up", "--help"]).stdout);
    for name in [
        "mariadb",
        "mariadb-replica",
        "redis",
        "redis-cluster",
        "kafka",
        "opensearch",
        "elasticsearch",
        "keycloak",
        "mail",
        "prometheus",
        "collector",
    ] {
        assert!(help.contains(&format!("- {name}:")), "{name} is not explained:\n{help}");
    }
    for variable in [
        "TECHPOTLI_TEST_MYSQL",
        "TECHPOTLI_TEST_KAFKA",
        "TECHPOTLI_TEST_OIDC_ISSUER",
        "TECHPOTLI_TEST_OTLP_LOG",
    ] {
        assert!(help.contains(variable), "{variable} is not named:\n{help}");
    }
}

#[test]
fn the_list_names_services_and_tools() {
    let list = text(&services(&["list"]).stdout);
    let names: Vec<&str> = list.lines().filter_map(|line| line.split_whitespace().next()).collect();
    assert_eq!(names.len(), 13);
    assert!(names.contains(&"mariadb-replica") && names.contains(&"chromium"), "{names:?}");
    assert!(
        list.lines().all(|line| line.split_whitespace().count() > 3),
        "a name has no explanation:\n{list}"
    );
}

#[test]
fn what_cannot_be_had_is_named_in_one_sentence_and_ends_with_3() {
    for arguments in [&["install", "redis"][..], &["up", "redis"], &["with", "redis", "--", "true"]] {
        let output = services(arguments);
        assert_eq!(output.status.code(), Some(3), "{arguments:?}");
        assert_eq!(
            text(&output.stderr),
            "services: redis cannot be had: install redis-server by hand: there is no apt-get here\n"
        );
    }
}

#[test]
fn a_wrong_line_ends_with_2_and_says_what_is_right() {
    for (arguments, says) in [
        (&["up"][..], "<NAME>"),
        (&["up", "mysql"], "possible values: mariadb"),
        (&["up", "chromium"], "invalid value 'chromium'"),
        (&["with", "redis"], "<COMMAND>"),
    ] {
        let output = services(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(text(&output.stderr).contains(says), "{arguments:?}: {}", text(&output.stderr));
    }
}
