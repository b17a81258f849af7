//! The exporter's own metrics: how its polls, logins and requests go.
//!
//! What belongs to an account is state, read by a table of rows like an endpoint's. What belongs to the exporter as a whole is counted by
//! prometheus-client's instruments.

mod account;
mod exporter;
mod liveness;
mod log;
mod own_metric;
mod pause;
mod process;
mod table;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::time::Instant;

use self::account::Accounts;
pub use self::account::{ACCOUNT_METRICS, AccountHealth, Failing, LoopHealth, Shown};
pub use self::exporter::ExporterMetrics;
pub use self::liveness::{BEAT, Liveness, Standstill, patience};
pub use self::own_metric::OwnMetric;
pub use self::table::own_metrics;
use self::table::{EndpointLabel, RequestLabels};
use crate::store::Key;
use minergate::api::{self, Event, Stop};

/// What the exporter knows of itself.
#[derive(Default)]
pub struct Health {
    pub metrics: ExporterMetrics,
    pub liveness: Liveness,
    accounts: Mutex<Accounts>,
}

impl Health {
    /// Reads the health of every account, in order of their names; the pool's and networks' stands under the empty one.
    pub fn for_each_account(&self, mut read: impl FnMut(&str, &AccountHealth)) {
        self.accounts().by_name.iter().for_each(|(name, account)| read(name, account));
    }

    /// What is shown of every account's health.
    pub fn rows(&self) -> Shown<'_> {
        let mut accounts = self.accounts();
        accounts.show();
        Shown(accounts)
    }

    /// Announces an account, so that its metrics are there before its first poll.
    pub fn expect_account(&self, name: &Arc<str>) {
        let logins = ["ok"].into_iter().chain(Stop::ALL.map(Stop::reason)).map(|outcome| (outcome, 0.0)).collect();
        let mut accounts = self.accounts();
        accounts.by_name.entry(name.clone()).or_insert_with(|| AccountHealth { logins, ..AccountHealth::default() });
        accounts.changed.insert(name.clone());
    }

    /// Forgets an account that is no longer polled.
    pub fn forget_account(&self, name: &str) {
        let mut accounts = self.accounts();
        let gone = accounts.by_name.remove_entry(name);
        accounts.changed.extend(gone.map(|(name, _)| name));
    }

    /// Forgets how an account's login stands: its secrets are others now.
    pub fn forget_login(&self, name: &str) {
        self.with_account(name, |account| (account.stopped, account.token_since) = (None, None));
    }

    /// Whether there is an account of that name.
    pub fn has_account(&self, name: &str) -> bool {
        self.accounts().by_name.get(name).is_some_and(|account| !account.is_pool)
    }

    /// The accounts' names, in order.
    pub fn account_names(&self) -> Vec<Arc<str>> {
        self.accounts().by_name.iter().filter(|(_, account)| !account.is_pool).map(|(name, _)| name.clone()).collect()
    }

    /// Announces a loop.
    pub fn expect_loop(&self, key: &Key, interval: Duration) {
        let mut accounts = self.accounts();
        let new = || AccountHealth { is_pool: key.account.is_empty(), ..AccountHealth::default() };
        let account = accounts.by_name.entry(key.account.clone()).or_insert_with(new);
        account.loops.entry((key.endpoint, key.currency.clone())).or_default().interval = interval;
        accounts.changed.insert(key.account.clone());
    }

    /// Forgets a loop that has ended.
    pub fn forget_loop(&self, key: &Key) {
        self.with_account(&key.account, |account| {
            account.loops.remove(&(key.endpoint, key.currency.clone()));
        });
    }

    /// A loop's next poll begins at that time. `late` says why that is not at its interval.
    pub fn next_poll(&self, key: &Key, at: Instant, late: Option<&'static str>) {
        self.liveness.made();
        // Not on /metrics, so nothing changes there.
        let mut accounts = self.accounts();
        if let Some(l) = accounts.find(key) {
            (l.next, l.late) = (Some(at), late);
        }
    }

    /// A poll succeeded; `dropped` samples of its answer were left out.
    pub fn succeeded(&self, key: &Key, dropped: u64) {
        self.metrics.instruments().dropped.get_or_create(&EndpointLabel { endpoint: key.endpoint }).inc_by(dropped);
        self.with_loop(key, |l| {
            l.tried = true;
            l.up = true;
            l.last_success = Some(unix_seconds());
            l.failing = None;
        });
    }

    /// A poll failed.
    pub fn failed(&self, key: &Key, error: &api::Error) {
        if let api::Error::Paused { .. } = error {
            self.metrics.instruments().skipped.get_or_create(&EndpointLabel { endpoint: key.endpoint }).inc();
        }
        self.with_loop(key, |l| {
            l.tried = true;
            l.up = false;
            let since = l.failing.as_ref().map_or_else(Instant::now, |failing| failing.since);
            l.failing = Some(Box::new(Failing { kind: error.kind(), words: error.to_string(), since }));
        });
    }

    /// Whether every account was tried, whatever came of it.
    pub fn is_ready(&self) -> bool {
        let accounts = self.accounts();
        accounts
            .by_name
            .values()
            .filter(|account| !account.is_pool)
            .all(|a| a.loops.values().any(|l| l.tried) || a.loops.is_empty())
    }

    /// Says how the poller stands still, if it does. A slow API is no reason for it, nor is one that refuses everything.
    pub fn standstill(&self) -> Option<Standstill> {
        self.liveness.standstill(|| {
            let accounts = self.accounts();
            let loops = accounts.by_name.values().flat_map(|account| account.loops.values());
            loops.filter_map(|l| Some((l.next?, l.interval))).collect::<Vec<_>>().into_iter()
        })
    }

    /// Takes note of what the API's client did.
    pub fn observe(&self, event: Event<'_>) {
        match event {
            Event::Request { endpoint, outcome, duration } => {
                self.liveness.made();
                let instruments = self.metrics.instruments();
                instruments.requests.get_or_create(&RequestLabels { endpoint, outcome }).inc();
                instruments.durations.get_or_create(&EndpointLabel { endpoint }).observe(duration.as_secs_f64());
            }
            Event::Turn { waited } => {
                self.metrics.instruments().queue.inc_by(waited.as_secs_f64());
            }
            Event::Retry => {
                self.metrics.instruments().retries.inc();
            }
            Event::Paused { until } => self.metrics.instruments().paused_until.set(until),
            Event::Login { account, outcome } => {
                self.with_account(account, |account| *account.logins.entry(outcome).or_default() += 1.0);
            }
            Event::Token { account } => {
                self.with_account(account, |account| account.token_since = Some(unix_seconds()));
            }
            Event::Stopped { account, reason } => {
                self.with_account(account, |account| account.stopped = reason.map(|stop| (stop, unix_seconds())));
            }
        }
    }

    /// Changes a loop's health, if there is one.
    fn with_loop(&self, key: &Key, change: impl FnOnce(&mut LoopHealth)) {
        let mut accounts = self.accounts();
        accounts.find(key).map(change);
        accounts.changed.insert(key.account.clone());
        accounts.show();
    }

    /// Changes an account's health. One that is gone is not taken up again for a request that was still under way.
    fn with_account(&self, name: &str, change: impl FnOnce(&mut AccountHealth)) {
        let mut accounts = self.accounts();
        accounts.by_name.get_mut(name).map(change);
        accounts.changed.insert(name.into());
    }

    fn accounts(&self) -> MutexGuard<'_, Accounts> {
        self.accounts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn unix_seconds() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64()
}
