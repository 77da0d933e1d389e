//! The text index: which products match some words, and how well. In memory, made from the picture.

use std::collections::HashMap;

use common::Fault;
use common::id::ProductId;
use tantivy::collector::TopDocs;
use tantivy::query::{BooleanQuery, BoostQuery, FuzzyTermQuery, Occur, Query, TermQuery};
use tantivy::schema::{Field, IndexRecordOption, STORED, STRING, Schema, TEXT, Value as _};
use tantivy::{Index, IndexReader, IndexWriter, ReloadPolicy, TantivyDocument, Term};

use crate::domain::{Entry, tokens};

/// Memory of the writer, in bytes: the least that tantivy takes for one thread.
const WRITER_MEMORY: usize = 15_000_000;
/// Hits of one search at the most.
const MOST_HITS: usize = 10_000;
/// Words of a query that count.
const MOST_WORDS: usize = 12;

/// A text index.
pub struct TextIndex {
    writer: IndexWriter,
    reader: IndexReader,
    fields: Fields,
    /// How many products have each word in their titles or brands: what spelling is corrected by.
    vocabulary: HashMap<String, u32>,
}

#[derive(Clone, Copy)]
struct Fields {
    id: Field,
    title: Field,
    codes: Field,
    rest: Field,
}

/// What matches some words.
#[derive(Debug, Default)]
pub struct Matches {
    /// Scores by product.
    pub scores: HashMap<ProductId, f32>,
    /// The words that were looked for, where they are not those that were typed.
    pub corrected: Option<Vec<String>>,
}

impl TextIndex {
    /// An index over these products.
    pub fn build<'e>(entries: impl Iterator<Item = &'e Entry>) -> Result<Self, Fault> {
        let mut schema = Schema::builder();
        let fields = Fields {
            id: schema.add_text_field("id", STRING | STORED),
            title: schema.add_text_field("title", TEXT),
            codes: schema.add_text_field("codes", TEXT),
            rest: schema.add_text_field("rest", TEXT),
        };
        let index = Index::create_in_ram(schema.build());
        let writer = index.writer_with_num_threads(1, WRITER_MEMORY).map_err(Fault::internal)?;
        let reader =
            index.reader_builder().reload_policy(ReloadPolicy::Manual).try_into().map_err(Fault::internal)?;
        let mut this = Self { writer, reader, fields, vocabulary: HashMap::new() };
        for entry in entries {
            this.add(entry)?;
        }
        this.commit()?;
        Ok(this)
    }

    /// Replaces products.
    pub fn update<'e>(&mut self, entries: impl Iterator<Item = &'e Entry>) -> Result<(), Fault> {
        for entry in entries {
            self.writer.delete_term(Term::from_field_text(self.fields.id, &entry.product.id.to_string()));
            self.add(entry)?;
        }
        self.commit()
    }

    fn add(&mut self, entry: &Entry) -> Result<(), Fault> {
        let product = &entry.product;
        let mut document = TantivyDocument::new();
        document.add_text(self.fields.id, product.id.to_string());
        for title in &product.titles {
            document.add_text(self.fields.title, &title.text);
            for word in tokens(&title.text) {
                *self.vocabulary.entry(word).or_default() += 1;
            }
        }
        for variant in &product.variants {
            document.add_text(self.fields.codes, &variant.sku);
            for (_, value) in &variant.options {
                document.add_text(self.fields.rest, value);
            }
        }
        if let Some(brand) = &product.brand {
            document.add_text(self.fields.rest, brand);
        }
        if let Some(category) = &product.category {
            document.add_text(self.fields.rest, &category.name);
            for word in tokens(&category.name) {
                *self.vocabulary.entry(word).or_default() += 1;
            }
        }
        for (_, _, value) in &product.attributes {
            document.add_text(self.fields.rest, value);
        }
        document.add_text(self.fields.rest, &product.description);
        self.writer.add_document(document).map_err(Fault::internal)?;
        Ok(())
    }

    fn commit(&mut self) -> Result<(), Fault> {
        self.writer.commit().map_err(Fault::internal)?;
        self.reader.reload().map_err(Fault::internal)
    }

    /// The products that have all of the words, the last one perhaps only begun. Where none has, words that nobody
    /// knows are corrected to the nearest known ones.
    pub fn search(&self, text: &str) -> Result<Matches, Fault> {
        let mut words = tokens(text);
        words.truncate(MOST_WORDS);
        let scores = self.run(&words)?;
        if !scores.is_empty() || words.is_empty() {
            return Ok(Matches { scores, corrected: None });
        }
        let corrected: Vec<String> = words.iter().map(|word| self.nearest(word)).collect();
        if corrected == words {
            return Ok(Matches::default());
        }
        let scores = self.run(&corrected)?;
        let corrected = (!scores.is_empty()).then_some(corrected);
        Ok(Matches { scores, corrected })
    }

    fn run(&self, words: &[String]) -> Result<HashMap<ProductId, f32>, Fault> {
        let last = words.len().saturating_sub(1);
        let clauses: Vec<(Occur, Box<dyn Query>)> = words
            .iter()
            .enumerate()
            .map(|(place, word)| {
                // One letter alone begins too many words; behind others it narrows them down.
                let begun = place == last && (last > 0 || word.chars().count() >= 2);
                (Occur::Must, self.word(word, begun))
            })
            .collect();
        let searcher = self.reader.searcher();
        let top = TopDocs::with_limit(MOST_HITS).order_by_score();
        let hits = searcher.search(&BooleanQuery::new(clauses), &top).map_err(Fault::internal)?;
        let mut scores = HashMap::with_capacity(hits.len());
        for (score, address) in hits {
            let document: TantivyDocument = searcher.doc(address).map_err(Fault::internal)?;
            let id = document
                .get_first(self.fields.id)
                .and_then(|value| value.as_str())
                .and_then(|id| id.parse().ok());
            if let Some(id) = id {
                scores.insert(id, score);
            }
        }
        Ok(scores)
    }

    /// A word in any field, the title counting most; `begun` also finds words that begin with it.
    fn word(&self, word: &str, begun: bool) -> Box<dyn Query> {
        let Fields { title, codes, rest, .. } = self.fields;
        let mut clauses: Vec<(Occur, Box<dyn Query>)> = Vec::with_capacity(4);
        for (field, boost) in [(title, 4.0), (codes, 2.0), (rest, 1.0)] {
            let term = Term::from_field_text(field, word);
            let exact = TermQuery::new(term.clone(), IndexRecordOption::WithFreqs);
            clauses.push((Occur::Should, Box::new(BoostQuery::new(Box::new(exact), boost))));
            if begun && field == title {
                let prefix = FuzzyTermQuery::new_prefix(term, 0, true);
                clauses.push((Occur::Should, Box::new(BoostQuery::new(Box::new(prefix), 0.5))));
            }
        }
        Box::new(BooleanQuery::new(clauses))
    }

    /// The known word that a misspelt one is nearest to: one edit for four letters or more, two for eight or more; of
    /// several the most frequent. The word itself where none is near.
    fn nearest(&self, word: &str) -> String {
        let edits = match word.chars().count() {
            0..=3 => 0,
            4..=7 => 1,
            _ => 2,
        };
        if edits == 0 || self.vocabulary.contains_key(word) {
            return word.to_owned();
        }
        let near = self.vocabulary.iter().filter_map(|(known, count)| {
            let distance = strsim::osa_distance(known, word);
            (distance <= edits).then_some((distance, std::cmp::Reverse(*count), known))
        });
        near.min().map_or_else(|| word.to_owned(), |(_, _, known)| known.clone())
    }
}
