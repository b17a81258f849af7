//! When to ask: one loop for each account's endpoint and each network, every one with a phase of its own.
//!
//! What is asked and how is the source's business. A loop never waits for another, and a tick that is missed is skipped.

mod config;
mod plan;
mod round;
mod uses;

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::{Instant, sleep_until};
use tracing::{debug, error, info, warn};

pub use self::config::Config;
pub use self::plan::{Loop, Plan, Reading};
pub use self::round::Outcome;
use self::uses::Uses;
use crate::api::{self, Account, Client};
use crate::endpoints::{ENDPOINTS, Endpoint, Scope};
use crate::health::{Health, News};
use crate::metric::{Request, Rows};
use crate::store::{Key, Store};

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

/// Runs the loops of a plan, and takes over from one plan to the next what did not change.
pub struct Poller<S> {
    source: Arc<S>,
    plan: Plan,
    store: Arc<Store>,
    health: Arc<Health>,
    /// Beats are counted from here, so that a loop that starts anew keeps its own.
    epoch: Instant,
    loops: BTreeMap<Key, Running>,
    tasks: JoinSet<()>,
    uses: Uses,
    reports: (mpsc::UnboundedSender<Report>, mpsc::UnboundedReceiver<Report>),
}

/// A loop that is under way.
struct Running {
    what: Loop,
    task: AbortHandle,
    /// It asks where nothing is asked any more, and is begun anew or ended.
    outdated: bool,
}

/// What a poll showed: the currencies in use.
type Report = (Key, BTreeSet<String>);

/// What is polled from now on, and from where.
pub type Update<S> = (Arc<S>, Plan);

impl<S: Source> Poller<S> {
    /// A poller that has announced what it will poll, so that the metrics about it are there from the first scrape on.
    pub fn new(source: Arc<S>, plan: Plan, store: Arc<Store>, health: Arc<Health>) -> Poller<S> {
        let epoch = Instant::now();
        let (loops, tasks, uses) = (BTreeMap::new(), JoinSet::new(), Uses::default());
        let poller = Poller { source, plan, store, health, epoch, loops, tasks, uses, reports: mpsc::unbounded_channel() };
        poller.announce();
        poller
    }

    /// Runs all loops, and changes to each plan that comes. Never returns; ends when it is dropped, and all loops with it.
    pub async fn run(mut self, mut updates: mpsc::Receiver<Update<S>>) -> Infallible {
        self.reconcile(self.plan.loops(), |_| true);
        loop {
            tokio::select! {
                Some((key, currencies)) = self.reports.1.recv() => {
                    // A loop that has just ended may still have had its say.
                    if self.loops.contains_key(&key) && self.uses.set(key, currencies) {
                        self.start_networks();
                    }
                }
                Some(ended) = self.tasks.join_next() => {
                    if ended.is_err_and(|error| error.is_panic()) {
                        error!("a loop broke down; its values will go when they are stale");
                    }
                }
                Some(update) = updates.recv() => self.change(update),
            }
        }
    }

    /// Takes over what did not change, and lets go of the rest.
    fn change(&mut self, (source, plan): Update<S>) {
        if !Arc::ptr_eq(&source, &self.source) {
            self.loops.values_mut().for_each(|running| running.outdated = true);
        }
        for (before, _) in &self.plan.accounts {
            match plan.accounts.iter().find(|(account, _)| account.name() == before.name()) {
                Some((account, _)) if Arc::ptr_eq(account, before) => {}
                Some(_) => self.health.forget_login(before.name()),
                None => self.health.forget_account(before.name()),
            }
        }
        (self.source, self.plan) = (source, plan);
        self.announce();
        let configured_networks = self.plan.currencies.is_some();
        self.reconcile(self.plan.loops(), |endpoint| endpoint.scope != Scope::Network || configured_networks);
        let loops = &self.loops;
        self.uses.retain(|key| loops.contains_key(key));
        self.start_networks();
    }

    fn announce(&self) {
        self.plan.accounts.iter().for_each(|(account, _)| self.health.expect_account(account.name()));
        for endpoint in ENDPOINTS {
            match self.plan.poll.interval(endpoint) {
                Some(interval) => self.health.expect_endpoint(endpoint.name, interval),
                None => self.health.forget_endpoint(endpoint.name),
            }
        }
        self.plan.loops().iter().for_each(|l| self.health.expect_loop(&l.key, l.interval));
    }

    /// Begins and ends networks' loops with the currencies in use, unless the networks are configured.
    fn start_networks(&mut self) {
        if self.plan.currencies.is_none() {
            self.reconcile(self.plan.networks(self.uses.currencies()), |endpoint| endpoint.scope == Scope::Network);
        }
    }

    /// Of the loops of some endpoints, ends those that are not wanted, and begins those that are and do not run.
    fn reconcile(&mut self, wanted: Vec<Loop>, of: impl Fn(&Endpoint) -> bool) {
        let keys: BTreeSet<&Key> = wanted.iter().map(|l| &l.key).collect();
        let gone = self.loops.iter().filter(|(key, running)| of(running.what.endpoint) && !keys.contains(key));
        for key in gone.map(|(key, _)| key.clone()).collect::<Vec<_>>() {
            self.end(&key);
        }
        // The limiter lets a second's worth through at once; beyond that, later loops queue here and not in its line,
        // where they would stand before the second poll of more important ones.
        let mut begin = Instant::now();
        let gap = Duration::from_secs_f64(1.0 / self.plan.requests_per_second);
        let mut burst = self.plan.requests_per_second;
        for l in wanted {
            if self.loops.get(&l.key).is_some_and(|running| !running.outdated && running.what.is(&l)) {
                continue;
            }
            self.begin(l, begin);
            burst -= 1.0;
            if burst < 1.0 {
                begin += gap;
            }
        }
    }

    fn begin(&mut self, what: Loop, begin: Instant) {
        let task = self.tasks.spawn(self.poll(what.clone()).run(begin));
        if let Some(before) = self.loops.insert(what.key.clone(), Running { what, task, outdated: false }) {
            before.task.abort();
        }
    }

    /// What polls for a loop, which everybody expects from now on.
    fn poll(&self, what: Loop) -> Poll<S> {
        self.store.expect(&what.key);
        self.health.expect_loop(&what.key, what.interval);
        Poll {
            source: self.source.clone(),
            store: self.store.clone(),
            health: self.health.clone(),
            reports: self.reports.0.clone(),
            epoch: self.epoch,
            what,
        }
    }

    /// Ends a loop, and what it has left.
    fn end(&mut self, key: &Key) {
        if let Some(running) = self.loops.remove(key) {
            running.task.abort();
        }
        self.store.remove(key);
        self.health.forget_loop(key);
    }
}

/// One loop's polls.
struct Poll<S> {
    source: Arc<S>,
    store: Arc<Store>,
    health: Arc<Health>,
    reports: mpsc::UnboundedSender<Report>,
    epoch: Instant,
    what: Loop,
}

impl<S: Source> Poll<S> {
    async fn run(self, begin: Instant) {
        self.health.next_poll(&self.what.key, begin);
        sleep_until(begin).await;
        loop {
            let started = Instant::now();
            let deadline = self.what.next(self.epoch, started, started);
            // Apart, so that a loop takes the memory of a request only while it has one.
            Box::pin(self.once(deadline)).await;
            let next = self.what.next(self.epoch, started, Instant::now());
            self.health.next_poll(&self.what.key, next);
            sleep_until(next).await;
        }
    }

    /// Polls once, before the next poll is due.
    async fn once(&self, deadline: Instant) {
        let started = Instant::now();
        let result = self.ask(deadline).await;
        self.settle(result, started.elapsed());
    }

    /// Asks for the samples that are wanted.
    async fn ask(&self, deadline: Instant) -> api::Result<Rows> {
        let Loop { endpoint, account, key, reading, .. } = &self.what;
        let email = account.as_ref().and_then(|account| account.email());
        let request = Request { email, decimals: &reading.decimals };
        let mut rows = self.source.fetch(endpoint, account.as_deref(), &key.currency, &request, deadline).await?;
        rows.hide_optional(&reading.optional_metrics);
        Ok(rows)
    }

    /// Hands on what came of asking.
    fn settle(&self, result: api::Result<Rows>, duration: Duration) {
        let Loop { endpoint, key, lifetime, .. } = &self.what;
        let Key { account, endpoint: name, currency } = key;
        let duration = duration.as_secs_f64();
        match result {
            Ok(rows) => {
                let used = endpoint.shows_use().then(|| rows.used_currencies());
                let dropped = self.store.replace(key, rows, *lifetime);
                debug!(%account, endpoint = name, %currency, duration, "polled");
                if let News::Recovered(lasted) = self.health.succeeded(key, dropped) {
                    info!(%account, endpoint = name, %currency, failed_for = lasted.as_secs_f64(), "poll succeeds again");
                }
                if let Some(used) = used {
                    // The receiver is gone only when the poller ends.
                    let _ = self.reports.send((key.clone(), used));
                }
            }
            Err(error) => {
                let kind = error.kind();
                debug!(%account, endpoint = name, %currency, duration, kind, "poll did not succeed");
                if self.health.failed(key, &error) == News::Failing {
                    warn!(%account, endpoint = name, %currency, kind, %error, "poll failed");
                }
            }
        }
    }
}
