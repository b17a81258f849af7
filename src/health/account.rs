//! How each account's polls and logins went, and the rows that say so on `/metrics`.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Deref;
use std::sync::{Arc, MutexGuard};
use std::time::Duration;

use tokio::time::Instant;

use crate::blocks::Blocks;
use crate::store::Key;
use minergate::api::Stop;
use minergate::currency::Decimals;
use minergate::metric::Unit::Seconds;
use minergate::metric::{Metric, Request, Rows, counter, gauge};

/// How one loop's polls went.
#[derive(Clone, Debug, Default)]
pub struct LoopHealth {
    pub interval: Duration,
    pub tried: bool,
    /// The latest poll was a success.
    pub up: bool,
    /// Seconds since 1970.
    pub last_success: Option<f64>,
    /// The failure that goes on.
    pub failing: Option<Box<Failing>>,
    pub next: Option<Instant>,
    /// Why the next poll is not at its interval.
    pub late: Option<&'static str>,
}

/// A failure that goes on.
#[derive(Clone, Debug)]
pub struct Failing {
    pub kind: &'static str,
    /// The latest error, in plain words.
    pub words: String,
    pub since: Instant,
}

/// How one account's polls and logins went; of the account without a name, the pool's and the networks'.
#[derive(Debug, Default)]
pub struct AccountHealth {
    pub(super) is_pool: bool,
    /// By endpoint and currency.
    pub loops: BTreeMap<(&'static str, Arc<str>), LoopHealth>,
    pub(super) logins: BTreeMap<&'static str, f64>,
    /// Why logins are stopped, and since when in seconds since 1970.
    pub stopped: Option<(Stop, f64)>,
    /// Seconds since 1970.
    pub(super) token_since: Option<f64>,
}

impl AccountHealth {
    /// Whether every enabled endpoint was read successfully at its latest poll.
    pub fn is_up(&self) -> bool {
        self.loops.values().all(|l| l.up)
    }
}

/// What an account's health says on `/metrics`. The label `account` stands before each row's own.
pub static ACCOUNT_METRICS: &[Metric<AccountHealth>] = &[
    gauge("up", "Whether every enabled endpoint of the account was read successfully at its latest poll, 1 or 0").read(
        |account, out| {
            out.put([], (!account.is_pool).then_some(f64::from(account.is_up())));
        },
    ),
    gauge("endpoint_up", "Whether the endpoint was read successfully at its latest poll, 1 or 0")
        .labels(&["endpoint", "currency"])
        .read(|account, out| {
            for ((endpoint, currency), l) in &account.loops {
                out.put_own([endpoint, currency], f64::from(l.up));
            }
        }),
    gauge("endpoint_last_success_timestamp", "When the endpoint was last read successfully")
        .unit(Seconds)
        .labels(&["endpoint", "currency"])
        .read(|account, out| {
            for ((endpoint, currency), l) in &account.loops {
                out.put_own([endpoint, currency], l.last_success);
            }
        }),
    counter("auth_logins", "Attempts to log in, by how they ended")
        .labels(&["outcome"])
        .read(|account, out| out.put_all(account.logins.iter().map(|(outcome, logins)| ([*outcome], *logins)))),
    gauge("auth_blocked", "1 while logins are blocked, else 0; rejected credentials block until there are others, a captcha or a discontinued API until a reload")
        .labels(&["reason"])
        .read(|account, out| {
            for stop in Stop::ALL.into_iter().filter(|_| !account.is_pool) {
                out.put([stop.reason()], f64::from(account.stopped.is_some_and(|(stopped, _)| stopped == stop)));
            }
        }),
    gauge("auth_token_timestamp", "When the token in use was obtained")
        .unit(Seconds)
        .read(|account, out| out.put([], account.token_since)),
];

/// Every account's health, and what is shown of it.
pub(super) struct Accounts {
    pub(super) by_name: BTreeMap<Arc<str>, AccountHealth>,
    pub(super) rows: Blocks,
    /// Accounts whose rows are not yet what their health is: a scrape brings them up to date, as an account is polled some times
    /// between two scrapes.
    pub(super) changed: BTreeSet<Arc<str>>,
}

impl Default for Accounts {
    fn default() -> Self {
        let families = ACCOUNT_METRICS.iter().map(|metric| &metric.family);
        let rows = Blocks::new(Some("account"), families, None);
        Accounts { by_name: BTreeMap::new(), rows, changed: BTreeSet::new() }
    }
}

impl Accounts {
    pub(super) fn find(&mut self, key: &Key) -> Option<&mut LoopHealth> {
        self.by_name.get_mut(&key.account)?.loops.get_mut(&(key.endpoint, key.currency.clone()))
    }

    /// Shows what has changed.
    pub(super) fn show(&mut self) {
        let request = Request { email: None, decimals: &Decimals::default() };
        for name in std::mem::take(&mut self.changed) {
            match self.by_name.get(&name) {
                Some(account) => self.rows.put(&name, Rows::read(ACCOUNT_METRICS, account, &request), None),
                None => self.rows.remove(&name),
            }
        }
    }
}

/// The rows of every account's health, as they are shown now.
pub struct Shown<'a>(pub(super) MutexGuard<'a, Accounts>);

impl Deref for Shown<'_> {
    type Target = Blocks;

    fn deref(&self) -> &Blocks {
        &self.0.rows
    }
}
