//! The tree of categories.

use std::collections::HashMap;

use common::id::CategoryId;

use crate::entity::category::Model;

/// Deeper trees are cut: a circle in the data must not hang a request.
const DEEPEST: usize = 16;

/// All categories, in the order in which they are shown.
#[derive(Debug, Default)]
pub struct Categories {
    all: Vec<Model>,
    by_id: HashMap<CategoryId, usize>,
}

impl Categories {
    /// The tree of these rows.
    pub fn new(all: Vec<Model>) -> Self {
        let by_id = all.iter().enumerate().map(|(place, category)| (category.id, place)).collect();
        Self { all, by_id }
    }

    /// The one with this id.
    pub fn by_id(&self, id: CategoryId) -> Option<&Model> {
        self.by_id.get(&id).map(|place| &self.all[*place])
    }

    /// The one with this slug.
    pub fn by_slug(&self, slug: &str) -> Option<&Model> {
        self.all.iter().find(|category| category.slug == slug)
    }

    /// Those without a parent.
    pub fn roots(&self) -> impl Iterator<Item = &Model> {
        self.all.iter().filter(|category| category.parent_id.is_none())
    }

    /// All of them.
    pub fn all(&self) -> impl Iterator<Item = &Model> {
        self.all.iter()
    }

    /// Those right below.
    pub fn children(&self, id: CategoryId) -> impl Iterator<Item = &Model> {
        self.all.iter().filter(move |category| category.parent_id == Some(id))
    }

    /// Those above, nearest first.
    pub fn ancestors(&self, id: CategoryId) -> Vec<CategoryId> {
        let mut above = Vec::new();
        let mut current = self.by_id(id).and_then(|category| category.parent_id);
        while let Some(parent) = current
            && above.len() < DEEPEST
        {
            above.push(parent);
            current = self.by_id(parent).and_then(|category| category.parent_id);
        }
        above
    }

    /// It and those below it, at any depth.
    pub fn with_descendants(&self, id: CategoryId) -> Vec<CategoryId> {
        self.all
            .iter()
            .map(|category| category.id)
            .filter(|below| *below == id || self.ancestors(*below).contains(&id))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use common::Ids;

    #[test]
    fn a_category_knows_what_is_above_and_below() {
        let ids = Ids::counted();
        let [root, middle, leaf]: [CategoryId; 3] = [ids.next(), ids.next(), ids.next()];
        let row =
            |id, parent_id| Model { id, parent_id, slug: String::new(), name: String::new(), position: 0 };
        let tree = Categories::new(vec![row(root, None), row(middle, Some(root)), row(leaf, Some(middle))]);
        assert_eq!(tree.ancestors(leaf), [middle, root]);
        assert_eq!(tree.with_descendants(middle), [middle, leaf]);
        assert_eq!(tree.roots().count(), 1);
    }

    #[test]
    fn a_circle_in_the_data_ends() {
        let ids = Ids::counted();
        let [one, two]: [CategoryId; 2] = [ids.next(), ids.next()];
        let row =
            |id, parent_id| Model { id, parent_id, slug: String::new(), name: String::new(), position: 0 };
        let tree = Categories::new(vec![row(one, Some(two)), row(two, Some(one))]);
        assert_eq!(tree.ancestors(one).len(), DEEPEST);
    }
}
