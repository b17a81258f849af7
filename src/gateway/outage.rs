//! Logs failed reads: the first failure and its end, at most every ten minutes.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use minergate::api::Error;
use tokio::time::Instant;
use tracing::{info, warn};

use crate::explanation::explanation;

/// Minimum time from one report to the next.
const QUIET: Duration = Duration::from_secs(600);

/// Reads that fail for the same reason.
pub(super) struct Outage {
    /// The account's name; empty for failures of the whole pool.
    account: String,
    pool: String,
    state: Mutex<OutageState>,
}

#[derive(Default)]
struct OutageState {
    /// The time since when reads fail.
    since: Option<Instant>,
    /// When a failure was last reported.
    reported: Option<Instant>,
    /// The current failure was reported.
    is_reported: bool,
}

impl Outage {
    pub(super) fn new(account: &str, pool: &str) -> Outage {
        Outage { account: account.to_owned(), pool: pool.to_owned(), state: Mutex::default() }
    }

    pub(super) fn failed(&self, endpoint: &str, error: &Error) {
        let Outage { account, pool, .. } = self;
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let is_due = state.reported.is_none_or(|reported| reported.elapsed() >= QUIET);
        if state.since.is_none() && is_due {
            warn!(account, pool, endpoint, kind = error.kind(), error = explanation(error, Some(pool)), "pool not read");
            (state.reported, state.is_reported) = (Some(Instant::now()), true);
        }
        state.since.get_or_insert_with(Instant::now);
    }

    pub(super) fn succeeded(&self) {
        let Outage { account, pool, .. } = self;
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(since) = state.since.take()
            && std::mem::take(&mut state.is_reported)
        {
            info!(account, pool, failed_for = since.elapsed().as_secs_f64(), "pool read again");
        }
    }
}
