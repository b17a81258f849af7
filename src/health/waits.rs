//! How long the latest request to each host waited for its turn.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// By the name of a pool; `None` is the API.
#[derive(Debug, Default)]
pub struct Waits(Mutex<BTreeMap<Option<Arc<str>>, Duration>>);

impl Waits {
    pub(super) fn waited(&self, pool: Option<&Arc<str>>, waited: Duration) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(pool.cloned(), waited);
    }

    /// How long the latest request to a pool, or to the API, waited.
    pub fn latest(&self, pool: Option<&Arc<str>>) -> Duration {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&pool.cloned()).copied().unwrap_or_default()
    }
}
