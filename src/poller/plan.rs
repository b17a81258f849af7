//! What is polled: the loops that a configuration makes, and the beat of each.

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::Intervals;
use crate::store::{CURRENCY_CAP, Key};
use crate::subject::Subject;
use minergate::api::Account;
use minergate::currency::{self, Decimals};
use minergate::endpoints::{ENDPOINTS, Endpoint, Scope};
use minergate::metric::Context;

/// What the reading of answers depends on.
#[derive(Debug, PartialEq)]
pub struct Reading {
    pub decimals: Decimals,
    /// Full names of metrics that are off by default and wanted.
    pub optional_metrics: BTreeSet<String>,
    /// Named workers of one currency that have samples.
    pub max_workers: usize,
}

impl Default for Reading {
    fn default() -> Self {
        let (decimals, optional_metrics) = (Decimals::default(), BTreeSet::new());
        Reading { decimals, optional_metrics, max_workers: Context::MAX_WORKERS }
    }
}

/// What is polled.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    pub intervals: Intervals,
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
    pub fn loops(&self) -> impl Iterator<Item = Loop> {
        let mut plans: Vec<_> = ENDPOINTS.iter().filter_map(|endpoint| self.of_endpoint(endpoint)).collect();
        plans.sort_by_key(|plan| plan.interval);
        plans.into_iter().flat_map(|plan| self.loops_of(&plan))
    }

    fn loops_of(&self, plan: &Arc<EndpointPlan>) -> Vec<Loop> {
        let name = plan.endpoint.name;
        let wants = |endpoints: &Option<Vec<String>>| endpoints.as_ref().is_none_or(|names| names.iter().any(|n| n == name));
        match plan.endpoint.scope {
            Scope::Pool => self.pool.then(|| Loop::new(plan, Subject::Pool, None)).into_iter().collect(),
            Scope::Network => self.currencies.iter().flatten().map(|currency| Loop::of_network(plan, currency)).collect(),
            Scope::Account => {
                let accounts = self.accounts.iter().filter(|(_, endpoints)| wants(endpoints));
                accounts.map(|(account, _)| Loop::of_account(plan, account)).collect()
            }
        }
    }

    /// Nothing if it is off.
    fn of_endpoint(&self, endpoint: &'static Endpoint) -> Option<Arc<EndpointPlan>> {
        let interval = self.intervals.get(endpoint)?;
        let (lifetime, reading) = (self.intervals.lifetime(interval), self.reading.clone());
        Some(Arc::new(EndpointPlan { endpoint, interval, lifetime, reading }))
    }

    /// The networks' loops for the currencies in use.
    pub(super) fn networks<'a>(&self, currencies: impl Iterator<Item = &'a str>) -> Vec<Loop> {
        let (documented, others): (Vec<_>, Vec<_>) = currencies.partition(|code| currency::is_documented(code));
        let currencies: Vec<_> = documented.into_iter().chain(others).take(CURRENCY_CAP).collect();
        let endpoints = ENDPOINTS.iter().filter(|endpoint| endpoint.scope == Scope::Network);
        let plans = endpoints.filter_map(|endpoint| self.of_endpoint(endpoint));
        plans.flat_map(|plan| currencies.iter().map(|code| Loop::of_network(&plan, code)).collect::<Vec<_>>()).collect()
    }
}

/// How an endpoint is polled, the same for all its loops.
pub struct EndpointPlan {
    pub endpoint: &'static Endpoint,
    pub interval: Duration,
    /// How long its values are shown without news.
    pub(super) lifetime: Duration,
    pub(super) reading: Arc<Reading>,
}

/// One loop: what it asks for, and how often. Loops are told apart, and ordered, by their keys.
pub struct Loop {
    pub plan: Arc<EndpointPlan>,
    pub account: Option<Arc<Account>>,
    pub key: Key,
}

impl PartialEq for Loop {
    fn eq(&self, other: &Loop) -> bool {
        self.key == other.key
    }
}

impl Eq for Loop {}

impl PartialOrd for Loop {
    fn partial_cmp(&self, other: &Loop) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Loop {
    fn cmp(&self, other: &Loop) -> Ordering {
        self.key.cmp(&other.key)
    }
}

impl Loop {
    fn of_account(plan: &Arc<EndpointPlan>, account: &Arc<Account>) -> Loop {
        Loop::new(plan, Subject::Account(account.name().clone()), Some(account.clone()))
    }

    fn of_network(plan: &Arc<EndpointPlan>, currency: &str) -> Loop {
        Loop::new(plan, Subject::Network(currency.into()), None)
    }

    fn new(plan: &Arc<EndpointPlan>, subject: Subject, account: Option<Arc<Account>>) -> Loop {
        Loop { plan: plan.clone(), account, key: Key { subject, endpoint: plan.endpoint.name } }
    }

    /// Whether a loop that runs already does just this.
    pub(super) fn is(&self, other: &Loop) -> bool {
        let account = match (&self.account, &other.account) {
            (Some(own), Some(other)) => Arc::ptr_eq(own, other),
            (own, other) => own.is_none() && other.is_none(),
        };
        let (own, other) = (&self.plan, &other.plan);
        account && own.interval == other.interval && own.lifetime == other.lifetime && own.reading == other.reading
    }

    /// When the loop polls after a poll that began at `started`: on its own beat, which is a share of the interval that
    /// its key decides, and not sooner than half an interval later.
    pub(super) fn next(&self, epoch: Instant, started: Instant, now: Instant) -> Instant {
        let interval = self.plan.interval;
        let mut hasher = DefaultHasher::new();
        let (account, currency) = self.key.subject.labels();
        (account, self.key.endpoint, currency).hash(&mut hasher);
        #[expect(clippy::cast_precision_loss, reason = "a phase need not be exact")]
        let share = hasher.finish() as f64 / u64::MAX as f64;
        let phase = interval.mul_f64(share.min(0.999));
        let earliest = (started + interval / 2).max(now);
        let beats = earliest.saturating_duration_since(epoch + phase).as_nanos().div_ceil(interval.as_nanos());
        epoch + phase + interval * u32::try_from(beats).unwrap_or(u32::MAX)
    }
}
