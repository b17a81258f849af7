//! What is polled: the loops that a configuration makes, and the beat of each.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
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
use minergate_pools::{Pool, Wallet};

/// What the reading of answers depends on.
#[derive(Debug, PartialEq)]
pub struct Reading {
    pub decimals: Decimals,
    /// Full names of metrics that are off by default and wanted.
    pub optional_metrics: BTreeSet<String>,
    /// Named workers of one currency that have samples.
    pub max_workers: usize,
    /// Currencies whose top miners pools say, and not the API.
    pub currencies_of_pools: BTreeSet<Arc<str>>,
}

impl Default for Reading {
    fn default() -> Self {
        let (decimals, optional_metrics) = (Decimals::default(), BTreeSet::new());
        Reading { decimals, optional_metrics, max_workers: Context::MAX_WORKERS, currencies_of_pools: BTreeSet::new() }
    }
}

/// What is polled.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    pub intervals: Intervals,
    /// Each account at the API with the names of its endpoints; nothing stands for all.
    pub accounts: Vec<(Arc<Account>, Option<Vec<String>>)>,
    /// Each wallet with the names of its account's endpoints; nothing stands for all that its pool can fill. Those of an account stand
    /// together.
    pub wallets: Vec<(Arc<Wallet>, Option<Vec<String>>)>,
    /// The pool that says what there is of a currency's network and top miners; nothing where another instance polls it.
    pub pools: BTreeMap<Arc<str>, Option<Arc<Pool>>>,
    /// Currencies whose networks are polled; nothing stands for those that the accounts use.
    pub currencies: Option<BTreeSet<String>>,
    /// Currencies of wallets that other instances poll, but whose networks are this one's to poll.
    pub used_elsewhere: BTreeSet<Arc<str>>,
    /// Whether the API's own endpoints of pool and networks are polled.
    pub api: bool,
    /// Whether the endpoints of the pool behind the API are this instance's to poll.
    pub pool: bool,
    pub reading: Arc<Reading>,
    /// At the start, loops at the API begin no faster than this: the most frequent ones first.
    pub requests_per_second: f64,
}

impl Plan {
    /// The loops that are known before the first answer, the most frequent first.
    pub fn loops(&self) -> impl Iterator<Item = Loop> {
        let mut plans: Vec<_> = ENDPOINTS.iter().filter_map(|endpoint| self.of_endpoint(endpoint)).collect();
        plans.sort_by_key(|plan| plan.interval);
        plans.into_iter().flat_map(|plan| self.loops_of(&plan))
    }

    /// The names of the accounts, each once.
    pub fn account_names(&self) -> BTreeSet<Arc<str>> {
        let at_api = self.accounts.iter().map(|(account, _)| account.name());
        at_api.chain(self.wallets.iter().map(|(wallet, _)| wallet.account())).cloned().collect()
    }

    /// The names of the pools that are asked for something.
    pub(super) fn all_pools(&self) -> BTreeSet<Arc<str>> {
        let wallets = self.wallets.iter().map(|(wallet, _)| wallet.pool());
        wallets.chain(self.pools.values().flatten()).map(|pool| pool.settings().name.clone()).collect()
    }

    fn loops_of(&self, plan: &Arc<EndpointPlan>) -> Vec<Loop> {
        match plan.endpoint.scope {
            Scope::Pool => {
                let api = (self.api && self.pool).then(|| Loop::new(plan, Subject::Pool, Target::Api(None)));
                let pools = self.pools.values().flatten().filter(|pool| pool.fills(plan.endpoint));
                api.into_iter().chain(pools.map(|pool| Loop::at_pool(plan, pool))).collect()
            }
            Scope::Network => {
                let currencies = self.currencies.iter().flatten();
                currencies.filter_map(|currency| self.of_network(plan, currency)).collect()
            }
            Scope::Account => {
                let accounts = self.accounts.iter().filter(|(_, endpoints)| wants(endpoints.as_ref(), plan.endpoint));
                let at_api = accounts.map(|(account, _)| Loop::at_api(plan, account));
                at_api.chain(self.of_wallets(plan)).collect()
            }
        }
    }

    /// The loops of wallets. What is said of an account and of no currency is asked of its first wallet alone, or it would stand twice.
    fn of_wallets(&self, plan: &Arc<EndpointPlan>) -> impl Iterator<Item = Loop> {
        let names_currency = plan.endpoint.families().any(|family| family.labels.contains(&"currency"));
        let by_account = self.wallets.chunk_by(|(one, _), (other, _)| one.account() == other.account());
        by_account.flat_map(move |wallets| {
            let fill = wallets.iter().filter(|(wallet, endpoints)| {
                wallet.pool().fills(plan.endpoint) && wants(endpoints.as_ref(), plan.endpoint)
            });
            fill.take(if names_currency { usize::MAX } else { 1 }).map(|(wallet, _)| Loop::of_wallet(plan, wallet))
        })
    }

    /// Nothing if it is off.
    fn of_endpoint(&self, endpoint: &'static Endpoint) -> Option<Arc<EndpointPlan>> {
        let interval = self.intervals.get(endpoint)?;
        let (lifetime, reading) = (self.intervals.lifetime(interval), self.reading.clone());
        Some(Arc::new(EndpointPlan { endpoint, interval, lifetime, reading }))
    }

    /// The networks' loops for the currencies in use: those here, and those elsewhere.
    pub(super) fn networks<'a>(&'a self, currencies: impl Iterator<Item = &'a str>) -> Vec<Loop> {
        let currencies: BTreeSet<&str> = currencies.chain(self.used_elsewhere.iter().map(|code| &**code)).collect();
        let (documented, others): (Vec<_>, Vec<_>) = currencies.into_iter().partition(|code| currency::is_documented(code));
        let currencies: Vec<_> = documented.into_iter().chain(others).take(CURRENCY_CAP).collect();
        let endpoints = ENDPOINTS.iter().filter(|endpoint| endpoint.scope == Scope::Network);
        let plans = endpoints.filter_map(|endpoint| self.of_endpoint(endpoint));
        plans
            .flat_map(|plan| currencies.iter().filter_map(|code| self.of_network(&plan, code)).collect::<Vec<_>>())
            .collect()
    }

    /// The loop of a currency's network: at its pool, if one is configured, or else at the API.
    fn of_network(&self, plan: &Arc<EndpointPlan>, currency: &str) -> Option<Loop> {
        match self.pools.get(currency) {
            Some(pool) => pool.as_ref().filter(|pool| pool.fills(plan.endpoint)).map(|pool| Loop::at_pool(plan, pool)),
            None => self.api.then(|| Loop::new(plan, Subject::Network(currency.into()), Target::Api(None))),
        }
    }
}

/// Whether an endpoint is among those that are named, if some are.
fn wants(endpoints: Option<&Vec<String>>, endpoint: &Endpoint) -> bool {
    endpoints.is_none_or(|names| names.iter().any(|name| name == endpoint.name))
}

/// How an endpoint is polled, the same for all its loops.
pub struct EndpointPlan {
    pub endpoint: &'static Endpoint,
    pub interval: Duration,
    /// How long its values are shown without news.
    pub(super) lifetime: Duration,
    pub(super) reading: Arc<Reading>,
}

/// Who answers a loop's polls.
#[derive(Clone, Debug)]
pub enum Target {
    /// The API, with the token of an account if the answer is an account's.
    Api(Option<Arc<Account>>),
    /// A pool, about one of its wallets.
    Wallet(Arc<Wallet>),
    /// A pool, about itself or its network.
    Pool(Arc<Pool>),
}

impl Target {
    /// The host: a pool, or nothing for the API.
    pub fn pool(&self) -> Option<&Arc<Pool>> {
        match self {
            Target::Api(_) => None,
            Target::Wallet(wallet) => Some(wallet.pool()),
            Target::Pool(pool) => Some(pool),
        }
    }

    /// The account whose token is sent.
    pub fn account(&self) -> Option<&Arc<Account>> {
        match self {
            Target::Api(account) => account.as_ref(),
            Target::Wallet(_) | Target::Pool(_) => None,
        }
    }

    /// Whether what an earlier target has answered is about the same: the same host, and the same wallet there.
    pub(super) fn continues(&self, before: &Target) -> bool {
        let name = |target: &Target| target.pool().map(|pool| pool.settings().name.clone());
        let is_same_wallet = match (self, before) {
            (Target::Wallet(own), Target::Wallet(before)) => own.has_address_of(before),
            _ => true,
        };
        is_same_wallet && name(self) == name(before)
    }

    fn is(&self, other: &Target) -> bool {
        match (self, other) {
            (Target::Api(None), Target::Api(None)) => true,
            (Target::Api(Some(own)), Target::Api(Some(other))) => Arc::ptr_eq(own, other),
            (Target::Wallet(own), Target::Wallet(other)) => Arc::ptr_eq(own, other),
            (Target::Pool(own), Target::Pool(other)) => Arc::ptr_eq(own, other),
            _ => false,
        }
    }
}

/// One loop: what it asks for, and how often. Loops are told apart, and ordered, by their keys.
pub struct Loop {
    pub plan: Arc<EndpointPlan>,
    pub target: Target,
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
    fn at_api(plan: &Arc<EndpointPlan>, account: &Arc<Account>) -> Loop {
        Loop::new(plan, Subject::Account(account.name().clone()), Target::Api(Some(account.clone())))
    }

    fn of_wallet(plan: &Arc<EndpointPlan>, wallet: &Arc<Wallet>) -> Loop {
        let (account, currency) = (wallet.account().clone(), wallet.pool().settings().currency.clone());
        Loop::new(plan, Subject::wallet(account, currency), Target::Wallet(wallet.clone()))
    }

    fn at_pool(plan: &Arc<EndpointPlan>, pool: &Arc<Pool>) -> Loop {
        Loop::new(plan, Subject::Network(pool.settings().currency.clone()), Target::Pool(pool.clone()))
    }

    fn new(plan: &Arc<EndpointPlan>, subject: Subject, target: Target) -> Loop {
        Loop { plan: plan.clone(), target, key: Key { subject, endpoint: plan.endpoint.name } }
    }

    /// Whether a loop that runs already does just this.
    pub(super) fn is(&self, other: &Loop) -> bool {
        let (own, other_plan) = (&self.plan, &other.plan);
        self.target.is(&other.target)
            && own.interval == other_plan.interval
            && own.lifetime == other_plan.lifetime
            && own.reading == other_plan.reading
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
