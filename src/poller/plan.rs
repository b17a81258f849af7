//! What is polled: the loops for a configuration, and when each one polls.

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

/// Options for reading answers.
#[derive(Debug, PartialEq)]
pub struct ReadOptions {
    pub decimals: Decimals,
    /// Full names of metrics to show although they are off by default.
    pub optional_metrics: BTreeSet<String>,
    /// Maximum number of named workers of one currency that get samples.
    pub max_workers: usize,
    /// Currencies whose top miners come from pools, not from the API.
    pub currencies_of_pools: BTreeSet<Arc<str>>,
}

impl Default for ReadOptions {
    fn default() -> Self {
        let (decimals, optional_metrics) = (Decimals::default(), BTreeSet::new());
        ReadOptions { decimals, optional_metrics, max_workers: Context::MAX_WORKERS, currencies_of_pools: BTreeSet::new() }
    }
}

/// What is polled.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    pub intervals: Intervals,
    /// Each account at the API with the names of its endpoints; `None` means all.
    pub accounts: Vec<(Arc<Account>, Option<Vec<String>>)>,
    /// Each wallet with the names of its account's endpoints; `None` means all that its pool can fill. Wallets of an account are
    /// adjacent.
    pub wallets: Vec<(Arc<Wallet>, Option<Vec<String>>)>,
    /// The pool for each currency's network and top miners; `None` if another instance polls it.
    pub pools: BTreeMap<Arc<str>, Option<Arc<Pool>>>,
    /// Currencies whose networks are polled; `None` means those that the accounts use.
    pub currencies: Option<BTreeSet<String>>,
    /// Currencies of wallets that other instances poll, but whose networks this instance polls.
    pub used_elsewhere: BTreeSet<Arc<str>>,
    /// Whether the endpoints of pool and networks are polled at the API.
    pub api: bool,
    /// Whether this instance polls the endpoints of the pool behind the API.
    pub pool: bool,
    pub reading: Arc<ReadOptions>,
    /// At the start, loops at the API begin at most at this rate, those with the shortest intervals first.
    pub requests_per_second: f64,
}

impl Plan {
    /// The loops that are known before the first answer, those with the shortest intervals first.
    pub fn loops(&self) -> impl Iterator<Item = PollLoop> {
        let mut plans: Vec<_> = ENDPOINTS.iter().filter_map(|endpoint| self.of_endpoint(endpoint)).collect();
        plans.sort_by_key(|plan| plan.interval);
        plans.into_iter().flat_map(|plan| self.loops_of(&plan))
    }

    /// The names of the accounts, without repetition.
    pub fn account_names(&self) -> BTreeSet<Arc<str>> {
        let at_api = self.accounts.iter().map(|(account, _)| account.name());
        at_api.chain(self.wallets.iter().map(|(wallet, _)| wallet.account())).cloned().collect()
    }

    /// The names of the pools that are polled.
    pub(super) fn all_pools(&self) -> BTreeSet<Arc<str>> {
        let wallets = self.wallets.iter().map(|(wallet, _)| wallet.pool());
        wallets.chain(self.pools.values().flatten()).map(|pool| pool.settings().name.clone()).collect()
    }

    fn loops_of(&self, plan: &Arc<EndpointPlan>) -> Vec<PollLoop> {
        match plan.endpoint.scope {
            Scope::Pool => {
                let api = (self.api && self.pool).then(|| PollLoop::new(plan, Subject::Pool, Target::Api(None)));
                let pools = self.pools.values().flatten().filter(|pool| pool.fills(plan.endpoint));
                api.into_iter().chain(pools.map(|pool| PollLoop::at_pool(plan, pool))).collect()
            }
            Scope::Network => {
                let currencies = self.currencies.iter().flatten();
                currencies.filter_map(|currency| self.of_network(plan, currency)).collect()
            }
            Scope::Account => {
                let accounts = self.accounts.iter().filter(|(_, endpoints)| wants(endpoints.as_ref(), plan.endpoint));
                let at_api = accounts.map(|(account, _)| PollLoop::at_api(plan, account));
                at_api.chain(self.of_wallets(plan)).collect()
            }
        }
    }

    /// The loops of wallets. An endpoint that does not depend on the currency is only polled for the account's first wallet, because its samples
    /// would be repeated.
    fn of_wallets(&self, plan: &Arc<EndpointPlan>) -> impl Iterator<Item = PollLoop> {
        let names_currency = plan.endpoint.families().any(|family| family.labels.contains(&"currency"));
        let by_account = self.wallets.chunk_by(|(one, _), (other, _)| one.account() == other.account());
        by_account.flat_map(move |wallets| {
            let fill = wallets.iter().filter(|(wallet, endpoints)| {
                wallet.pool().fills(plan.endpoint) && wants(endpoints.as_ref(), plan.endpoint)
            });
            fill.take(if names_currency { usize::MAX } else { 1 }).map(|(wallet, _)| PollLoop::of_wallet(plan, wallet))
        })
    }

    /// `None` if it is off.
    fn of_endpoint(&self, endpoint: &'static Endpoint) -> Option<Arc<EndpointPlan>> {
        let interval = self.intervals.get(endpoint)?;
        let (lifetime, reading) = (self.intervals.lifetime(interval), self.reading.clone());
        Some(Arc::new(EndpointPlan { endpoint, interval, lifetime, reading }))
    }

    /// The networks' loops for the currencies in use, at this instance and at others.
    pub(super) fn networks<'a>(&'a self, currencies: impl Iterator<Item = &'a str>) -> Vec<PollLoop> {
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
    fn of_network(&self, plan: &Arc<EndpointPlan>, currency: &str) -> Option<PollLoop> {
        match self.pools.get(currency) {
            Some(pool) => pool.as_ref().filter(|pool| pool.fills(plan.endpoint)).map(|pool| PollLoop::at_pool(plan, pool)),
            None => self.api.then(|| PollLoop::new(plan, Subject::Network(currency.into()), Target::Api(None))),
        }
    }
}

/// Whether an endpoint is among the named ones, if there are names.
fn wants(endpoints: Option<&Vec<String>>, endpoint: &Endpoint) -> bool {
    endpoints.is_none_or(|names| names.iter().any(|name| name == endpoint.name))
}

/// How an endpoint is polled, the same for all its loops.
pub struct EndpointPlan {
    pub endpoint: &'static Endpoint,
    pub interval: Duration,
    /// How long its values are shown without a new answer.
    pub(super) lifetime: Duration,
    pub(super) reading: Arc<ReadOptions>,
}

/// What a loop polls.
#[derive(Clone, Debug)]
pub enum Target {
    /// The API, with the token of an account if the answer is about an account.
    Api(Option<Arc<Account>>),
    /// A pool, about one of its wallets.
    Wallet(Arc<Wallet>),
    /// A pool, about itself or its network.
    Pool(Arc<Pool>),
}

impl Target {
    /// The host: a pool, or `None` for the API.
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

    /// Whether values of an earlier target are still right: it has the same host, and the same wallet there.
    pub(super) fn has_same_source(&self, before: &Target) -> bool {
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

/// One loop: what it polls, and how often. Loops are compared and ordered by their keys.
pub struct PollLoop {
    pub plan: Arc<EndpointPlan>,
    pub target: Target,
    pub key: Key,
}

impl PartialEq for PollLoop {
    fn eq(&self, other: &PollLoop) -> bool {
        self.key == other.key
    }
}

impl Eq for PollLoop {}

impl PartialOrd for PollLoop {
    fn partial_cmp(&self, other: &PollLoop) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for PollLoop {
    fn cmp(&self, other: &PollLoop) -> Ordering {
        self.key.cmp(&other.key)
    }
}

impl PollLoop {
    fn at_api(plan: &Arc<EndpointPlan>, account: &Arc<Account>) -> PollLoop {
        PollLoop::new(plan, Subject::Account(account.name().clone()), Target::Api(Some(account.clone())))
    }

    fn of_wallet(plan: &Arc<EndpointPlan>, wallet: &Arc<Wallet>) -> PollLoop {
        let (account, currency) = (wallet.account().clone(), wallet.pool().settings().currency.clone());
        PollLoop::new(plan, Subject::wallet(account, currency), Target::Wallet(wallet.clone()))
    }

    fn at_pool(plan: &Arc<EndpointPlan>, pool: &Arc<Pool>) -> PollLoop {
        PollLoop::new(plan, Subject::Network(pool.settings().currency.clone()), Target::Pool(pool.clone()))
    }

    fn new(plan: &Arc<EndpointPlan>, subject: Subject, target: Target) -> PollLoop {
        PollLoop { plan: plan.clone(), target, key: Key { subject, endpoint: plan.endpoint.name } }
    }

    /// Whether a running loop does exactly the same.
    pub(super) fn is(&self, other: &PollLoop) -> bool {
        let (own, other_plan) = (&self.plan, &other.plan);
        self.target.is(&other.target)
            && own.interval == other_plan.interval
            && own.lifetime == other_plan.lifetime
            && own.reading == other_plan.reading
    }

    /// When the loop polls after a poll that began at `started`: at its own phase of the interval, which is derived from
    /// its key, and at least half an interval later.
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
