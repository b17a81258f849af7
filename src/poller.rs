//! When to ask: one loop for each account's endpoint and each network, every one with a phase of its own.
//!
//! What is asked and how is the source's business. A loop never waits for another, and a tick that is missed is skipped. A loop that
//! waits is an entry in one list of due times; only a poll that is under way is a task.

mod config;
mod plan;
mod round;
mod uses;

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::future::{Future, pending};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::{self, AbortHandle, JoinError, JoinSet};
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
    /// When each loop that waits is to poll.
    due: BTreeSet<(Instant, Key)>,
    /// The polls that are under way.
    polls: JoinSet<(Key, Used)>,
    uses: Uses,
}

/// A loop, and what it is at.
struct Running {
    what: Loop,
    state: State,
    /// It asks where nothing is asked any more, and is begun anew or ended.
    outdated: bool,
}

enum State {
    Waits { until: Instant },
    Polls { since: Instant, task: AbortHandle },
}

/// The currencies that a poll showed in use, if it is one that can.
type Used = Option<BTreeSet<String>>;

/// What is polled from now on, and from where.
pub type Update<S> = (Arc<S>, Plan);

impl<S: Source> Poller<S> {
    /// A poller that has announced what it will poll, so that the metrics about it are there from the first scrape on.
    pub fn new(source: Arc<S>, plan: Plan, store: Arc<Store>, health: Arc<Health>) -> Poller<S> {
        let epoch = Instant::now();
        let poller = Poller {
            source,
            plan,
            store,
            health,
            epoch,
            loops: BTreeMap::new(),
            due: BTreeSet::new(),
            polls: JoinSet::new(),
            uses: Uses::default(),
        };
        poller.announce();
        poller
    }

    /// Runs all loops, and changes to each plan that comes. Never returns; ends when it is dropped, and all loops with it.
    pub async fn run(mut self, mut updates: mpsc::Receiver<Update<S>>) -> Infallible {
        self.reconcile(self.plan.loops(), |_| true);
        loop {
            let next = self.due.first().map(|(due, _)| *due);
            tokio::select! {
                () = until(next) => self.poll_what_is_due(),
                Some(ended) = self.polls.join_next_with_id() => self.go_on(ended),
                Some(update) = updates.recv() => self.change(update),
            }
        }
    }

    fn poll_what_is_due(&mut self) {
        let now = Instant::now();
        while self.due.first().is_some_and(|(due, _)| *due <= now)
            && let Some((_, key)) = self.due.pop_first()
        {
            let Some(what) = self.loops.get(&key).map(|running| running.what.clone()) else { continue };
            let deadline = what.next(self.epoch, now, now);
            let task = self.polls.spawn(self.poll(what).run(deadline));
            if let Some(running) = self.loops.get_mut(&key) {
                running.state = State::Polls { since: now, task };
            }
        }
    }

    /// A poll has ended: its loop waits for the next one.
    fn go_on(&mut self, ended: Result<(task::Id, (Key, Used)), JoinError>) {
        let (key, used) = match ended {
            Ok((id, (key, used))) if self.loops.get(&key).is_some_and(|running| running.is_at(id)) => (key, used),
            Err(error) if error.is_panic() => {
                let Some((key, _)) = self.loops.iter().find(|(_, running)| running.is_at(error.id())) else { return };
                error!(account = %key.account, endpoint = key.endpoint, currency = %key.currency, "a poll broke down");
                (key.clone(), None)
            }
            // Of a loop that has ended, or was begun anew.
            _ => return,
        };
        if let Some(running) = self.loops.get_mut(&key)
            && let State::Polls { since, .. } = running.state
        {
            let next = running.what.next(self.epoch, since, Instant::now());
            running.state = State::Waits { until: next };
            self.health.next_poll(&key, next);
            self.due.insert((next, key.clone()));
        }
        if used.is_some_and(|used| self.uses.set(key, used)) {
            self.start_networks();
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

    /// A loop polls from then on.
    fn begin(&mut self, what: Loop, begin: Instant) {
        let key = what.key.clone();
        self.stop(&key);
        self.expect(&what);
        self.health.next_poll(&key, begin);
        self.due.insert((begin, key.clone()));
        self.loops.insert(key, Running { what, state: State::Waits { until: begin }, outdated: false });
    }

    /// Tells everybody that a loop's polls are to come.
    fn expect(&self, what: &Loop) {
        self.store.expect(&what.key);
        self.health.expect_loop(&what.key, what.interval);
    }

    fn poll(&self, what: Loop) -> Poll<S> {
        Poll { source: self.source.clone(), store: self.store.clone(), health: self.health.clone(), what }
    }

    /// Ends a loop, and what it has left.
    fn end(&mut self, key: &Key) {
        self.stop(key);
        self.store.remove(key);
        self.health.forget_loop(key);
    }

    fn stop(&mut self, key: &Key) {
        match self.loops.remove(key).map(|running| running.state) {
            Some(State::Waits { until }) => drop(self.due.remove(&(until, key.clone()))),
            Some(State::Polls { task, .. }) => task.abort(),
            None => {}
        }
    }
}

impl Running {
    /// Whether that task is its poll.
    fn is_at(&self, id: task::Id) -> bool {
        matches!(&self.state, State::Polls { task, .. } if task.id() == id)
    }
}

/// Waits until then, or for ever.
async fn until(then: Option<Instant>) {
    match then {
        Some(then) => sleep_until(then).await,
        None => pending().await,
    }
}

/// One poll of a loop.
struct Poll<S> {
    source: Arc<S>,
    store: Arc<Store>,
    health: Arc<Health>,
    what: Loop,
}

impl<S: Source> Poll<S> {
    /// Polls, before the next poll is due.
    async fn run(self, deadline: Instant) -> (Key, Used) {
        let started = Instant::now();
        let result = self.ask(deadline).await;
        let used = self.settle(result, started.elapsed());
        (self.what.key, used)
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
    fn settle(&self, result: api::Result<Rows>, duration: Duration) -> Used {
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
                used
            }
            Err(error) => {
                let kind = error.kind();
                debug!(%account, endpoint = name, %currency, duration, kind, "poll did not succeed");
                if self.health.failed(key, &error) == News::Failing {
                    warn!(%account, endpoint = name, %currency, kind, %error, "poll failed");
                }
                None
            }
        }
    }
}
