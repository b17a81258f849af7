//! Which currencies the accounts use, counted, so that one answer's news costs no look at all the others.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::store::Key;

#[derive(Debug, Default)]
pub(super) struct Uses {
    /// The currencies that each loop's newest answer showed in use, in order.
    by_loop: BTreeMap<Key, Box<[Arc<str>]>>,
    /// How many loops show a currency.
    loops: BTreeMap<Arc<str>, usize>,
}

impl Uses {
    /// Takes note of what a loop showed. Says whether there is a currency more or less than before.
    pub(super) fn set(&mut self, key: Key, currencies: BTreeSet<String>) -> bool {
        let known = self.loops.len();
        let mut new = 0;
        let mut take = |code: String| {
            // One text for all loops.
            let code = self.loops.get_key_value(&*code).map_or_else(|| code.into(), |(code, _)| code.clone());
            let loops = self.loops.entry(code.clone()).or_default();
            *loops += 1;
            new += usize::from(*loops == 1);
            code
        };
        let now = currencies.into_iter().map(&mut take).collect();
        let before = self.by_loop.insert(key, now);
        before.iter().flatten().for_each(|code| self.forget(code));
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
        self.loops.keys().map(|code| &**code)
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
