//! One poll: who is asked, and what came of it.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use minergate::api::{self, Account};
use minergate::endpoints::Request;
use minergate::metric::{Context, Samples};
use tokio::time::Instant;

use super::Source;
use super::plan::{EndpointPlan, Loop, Target};
use crate::subject::Subject;

/// What came of a loop's poll.
pub(super) struct Asked {
    pub(super) what: Arc<Loop>,
    pub(super) duration: Duration,
    pub(super) result: api::Result<Answered>,
}

/// The samples of an answer.
pub(super) struct Answered {
    pub(super) samples: Samples,
    /// When they were true: a pool's answer may serve several polls.
    pub(super) time: SystemTime,
    /// The host was asked for them in this poll.
    pub(super) is_new: bool,
}

/// Asks for the samples that are wanted, which are of use until the deadline.
pub(super) async fn ask<S: Source>(source: Arc<S>, what: Arc<Loop>, deadline: Instant) -> Asked {
    let started = Instant::now();
    let result = match &what.target {
        Target::Api(account) => at_api(&*source, &what, account.as_deref(), deadline).await,
        // In a box, as it is large: each of the thousands of polls that wait for the API would take as much memory.
        Target::Wallet(_) | Target::Pool(_) => Box::pin(at_pool(&what, deadline)).await,
    };
    Asked { duration: started.elapsed(), result, what }
}

async fn at_api<S: Source>(source: &S, what: &Loop, account: Option<&Account>, deadline: Instant) -> api::Result<Answered> {
    let EndpointPlan { endpoint, reading, .. } = &*what.plan;
    let request = Request {
        account,
        argument: what.key.subject.argument(endpoint),
        deadline: Some(deadline),
        decimals: &reading.decimals,
        max_workers: reading.max_workers,
    };
    let mut samples = source.fetch(endpoint, request).await?;
    samples.hide_optional(&reading.optional_metrics);
    // Their top miners are those of their pools.
    if what.key.subject == Subject::Pool {
        samples.leave_out_currencies(|currency| reading.currencies_of_pools.contains(currency));
    }
    Ok(Answered { samples, time: SystemTime::now(), is_new: true })
}

async fn at_pool(what: &Loop, deadline: Instant) -> api::Result<Answered> {
    let EndpointPlan { endpoint, reading, .. } = &*what.plan;
    let (began, deadline) = (SystemTime::now(), Some(deadline));
    let answer = match &what.target {
        Target::Api(_) => return Err(api::Error::NotFound),
        Target::Wallet(wallet) => wallet.answer(endpoint, deadline).await?,
        Target::Pool(pool) => pool.answer(endpoint, deadline).await?,
    };
    let context = Context { max_workers: reading.max_workers, ..Context::of(&reading.decimals) };
    let mut samples = endpoint.read(answer.json.as_bytes(), &context)?;
    samples.hide_optional(&reading.optional_metrics);
    let is_asked = what.target.pool().is_some_and(|pool| pool.settings().software.paths(endpoint.name).next().is_some());
    Ok(Answered { samples, time: answer.time, is_new: is_asked && answer.time >= began })
}
