//! Small compositions, valid and not: our verdict is the one that each file expects.

use crate::subgraphs::{corpus, verdict};

#[test]
fn every_case_of_the_corpus_gets_its_verdict() {
    let cases = corpus();
    assert!(cases.len() >= 40, "the corpus is there");
    let wrong: Vec<String> = cases
        .iter()
        .filter_map(|case| {
            let said = verdict(&case.subgraphs);
            (said != case.expected).then(|| {
                let told = compose::compose(&case.subgraphs).err().unwrap_or_default();
                let told: Vec<String> = told.iter().map(|error| format!("\n    {error}")).collect();
                format!("{}: expected {}, got {said}{}", case.name, case.expected, told.join(""))
            })
        })
        .collect();
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn errors_say_where() {
    for case in corpus().iter().filter(|case| case.expected != "ok") {
        for error in compose::compose(&case.subgraphs).err().unwrap_or_default() {
            let placeless = ["NO_QUERIES", "SATISFIABILITY_ERROR"].contains(&error.code.to_string().as_str());
            assert!(placeless || !error.locations.is_empty(), "{}: {error}", case.name);
        }
    }
}
