//! When to ask: one loop for each account's endpoint and each network, every one with a phase of its own.
//!
//! What is asked and how is the source's business. A loop never waits for another, and a tick that is missed is skipped. A loop that
//! waits is an entry in one list of due times; only a poll that is under way is a task. What came of it is taken up by the poller
//! itself, so that a loop that has ended brings nothing any more.

mod backoff;
mod intervals;
mod journal;
mod plan;
mod round;
mod uses;

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::future::{Future, pending};
use std::io;
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
pub use self::plan::{Loop, Plan, Reading};
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
    due: BTreeSet<(Instant, Arc<Loop>)>,
    /// The polls that are under way.
    polls: JoinSet<Ended>,
    uses: Uses,
    journal: Journal,
}

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

/// What came of a loop's poll.
struct Asked {
    what: Arc<Loop>,
    duration: Duration,
    result: api::Result<Samples>,
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
            journal: Journal::default(),
        };
        poller.announce();
        poller
    }

    /// Runs all loops, and changes to each plan that comes. Never returns; ends when it is dropped, and all loops with it.
    pub async fn run(mut self, mut updates: mpsc::Receiver<Update<S>>) -> Infallible {
        let plan = self.plan.clone();
        self.reconcile(plan.loops(), |_| true);
        loop {
            self.health.liveness.beat();
            let next = self.due.first().map(|(due, _)| *due);
            tokio::select! {
                () = sleep(BEAT) => {}
                () = until(next) => self.poll_what_is_due(),
                () = until(self.journal.due()) => self.journal.report(),
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
            self.due.clear();
            self.polls.abort_all();
            self.loops.values_mut().for_each(|running| running.state = State::Outdated);
        }
        let accounts: BTreeMap<&Arc<str>, &Arc<Account>> = plan.accounts.iter().map(|(a, _)| (a.name(), a)).collect();
        for (before, _) in &self.plan.accounts {
            match accounts.get(before.name()) {
                Some(account) if Arc::ptr_eq(account, before) => {}
                Some(_) => self.health.subjects.forget_login(before.name()),
                None => self.health.subjects.forget_account(before.name()),
            }
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
        self.plan.accounts.iter().for_each(|(account, _)| self.health.subjects.expect_account(account.name()));
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
            self.reconcile(self.plan.networks(self.uses.currencies()).into_iter(), |endpoint| {
                endpoint.scope == Scope::Network
            });
        }
    }

    /// Of the loops of some endpoints, begins those that are wanted and do not run, and ends those that are not.
    fn reconcile(&mut self, wanted: impl Iterator<Item = Loop>, of: impl Fn(&Endpoint) -> bool) {
        let mut unwanted: BTreeSet<Arc<Loop>> = self.loops.keys().filter(|l| of(l.plan.endpoint)).cloned().collect();
        // The limiter lets a second's worth through at once; beyond that, later loops queue here and not in its line,
        // where they would stand before the second poll of more important ones.
        let mut begin = Instant::now();
        let gap = Duration::from_secs_f64(1.0 / self.plan.requests_per_second);
        let mut burst = self.plan.requests_per_second;
        for l in wanted {
            unwanted.remove(&l);
            let running = self.loops.get_key_value(&l);
            if running.is_some_and(|(before, running)| before.is(&l) && !matches!(running.state, State::Outdated)) {
                continue;
            }
            self.begin(l, begin);
            burst -= 1.0;
            if burst < 1.0 {
                begin += gap;
            }
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

    /// A loop polls from then on.
    fn begin(&mut self, what: Loop, begin: Instant) {
        self.stop(&what);
        self.health.subjects.expect_loop(&what.key, what.plan.interval);
        self.health.next_poll(&what.key, begin, None);
        let what = Arc::new(what);
        self.due.insert((begin, what.clone()));
        self.loops.insert(what, Running { state: State::Waits { until: begin }, backoff: Backoff::default() });
    }

    /// Ends a loop, and what it has left.
    fn end(&mut self, what: &Loop) {
        self.stop(what);
        self.store.remove(&what.key);
        self.health.forget_loop(&what.key);
        self.journal.forget(&what.key);
    }

    fn stop(&mut self, what: &Loop) {
        match self.loops.remove_entry(what).map(|(what, running)| (what, running.state)) {
            Some((what, State::Waits { until })) => drop(self.due.remove(&(until, what))),
            Some((_, State::Polls { task, .. })) => task.abort(),
            Some((_, State::Outdated)) | None => {}
        }
    }

    /// Takes up what came of a poll.
    fn settle(&mut self, Asked { what, duration, result }: Asked) -> Used {
        let key = &what.key;
        let (endpoint, (account, currency)) = (key.endpoint, key.subject.labels());
        let duration = duration.as_secs_f64();
        match result {
            Ok(samples) => {
                let used = what.plan.endpoint.shows_use().then(|| samples.used_currencies());
                let replaced = self.store.replace(key, samples, what.plan.lifetime);
                debug!(%account, endpoint, %currency, duration, "polled");
                for Correction { family, labels, held, reported } in &replaced.corrections {
                    let metric = family.sample_name();
                    debug!(%account, endpoint, %currency, metric, labels, held, reported, "counter fell a little and is held");
                }
                self.health.metrics.corrected(endpoint, replaced.corrections.len());
                self.health.succeeded(key, replaced.dropped);
                self.journal.succeeded(key);
                used
            }
            Err(error) => {
                let kind = error.kind();
                debug!(%account, endpoint, %currency, duration, kind, "poll did not succeed");
                self.health.failed(key, &error);
                self.journal.failed(key, &error);
                None
            }
        }
    }
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
}

/// Waits until then, or for ever.
async fn until(then: Option<Instant>) {
    match then {
        Some(then) => sleep_until(then).await,
        None => pending().await,
    }
}

async fn has_new_credentials<S: Source>(source: &S, what: &Loop) -> bool {
    match &what.account {
        Some(account) => source.has_new_credentials(account).await,
        None => false,
    }
}

/// Asks for the samples that are wanted, which are of use until the deadline.
async fn ask<S: Source>(source: Arc<S>, what: Arc<Loop>, deadline: Instant) -> Asked {
    let Loop { plan, account, key } = &*what;
    let started = Instant::now();
    let request = Request {
        account: account.as_deref(),
        argument: key.subject.currency(),
        deadline: Some(deadline),
        decimals: &plan.reading.decimals,
        max_workers: plan.reading.max_workers,
    };
    let mut result = source.fetch(plan.endpoint, request).await;
    if let Ok(samples) = &mut result {
        samples.hide_optional(&plan.reading.optional_metrics);
    }
    Asked { duration: started.elapsed(), result, what }
}
