//! Simulated faults: rules say which fault hits which requests, and a seeded random draw decides when.
//!
//! The faults are in `table`. To add one, add a row there.

mod body;
mod change;
mod rule;
mod table;

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::http::response::Parts;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use minergate_server::unix_time;
use serde_json::{Value, json};

use super::connection::Peer;
use super::noise::Seed;

pub(super) use self::rule::endpoint_names;
pub use self::rule::{Rule, fault_help};
use self::table::Effect;
pub use self::table::{FAULTS, Fault};

/// The active rules.
pub(super) struct Faults {
    seed: Seed,
    rules: Mutex<Vec<ActiveRule>>,
}

struct ActiveRule {
    rule: Rule,
    /// When the rule became active, as the time since 1970.
    since: Duration,
    /// The seed of the rule's random draws.
    seed: Seed,
    /// Number of requests that matched the rule.
    tried: u64,
    /// Number of requests that it hit.
    applied: u64,
}

/// What a faultless answer is made from.
pub(super) struct AnswerInput {
    /// Since 1970.
    pub(super) time: Duration,
    /// Whether the pool knows the requested wallet.
    pub(super) knows_wallet: bool,
}

impl AnswerInput {
    pub(super) fn at(time: Duration) -> AnswerInput {
        AnswerInput { time, knows_wallet: true }
    }
}

/// A fault that hits a request.
pub(super) struct DueFault {
    pub(super) fault: &'static Fault,
    time: Duration,
    since: Duration,
    seed: Seed,
}

impl Faults {
    pub(super) fn new(seed: Seed, rules: Vec<Rule>) -> Faults {
        let faults = Faults { seed: seed.of("faults"), rules: Mutex::default() };
        faults.replace(rules);
        faults
    }

    /// Replaces the rules. All counts and draws start again.
    pub(super) fn replace(&self, rules: Vec<Rule>) {
        let since = unix_time();
        let active = |(i, rule): (u64, Rule)| {
            let seed = self.seed.nth(i).of(&rule.to_string());
            ActiveRule { rule, since, seed, tried: 0, applied: 0 }
        };
        *self.rules() = (0..).zip(rules).map(active).collect();
    }

    /// The fault that hits a request, if any. The account's name is empty for a request without an account.
    pub(super) fn hit(&self, endpoint: &str, account: &str) -> Option<DueFault> {
        self.rules().iter_mut().filter(|active| active.rule.fits(endpoint, account)).find_map(ActiveRule::hit)
    }

    pub(super) fn report(&self) -> Value {
        let row = |active: &ActiveRule| {
            let ActiveRule { rule, tried, applied, .. } = active;
            json!({ "rule": rule.to_string(), "tried": tried, "applied": applied })
        };
        self.rules().iter().map(row).collect()
    }

    fn rules(&self) -> MutexGuard<'_, Vec<ActiveRule>> {
        self.rules.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ActiveRule {
    fn hit(&mut self) -> Option<DueFault> {
        let seed = self.seed.nth(self.tried);
        self.tried += 1;
        (seed.unit() < self.rule.rate).then(|| {
            self.applied += 1;
            DueFault { fault: self.rule.fault, time: self.rule.time, since: self.since, seed: seed.of("hit") }
        })
    }
}

impl DueFault {
    /// The answer with the fault applied; `answer` returns the faultless one.
    pub(super) async fn answer<F: Future<Output = Response> + Send>(
        self,
        peer: Option<Peer>,
        answer: impl Fn(AnswerInput) -> F + Send,
    ) -> Response {
        let answer_at = |time| answer(AnswerInput::at(time));
        let answer_now = || answer_at(unix_time());
        match self.fault.effect {
            Effect::Late => {
                // The answer is made before the delay, as in a slow API: even a login that is answered too late has used up its TOTP code.
                let response = answer_now().await;
                tokio::time::sleep(self.time).await;
                response
            }
            Effect::Reset => {
                tokio::time::sleep(self.time).await;
                let Some(peer) = peer else { return body::broken().into_response() };
                peer.reset();
                // The client does not see this answer: writing it resets the connection.
                StatusCode::NO_CONTENT.into_response()
            }
            Effect::Instead(make) => make(self.time),
            Effect::Frozen => answer_at(self.since).await,
            Effect::Restarted => {
                let (_, former) = whole(answer_at(self.since).await).await;
                let former = serde_json::from_slice(&former).unwrap_or_default();
                changed(answer_now().await, |value| change::restarted(value, &former)).await
            }
            Effect::WalletUnknown => answer(AnswerInput { time: unix_time(), knows_wallet: false }).await,
            Effect::Changed(change) => changed(answer_now().await, |value| change(value, self.seed)).await,
            Effect::Sent(send) => {
                let (mut parts, bytes) = whole(answer_now().await).await;
                parts.headers.insert(header::CONTENT_LENGTH, bytes.len().into());
                Response::from_parts(parts, send(bytes, self.time))
            }
        }
    }
}

/// An answer with changed JSON.
async fn changed(response: Response, change: impl FnOnce(&mut Value) + Send) -> Response {
    let (parts, bytes) = whole(response).await;
    let changed = serde_json::from_slice(&bytes).map(|mut value| {
        change(&mut value);
        value.to_string().into()
    });
    Response::from_parts(parts, Body::from(changed.unwrap_or(bytes)))
}

/// The head and the body of a faultless answer. The body is in memory already.
async fn whole(response: Response) -> (Parts, Bytes) {
    let (mut parts, body) = response.into_parts();
    parts.headers.remove(header::CONTENT_LENGTH);
    (parts, to_bytes(body, usize::MAX).await.unwrap_or_default())
}

#[cfg(test)]
mod tests;
