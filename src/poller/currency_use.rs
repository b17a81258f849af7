//! Which currencies the accounts use. Counters make an update possible without looking at all accounts.

use std::collections::{BTreeMap, BTreeSet};

use crate::store::Key;

#[derive(Debug, Default)]
pub(super) struct CurrencyUse {
    /// The currencies that each loop's newest answer showed in use, in order and separated by spaces.
    by_loop: BTreeMap<Key, Box<str>>,
    /// The number of loops that show each currency.
    loops: BTreeMap<String, usize>,
}

impl CurrencyUse {
    /// Records the currencies of a loop. Returns whether the set of all currencies has changed.
    pub(super) fn set(&mut self, key: Key, currencies: BTreeSet<String>) -> bool {
        let shown = currencies.iter().map(String::as_str).collect::<Vec<_>>().join(" ").into_boxed_str();
        if self.by_loop.get(&key) == Some(&shown) {
            return false;
        }
        let known = self.loops.len();
        let mut new = 0;
        for code in currencies {
            let loops = self.loops.entry(code).or_default();
            *loops += 1;
            new += usize::from(*loops == 1);
        }
        let before = self.by_loop.insert(key, shown);
        self.forget(before.as_deref());
        new > 0 || self.loops.len() != known
    }

    /// Forgets loops that have ended.
    pub(super) fn retain(&mut self, stays: impl Fn(&Key) -> bool) {
        let gone: Vec<Key> = self.by_loop.keys().filter(|key| !stays(key)).cloned().collect();
        for key in gone {
            let shown = self.by_loop.remove(&key);
            self.forget(shown.as_deref());
        }
    }

    pub(super) fn currencies(&self) -> impl Iterator<Item = &str> {
        self.loops.keys().map(String::as_str)
    }

    fn forget(&mut self, shown: Option<&str>) {
        for code in shown.into_iter().flat_map(|shown| shown.split_whitespace()) {
            if let Some(loops) = self.loops.get_mut(code) {
                *loops -= 1;
                if *loops == 0 {
                    self.loops.remove(code);
                }
            }
        }
    }
}
