//! The states of accounts, and how many accounts are in each.

use serde::Serialize;
use tokio::time::Instant;

use crate::health::SubjectHealth;

/// An account's state. The page shows accounts in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum State {
    /// The latest poll of an endpoint failed.
    Failing,
    /// Logins are blocked.
    Blocked,
    /// Not every endpoint was polled, or not for long: nothing is known to be wrong, nor that all is well.
    Waiting,
    Ok,
}

impl State {
    /// The state of an account.
    pub(super) fn of(account: &SubjectHealth) -> State {
        let now = Instant::now();
        let mut loops = account.loops.values();
        if account.blocked.is_some() {
            State::Blocked
        } else if loops.clone().any(|l| l.tried && !l.up) {
            State::Failing
        } else if account.loops.is_empty() || loops.any(|l| !l.tried || l.is_overdue(now)) {
            State::Waiting
        } else {
            State::Ok
        }
    }

    pub(super) fn word(self) -> &'static str {
        match self {
            State::Failing => "failing",
            State::Blocked => "blocked",
            State::Waiting => "waiting",
            State::Ok => "ok",
        }
    }
}

/// Accounts in each state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub(super) struct Counts {
    pub(super) failing: usize,
    pub(super) blocked: usize,
    pub(super) waiting: usize,
    pub(super) ok: usize,
}

impl Counts {
    pub(super) fn add(&mut self, state: State) {
        match state {
            State::Failing => self.failing += 1,
            State::Blocked => self.blocked += 1,
            State::Waiting => self.waiting += 1,
            State::Ok => self.ok += 1,
        }
    }

    /// Every state with its count, in the page's order.
    pub(super) fn all(self) -> [(State, usize); 4] {
        [
            (State::Failing, self.failing),
            (State::Blocked, self.blocked),
            (State::Waiting, self.waiting),
            (State::Ok, self.ok),
        ]
    }

    pub(super) fn sum(self) -> usize {
        self.all().into_iter().map(|(_, count)| count).sum()
    }
}
