//! One loop on the status page: an endpoint, the state of its polls, and its next poll.

use std::time::Duration;

use serde::Serialize;
use tokio::time::Instant;

use super::format::span;
use crate::health::{Health, LoopHealth, LoopName, SubjectHealth};

/// A poll that has been due for less than this is not late.
const SHORT: Duration = Duration::from_secs(2);

#[derive(Debug, Default, Serialize)]
pub(super) struct Endpoint {
    pub(super) name: &'static str,
    #[serde(skip_serializing_if = "str::is_empty")]
    pub(super) currency: String,
    pub(super) up: bool,
    pub(super) interval_seconds: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) last_success_timestamp_seconds: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) next_poll_in_seconds: Option<f64>,
    /// Why the next poll is later than its interval.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) next_poll_late: Option<String>,
    /// The current failure.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) error: Option<Error>,
}

#[derive(Debug, Serialize)]
pub(super) struct Error {
    pub(super) kind: &'static str,
    pub(super) words: String,
    pub(super) for_seconds: f64,
}

impl Endpoint {
    /// The loops of an account, a network or the pool.
    pub(super) fn all(subject: &SubjectHealth, health: &Health) -> Vec<Endpoint> {
        let now = Instant::now();
        let endpoint = |((name, currency), l): (&LoopName, &LoopHealth)| Endpoint {
            name,
            currency: currency.as_deref().unwrap_or_default().to_owned(),
            up: l.up,
            interval_seconds: l.interval.as_secs_f64(),
            last_success_timestamp_seconds: l.last_success,
            next_poll_in_seconds: l.next.map(|next| next.saturating_duration_since(now).as_secs_f64()),
            next_poll_late: late(l, now, health),
            error: l.failing.as_ref().map(|failing| Error {
                kind: failing.kind,
                words: failing.message.clone(),
                for_seconds: failing.since.elapsed().as_secs_f64(),
            }),
        };
        subject.loops.iter().map(endpoint).collect()
    }
}

/// Why a poll is late: it was postponed, or it is in progress.
fn late(l: &LoopHealth, now: Instant, health: &Health) -> Option<String> {
    let due = l.next.map_or(Duration::ZERO, |next| now.saturating_duration_since(next));
    if due < SHORT {
        return l.failing.as_ref()?.late.map(str::to_owned);
    }
    let (waited, host) = (health.waits.latest(l.pool_name()), if l.pool.is_some() { "the pool" } else { "the API" });
    let due = span(due.as_secs_f64());
    // The time limit of a request is short compared to the wait for a turn when the limit of requests is exceeded.
    Some(if waited < SHORT {
        format!("asked {due} ago, no answer yet")
    } else {
        let waited = span(waited.as_secs_f64());
        format!("due for {due}: requests wait {waited} for their turn, as {host} has a limit of requests a second")
    })
}
