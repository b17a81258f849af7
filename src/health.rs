//! The exporter's own metrics: how its polls, logins and requests go.
//!
//! What belongs to an account is state, read by a table of rows like an endpoint's. What belongs to the whole exporter is
//! counted directly in a prometheus-client registry.

mod account;
mod log;
mod pause;
mod process;
mod progress;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};
use tokio::time::Instant;

use self::account::Accounts;
pub use self::account::{ACCOUNT_METRICS, AccountHealth, Failing, LoopHealth, Shown};
use self::pause::PausedUntil;
use self::progress::Progress;
pub use self::progress::{BEAT, Standstill, patience};
use crate::store::Key;
use minergate::api::{self, Event, LOGIN, REQUEST_KINDS, Stop};

/// Upper bounds of the request durations' buckets, in seconds; the default timeout is among them.
const BUCKETS: [f64; 11] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct EndpointLabel {
    endpoint: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct RequestLabels {
    endpoint: &'static str,
    outcome: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct HttpLabels {
    path: String,
    code: u16,
}

/// The exporter's own metrics.
pub struct Health {
    registry: Registry,
    accounts: Mutex<Accounts>,
    doings: Doings,
    /// Counts changes of the above.
    version: AtomicU64,
    http: Family<HttpLabels, Counter>,
    progress: Progress,
}

/// What the exporter did, and is to do.
struct Doings {
    requests: Family<RequestLabels, Counter>,
    durations: Family<EndpointLabel, Histogram, fn() -> Histogram>,
    dropped: Family<EndpointLabel, Counter>,
    corrections: Family<EndpointLabel, Counter>,
    intervals: Family<EndpointLabel, Gauge<f64, AtomicU64>>,
    queue: Counter<f64, AtomicU64>,
    retries: Counter,
    skipped: Family<EndpointLabel, Counter>,
    paused_until: PausedUntil,
    reload_successful: Gauge,
    reload_time: Gauge<f64, AtomicU64>,
}

impl Default for Health {
    fn default() -> Self {
        let mut registry = Registry::default();
        let doings = Doings {
            requests: Family::default(),
            durations: Family::new_with_constructor(|| Histogram::new(BUCKETS)),
            dropped: Family::default(),
            corrections: Family::default(),
            intervals: Family::default(),
            queue: Counter::default(),
            retries: Counter::default(),
            skipped: Family::default(),
            paused_until: PausedUntil::default(),
            reload_successful: Gauge::default(),
            reload_time: Gauge::default(),
        };
        let http = Family::default();
        let minergate = registry.sub_registry_with_prefix("minergate");
        minergate.register_with_unit(
            "endpoint_interval",
            "Configured time from one poll of the endpoint to the next in seconds",
            Unit::Seconds,
            doings.intervals.clone(),
        );
        minergate.register("api_requests", "Requests to the API, by how they ended", doings.requests.clone());
        minergate.register_with_unit(
            "api_request_duration",
            "Time from sending a request to the API to the end of its answer in seconds",
            Unit::Seconds,
            doings.durations.clone(),
        );
        minergate.register(
            "api_dropped_series",
            "Samples left out because the API named an invalid currency or more than fit",
            doings.dropped.clone(),
        );
        minergate.register(
            "api_counter_corrections",
            "Times that a total of the API fell by at most 1 % and was held at its highest value",
            doings.corrections.clone(),
        );
        minergate.register_with_unit(
            "api_queue",
            "Time that requests to the API waited for their turn in seconds",
            Unit::Seconds,
            doings.queue.clone(),
        );
        minergate.register("api_retries", "Requests to the API that were tried again", doings.retries.clone());
        minergate.register(
            "api_polls_skipped",
            "Polls that were not sent because the API had asked for a pause",
            doings.skipped.clone(),
        );
        minergate.register_collector(Box::new(doings.paused_until.clone()));
        let build = Info::new([
            ("version", env!("CARGO_PKG_VERSION")),
            ("revision", env!("REVISION")),
            ("rustversion", env!("RUSTVERSION")),
        ]);
        minergate.register("exporter_build", "The exporter's version, revision and compiler", build);
        minergate.register(
            "exporter_config_last_reload_successful",
            "Whether the configuration was last read successfully, 1 or 0",
            doings.reload_successful.clone(),
        );
        minergate.register_with_unit(
            "exporter_config_last_reload_success_timestamp",
            "When the configuration was last read successfully, since 1970 in seconds",
            Unit::Seconds,
            doings.reload_time.clone(),
        );
        minergate.register("exporter_http_requests", "Requests to the exporter, by route and status", http.clone());
        registry.register_collector(Box::new(log::DroppedLines));
        registry.register_collector(Box::new(process::Process));
        let health = Health {
            registry,
            accounts: Mutex::default(),
            doings,
            version: AtomicU64::new(0),
            http,
            progress: Progress::default(),
        };
        // The configuration was read at the start, or there would be no exporter.
        health.reloaded(true);
        health
    }
}

impl Health {
    /// The metrics that belong to no account.
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// Another number after each change of these, but for what the kernel says and the count of requests to the exporter: that would
    /// be each scrape.
    pub fn version(&self) -> u64 {
        self.version.load(Ordering::Acquire)
    }

    /// What the exporter did, to be changed.
    fn doings(&self) -> &Doings {
        self.version.fetch_add(1, Ordering::AcqRel);
        &self.doings
    }

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
        drop(accounts);
        self.expect_requests(LOGIN);
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

    /// Announces an endpoint that is polled.
    pub fn expect_endpoint(&self, endpoint: &'static str, interval: Duration) {
        let doings = self.doings();
        doings.intervals.get_or_create(&EndpointLabel { endpoint }).set(interval.as_secs_f64());
        drop(doings.dropped.get_or_create(&EndpointLabel { endpoint }));
        self.expect_requests(endpoint);
    }

    /// Forgets the interval of an endpoint that is off.
    pub fn forget_endpoint(&self, endpoint: &'static str) {
        self.doings().intervals.remove(&EndpointLabel { endpoint });
    }

    fn expect_requests(&self, endpoint: &'static str) {
        let doings = self.doings();
        drop(doings.durations.get_or_create(&EndpointLabel { endpoint }));
        for outcome in REQUEST_KINDS {
            drop(doings.requests.get_or_create(&RequestLabels { endpoint, outcome }));
        }
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
        self.progress.made();
        // Not on /metrics, so nothing changes there.
        let mut accounts = self.accounts();
        if let Some(l) = accounts.find(key) {
            (l.next, l.late) = (Some(at), late);
        }
    }

    /// A poll succeeded; `dropped` samples of its answer were left out.
    pub fn succeeded(&self, key: &Key, dropped: u64) {
        self.doings().dropped.get_or_create(&EndpointLabel { endpoint: key.endpoint }).inc_by(dropped);
        self.with_loop(key, |l| {
            l.tried = true;
            l.up = true;
            l.last_success = Some(unix_seconds());
            l.failing = None;
        });
    }

    /// So many counters of an endpoint's answer fell a little and are held.
    pub fn corrected(&self, endpoint: &'static str, counters: usize) {
        if counters > 0 {
            self.doings().corrections.get_or_create(&EndpointLabel { endpoint }).inc_by(counters as u64);
        }
    }

    /// A poll failed.
    pub fn failed(&self, key: &Key, error: &api::Error) {
        if let api::Error::Paused { .. } = error {
            self.doings().skipped.get_or_create(&EndpointLabel { endpoint: key.endpoint }).inc();
        }
        self.with_loop(key, |l| {
            l.tried = true;
            l.up = false;
            let since = l.failing.as_ref().map_or_else(Instant::now, |failing| failing.since);
            l.failing = Some(Box::new(Failing { kind: error.kind(), words: error.to_string(), since }));
        });
    }

    /// The configuration was read anew, or could not be.
    pub fn reloaded(&self, successful: bool) {
        let doings = self.doings();
        doings.reload_successful.set(successful.into());
        if successful {
            doings.reload_time.set(unix_seconds());
        }
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

    /// How long the poller may be without a result from now on: [`patience`], as a rule.
    pub fn set_patience(&self, patience: Duration) {
        self.progress.set_patience(patience);
    }

    /// The poller runs. It says so every [`BEAT`] at least.
    pub fn beat(&self) {
        self.progress.beat();
    }

    /// Says how the poller stands still, if it does. A slow API is no reason for it, nor is one that refuses everything.
    pub fn standstill(&self) -> Option<Standstill> {
        self.progress.standstill(|| {
            let accounts = self.accounts();
            let loops = accounts.by_name.values().flat_map(|account| account.loops.values());
            loops.filter_map(|l| Some((l.next?, l.interval))).collect::<Vec<_>>().into_iter()
        })
    }

    /// Takes note of what the API's client did.
    pub fn observe(&self, event: Event<'_>) {
        match event {
            Event::Request { endpoint, outcome, duration } => {
                self.progress.made();
                let doings = self.doings();
                doings.requests.get_or_create(&RequestLabels { endpoint, outcome }).inc();
                doings.durations.get_or_create(&EndpointLabel { endpoint }).observe(duration.as_secs_f64());
            }
            Event::Turn { waited } => {
                self.doings().queue.inc_by(waited.as_secs_f64());
            }
            Event::Retry => {
                self.doings().retries.inc();
            }
            Event::Paused { until } => self.doings().paused_until.set(until),
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

    /// Counts a request to the exporter. `path` is the route's pattern: the raw path can hold anything.
    pub fn http_request(&self, path: &str, code: u16) {
        self.http.get_or_create(&HttpLabels { path: path.to_owned(), code }).inc();
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
