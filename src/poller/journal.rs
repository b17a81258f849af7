//! Logs failed polls: one line when the API or an account goes down and one when it is up again. Single endpoints are only logged if they
//! fail in another way.
//!
//! To distinguish these cases, it takes a short time to see whether other polls fail too and none succeeds. So
//! failures are collected for a moment and then reported together.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use tracing::{info, warn};

use crate::explanation::explanation;
use crate::store::Key;
use minergate::api;

/// How long failures are collected, and the maximum time while it is not clear whether the API is down.
const DELAY: Duration = Duration::from_secs(2);
const LONGEST_DELAY: Duration = Duration::from_secs(5);

/// The API is down if at least this number of loops have failed, of more than one account, and nothing has succeeded since, for [`DELAY`].
const API_LOOPS: usize = 3;

/// An account is down if at least this number of its loops have failed in the same way, and none has succeeded since.
const ACCOUNT_LOOPS: usize = 2;

/// Kinds of errors that always concern a single account.
const OF_ACCOUNT: &[&str] =
    &["wrong_password", "totp_required", "totp_refused", "captcha", "login_blocked", "secret", "wallet_unknown"];

/// Kinds of errors that follow from an earlier one: nothing was sent because of it.
const FOLLOWING: &[&str] = &["paused", "login_blocked", "login_postponed"];

/// The current failures, and what was logged about them.
#[derive(Default)]
pub(super) struct Journal {
    /// The name of the pool that it is about; `None` for the API.
    pool: Option<Arc<str>>,
    failing: BTreeMap<Key, Failure>,
    /// When the API went down, if it is down.
    api_down: Option<Instant>,
    /// When each account that is down went down, and with which kind of error.
    accounts_down: BTreeMap<Arc<str>, (Instant, &'static str)>,
    /// When a poll of each account last succeeded.
    succeeded: BTreeMap<Arc<str>, Instant>,
    /// When any poll last succeeded.
    any_succeeded: Option<Instant>,
    /// When the first of the collected failures happened, and when they will be reported.
    collecting: Option<(Instant, Instant)>,
}

struct Failure {
    kind: &'static str,
    message: String,
    since: Instant,
    /// When it last failed.
    latest: Instant,
    report: Report,
    /// It was logged in its own line, so its end is logged too.
    has_line: bool,
}

/// Where a failure was reported.
#[derive(Clone, Copy, PartialEq)]
enum Report {
    Pending,
    /// In its own line.
    Own,
    /// In the line of its account or of the API.
    Above,
}

impl Journal {
    pub(super) fn new(pool: Option<Arc<str>>) -> Journal {
        Journal { pool, ..Journal::default() }
    }

    /// When [`Journal::report`] must be called.
    pub(super) fn due(&self) -> Option<Instant> {
        self.collecting.map(|(_, due)| due)
    }

    /// Records a failed poll.
    pub(super) fn failed(&mut self, key: &Key, error: &api::Error) {
        let (kind, message, latest) = (error.kind(), explanation(error, self.pool.as_deref()), Instant::now());
        let is_down = |account| self.accounts_down.contains_key(account);
        let is_above = self.api_down.is_some() || key.subject.account().is_some_and(is_down);
        if let Some(failure) = self.failing.get_mut(key) {
            failure.latest = latest;
            let is_news = match failure.report {
                // The cause is reported, and not replaced by an error that follows from it.
                Report::Pending => !FOLLOWING.contains(&kind),
                // The outage that it was reported with has ended, but it still fails.
                Report::Above if !is_above => true,
                Report::Above | Report::Own => failure.kind != kind && !FOLLOWING.contains(&kind),
            };
            if is_news {
                (failure.kind, failure.message, failure.report) = (kind, message, Report::Pending);
                self.collecting.get_or_insert((latest, latest + DELAY));
            }
        } else {
            let failure = Failure { kind, message, since: latest, latest, report: Report::Pending, has_line: false };
            self.failing.insert(key.clone(), failure);
            self.collecting.get_or_insert((latest, latest + DELAY));
        }
    }

    /// Records a successful poll. Only a new answer shows that the host and the account are up. An answer that was stored, or made
    /// without a request, shows nothing.
    pub(super) fn succeeded(&mut self, key: &Key, is_new: bool) {
        if is_new {
            self.answered(key);
        }
        if let Some(failure) = self.failing.remove(key)
            && failure.has_line
        {
            let (endpoint, (account, currency)) = (key.endpoint, key.subject.labels());
            let failed_for = failure.since.elapsed().as_secs_f64();
            info!(%account, endpoint, %currency, failed_for, "poll succeeds again");
        }
    }

    /// The host has answered, and has answered for the key's account if there is one.
    fn answered(&mut self, key: &Key) {
        let now = Instant::now();
        self.any_succeeded = Some(now);
        if let Some(since) = self.api_down.take() {
            let failed_for = since.elapsed().as_secs_f64();
            if let Some(pool) = &self.pool {
                info!(%pool, failed_for, "pool up again");
            } else {
                info!(failed_for, "api up again");
            }
        }
        if let Some(account) = key.subject.account() {
            self.succeeded.insert(account.clone(), now);
            if let Some((since, _)) = self.accounts_down.remove(account) {
                let pool = self.pool.as_deref();
                info!(%account, pool, failed_for = since.elapsed().as_secs_f64(), "account up again");
            }
        }
    }

    /// Forgets a loop that has ended.
    pub(super) fn forget(&mut self, key: &Key) {
        self.failing.remove(key);
        if let Some(account) = key.subject.account()
            && !self.failing.keys().any(|failing| failing.subject == key.subject)
        {
            self.accounts_down.remove(account);
            self.succeeded.remove(account);
        }
        if self.failing.is_empty() {
            self.api_down = None;
        }
    }

    /// Logs the failures that were collected.
    pub(super) fn report(&mut self) {
        let first = self.collecting.take().map(|(first, _)| first);
        if self.api_down.is_none() && self.fails_alike() {
            // A request that was sent before the API went down may have succeeded since.
            match self.any_succeeded.map(|time| time + DELAY).zip(first) {
                Some((due, first)) if due > Instant::now() && due < first + LONGEST_DELAY => {
                    self.collecting = Some((first, due));
                    return;
                }
                Some((due, _)) if due > Instant::now() => {}
                _ => self.report_api(),
            }
        }
        // Failures of pool and networks belong to no account.
        let mut pending: BTreeMap<Option<Arc<str>>, Vec<Key>> = BTreeMap::new();
        for (key, _) in self.failing.iter().filter(|(_, failure)| failure.report == Report::Pending) {
            pending.entry(key.subject.account().cloned()).or_default().push(key.clone());
        }
        for (account, mut keys) in pending {
            if self.api_down.is_some() {
                keys.retain(|key| {
                    let is_own = self.failing.get(key).is_some_and(|failure| OF_ACCOUNT.contains(&failure.kind));
                    if !is_own {
                        self.reported(key, Report::Above);
                    }
                    is_own
                });
            }
            if let Some(account) = account.filter(|_| !keys.is_empty()) {
                self.report_account(&account, &mut keys);
            }
            for key in keys {
                self.report_loop(&key);
            }
        }
    }

    /// Loops that have failed since the last success, for a reason that does not concern a single account.
    fn failed_since_success(&self) -> impl Iterator<Item = (&Key, &Failure)> {
        let since_success = |failure: &Failure| self.any_succeeded.is_none_or(|time| failure.latest >= time);
        let failures = self.failing.iter().filter(move |(_, failure)| since_success(failure));
        failures.filter(|(_, failure)| !OF_ACCOUNT.contains(&failure.kind))
    }

    /// Whether enough loops have failed for the API to be down.
    fn fails_alike(&self) -> bool {
        let mut accounts = self.failed_since_success().map(|(key, _)| key.subject.account());
        let first = accounts.next();
        accounts.any(|account| Some(account) != first) && self.failed_since_success().count() >= API_LOOPS
    }

    fn report_api(&mut self) {
        // The first failure of a sent request is the cause; errors that follow from it are not.
        let sent = self.failed_since_success().map(|(_, failure)| failure).filter(|f| !FOLLOWING.contains(&f.kind));
        if let Some(first) = sent.min_by_key(|failure| failure.since) {
            if let Some(pool) = &self.pool {
                warn!(%pool, kind = first.kind, error = first.message, "pool down");
            } else {
                warn!(kind = first.kind, error = first.message, "api down");
            }
            self.api_down = Some(first.since);
        }
    }

    /// Logs that an account is down, if it is. Keeps only the keys of loops that fail in another way.
    fn report_account(&mut self, account: &Arc<str>, keys: &mut Vec<Key>) {
        if !self.accounts_down.contains_key(account) {
            let succeeded = self.succeeded.get(account);
            let since_success = |failure: &Failure| succeeded.is_none_or(|time| failure.latest >= *time);
            let failing = self
                .failing
                .iter()
                .filter(|(key, failure)| key.subject.account() == Some(account) && since_success(failure));
            let failures: Vec<&Failure> = failing.map(|(_, failure)| failure).collect();
            let sent = failures.iter().filter(|failure| !FOLLOWING.contains(&failure.kind));
            let Some(first) = sent.min_by_key(|failure| failure.since).or(failures.first()) else { return };
            let is_same = |failure: &&&Failure| failure.kind == first.kind || FOLLOWING.contains(&failure.kind);
            let is_of_account = OF_ACCOUNT.contains(&first.kind);
            if !is_of_account && failures.iter().filter(is_same).count() < ACCOUNT_LOOPS {
                return;
            }
            let pool = self.pool.as_deref();
            warn!(%account, pool, kind = first.kind, error = first.message, "account down");
            self.accounts_down.insert(account.clone(), (first.since, first.kind));
        }
        let Some((_, kind)) = self.accounts_down.get(account).copied() else { return };
        keys.retain(|key| {
            let is_same = |failure: &Failure| failure.kind == kind || FOLLOWING.contains(&failure.kind);
            let is_same = self.failing.get(key).is_some_and(is_same);
            if is_same {
                self.reported(key, Report::Above);
            }
            !is_same
        });
    }

    fn report_loop(&mut self, key: &Key) {
        self.reported(key, Report::Own);
        if let Some(failure) = self.failing.get(key) {
            let (endpoint, (account, currency)) = (key.endpoint, key.subject.labels());
            warn!(%account, endpoint, %currency, kind = failure.kind, error = failure.message, "poll failed");
        }
    }

    fn reported(&mut self, key: &Key, report: Report) {
        if let Some(failure) = self.failing.get_mut(key) {
            failure.report = report;
            failure.has_line |= report == Report::Own;
        }
    }
}

#[cfg(test)]
mod tests;
