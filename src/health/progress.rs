//! When the poller last got on with something: the heartbeat that it gives itself by working.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

pub(super) struct Progress(Mutex<Instant>);

impl Default for Progress {
    fn default() -> Self {
        Progress(Mutex::new(Instant::now()))
    }
}

impl Progress {
    pub(super) fn made(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    /// How long nothing has moved since then.
    pub(super) fn since(&self, then: Instant) -> Duration {
        let latest = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        latest.max(then).elapsed()
    }
}
