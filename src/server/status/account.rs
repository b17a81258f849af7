//! An account on the status page: its state, its problems, and its values.

use serde::Serialize;

use super::currency::Currencies;
use super::endpoint::Endpoint;
use super::fault::Fault;
use super::format::{clock, span};
use super::state::AccountState;
use super::worker::Worker;
use crate::health::{Health, SubjectHealth};

/// Maximum number of workers listed for one of several accounts.
const WORKERS: usize = 10;

#[derive(Debug, Serialize)]
pub(super) struct Account {
    pub(super) name: String,
    pub(super) state: AccountState,
    /// A description of the state, with the most important reason.
    pub(super) words: String,
    /// The currencies that the account uses, and those of its wallets.
    pub(super) currencies: Currencies,
    /// The problems, the most important first.
    pub(super) faults: Vec<Fault>,
    /// Number of workers that the pool names.
    pub(super) worker_count: usize,
    /// Some of them; all if only this account is shown.
    pub(super) workers: Vec<Worker>,
    pub(super) endpoints: Vec<Endpoint>,
}

impl Account {
    /// `is_alone` means that no other account is shown.
    pub(super) fn new(
        subject: &SubjectHealth,
        health: &Health,
        mut currencies: Currencies,
        mut workers: Vec<Worker>,
        is_alone: bool,
    ) -> Account {
        for ((_, currency), l) in &subject.loops {
            if let (Some(currency), Some(pool)) = (currency, l.pool_name()) {
                currencies.entry(currency.to_string()).or_default().pool = Some(pool.to_string());
            }
        }
        let (state, endpoints) = (AccountState::of(subject), Endpoint::all(subject, health));
        let faults = Fault::all(&endpoints, subject.blocked.map(|(reason, _)| reason));
        let worker_count = workers.len();
        workers.truncate(if is_alone { worker_count } else { WORKERS });
        let name = subject.subject.labels().0.to_owned();
        let words = words(subject, state, &faults, &endpoints);
        Account { name, state, words, currencies, faults, worker_count, workers, endpoints }
    }
}

fn words(subject: &SubjectHealth, state: AccountState, faults: &[Fault], endpoints: &[Endpoint]) -> String {
    let described = usize::from(faults.first().is_some_and(|worst| worst.is_described_by(state)));
    let more = match faults.len() - described {
        0 => String::new(),
        1 => "; and another error".to_owned(),
        more => format!("; and {more} other errors"),
    };
    match (state, subject.blocked, faults.first()) {
        (AccountState::Blocked, Some((reason, since)), _) => {
            format!("login blocked: {} since {}; {}{more}", reason.description(), clock(since), reason.remedy())
        }
        (AccountState::Blocked | AccountState::Failing, _, Some(worst)) => {
            format!("{}: {}{more}", worst.endpoints, worst.words)
        }
        (AccountState::Waiting, ..) => waits(endpoints),
        _ => state.name().to_owned(),
    }
}

/// What an account in the state `Waiting` waits for.
fn waits(endpoints: &[Endpoint]) -> String {
    let waiting: Vec<&Endpoint> = endpoints.iter().filter(|endpoint| !endpoint.up).collect();
    let polled = format!("{} of {} endpoints polled", endpoints.len() - waiting.len(), endpoints.len());
    if endpoints.is_empty() {
        "no endpoint is polled; see its endpoints in the configuration".to_owned()
    } else if waiting.is_empty() {
        // Each endpoint was polled once, and some are late now.
        let late = |endpoint: &Endpoint| Some(format!("{}: {}", endpoint.name, endpoint.next_poll_late.as_ref()?));
        endpoints.iter().find_map(late).unwrap_or_else(|| "polls are late".to_owned())
    } else if let Some(late) = waiting.iter().find_map(|endpoint| endpoint.next_poll_late.as_ref()) {
        format!("{polled}; {late}")
    } else {
        let next = waiting.iter().filter_map(|endpoint| endpoint.next_poll_in_seconds).reduce(f64::min);
        format!("{polled}; next poll in {}", span(next.unwrap_or_default()))
    }
}
