//! Counts of the requests so far, by account and by the kind of answer: for tests of clients.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};

#[derive(Default)]
pub(super) struct Requests(Mutex<Counts>);

/// By account (empty for requests without one), endpoint, and the answer's status or the fault's name.
type Counts = BTreeMap<(String, &'static str, String), u64>;

impl Requests {
    pub(super) fn count(&self, account: String, endpoint: &'static str, outcome: &str) {
        *self.counts().entry((account, endpoint, outcome.to_owned())).or_default() += 1;
    }

    pub(super) fn report(&self) -> Value {
        let row = |((account, endpoint, outcome), count): (&(String, &str, String), &u64)| json!({ "account": account, "endpoint": endpoint, "outcome": outcome, "count": count });
        self.counts().iter().map(row).collect()
    }

    pub(super) fn reset(&self) {
        self.counts().clear();
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
