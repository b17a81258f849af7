//! When to ask: one loop for each account's endpoint and each network, every one with a phase of its own.
//!
//! What is asked and how is the source's business. A loop never waits for another, and a tick that is missed is skipped.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::future::Future;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use serde::de::Deserializer;
use tokio::sync::mpsc;
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::{Instant, sleep_until};
use tracing::{debug, error, info, warn};

use crate::api::{self, Account, Client};
use crate::currency::{self, Decimals};
use crate::duration;
use crate::endpoints::{self, ENDPOINTS, Endpoint, Scope};
use crate::health::{Health, News};
use crate::metric::{Request, Rows};
use crate::store::{CURRENCY_CAP, Key, Store};

/// The intervals that an endpoint can have are within these.
const SHORTEST_INTERVAL: Duration = Duration::from_secs(1);
const LONGEST_INTERVAL: Duration = Duration::from_secs(30 * 86_400);

/// `[poll]`: an interval per endpoint, and how long values are shown without news.
#[derive(Clone, Debug)]
pub struct Config {
    /// How long values are shown after their last poll; at least three of the endpoint's intervals.
    pub stale_after: Duration,
    /// Endpoints whose interval is not the default; nothing stands for "off".
    intervals: BTreeMap<&'static str, Option<Duration>>,
    /// What was wrong with the values, by key; told by [`Config::faults`], which knows where they came from.
    faults: Vec<(String, String)>,
}

impl Default for Config {
    fn default() -> Self {
        Config { stale_after: Duration::from_secs(300), intervals: BTreeMap::new(), faults: Vec::new() }
    }
}

impl Config {
    /// Time from one poll of the endpoint to the next; nothing when it is off.
    pub fn interval(&self, endpoint: &Endpoint) -> Option<Duration> {
        self.intervals.get(endpoint.name).copied().unwrap_or(Some(endpoint.interval))
    }

    /// What is wrong with the values, one by one: key and sentence.
    pub fn faults(&self) -> impl Iterator<Item = (&str, String)> {
        self.faults.iter().map(|(key, fault)| (key.as_str(), fault.clone()))
    }

    /// Takes one value as written.
    fn set(&mut self, key: &str, written: &str) -> Result<(), String> {
        let endpoint = endpoints::find(key);
        if endpoint.is_none() && key != "stale_after" {
            let names: Vec<_> = ENDPOINTS.iter().map(|endpoint| endpoint.name).collect();
            return Err(format!("unknown key; give stale_after, or one of {}", names.join(", ")));
        }
        let value = match (endpoint, written.trim()) {
            (Some(_), "off") => None,
            (_, text) => Some(duration::parse(text)?),
        };
        if value.is_some_and(|value| value < SHORTEST_INTERVAL || value > LONGEST_INTERVAL) {
            return Err(format!("`{written}` is out of range; give \"1s\" to \"30d\""));
        }
        match (endpoint, value) {
            (Some(endpoint), value) => drop(self.intervals.insert(endpoint.name, value)),
            (None, value) => self.stale_after = value.unwrap_or(self.stale_after),
        }
        Ok(())
    }

    /// How long the endpoint's values are shown without news.
    fn lifetime(&self, interval: Duration) -> Duration {
        self.stale_after.max(3 * interval)
    }
}

impl<'de> Deserialize<'de> for Config {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut config = Config::default();
        for (key, written) in BTreeMap::<String, duration::Written>::deserialize(deserializer)? {
            if let Err(fault) = config.set(&key, &written.to_string()) {
                config.faults.push((key, fault));
            }
        }
        Ok(config)
    }
}

/// Where answers come from: the API, or in tests something that says what it is told to.
pub trait Source: Send + Sync + 'static {
    /// Asks for an endpoint and reads the samples of its answer, which are of use until the deadline.
    fn fetch(
        &self,
        endpoint: &'static Endpoint,
        account: Option<&Account>,
        currency: &str,
        request: &Request<'_>,
        deadline: Instant,
    ) -> impl Future<Output = api::Result<Rows>> + Send;
}

impl Source for Client {
    async fn fetch(
        &self,
        endpoint: &'static Endpoint,
        account: Option<&Account>,
        currency: &str,
        request: &Request<'_>,
        deadline: Instant,
    ) -> api::Result<Rows> {
        endpoint.fetch(self, account, currency, request, deadline).await
    }
}

/// What is polled.
#[derive(Clone, Default)]
pub struct Plan {
    pub poll: Config,
    /// Each account with the names of its endpoints; nothing stands for all.
    pub accounts: Vec<(Arc<Account>, Option<Vec<String>>)>,
    /// Currencies whose networks are polled; nothing stands for those that the accounts use.
    pub currencies: Option<BTreeSet<String>>,
    pub decimals: Decimals,
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
                Scope::Pool => loops.extend(self.new_loop(endpoint, None, "")),
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
        let name = account.map_or_else(|| "".into(), |account| account.name().clone());
        let key = Key { account: name, endpoint: endpoint.name, currency: currency.into() };
        Some(Loop { endpoint, account: account.cloned(), key, interval })
    }

    /// The networks' loops that the accounts' currencies call for.
    fn networks(&self, uses: &BTreeMap<Key, BTreeSet<String>>) -> BTreeMap<Key, Loop> {
        let currencies: BTreeSet<&String> = uses.values().flatten().collect();
        let (documented, others): (Vec<_>, Vec<_>) = currencies.into_iter().partition(|code| currency::is_documented(code));
        let currencies: Vec<_> = documented.into_iter().chain(others).take(CURRENCY_CAP).collect();
        let endpoints = ENDPOINTS.iter().filter(|endpoint| endpoint.scope == Scope::Network);
        let loops = endpoints.flat_map(|endpoint| currencies.iter().filter_map(|code| self.new_loop(endpoint, None, code)));
        loops.map(|l| (l.key.clone(), l)).collect()
    }
}

/// One loop: what it asks for, and how often.
#[derive(Clone)]
pub struct Loop {
    pub endpoint: &'static Endpoint,
    pub account: Option<Arc<Account>>,
    pub key: Key,
    pub interval: Duration,
}

impl Loop {
    /// When the loop polls after a poll that began at `started`: on its own beat, which is a share of the interval that
    /// its key decides, and not sooner than half an interval later.
    fn next(&self, epoch: Instant, started: Instant, now: Instant) -> Instant {
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

/// Polls until it is dropped.
pub struct Poller<S> {
    source: S,
    plan: Plan,
    store: Arc<Store>,
    health: Arc<Health>,
}

impl<S: Source> Poller<S> {
    /// A poller that has announced what it will poll, so that the metrics about it are there from the first scrape on.
    pub fn new(source: S, plan: Plan, store: Arc<Store>, health: Arc<Health>) -> Poller<S> {
        plan.accounts.iter().for_each(|(account, _)| health.expect_account(account.name()));
        for endpoint in ENDPOINTS {
            if let Some(interval) = plan.poll.interval(endpoint) {
                health.expect_endpoint(endpoint.name, interval);
            }
        }
        plan.loops().iter().for_each(|l| health.expect_loop(&l.key));
        Poller { source, plan, store, health }
    }

    /// Runs all loops. Never returns; ends when it is dropped, and all of them with it.
    pub async fn run(self) -> Infallible {
        let this = Arc::new(self);
        let epoch = Instant::now();
        let (uses_sender, mut uses_receiver) = mpsc::unbounded_channel();
        let mut tasks = JoinSet::new();
        // The limiter lets a second's worth through at once; beyond that, later loops queue here and not in its line,
        // where they would stand before the second poll of more important ones.
        let mut begin = epoch;
        let gap = Duration::from_secs_f64(1.0 / this.plan.requests_per_second);
        let mut burst = this.plan.requests_per_second;
        for l in this.plan.loops() {
            tasks.spawn(this.clone().run_loop(l, epoch, begin, uses_sender.clone()));
            burst -= 1.0;
            if burst < 1.0 {
                begin += gap;
            }
        }
        let mut uses = BTreeMap::new();
        let mut networks: BTreeMap<Key, AbortHandle> = BTreeMap::new();
        loop {
            let (key, currencies) = tokio::select! {
                Some(report) = uses_receiver.recv() => report,
                Some(ended) = tasks.join_next() => {
                    if ended.is_err_and(|error| error.is_panic()) {
                        error!("a loop broke down; its values will go when they are stale");
                    }
                    continue;
                }
            };
            uses.insert(key, currencies);
            if this.plan.currencies.is_some() {
                continue;
            }
            let mut wanted = this.plan.networks(&uses);
            networks.retain(|key, task| {
                let keep = wanted.remove(key).is_some();
                if !keep {
                    task.abort();
                    this.store.remove(key);
                    this.health.forget_loop(key);
                }
                keep
            });
            for (key, l) in wanted {
                this.health.expect_loop(&key);
                networks.insert(key, tasks.spawn(this.clone().run_loop(l, epoch, Instant::now(), uses_sender.clone())));
            }
        }
    }

    async fn run_loop(
        self: Arc<Self>,
        l: Loop,
        epoch: Instant,
        begin: Instant,
        uses: mpsc::UnboundedSender<(Key, BTreeSet<String>)>,
    ) {
        sleep_until(begin).await;
        loop {
            let started = Instant::now();
            let next = l.next(epoch, started, started);
            if let Some(currencies) = self.poll(&l, next).await {
                // The receiver is gone only when the poller ends.
                let _ = uses.send((l.key.clone(), currencies));
            }
            sleep_until(l.next(epoch, started, Instant::now())).await;
        }
    }

    /// Polls once, before the next poll is due. Returns the currencies that the account uses, where the endpoint's answer shows them.
    async fn poll(&self, l: &Loop, deadline: Instant) -> Option<BTreeSet<String>> {
        let Key { account, endpoint, currency } = &l.key;
        let request =
            Request { email: l.account.as_ref().and_then(|account| account.email()), decimals: &self.plan.decimals };
        let started = Instant::now();
        let result = self.source.fetch(l.endpoint, l.account.as_deref(), currency, &request, deadline).await;
        let duration = started.elapsed().as_secs_f64();
        match result {
            Ok(rows) => {
                let used = l.endpoint.shows_use().then(|| rows.used_currencies());
                let dropped = self.store.replace(l.key.clone(), rows, self.plan.poll.lifetime(l.interval));
                debug!(%account, endpoint, %currency, duration, "polled");
                if let News::Recovered(lasted) = self.health.succeeded(&l.key, dropped) {
                    info!(%account, endpoint, %currency, failed_for = lasted.as_secs_f64(), "poll succeeds again");
                }
                used
            }
            Err(error) => {
                let kind = error.kind();
                debug!(%account, endpoint, %currency, duration, kind, "poll did not succeed");
                if self.health.failed(&l.key, &error) == News::Failing {
                    warn!(%account, endpoint, %currency, kind, %error, "poll failed");
                }
                None
            }
        }
    }
}
