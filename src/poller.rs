//! When to ask: one loop for each account's endpoint and each network, every one with a phase of its own.
//!
//! What is asked and how is the source's business. A loop never waits for another, and a tick that is missed is skipped. A loop that
//! waits is an entry in one list of due times; only a poll that is under way is a task. What came of it is taken up by the poller
//! itself, so that a loop that has ended brings nothing any more.

mod backoff;
mod intervals;
mod journal;
mod plan;
mod poll;
mod round;
mod uses;

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::future::{Future, pending};
use std::io;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use tokio::runtime;
use tokio::sync::{mpsc, oneshot};
use tokio::task::{self, AbortHandle, JoinError, JoinSet};
use tokio::time::{Instant, sleep, sleep_until};
use tracing::{debug, error};

use self::backoff::{Backoff, Next};
pub use self::intervals::Intervals;
use self::journal::Journal;
pub use self::plan::{Loop, Plan, Reading, Target};
use self::poll::{Answered, Asked, ask};
pub use self::round::Outcome;
use self::uses::Uses;
use crate::health::{BEAT, Health};
use crate::store::{Correction, Key, Store};
use minergate::api::{self, Account, Client};
use minergate::endpoints::{ENDPOINTS, Endpoint, Request, Scope};
use minergate::metric::Samples;

/// Where answers come from: the API, or in tests something that says what it is told to.
pub trait Source: Send + Sync + 'static {
    /// Asks for an endpoint and reads the samples of its answer.
    fn fetch(&self, endpoint: &'static Endpoint, request: Request<'_>) -> impl Future<Output = api::Result<Samples>> + Send;

    /// Whether the account's credentials are other ones than those that were tried last.
    fn has_new_credentials(&self, account: &Account) -> impl Future<Output = bool> + Send {
        let _ = account;
        async { false }
    }
}

impl Source for Client {
    async fn fetch(&self, endpoint: &'static Endpoint, request: Request<'_>) -> api::Result<Samples> {
        endpoint.fetch(self, request).await
    }

    async fn has_new_credentials(&self, account: &Account) -> bool {
        account.has_new_credentials(self).await
    }
}

/// Nothing where the API is asked for nothing: then no loop asks it.
impl<S: Source> Source for Option<Arc<S>> {
    async fn fetch(&self, endpoint: &'static Endpoint, request: Request<'_>) -> api::Result<Samples> {
        let Some(source) = self else { return Err(api::Error::NotFound) };
        source.fetch(endpoint, request).await
    }

    async fn has_new_credentials(&self, account: &Account) -> bool {
        let Some(source) = self else { return false };
        source.has_new_credentials(account).await
    }
}

/// Runs the loops of a plan, and takes over from one plan to the next what did not change.
pub struct Poller<S> {
    source: Arc<S>,
    plan: Arc<Plan>,
    store: Arc<Store>,
    health: Arc<Health>,
    /// Beats are counted from here, so that a loop that starts anew keeps its own.
    epoch: Instant,
    /// The loops, and what each is at.
    loops: BTreeMap<Arc<Loop>, Running>,
    /// When each loop that waits is to poll.
    due: Due,
    /// The polls that are under way.
    polls: JoinSet<Ended>,
    uses: Uses,
    /// One for each host: the API, and each pool by its name.
    journals: BTreeMap<Host, Journal>,
}

type Due = BTreeSet<(Instant, Arc<Loop>)>;

/// The name of a pool; nothing for the API.
type Host = Option<Arc<str>>;

/// A loop that runs.
struct Running {
    state: State,
    backoff: Backoff,
}

enum State {
    Waits {
        until: Instant,
    },
    Polls {
        since: Instant,
        task: AbortHandle,
    },
    /// It polled with the previous client, and is started again or stopped.
    Outdated,
}

/// What a poll's task ends with; nothing was asked where the loop is held back and its account has the same credentials as before.
type Ended = Result<Asked, Arc<Loop>>;

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
            plan: Arc::new(plan),
            store,
            health,
            epoch,
            loops: BTreeMap::new(),
            due: BTreeSet::new(),
            polls: JoinSet::new(),
            uses: Uses::default(),
            journals: BTreeMap::new(),
        };
        poller.announce();
        poller
    }

    /// Runs all loops, and changes to each plan that comes. Never returns; ends when it is dropped, and all loops with it.
    pub async fn run(mut self, mut updates: mpsc::Receiver<Update<S>>) -> Infallible {
        let plan = self.plan.clone();
        self.reconcile(plan.loops(), |_| true);
        self.start_networks();
        loop {
            self.health.liveness.beat();
            let next = self.due.first().map(|(due, _)| *due);
            tokio::select! {
                () = sleep(BEAT) => {}
                () = until(next) => self.poll_what_is_due(),
                () = until(self.journals.values().filter_map(Journal::due).min()) => self.report(),
                Some(ended) = self.polls.join_next_with_id() => self.go_on(ended),
                Some(update) = updates.recv() => self.change(update),
            }
        }
    }

    /// Runs as [`Poller::run`] does, on a thread of its own: neither polls nor scrapes wait for the other, and what is kept from poll to
    /// poll is allocated by one thread. glibc's allocator has a heap for each thread, with holes of its own: polls on both of two
    /// threads took a third more memory.
    ///
    /// # Errors
    /// The thread could not be begun, or the poller broke down.
    pub async fn run_apart(self, updates: mpsc::Receiver<Update<S>>) -> io::Result<Infallible> {
        let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
        let (alive, gone) = oneshot::channel::<Infallible>();
        let (running, ended) = oneshot::channel::<Infallible>();
        self.health.liveness.beat();
        thread::Builder::new().name("poller".to_owned()).spawn(move || {
            runtime.block_on(async {
                tokio::select! {
                    never = self.run(updates) => match never {},
                    _ = gone => {}
                }
            });
            // Whatever blocks a thread still, such as a name being looked up, must not hold up the end.
            runtime.shutdown_background();
            drop(running);
        })?;
        // Nothing comes, but the thread may panic.
        let _ = ended.await;
        drop(alive);
        Err(io::Error::other("the poller broke down"))
    }

    fn poll_what_is_due(&mut self) {
        let now = Instant::now();
        while self.due.first().is_some_and(|(due, _)| *due <= now)
            && let Some((_, what)) = self.due.pop_first()
        {
            let deadline = what.next(self.epoch, now, now);
            let Some(running) = self.loops.get_mut(&what) else { continue };
            let (source, is_held) = (self.source.clone(), running.backoff.is_held());
            let task = self.polls.spawn(async move {
                if is_held && !has_new_credentials(&*source, &what).await {
                    Err(what)
                } else {
                    Ok(ask(source, what, deadline).await)
                }
            });
            running.state = State::Polls { since: now, task };
        }
    }

    /// A poll has ended: its loop waits for the next one, also where it broke down.
    fn go_on(&mut self, ended: Result<(task::Id, Ended), JoinError>) {
        let is_at = |running: Option<&Running>, id| running.is_some_and(|running| running.state.is_at(id));
        let mut used = None;
        let (what, next) = match ended {
            Ok((id, Ok(asked))) if is_at(self.loops.get(&asked.what), id) => {
                let what = asked.what.clone();
                let error = asked.result.as_ref().err().cloned();
                match catch_unwind(AssertUnwindSafe(|| self.settle(asked))) {
                    Ok(shown) => used = shown,
                    Err(_) => broke_down(&what.key),
                }
                (what, error.map_or(Next::Regular, Next::After))
            }
            Ok((id, Err(what))) if is_at(self.loops.get(&what), id) => (what, Next::Held),
            Err(error) if error.is_panic() => {
                let Some(what) =
                    self.loops.iter().find(|(_, running)| running.state.is_at(error.id())).map(|(what, _)| what)
                else {
                    return;
                };
                broke_down(&what.key);
                (what.clone(), Next::Regular)
            }
            // Of a loop that has ended, or was begun anew.
            _ => return,
        };
        if let Some(running) = self.loops.get_mut(&what)
            && let State::Polls { since, .. } = running.state
        {
            let regular = what.next(self.epoch, since, Instant::now());
            let (due, planned, late) = running.backoff.next(&what, regular, &next);
            running.state = State::Waits { until: due };
            self.health.next_poll(&what.key, planned, late);
            self.due.insert((due, what.clone()));
        }
        if used.is_some_and(|used| self.uses.set(what.key.clone(), used)) {
            self.start_networks();
        }
    }

    /// Takes over what did not change, and lets go of the rest.
    fn change(&mut self, (source, plan): Update<S>) {
        if !Arc::ptr_eq(&source, &self.source) {
            // Those at pools go on.
            for (what, running) in self.loops.iter_mut().filter(|(what, _)| what.target.pool().is_none()) {
                mem::replace(&mut running.state, State::Outdated).halt(what, &mut self.due);
            }
        }
        let accounts: BTreeMap<&Arc<str>, &Arc<Account>> = plan.accounts.iter().map(|(a, _)| (a.name(), a)).collect();
        for (before, _) in &self.plan.accounts {
            match accounts.get(before.name()) {
                Some(account) if Arc::ptr_eq(account, before) => {}
                Some(_) => self.health.subjects.forget_login(before.name()),
                // It may have wallets from now on, and then does not log in.
                None => self.health.subjects.forget_account(before.name()),
            }
        }
        for gone in self.plan.account_names().difference(&plan.account_names()) {
            self.health.subjects.forget_account(gone);
        }
        let plan = Arc::new(plan);
        (self.source, self.plan) = (source, plan.clone());
        self.announce();
        self.end_backoff();
        let configured_networks = plan.currencies.is_some();
        self.reconcile(plan.loops(), |endpoint| endpoint.scope != Scope::Network || configured_networks);
        let kept: BTreeSet<&Key> = self.loops.keys().map(|l| &l.key).collect();
        self.uses.retain(|key| kept.contains(key));
        self.start_networks();
    }

    fn announce(&self) {
        self.plan.account_names().iter().for_each(|name| self.health.subjects.expect_account(name));
        if self.plan.api {
            self.health.metrics.expect_host(None);
        }
        for pool in self.plan.all_pools() {
            self.health.metrics.expect_host(Some(pool));
        }
        for endpoint in ENDPOINTS {
            match self.plan.intervals.get(endpoint) {
                Some(interval) => self.health.metrics.expect_endpoint(endpoint.name, interval),
                None => self.health.metrics.forget_endpoint(endpoint.name),
            }
        }
        self.plan.loops().for_each(|l| self.health.subjects.expect_loop(&l.key, l.plan.interval));
    }

    /// Begins and ends networks' loops with the currencies in use, unless the networks are configured.
    fn start_networks(&mut self) {
        if self.plan.currencies.is_none() {
            let networks = self.plan.networks(self.uses.currencies());
            self.reconcile(networks.into_iter(), |endpoint| endpoint.scope == Scope::Network);
        }
    }

    /// Of the loops of some endpoints, begins those that are wanted and do not run, and ends those that are not.
    fn reconcile(&mut self, wanted: impl Iterator<Item = Loop>, of: impl Fn(&Endpoint) -> bool) {
        let mut unwanted: BTreeSet<Arc<Loop>> = self.loops.keys().filter(|l| of(l.plan.endpoint)).cloned().collect();
        // A host's limiter lets a burst through at once; beyond that, later loops queue here and not in its line, where they would stand
        // before the second poll of more important ones.
        let now = Instant::now();
        let mut queues: BTreeMap<Host, (Instant, f64)> = BTreeMap::new();
        for l in wanted {
            unwanted.remove(&l);
            let running = self.loops.get_key_value(&l);
            if running.is_some_and(|(before, running)| before.is(&l) && !matches!(running.state, State::Outdated)) {
                continue;
            }
            let (requests_per_second, burst) = self.limits(&l);
            let (begin, burst) = queues.entry(host(&l)).or_insert((now, burst));
            let at = *begin;
            *burst -= 1.0;
            // Those of a burst begin together, and yet in this order.
            let between = if *burst < 1.0 { 1.0 / requests_per_second } else { 1e-9 };
            *begin += Duration::from_secs_f64(between);
            self.begin(l, at);
        }
        for l in unwanted {
            self.end(&l);
        }
    }

    /// After a reload, loops that were held back poll again at once: somebody may have seen to what was wrong.
    fn end_backoff(&mut self) {
        let now = Instant::now();
        for (what, running) in &mut self.loops {
            if running.backoff.end()
                && let State::Waits { until } = &mut running.state
            {
                self.due.remove(&(*until, what.clone()));
                *until = now;
                self.due.insert((now, what.clone()));
                self.health.next_poll(&what.key, now, None);
            }
        }
    }

    /// A loop polls from then on. What one of the same key has left stays where it is about the same.
    fn begin(&mut self, what: Loop, begin: Instant) {
        if let Some(before) = self.stop(&what)
            && !what.target.continues(&before.target)
        {
            self.forget(&before);
        }
        self.health.subjects.expect_loop(&what.key, what.plan.interval);
        self.health.next_poll(&what.key, begin, None);
        let what = Arc::new(what);
        self.due.insert((begin, what.clone()));
        self.loops.insert(what, Running { state: State::Waits { until: begin }, backoff: Backoff::default() });
    }

    /// Ends a loop, and what it has left.
    fn end(&mut self, what: &Loop) {
        self.stop(what);
        self.forget(what);
    }

    /// Forgets what came of a loop.
    fn forget(&mut self, what: &Loop) {
        self.store.remove(&what.key);
        self.health.forget_loop(&what.key);
        if let Some(journal) = self.journals.get_mut(&host(what)) {
            journal.forget(&what.key);
        }
    }

    /// Stops the loop of that key, and returns it.
    fn stop(&mut self, what: &Loop) -> Option<Arc<Loop>> {
        let (what, running) = self.loops.remove_entry(what)?;
        running.state.halt(&what, &mut self.due);
        Some(what)
    }

    /// Requests a second to the host of a loop, and those that it takes at once.
    fn limits(&self, what: &Loop) -> (f64, f64) {
        match what.target.pool() {
            Some(pool) => (pool.settings().http.requests_per_second, pool.settings().http.burst()),
            None => (self.plan.requests_per_second, self.plan.requests_per_second),
        }
    }

    /// What is logged of the host of a loop.
    fn journal(&mut self, what: &Loop) -> &mut Journal {
        let host = host(what);
        self.journals.entry(host.clone()).or_insert_with(|| Journal::new(host))
    }

    /// Logs the failures that were collected.
    fn report(&mut self) {
        let now = Instant::now();
        let due = self.journals.values_mut().filter(|journal| journal.due().is_some_and(|due| due <= now));
        due.for_each(Journal::report);
    }

    /// Takes up what came of a poll.
    fn settle(&mut self, Asked { what, duration, result }: Asked) -> Used {
        let key = &what.key;
        let (endpoint, (account, currency)) = (key.endpoint, key.subject.labels());
        let duration = duration.as_secs_f64();
        match result {
            Ok(Answered { samples, time, is_new }) => {
                let used = what.plan.endpoint.shows_use().then(|| samples.used_currencies());
                let age = time.elapsed().unwrap_or_default();
                let replaced = self.store.replace(key, samples, what.plan.lifetime.saturating_sub(age));
                debug!(%account, endpoint, %currency, duration, "polled");
                for Correction { family, labels, held, reported } in &replaced.corrections {
                    let metric = family.sample_name();
                    debug!(%account, endpoint, %currency, metric, labels, held, reported, "counter fell a little and is held");
                }
                self.health.metrics.corrected(endpoint, replaced.corrections.len());
                self.health.succeeded(key, replaced.dropped, time);
                self.journal(&what).succeeded(key, is_new);
                used
            }
            Err(error) => {
                let kind = error.kind();
                debug!(%account, endpoint, %currency, duration, kind, "poll did not succeed");
                self.health.failed(key, host(&what).as_deref(), &error);
                self.journal(&what).failed(key, &error);
                None
            }
        }
    }
}

fn host(what: &Loop) -> Host {
    what.target.pool().map(|pool| pool.settings().name.clone())
}

fn broke_down(Key { subject, endpoint }: &Key) {
    let (account, currency) = subject.labels();
    error!(%account, endpoint, %currency, "a poll broke down");
}

impl State {
    /// Whether that task is the loop's poll.
    fn is_at(&self, id: task::Id) -> bool {
        matches!(self, State::Polls { task, .. } if task.id() == id)
    }

    /// Ends the wait or the poll that the loop is at.
    fn halt(self, what: &Arc<Loop>, due: &mut Due) {
        match self {
            State::Waits { until } => drop(due.remove(&(until, what.clone()))),
            State::Polls { task, .. } => task.abort(),
            State::Outdated => {}
        }
    }
}

/// Waits until then, or for ever.
async fn until(then: Option<Instant>) {
    match then {
        Some(then) => sleep_until(then).await,
        None => pending().await,
    }
}

async fn has_new_credentials<S: Source>(source: &S, what: &Loop) -> bool {
    match what.target.account() {
        Some(account) => source.has_new_credentials(account).await,
        None => false,
    }
}
