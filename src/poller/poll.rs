//! One poll and its result.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use minergate::api;
use minergate::endpoints::Request;
use minergate::metric::{Context, Samples};
use tokio::time::Instant;

use super::Source;
use super::plan::{EndpointPlan, PollLoop, Target};
use crate::subject::Subject;

/// The result of a loop's poll.
pub(super) struct FinishedPoll {
    pub(super) poll_loop: Arc<PollLoop>,
    pub(super) duration: Duration,
    pub(super) result: api::Result<PolledSamples>,
}

/// The samples of an answer.
pub(super) struct PolledSamples {
    pub(super) samples: Samples,
    /// The time of the values: an answer of a pool can be used by several polls.
    pub(super) time: SystemTime,
    /// The host was asked for them in this poll.
    pub(super) is_new: bool,
}

/// Requests the endpoint and reads its samples. The deadline is the time of the next poll.
///
/// This is a single future that contains no other than the source's, because thousands of polls may wait for the API, each with its size.
pub(super) async fn ask<S: Source>(source: Arc<S>, poll_loop: Arc<PollLoop>, deadline: Instant) -> FinishedPoll {
    let started = Instant::now();
    let result = match &poll_loop.target {
        Target::Api(account) => {
            let EndpointPlan { endpoint, reading, .. } = &*poll_loop.plan;
            let asked = source.fetch(
                endpoint,
                Request {
                    account: account.as_deref(),
                    argument: poll_loop.key.subject.argument(endpoint),
                    deadline: Some(deadline),
                    decimals: &reading.decimals,
                    max_workers: reading.max_workers,
                },
            );
            asked.await.map(|samples| of_api(&poll_loop, samples))
        }
        Target::Wallet(_) | Target::Pool(_) => Box::pin(at_pool(&poll_loop, deadline)).await,
    };
    FinishedPoll { duration: started.elapsed(), result, poll_loop }
}

/// The samples from the API that are shown.
fn of_api(poll_loop: &PollLoop, mut samples: Samples) -> PolledSamples {
    let reading = &poll_loop.plan.reading;
    samples.hide_optional(&reading.optional_metrics);
    // The top miners of these currencies come from their pools.
    if poll_loop.key.subject == Subject::Pool {
        samples.leave_out_currencies(|currency| reading.currencies_of_pools.contains(currency));
    }
    PolledSamples { samples, time: SystemTime::now(), is_new: true }
}

async fn at_pool(poll_loop: &PollLoop, deadline: Instant) -> api::Result<PolledSamples> {
    let EndpointPlan { endpoint, reading, .. } = &*poll_loop.plan;
    let (began, deadline) = (SystemTime::now(), Some(deadline));
    let answer = match &poll_loop.target {
        Target::Api(_) => return Err(api::Error::NotFound),
        Target::Wallet(wallet) => wallet.answer(endpoint, deadline).await?,
        Target::Pool(pool) => pool.answer(endpoint, deadline).await?,
    };
    let context = Context { max_workers: reading.max_workers, ..Context::of(&reading.decimals) };
    let mut samples = endpoint.read(answer.json.as_bytes(), &context)?;
    samples.hide_optional(&reading.optional_metrics);
    let is_asked =
        poll_loop.target.pool().is_some_and(|pool| pool.settings().software.paths(endpoint.name).next().is_some());
    Ok(PolledSamples { samples, time: answer.time, is_new: is_asked && answer.time >= began })
}
