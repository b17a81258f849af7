//! The states of accounts, and the number of accounts in each.

use serde::Serialize;
use tokio::time::Instant;

use crate::health::SubjectHealth;

/// An account's state, in the order of the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum AccountState {
    /// The latest poll of an endpoint failed.
    Failing,
    /// Logins are blocked.
    Blocked,
    /// Some endpoints were not polled yet, or not recently: there is no known problem, but not everything is known.
    Waiting,
    Ok,
}

impl AccountState {
    /// The state of an account.
    pub(super) fn of(account: &SubjectHealth) -> AccountState {
        let now = Instant::now();
        let mut loops = account.loops.values();
        if account.blocked.is_some() {
            AccountState::Blocked
        } else if loops.clone().any(|l| l.tried && !l.up) {
            AccountState::Failing
        } else if account.loops.is_empty() || loops.any(|l| !l.tried || l.is_overdue(now)) {
            AccountState::Waiting
        } else {
            AccountState::Ok
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            AccountState::Failing => "failing",
            AccountState::Blocked => "blocked",
            AccountState::Waiting => "waiting",
            AccountState::Ok => "ok",
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
    pub(super) fn add(&mut self, state: AccountState) {
        match state {
            AccountState::Failing => self.failing += 1,
            AccountState::Blocked => self.blocked += 1,
            AccountState::Waiting => self.waiting += 1,
            AccountState::Ok => self.ok += 1,
        }
    }

    /// Every state with its count, in the order of the page.
    pub(super) fn all(self) -> [(AccountState, usize); 4] {
        [
            (AccountState::Failing, self.failing),
            (AccountState::Blocked, self.blocked),
            (AccountState::Waiting, self.waiting),
            (AccountState::Ok, self.ok),
        ]
    }

    pub(super) fn sum(self) -> usize {
        self.all().into_iter().map(|(_, count)| count).sum()
    }
}
