//! Keys of what lies in a Redis: whose it is, what it is, and in which form it is written.

use std::fmt;
use std::marker::PhantomData;

/// One sort of values in a Redis, all of the type `V`.
///
/// What is written differently gets another version: then a process of the version before does not find it, rather than
/// misread it.
pub struct Kind<V> {
    name: &'static str,
    version: u32,
    values: PhantomData<fn() -> V>,
}

impl<V> Clone for Kind<V> {
    fn clone(&self) -> Self {
        Self::new(self.name, self.version)
    }
}

impl<V> Kind<V> {
    /// A kind by its name and the version of its form.
    pub const fn new(name: &'static str, version: u32) -> Self {
        Self { name, version, values: PhantomData }
    }

    /// Where the value of this name lies that belongs to `tenant`. The name stands in braces: on a cluster keys of one
    /// name lie in one slot, whatever their kinds.
    pub(crate) fn key(&self, tenant: &str, name: &str) -> Key<V> {
        let Self { name: kind, version, .. } = self;
        Key { text: format!("{tenant}:{kind}.{version}:{{{name}}}"), values: PhantomData }
    }
}

/// Where one value lies.
pub struct Key<V> {
    text: String,
    values: PhantomData<fn() -> V>,
}

impl<V> Key<V> {
    /// As Redis knows it.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl<V> fmt::Debug for Key<V> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Key").field(&self.text).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_names_tenant_kind_version_and_what_decides_about_its_slot() {
        const SESSION: Kind<Vec<u8>> = Kind::new("session", 2);
        assert_eq!(SESSION.key("shop-a", "ab12").as_str(), "shop-a:session.2:{ab12}");
    }
}
