//! Labels: what the sender wrote behind the `?` of its callback URL, such as `campaign_id=diwali`.

use std::collections::{BTreeMap, btree_map::Entry};

use serde::{Deserialize, Serialize};

/// The labels of a receipt or a message, by key.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Labels(BTreeMap<String, String>);

impl Labels {
    /// The label that names a campaign; a `CampaignSid` in the body feeds it too.
    pub const CAMPAIGN_ID: &str = "campaign_id";
    /// How many labels one callback may carry.
    pub const MAX: usize = 32;
    /// The longest key, in bytes.
    pub const MAX_KEY: usize = 64;
    /// The longest value, in bytes.
    pub const MAX_VALUE: usize = 256;

    /// Adds a label; of two values of one key the greater in byte order stays, so that order does not
    /// matter. An empty key or value says nothing and is passed over.
    ///
    /// Returns false, and adds nothing, when it is too long or one too many.
    pub fn insert(&mut self, key: &str, value: &str) -> bool {
        if key.is_empty() || value.is_empty() {
            return true;
        }
        let full = self.0.len() >= Self::MAX && !self.0.contains_key(key);
        if full || key.len() > Self::MAX_KEY || value.len() > Self::MAX_VALUE {
            return false;
        }
        self.join_one(key, value);
        true
    }

    /// The value of `key`.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(String::as_str)
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Takes out those whose value is `named`.
    pub fn forget(&mut self, named: impl Fn(&str) -> bool) {
        self.0.retain(|_, value| !named(value));
    }

    /// Takes in the labels of `other`: the union, and per key the greater value in byte order.
    pub fn join(&mut self, other: &Self) {
        for (key, value) in &other.0 {
            self.join_one(key, value);
        }
    }

    fn join_one(&mut self, key: &str, value: &str) {
        match self.0.entry(key.to_owned()) {
            Entry::Vacant(slot) => {
                slot.insert(value.to_owned());
            }
            Entry::Occupied(mut slot) if slot.get().as_str() < value => {
                slot.insert(value.to_owned());
            }
            Entry::Occupied(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_greater_value_stays_whatever_the_order() {
        let (mut a, mut b) = (Labels::default(), Labels::default());
        assert!(a.insert("k", "x") && a.insert("k", "b") && b.insert("k", "y") && b.insert("j", ""));
        let mut ba = b.clone();
        ba.join(&a);
        a.join(&b);
        assert_eq!((a.get("k"), a.get("j")), (Some("y"), None));
        assert_eq!(a, ba);
    }

    #[test]
    fn what_is_too_long_or_too_many_is_left_out() {
        let mut labels = Labels::default();
        assert!(!labels.insert(&"k".repeat(Labels::MAX_KEY + 1), "v"));
        assert!(!labels.insert("k", &"v".repeat(Labels::MAX_VALUE + 1)));
        assert!((0..Labels::MAX).all(|i| labels.insert(&format!("k{i}"), "v")));
        assert!(!labels.insert("one too many", "v") && labels.insert("k0", "w"));
    }
}
