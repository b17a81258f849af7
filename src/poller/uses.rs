//! Which currencies the accounts use, counted, so that one answer's news costs no look at all the others.

use std::collections::{BTreeMap, BTreeSet};

use crate::store::Key;

#[derive(Debug, Default)]
pub(super) struct Uses {
    /// The currencies that each loop's newest answer showed in use.
    by_loop: BTreeMap<Key, BTreeSet<String>>,
    /// How many loops show a currency.
    loops: BTreeMap<String, usize>,
}

impl Uses {
    /// Takes note of what a loop showed. Says whether there is a currency more or less than before.
    pub(super) fn set(&mut self, key: Key, currencies: BTreeSet<String>) -> bool {
        let before = self.by_loop.remove(&key).unwrap_or_default();
        let known = self.loops.len();
        let mut new = 0;
        for code in currencies.difference(&before) {
            let loops = self.loops.entry(code.clone()).or_default();
            *loops += 1;
            new += usize::from(*loops == 1);
        }
        for code in before.difference(&currencies) {
            self.forget(code);
        }
        self.by_loop.insert(key, currencies);
        new > 0 || self.loops.len() != known
    }

    /// Forgets loops that have ended.
    pub(super) fn retain(&mut self, stays: impl Fn(&Key) -> bool) {
        let gone: Vec<Key> = self.by_loop.keys().filter(|key| !stays(key)).cloned().collect();
        for key in gone {
            for code in self.by_loop.remove(&key).unwrap_or_default() {
                self.forget(&code);
            }
        }
    }

    pub(super) fn currencies(&self) -> impl Iterator<Item = &str> {
        self.loops.keys().map(String::as_str)
    }

    fn forget(&mut self, code: &str) {
        if let Some(loops) = self.loops.get_mut(code) {
            *loops -= 1;
            if *loops == 0 {
                self.loops.remove(code);
            }
        }
    }
}
