//! The health of one subject: its polls and logins.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use minergate::api::Blocked;
use minergate_pools::Pool;
use tokio::time::Instant;

use crate::store::Key;
use crate::subject::Subject;

/// The state of one loop's polls.
#[derive(Clone, Debug, Default)]
pub struct LoopHealth {
    pub interval: Duration,
    /// The pool that is polled; `None` for the API.
    pub pool: Option<Arc<Pool>>,
    pub tried: bool,
    /// The latest poll succeeded.
    pub up: bool,
    /// Seconds since 1970.
    pub last_success: Option<f64>,
    /// The current failure.
    pub failing: Option<Box<Failing>>,
    pub next: Option<Instant>,
}

impl LoopHealth {
    /// The name of the pool that is polled.
    pub fn pool_name(&self) -> Option<&Arc<str>> {
        self.pool.as_ref().map(|pool| &pool.settings().name)
    }

    /// Whether a poll has been due for so long that its values are old.
    pub fn is_overdue(&self, now: Instant) -> bool {
        self.next.and_then(|next| next.checked_add(3 * self.interval)).is_some_and(|latest| now > latest)
    }
}

/// A failure that continues.
#[derive(Clone, Debug)]
pub struct Failing {
    pub kind: &'static str,
    /// The latest error as a sentence.
    pub message: String,
    pub since: Instant,
    /// Why the next poll is later than its interval.
    pub late: Option<&'static str>,
}

/// A loop of a subject: its endpoint, and the currency if it has one.
pub type LoopName = (&'static str, Option<Arc<str>>);

/// The name of a loop among those of its subject.
pub(super) fn loop_name(key: &Key) -> LoopName {
    (key.endpoint, key.subject.currency().cloned())
}

/// The state of a subject's polls and logins.
#[derive(Debug)]
pub struct SubjectHealth {
    pub subject: Subject,
    pub loops: BTreeMap<LoopName, LoopHealth>,
    /// Attempts to log in, by outcome. Only accounts log in.
    pub(super) logins: BTreeMap<&'static str, f64>,
    /// Why logins are blocked, and since when in seconds since 1970.
    pub blocked: Option<(Blocked, f64)>,
    /// Seconds since 1970.
    pub(super) token_since: Option<f64>,
}

impl SubjectHealth {
    pub fn new(subject: Subject) -> SubjectHealth {
        SubjectHealth { subject, loops: BTreeMap::new(), logins: BTreeMap::new(), blocked: None, token_since: None }
    }

    /// Whether it is an account that logs in. Accounts with wallets do not log in, nor do those without polled endpoints.
    pub(super) fn logs_in(&self) -> bool {
        self.subject.account().is_some() && self.loops.keys().any(|(_, currency)| currency.is_none())
    }

    /// Whether the latest poll of every enabled endpoint succeeded.
    pub fn is_up(&self) -> bool {
        self.loops.values().all(|l| l.up)
    }
}
