//! Documents that were asked before: a gateway sends the same few texts again and again, with other variables.

use std::sync::Arc;

use async_graphql::Request;
use async_graphql::parser::types::ExecutableDocument;
use quick_cache::sync::Cache;

/// How many documents are kept. A gateway's plans make a few hundred.
const KEPT: usize = 1_000;
/// A longer document is not kept, in bytes of its text: with that the memory is bounded too.
const LONGEST: usize = 16 << 10;

/// Parsed documents by their text, the least used dropped first.
#[derive(Clone)]
pub(crate) struct Documents(Arc<Cache<String, Arc<ExecutableDocument>>>);

impl Documents {
    /// None yet.
    pub(crate) fn new() -> Self {
        Self(Arc::new(Cache::new(KEPT)))
    }

    /// Spares the request its parsing, now if its text is known, or else the next time. A text that does not parse is
    /// left to the schema, which says what is wrong with it.
    pub(crate) fn prepare(&self, request: &mut Request) {
        if let Some(document) = self.0.get(&request.query) {
            request.set_parsed_query((*document).clone());
        } else if request.query.len() <= LONGEST
            && let Ok(document) = request.parsed_query()
        {
            let document = Arc::new(document.clone());
            self.0.insert(request.query.clone(), document);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(documents: &Documents, text: &str) {
        documents.prepare(&mut Request::new(text));
    }

    #[test]
    fn a_document_is_parsed_once() {
        let documents = Documents::new();
        ask(&documents, "{ one }");
        let first = documents.0.get("{ one }").unwrap();
        ask(&documents, "{ one }");
        assert!(Arc::ptr_eq(&first, &documents.0.get("{ one }").unwrap()));
        ask(&documents, "{ two }");
        assert_eq!(documents.0.len(), 2);
    }

    #[test]
    fn what_is_kept_is_what_runs() {
        let documents = Documents::new();
        let other = Request::new("{ other }").parsed_query().unwrap().clone();
        documents.0.insert("{ one }".into(), Arc::new(other));
        let mut request = Request::new("{ one }");
        documents.prepare(&mut request);
        let runs = format!("{:?}", request.parsed_query().unwrap());
        assert!(runs.contains(r#"Name("other")"#), "{runs}");
    }

    #[test]
    fn a_long_or_broken_document_is_not_kept() {
        let documents = Documents::new();
        let padded = |length: usize| format!("{{ one {}}}", " ".repeat(length - 7));
        for text in ["", "{", "{ one", &padded(LONGEST + 1)] {
            ask(&documents, text);
            assert_eq!(documents.0.len(), 0, "{text:.40}");
        }
        ask(&documents, &padded(LONGEST));
        assert_eq!(documents.0.len(), 1);
    }

    #[test]
    fn not_more_are_kept_than_there_is_room_for() {
        let documents = Documents::new();
        for number in 0..3 * KEPT {
            ask(&documents, &format!("{{ f{number} }}"));
        }
        assert!((1..=KEPT).contains(&documents.0.len()), "{}", documents.0.len());
    }
}
