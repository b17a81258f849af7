//! One round: polls everything once, for commands that do not keep running.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream;
use tokio::time::Instant;

use super::journal::Journal;
use super::{PollLoop, Poller, Source, ask, host};
use crate::store::Key;
use minergate::api;
use minergate::metric::Samples;

/// Time that a poll may take in addition to its wait in the limiter.
const PATIENCE: Duration = Duration::from_secs(60);

/// The result of one poll.
#[derive(Debug)]
pub struct Outcome<T> {
    pub key: Key,
    /// The name of the pool that was polled; `None` for the API.
    pub pool: Option<Arc<str>>,
    pub duration: Duration,
    /// The value made from the samples, or the error.
    pub result: api::Result<T>,
}

impl<S: Source> Poller<S> {
    /// Polls everything once, and then the networks of the currencies that are in use. Answers go into store and health as
    /// usual. `made` makes the value of each outcome from its samples. `told` is called with each outcome at once, and with the expected number of
    /// outcomes.
    ///
    /// At most `concurrency` polls are in progress. The wait for the others has no deadline.
    pub async fn round<T>(
        mut self,
        concurrency: usize,
        made: impl Fn(&Samples) -> T,
        mut told: impl FnMut(&Outcome<T>, usize),
    ) -> Vec<Outcome<T>> {
        let mut outcomes = Vec::new();
        let loops: Vec<PollLoop> = self.plan.loops().collect();
        let all = loops.len();
        self.ask_all(loops, all, concurrency, &made, &mut told, &mut outcomes).await;
        if self.plan.currencies.is_none() {
            let networks = self.plan.networks(self.currency_use.currencies());
            let all = all + networks.len();
            self.ask_all(networks, all, concurrency, &made, &mut told, &mut outcomes).await;
        }
        self.journals.values_mut().for_each(Journal::report);
        outcomes
    }

    async fn ask_all<T>(
        &mut self,
        loops: Vec<PollLoop>,
        all: usize,
        concurrency: usize,
        made: &impl Fn(&Samples) -> T,
        told: &mut impl FnMut(&Outcome<T>, usize),
        outcomes: &mut Vec<Outcome<T>>,
    ) {
        // In the limiter, a request waits for all others that are in progress.
        #[expect(clippy::cast_precision_loss, reason = "concurrency is 10,000 at most")]
        let patience =
            |poll_loop: &PollLoop| PATIENCE + Duration::from_secs_f64(concurrency as f64 / self.limits(poll_loop).0);
        let loops: Vec<(PollLoop, Duration)> = loops
            .into_iter()
            .map(|poll_loop| {
                let patience = patience(&poll_loop);
                (poll_loop, patience)
            })
            .collect();
        for (poll_loop, _) in &loops {
            self.health.subjects.expect_loop(&poll_loop.key, poll_loop.plan.interval, poll_loop.target.pool().cloned());
        }
        let source = self.source.clone();
        let mut polls = stream::iter(loops)
            .map(|(poll_loop, patience)| ask(source.clone(), Arc::new(poll_loop), Instant::now() + patience))
            .buffer_unordered(concurrency);
        while let Some(asked) = polls.next().await {
            let outcome = Outcome {
                key: asked.poll_loop.key.clone(),
                pool: host(&asked.poll_loop),
                duration: asked.duration,
                result: asked.result.as_ref().map(|answered| made(&answered.samples)).map_err(Clone::clone),
            };
            if let Some(used) = self.record(asked) {
                self.currency_use.set(outcome.key.clone(), used);
            }
            told(&outcome, all);
            outcomes.push(outcome);
        }
    }
}
