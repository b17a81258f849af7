//! The health of all accounts, networks and the pool, and its samples in `/metrics`.

use std::collections::{BTreeMap, BTreeSet};
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use minergate::metric::{Context, Samples};
use minergate_pools::Pool;
use tokio::time::Instant;

use super::subject::{LoopHealth, SubjectHealth, loop_name};
use super::table::SUBJECT_METRICS;
use crate::blocks::Blocks;
use crate::store::Key;
use crate::subject::Subject;

/// The health of all subjects.
#[derive(Default)]
pub struct Subjects(Mutex<SubjectsState>);

struct SubjectsState {
    by_subject: BTreeMap<Subject, SubjectHealth>,
    samples: Arc<Blocks>,
    /// Subjects whose samples are not up to date. A scrape updates them, because an account is polled several times
    /// between two scrapes.
    changed: BTreeSet<Subject>,
}

impl Default for SubjectsState {
    fn default() -> Self {
        // Subjects without an account have an empty `account` label.
        let samples = Blocks::new(
            |subject| Some(("account", subject.labels().0)),
            SUBJECT_METRICS.iter().map(|metric| &metric.family),
            None,
        );
        SubjectsState { by_subject: BTreeMap::new(), samples: Arc::new(samples), changed: BTreeSet::new() }
    }
}

impl Subjects {
    /// The samples of every subject's health.
    pub fn samples(&self) -> Arc<Blocks> {
        let mut state = self.state();
        state.show();
        state.samples.clone()
    }

    /// Calls a function with the health of every subject, in order.
    pub fn for_each(&self, read: impl FnMut(&SubjectHealth)) {
        self.state().by_subject.values().for_each(read);
    }

    /// Whether there is an account with this name.
    pub fn has_account(&self, name: &str) -> bool {
        self.state().by_subject.contains_key(&Subject::Account(name.into()))
    }

    /// The accounts' names, in order.
    pub fn account_names(&self) -> Vec<Arc<str>> {
        self.state().by_subject.keys().filter_map(Subject::account).cloned().collect()
    }

    /// Whether every account was polled at least once, with any result.
    pub fn is_ready(&self) -> bool {
        let state = self.state();
        let mut accounts = state.by_subject.values().filter(|health| health.subject.account().is_some());
        accounts.all(|account| account.loops.is_empty() || account.loops.values().any(|l| l.tried))
    }

    /// Announces an account, so that its metrics exist before its first poll.
    pub fn expect_account(&self, name: &Arc<str>) {
        self.state().expect(&Subject::Account(name.clone()));
    }

    /// Forgets an account that is no longer polled.
    pub fn forget_account(&self, name: &Arc<str>) {
        let (mut state, subject) = (self.state(), Subject::Account(name.clone()));
        state.by_subject.remove(&subject);
        state.changed.insert(subject);
    }

    /// Forgets the login state of an account whose secrets have changed.
    pub fn forget_login(&self, name: &str) {
        self.change_account(name, |account| (account.blocked, account.token_since) = (None, None));
    }

    /// Announces a loop, which polls this pool, or the API.
    pub fn expect_loop(&self, key: &Key, interval: Duration, pool: Option<Arc<Pool>>) {
        let mut state = self.state();
        let subject = key.subject.whole();
        let loops = &mut state.expect(&subject).loops;
        let before = loops.len();
        let l = loops.entry(loop_name(key)).or_default();
        (l.interval, l.pool) = (interval, pool);
        // A loop that a reload keeps has the same samples as before.
        if loops.len() > before {
            state.changed.insert(subject);
        }
    }

    /// Forgets a loop that has ended. With its last loop, a subject is removed that was not announced separately.
    pub fn forget_loop(&self, key: &Key) {
        let (mut state, subject) = (self.state(), key.subject.whole());
        let Some(health) = state.by_subject.get_mut(&subject) else { return };
        health.loops.remove(&loop_name(key));
        if health.loops.is_empty() && subject.account().is_none() {
            state.by_subject.remove(&subject);
        }
        state.changed.insert(subject);
    }

    /// The time of the next poll of each loop, and its interval.
    pub(super) fn planned(&self) -> Vec<(Instant, Duration)> {
        let state = self.state();
        let loops = state.by_subject.values().flat_map(|health| health.loops.values());
        loops.filter_map(|l| Some((l.next?, l.interval))).collect()
    }

    /// Records when a loop polls next. `/metrics` does not contain this, so the samples do not change.
    pub(super) fn next_poll(&self, key: &Key, at: Instant, late: Option<&'static str>) {
        if let Some(l) = self.state().find(key) {
            l.next = Some(at);
            if let Some(failing) = &mut l.failing {
                failing.late = late;
            }
        }
    }

    /// Changes a loop's health, if it exists.
    pub(super) fn change_loop(&self, key: &Key, change: impl FnOnce(&mut LoopHealth)) {
        let mut state = self.state();
        state.find(key).map(change);
        state.changed.insert(key.subject.whole());
        state.show();
    }

    /// Changes an account's health. An account that was removed is not added again by a request that was still in flight.
    pub(super) fn change_account(&self, name: &str, change: impl FnOnce(&mut SubjectHealth)) {
        let (mut state, subject) = (self.state(), Subject::Account(name.into()));
        state.by_subject.get_mut(&subject).map(change);
        state.changed.insert(subject);
    }

    fn state(&self) -> MutexGuard<'_, SubjectsState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SubjectsState {
    /// The health of a subject, created if necessary.
    fn expect(&mut self, subject: &Subject) -> &mut SubjectHealth {
        self.by_subject.entry(subject.clone()).or_insert_with(|| {
            self.changed.insert(subject.clone());
            SubjectHealth::new(subject.clone())
        })
    }

    fn find(&mut self, key: &Key) -> Option<&mut LoopHealth> {
        self.by_subject.get_mut(&key.subject.whole())?.loops.get_mut(&loop_name(key))
    }

    /// Updates the samples of changed subjects.
    fn show(&mut self) {
        let request = Context::default();
        let samples = Arc::make_mut(&mut self.samples);
        for subject in mem::take(&mut self.changed) {
            match self.by_subject.get(&subject) {
                Some(health) => samples.put(&subject, Samples::read(SUBJECT_METRICS, health, &request), None),
                None => samples.remove(&subject),
            }
        }
    }
}
