//! An account on the status page: its state, what is wrong with it, and what it has.

use serde::Serialize;

use super::currency::Currencies;
use super::endpoint::Endpoint;
use super::fault::Fault;
use super::state::State;
use super::words::{clock, span};
use super::worker::Worker;
use crate::health::{Health, SubjectHealth};

/// Workers of an account that are listed among those of other accounts.
const WORKERS: usize = 10;

#[derive(Debug, Serialize)]
pub(super) struct Account {
    pub(super) name: String,
    pub(super) state: State,
    /// The state in words, with the worst reason.
    pub(super) words: String,
    /// The currencies that the account uses, and those of its wallets.
    pub(super) currencies: Currencies,
    /// What is wrong, the worst first.
    pub(super) faults: Vec<Fault>,
    /// Workers that the pool names.
    pub(super) worker_count: usize,
    /// Some of them; all where one account was asked for.
    pub(super) workers: Vec<Worker>,
    pub(super) endpoints: Vec<Endpoint>,
}

impl Account {
    /// `is_alone` says that no other account is shown.
    pub(super) fn new(
        subject: &SubjectHealth,
        health: &Health,
        mut currencies: Currencies,
        mut workers: Vec<Worker>,
        is_alone: bool,
    ) -> Account {
        for ((_, currency), l) in &subject.loops {
            if let (Some(currency), Some(pool)) = (currency, &l.pool) {
                currencies.entry(currency.to_string()).or_default().pool = Some(pool.to_string());
            }
        }
        let (state, endpoints) = (State::of(subject), Endpoint::all(subject, health));
        let faults = Fault::all(&endpoints, subject.blocked.map(|(reason, _)| reason));
        let worker_count = workers.len();
        workers.truncate(if is_alone { worker_count } else { WORKERS });
        let name = subject.subject.labels().0.to_owned();
        let words = words(subject, state, &faults, &endpoints);
        Account { name, state, words, currencies, faults, worker_count, workers, endpoints }
    }
}

fn words(subject: &SubjectHealth, state: State, faults: &[Fault], endpoints: &[Endpoint]) -> String {
    let more = match faults.iter().skip(usize::from(faults.first().is_some_and(|worst| worst.is_said(state)))).count() {
        0 => String::new(),
        1 => "; and another error".to_owned(),
        more => format!("; and {more} other errors"),
    };
    match (state, subject.blocked, faults.first()) {
        (State::Blocked, Some((reason, since)), _) => {
            format!("login blocked: {} since {}; {}{more}", reason.words(), clock(since), reason.remedy())
        }
        (State::Blocked | State::Failing, _, Some(worst)) => format!("{}: {}{more}", worst.endpoints, worst.words),
        (State::Waiting, ..) => waits(endpoints),
        _ => state.word().to_owned(),
    }
}

/// What an account waits for that is neither failing nor wholly polled.
fn waits(endpoints: &[Endpoint]) -> String {
    let is_tried = |endpoint: &&Endpoint| endpoint.up;
    let (tried, all) = (endpoints.iter().filter(is_tried).count(), endpoints.len());
    let waiting = || endpoints.iter().filter(|endpoint| !endpoint.up);
    if all == 0 {
        "no endpoint is polled; see its endpoints in the configuration".to_owned()
    } else if tried == all {
        // Each was polled once, and some not again.
        let late = endpoints.iter().filter_map(|endpoint| Some((endpoint.name, endpoint.next_poll_late.as_ref()?)));
        let late = late.map(|(name, late)| format!("{name}: {late}")).next();
        late.unwrap_or_else(|| "polls are late".to_owned())
    } else if let Some(late) = waiting().find_map(|endpoint| endpoint.next_poll_late.as_ref()) {
        format!("{tried} of {all} endpoints polled; {late}")
    } else {
        let next = waiting().filter_map(|endpoint| endpoint.next_poll_in_seconds).reduce(f64::min).unwrap_or_default();
        format!("{tried} of {all} endpoints polled; next poll in {}", span(next))
    }
}
