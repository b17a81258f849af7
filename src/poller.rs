//! Decides when to poll. There is one loop for each endpoint of an account and for each network, each with its own phase.
//!
//! The source decides what is requested and how. Loops never wait for each other, and a missed tick is skipped. A waiting
//! loop is only an entry in the schedule; a poll in progress is a task. The poller itself handles the result,
//! so that a loop that has ended has no further effect.

mod backoff;
mod change;
mod currency_use;
mod intervals;
mod journal;
mod plan;
mod poll;
mod round;
mod source;
mod thread;

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::future::pending;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use futures_util::FutureExt as _;
use tokio::sync::mpsc;
use tokio::task::{self, AbortHandle, JoinError, JoinSet};
use tokio::time::{Instant, sleep, sleep_until};
use tracing::{debug, error};

use self::backoff::{Backoff, LastPoll};
use self::currency_use::CurrencyUse;
pub use self::intervals::Intervals;
use self::journal::Journal;
pub use self::plan::{Plan, PollLoop, ReadOptions, Target};
use self::poll::{FinishedPoll, PolledSamples, ask};
pub use self::round::Outcome;
pub use self::source::Source;
use crate::health::{BEAT, Health};
use crate::store::{Correction, Key, Store};

/// Runs the loops of a plan. When the plan changes, unchanged loops continue.
pub struct Poller<S> {
    source: Arc<S>,
    plan: Arc<Plan>,
    store: Arc<Store>,
    health: Arc<Health>,
    /// All ticks are relative to this time, so that a restarted loop keeps its phase.
    epoch: Instant,
    /// The loops with their states.
    loops: BTreeMap<Arc<PollLoop>, RunningLoop>,
    /// The times of the next polls.
    due: Schedule,
    /// The polls in progress.
    polls: JoinSet<TaskOutput>,
    currency_use: CurrencyUse,
    /// One for each host: the API, and each pool by its name.
    journals: BTreeMap<HostName, Journal>,
}

type Schedule = BTreeSet<(Instant, Arc<PollLoop>)>;

/// The name of a pool; `None` is the API.
type HostName = Option<Arc<str>>;

/// The state of a loop.
struct RunningLoop {
    state: LoopState,
    backoff: Backoff,
}

enum LoopState {
    Waits {
        until: Instant,
    },
    Polls {
        since: Instant,
        task: AbortHandle,
    },
    /// Polled with the previous client; it will be restarted or stopped.
    Outdated,
}

/// The result of a poll's task. It is an error if nothing was requested because the loop is held back and the credentials are unchanged.
type TaskOutput = Result<FinishedPoll, Arc<PollLoop>>;

/// The currencies that a poll showed in use, if its endpoint can show that.
type UsedCurrencies = Option<BTreeSet<String>>;

/// The new source and plan.
pub type Update<S> = (Arc<S>, Plan);

impl<S: Source> Poller<S> {
    /// Creates a poller and announces what it will poll, so that the metrics about it exist from the first scrape on.
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
            currency_use: CurrencyUse::default(),
            journals: BTreeMap::new(),
        };
        poller.announce();
        poller
    }

    /// Runs all loops, and applies each new plan. Never returns; when it is dropped, all loops end.
    pub async fn run(mut self, mut updates: mpsc::Receiver<Update<S>>) -> Infallible {
        let plan = self.plan.clone();
        self.reconcile(plan.loops(), |_| true);
        self.start_networks();
        loop {
            self.health.liveness.beat();
            let next = self.due.first().map(|(due, _)| *due);
            tokio::select! {
                () = sleep(BEAT) => {}
                () = until(next) => self.start_due_polls(),
                () = until(self.journals.values().filter_map(Journal::due).min()) => self.report(),
                Some(ended) = self.polls.join_next_with_id() => self.reschedule(ended),
                Some(update) = updates.recv() => self.change(update),
            }
        }
    }

    fn start_due_polls(&mut self) {
        let now = Instant::now();
        while self.due.first().is_some_and(|(due, _)| *due <= now)
            && let Some((_, poll_loop)) = self.due.pop_first()
        {
            let deadline = poll_loop.next(self.epoch, now, now);
            let Some(running) = self.loops.get_mut(&poll_loop) else { continue };
            let (source, is_held) = (self.source.clone(), running.backoff.is_held());
            let task = if is_held {
                self.polls.spawn(Box::pin(async move {
                    let is_of_use = has_new_credentials(&*source, &poll_loop).await;
                    if is_of_use { Ok(ask(source, poll_loop, deadline).await) } else { Err(poll_loop) }
                }))
            } else {
                self.polls.spawn(ask(source, poll_loop, deadline).map(Ok))
            };
            running.state = LoopState::Polls { since: now, task };
        }
    }

    /// Handles the end of a poll: its loop waits for the next poll, even if the task panicked.
    fn reschedule(&mut self, ended: Result<(task::Id, TaskOutput), JoinError>) {
        let is_polled_by = |running: Option<&RunningLoop>, id| running.is_some_and(|running| running.state.is_polled_by(id));
        let mut used = None;
        let (poll_loop, next) = match ended {
            Ok((id, Ok(asked))) if is_polled_by(self.loops.get(&asked.poll_loop), id) => {
                let poll_loop = asked.poll_loop.clone();
                let error = asked.result.as_ref().err().cloned();
                match catch_unwind(AssertUnwindSafe(|| self.record(asked))) {
                    Ok(shown) => used = shown,
                    Err(_) => log_panic(&poll_loop.key),
                }
                (poll_loop, error.map_or(LastPoll::Regular, LastPoll::Failed))
            }
            Ok((id, Err(poll_loop))) if is_polled_by(self.loops.get(&poll_loop), id) => (poll_loop, LastPoll::Held),
            Err(error) if error.is_panic() => {
                let Some(poll_loop) = self
                    .loops
                    .iter()
                    .find(|(_, running)| running.state.is_polled_by(error.id()))
                    .map(|(poll_loop, _)| poll_loop)
                else {
                    return;
                };
                log_panic(&poll_loop.key);
                (poll_loop.clone(), LastPoll::Regular)
            }
            // The loop has ended or was restarted.
            _ => return,
        };
        if let Some(running) = self.loops.get_mut(&poll_loop)
            && let LoopState::Polls { since, .. } = running.state
        {
            let regular = poll_loop.next(self.epoch, since, Instant::now());
            let (due, planned, late) = running.backoff.next(&poll_loop, regular, &next);
            running.state = LoopState::Waits { until: due };
            self.health.next_poll(&poll_loop.key, planned, late);
            self.due.insert((due, poll_loop.clone()));
        }
        if used.is_some_and(|used| self.currency_use.set(poll_loop.key.clone(), used)) {
            self.start_networks();
        }
    }

    /// The limits of a loop's host: requests a second, and burst.
    fn limits(&self, poll_loop: &PollLoop) -> (f64, f64) {
        match poll_loop.target.pool() {
            Some(pool) => (pool.settings().http.requests_per_second, pool.settings().http.burst()),
            None => (self.plan.requests_per_second, self.plan.requests_per_second),
        }
    }

    /// The journal of a loop's host.
    fn journal(&mut self, poll_loop: &PollLoop) -> &mut Journal {
        let host = host(poll_loop);
        self.journals.entry(host.clone()).or_insert_with(|| Journal::new(host))
    }

    /// Logs the failures that were collected.
    fn report(&mut self) {
        let now = Instant::now();
        let due = self.journals.values_mut().filter(|journal| journal.due().is_some_and(|due| due <= now));
        due.for_each(Journal::report);
    }

    /// Records the result of a poll.
    fn record(&mut self, FinishedPoll { poll_loop, duration, result }: FinishedPoll) -> UsedCurrencies {
        let key = &poll_loop.key;
        let (endpoint, (account, currency)) = (key.endpoint, key.subject.labels());
        let duration = duration.as_secs_f64();
        match result {
            Ok(PolledSamples { samples, time, is_new }) => {
                let used = poll_loop.plan.endpoint.shows_use().then(|| samples.used_currencies());
                let age = time.elapsed().unwrap_or_default();
                let replaced = self.store.replace(key, samples, poll_loop.plan.lifetime.saturating_sub(age));
                debug!(%account, endpoint, %currency, duration, "polled");
                for Correction { family, labels, held, reported } in &replaced.corrections {
                    let metric = family.sample_name();
                    debug!(%account, endpoint, %currency, metric, labels, held, reported, "counter fell slightly and is held");
                }
                self.health.metrics.corrected(endpoint, replaced.corrections.len());
                self.health.succeeded(key, replaced.dropped, time);
                self.journal(&poll_loop).succeeded(key, is_new);
                used
            }
            Err(error) => {
                let kind = error.kind();
                debug!(%account, endpoint, %currency, duration, kind, "poll did not succeed");
                self.health.failed(key, host(&poll_loop).as_deref(), &error);
                self.journal(&poll_loop).failed(key, &error);
                None
            }
        }
    }
}

fn host(poll_loop: &PollLoop) -> HostName {
    poll_loop.target.pool().map(|pool| pool.settings().name.clone())
}

fn log_panic(Key { subject, endpoint }: &Key) {
    let (account, currency) = subject.labels();
    error!(%account, endpoint, %currency, "a poll panicked");
}

impl LoopState {
    /// Whether this task is the loop's poll.
    fn is_polled_by(&self, id: task::Id) -> bool {
        matches!(self, LoopState::Polls { task, .. } if task.id() == id)
    }

    /// Cancels the loop's wait or poll.
    fn cancel(self, poll_loop: &Arc<PollLoop>, due: &mut Schedule) {
        match self {
            LoopState::Waits { until } => drop(due.remove(&(until, poll_loop.clone()))),
            LoopState::Polls { task, .. } => task.abort(),
            LoopState::Outdated => {}
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

async fn has_new_credentials<S: Source>(source: &S, poll_loop: &PollLoop) -> bool {
    match poll_loop.target.account() {
        Some(account) => source.has_new_credentials(account).await,
        None => false,
    }
}
