//! What is polled: the loops that a configuration makes, and the beat of each.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::Config;
use crate::api::Account;
use crate::currency::{self, Decimals};
use crate::endpoints::{ENDPOINTS, Endpoint, Scope};
use crate::store::{CURRENCY_CAP, Key};

/// What the reading of answers depends on.
#[derive(Debug, Default, PartialEq)]
pub struct Reading {
    pub decimals: Decimals,
    /// Full names of metrics that are off by default and wanted.
    pub optional_metrics: BTreeSet<String>,
}

/// What is polled.
#[derive(Clone, Default)]
pub struct Plan {
    pub poll: Config,
    /// Each account with the names of its endpoints; nothing stands for all.
    pub accounts: Vec<(Arc<Account>, Option<Vec<String>>)>,
    /// Currencies whose networks are polled; nothing stands for those that the accounts use.
    pub currencies: Option<BTreeSet<String>>,
    /// Whether the pool's endpoints are polled.
    pub pool: bool,
    pub reading: Arc<Reading>,
    /// At the start, loops begin no faster than this: the most frequent ones first.
    pub requests_per_second: f64,
}

impl Plan {
    /// The loops that are known before the first answer, the most frequent first.
    pub fn loops(&self) -> Vec<Loop> {
        let wanted = |endpoints: &Option<Vec<String>>, name: &str| {
            endpoints.as_ref().is_none_or(|names| names.iter().any(|wanted| wanted == name))
        };
        let mut loops = Vec::new();
        for endpoint in ENDPOINTS {
            match endpoint.scope {
                Scope::Pool if self.pool => loops.extend(self.new_loop(endpoint, None, "")),
                Scope::Pool => {}
                Scope::Network => {
                    let currencies = self.currencies.iter().flatten();
                    loops.extend(currencies.filter_map(|currency| self.new_loop(endpoint, None, currency)));
                }
                Scope::Account => {
                    let accounts = self.accounts.iter().filter(|(_, endpoints)| wanted(endpoints, endpoint.name));
                    loops.extend(accounts.filter_map(|(account, _)| self.new_loop(endpoint, Some(account), "")));
                }
            }
        }
        loops.sort_by_key(|l| l.interval);
        loops
    }

    fn new_loop(&self, endpoint: &'static Endpoint, account: Option<&Arc<Account>>, currency: &str) -> Option<Loop> {
        let interval = self.poll.interval(endpoint)?;
        let name = account.map(|account| account.name().clone()).unwrap_or_default();
        // An Arc of nothing costs nothing when it is the default one.
        let currency = if currency.is_empty() { Arc::default() } else { currency.into() };
        let key = Key { account: name, endpoint: endpoint.name, currency };
        let (lifetime, reading) = (self.poll.lifetime(interval), self.reading.clone());
        Some(Loop { endpoint, account: account.cloned(), key, interval, lifetime, reading })
    }

    /// The networks' loops for the currencies in use.
    pub(super) fn networks<'a>(&self, currencies: impl Iterator<Item = &'a str>) -> Vec<Loop> {
        let (documented, others): (Vec<_>, Vec<_>) = currencies.partition(|code| currency::is_documented(code));
        let currencies: Vec<_> = documented.into_iter().chain(others).take(CURRENCY_CAP).collect();
        let endpoints = ENDPOINTS.iter().filter(|endpoint| endpoint.scope == Scope::Network);
        endpoints.flat_map(|endpoint| currencies.iter().filter_map(|code| self.new_loop(endpoint, None, code))).collect()
    }
}

/// One loop: what it asks for, and how often.
#[derive(Clone)]
pub struct Loop {
    pub endpoint: &'static Endpoint,
    pub account: Option<Arc<Account>>,
    pub key: Key,
    pub interval: Duration,
    /// How long its values are shown without news.
    pub(super) lifetime: Duration,
    pub(super) reading: Arc<Reading>,
}

impl Loop {
    /// Whether a loop that runs already does just this.
    pub(super) fn is(&self, other: &Loop) -> bool {
        let account = match (&self.account, &other.account) {
            (Some(own), Some(other)) => Arc::ptr_eq(own, other),
            (own, other) => own.is_none() && other.is_none(),
        };
        account && self.interval == other.interval && self.lifetime == other.lifetime && self.reading == other.reading
    }

    /// When the loop polls after a poll that began at `started`: on its own beat, which is a share of the interval that
    /// its key decides, and not sooner than half an interval later.
    pub(super) fn next(&self, epoch: Instant, started: Instant, now: Instant) -> Instant {
        let mut hasher = DefaultHasher::new();
        (&self.key.account, self.key.endpoint, &self.key.currency).hash(&mut hasher);
        #[expect(clippy::cast_precision_loss, reason = "a phase need not be exact")]
        let share = hasher.finish() as f64 / u64::MAX as f64;
        let phase = self.interval.mul_f64(share.min(0.999));
        let earliest = (started + self.interval / 2).max(now);
        let beats = earliest.saturating_duration_since(epoch + phase).as_nanos().div_ceil(self.interval.as_nanos());
        epoch + phase + self.interval * u32::try_from(beats).unwrap_or(u32::MAX)
    }
}
