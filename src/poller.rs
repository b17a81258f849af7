//! When to ask: one loop for each account's endpoint and each network, every one with a phase of its own.
//!
//! What is asked and how is the source's business. A loop never waits for another, and a tick that is missed is skipped. A loop that
//! waits is an entry in one list of due times; only a poll that is under way is a task. What came of it is taken up by the poller
//! itself, so that a loop that has ended brings nothing any more.

mod apart;
mod backoff;
mod change;
mod intervals;
mod journal;
mod plan;
mod poll;
mod round;
mod source;
mod uses;

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

use self::backoff::{Backoff, Next};
pub use self::intervals::Intervals;
use self::journal::Journal;
pub use self::plan::{Loop, Plan, Reading, Target};
use self::poll::{Answered, Asked, ask};
pub use self::round::Outcome;
pub use self::source::Source;
use self::uses::Uses;
use crate::health::{BEAT, Health};
use crate::store::{Correction, Key, Store};

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

    fn poll_what_is_due(&mut self) {
        let now = Instant::now();
        while self.due.first().is_some_and(|(due, _)| *due <= now)
            && let Some((_, what)) = self.due.pop_first()
        {
            let deadline = what.next(self.epoch, now, now);
            let Some(running) = self.loops.get_mut(&what) else { continue };
            let (source, is_held) = (self.source.clone(), running.backoff.is_held());
            let task = if is_held {
                self.polls.spawn(Box::pin(async move {
                    let is_of_use = has_new_credentials(&*source, &what).await;
                    if is_of_use { Ok(ask(source, what, deadline).await) } else { Err(what) }
                }))
            } else {
                self.polls.spawn(ask(source, what, deadline).map(Ok))
            };
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
