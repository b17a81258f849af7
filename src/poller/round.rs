//! One round: everything polled once, for commands that do not stay.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream;
use tokio::time::Instant;

use super::journal::Journal;
use super::{Loop, Poller, Source, ask, host};
use crate::store::Key;
use minergate::api;
use minergate::metric::Samples;

/// How long a poll may take beside its place in the limiter's line.
const PATIENCE: Duration = Duration::from_secs(60);

/// How one poll went.
#[derive(Debug)]
pub struct Outcome<T> {
    pub key: Key,
    /// The name of the pool that was asked; nothing where the API was.
    pub pool: Option<Arc<str>>,
    pub duration: Duration,
    /// What was made of the answer's samples, or why there is none.
    pub result: api::Result<T>,
}

impl<S: Source> Poller<S> {
    /// Polls everything once, and last the networks of the currencies that this showed in use. Answers go into store and health as
    /// ever; `made` makes of each what the outcome is to hold, and `told` hears of each outcome at once, and of how many there
    /// will be.
    ///
    /// At most `concurrency` polls are under way: what waits for its turn here need not be done before its own next poll.
    pub async fn round<T>(
        mut self,
        concurrency: usize,
        made: impl Fn(&Samples) -> T,
        mut told: impl FnMut(&Outcome<T>, usize),
    ) -> Vec<Outcome<T>> {
        let mut outcomes = Vec::new();
        let loops: Vec<Loop> = self.plan.loops().collect();
        let all = loops.len();
        self.ask_all(loops, all, concurrency, &made, &mut told, &mut outcomes).await;
        if self.plan.currencies.is_none() {
            let networks = self.plan.networks(self.uses.currencies());
            let all = all + networks.len();
            self.ask_all(networks, all, concurrency, &made, &mut told, &mut outcomes).await;
        }
        self.journals.values_mut().for_each(Journal::report);
        outcomes
    }

    async fn ask_all<T>(
        &mut self,
        loops: Vec<Loop>,
        all: usize,
        concurrency: usize,
        made: &impl Fn(&Samples) -> T,
        told: &mut impl FnMut(&Outcome<T>, usize),
        outcomes: &mut Vec<Outcome<T>>,
    ) {
        // A turn at the limiter comes after those of all others that are under way.
        #[expect(clippy::cast_precision_loss, reason = "concurrency is 10,000 at most")]
        let patience = |what: &Loop| PATIENCE + Duration::from_secs_f64(concurrency as f64 / self.limits(what).0);
        let loops: Vec<(Loop, Duration)> = loops
            .into_iter()
            .map(|what| {
                let patience = patience(&what);
                (what, patience)
            })
            .collect();
        for (what, _) in &loops {
            self.health.subjects.expect_loop(&what.key, what.plan.interval, host(what));
        }
        let source = self.source.clone();
        let mut polls = stream::iter(loops)
            .map(|(what, patience)| ask(source.clone(), Arc::new(what), Instant::now() + patience))
            .buffer_unordered(concurrency);
        while let Some(asked) = polls.next().await {
            let outcome = Outcome {
                key: asked.what.key.clone(),
                pool: host(&asked.what),
                duration: asked.duration,
                result: asked.result.as_ref().map(|answered| made(&answered.samples)).map_err(Clone::clone),
            };
            if let Some(used) = self.settle(asked) {
                self.uses.set(outcome.key.clone(), used);
            }
            told(&outcome, all);
            outcomes.push(outcome);
        }
    }
}
