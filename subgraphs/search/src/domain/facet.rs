//! Facets as numbers: what a product can be filtered by is looked up in words once, when the product is read.

use std::collections::HashMap;

use events::products::ProductSnapshot;

/// A property by which hits can be narrowed down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facet {
    /// Its name for programs, such as `brand`.
    pub key: String,
    /// Its name for people.
    pub label: String,
}

/// A value of a facet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FacetValue {
    /// Which facet, by its number.
    pub facet: usize,
    /// The value, as it is filtered by.
    pub value: String,
    /// The value, as it is shown.
    pub label: String,
}

/// All facets and their values. Numbers are given in the order of arrival and hold for good.
#[derive(Debug, Clone, Default)]
pub struct Facets {
    facets: Vec<Facet>,
    values: Vec<FacetValue>,
    by_key: HashMap<String, usize>,
    /// By the number of the facet, then by the value.
    by_value: Vec<HashMap<String, u32>>,
}

impl Facets {
    /// The numbers of the values that a product has, in ascending order. What is new gets a number.
    pub fn of(&mut self, product: &ProductSnapshot) -> Box<[u32]> {
        let mut numbers = Vec::new();
        if let Some(category) = &product.category {
            numbers.push(self.number("category", "Category", &category.slug, &category.name));
        }
        if let Some(brand) = &product.brand {
            numbers.push(self.number("brand", "Brand", brand, brand));
        }
        for (key, label, value) in &product.attributes {
            numbers.push(self.number(key, label, value, value));
        }
        for (name, value) in product.variants.iter().flat_map(|variant| &variant.options) {
            numbers.push(self.number(&name.to_lowercase(), name, value, value));
        }
        numbers.sort_unstable();
        numbers.dedup();
        numbers.into()
    }

    /// The number of a value, given to it where it is new; labels are those that came first.
    pub fn number(&mut self, key: &str, label: &str, value: &str, shown: &str) -> u32 {
        let facet = match self.by_key.get(key) {
            Some(facet) => *facet,
            None => {
                self.facets.push(Facet { key: key.to_owned(), label: label.to_owned() });
                self.by_value.push(HashMap::new());
                self.by_key.insert(key.to_owned(), self.facets.len() - 1);
                self.facets.len() - 1
            }
        };
        if let Some(number) = self.by_value[facet].get(value) {
            return *number;
        }
        let number = u32::try_from(self.values.len()).unwrap_or(u32::MAX);
        self.values.push(FacetValue { facet, value: value.to_owned(), label: shown.to_owned() });
        self.by_value[facet].insert(value.to_owned(), number);
        number
    }

    /// All facets, by number.
    pub fn all(&self) -> &[Facet] {
        &self.facets
    }

    /// All values, by number.
    pub fn values(&self) -> &[FacetValue] {
        &self.values
    }

    /// The number of the facet with this key, if any product has it.
    pub fn find(&self, key: &str) -> Option<usize> {
        self.by_key.get(key).copied()
    }

    /// The number of a facet's value, if any product has it.
    pub fn find_value(&self, facet: usize, value: &str) -> Option<u32> {
        self.by_value.get(facet)?.get(value).copied()
    }

    /// The facet that a value belongs to.
    pub fn facet_of(&self, value: u32) -> usize {
        self.values[value as usize].facet
    }
}
