//! How the poller changes to another plan: which loops begin, which go on and which end.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::mem;
use std::sync::Arc;
use std::time::Duration;

use minergate::api::Account;
use minergate::endpoints::{ENDPOINTS, Endpoint, Scope};
use tokio::time::Instant;

use super::backoff::Backoff;
use super::{Host, Loop, Poller, Running, Source, State, Update, host};
use crate::store::Key;

impl<S: Source> Poller<S> {
    /// Changes to another plan. Loops that are the same in both go on.
    pub(super) fn change(&mut self, (source, plan): Update<S>) {
        if !Arc::ptr_eq(&source, &self.source) {
            // Only the API has another client: loops at pools go on.
            for (what, running) in self.loops.iter_mut().filter(|(what, _)| what.target.pool().is_none()) {
                mem::replace(&mut running.state, State::Outdated).halt(what, &mut self.due);
            }
        }
        let accounts: HashMap<&str, &Arc<Account>> = plan.accounts.iter().map(|(a, _)| (&**a.name(), a)).collect();
        for (before, _) in &self.plan.accounts {
            match accounts.get(&**before.name()) {
                Some(account) if Arc::ptr_eq(account, before) => {}
                Some(_) => self.health.subjects.forget_login(before.name()),
                // It is gone, or it has wallets now and does not log in any more.
                None => self.health.subjects.forget_account(before.name()),
            }
        }
        for gone in self.plan.account_names().difference(&plan.account_names()) {
            self.health.subjects.forget_account(gone);
        }
        let plan = Arc::new(plan);
        (self.source, self.plan) = (source, plan.clone());
        self.announce();
        self.end_backoff();
        let configured_networks = plan.currencies.is_some();
        self.reconcile(plan.loops(), |endpoint| endpoint.scope != Scope::Network || configured_networks);
        let kept: BTreeSet<&Key> = self.loops.keys().map(|l| &l.key).collect();
        self.uses.retain(|key| kept.contains(key));
        self.start_networks();
    }

    /// Announces all that will be polled, so that the metrics about it exist before the first poll.
    pub(super) fn announce(&self) {
        self.plan.account_names().iter().for_each(|name| self.health.subjects.expect_account(name));
        if self.plan.api {
            self.health.metrics.expect_host(None);
        }
        for pool in self.plan.all_pools() {
            self.health.metrics.expect_host(Some(&pool));
        }
        for endpoint in ENDPOINTS {
            match self.plan.intervals.get(endpoint) {
                Some(interval) => self.health.metrics.expect_endpoint(endpoint.name, interval),
                None => self.health.metrics.forget_endpoint(endpoint.name),
            }
        }
        self.plan.loops().for_each(|l| self.health.subjects.expect_loop(&l.key, l.plan.interval, host(&l)));
    }

    /// Begins and ends networks' loops with the currencies in use, unless the networks are configured.
    pub(super) fn start_networks(&mut self) {
        if self.plan.currencies.is_none() {
            let networks = self.plan.networks(self.uses.currencies());
            self.reconcile(networks.into_iter(), |endpoint| endpoint.scope == Scope::Network);
        }
    }

    /// Of the loops of some endpoints, begins those that are wanted and do not run, and ends those that are not.
    pub(super) fn reconcile(&mut self, wanted: impl Iterator<Item = Loop>, of: impl Fn(&Endpoint) -> bool) {
        let mut unwanted: BTreeSet<Arc<Loop>> = self.loops.keys().filter(|l| of(l.plan.endpoint)).cloned().collect();
        // A host takes a burst of requests at once. Loops beyond the burst begin later: in the limiter's queue they would stand before the
        // second polls of more important loops.
        let now = Instant::now();
        let mut queues: BTreeMap<Host, (Instant, f64)> = BTreeMap::new();
        for l in wanted {
            unwanted.remove(&l);
            let running = self.loops.get_key_value(&l);
            if running.is_some_and(|(before, running)| before.is(&l) && !matches!(running.state, State::Outdated)) {
                continue;
            }
            let (requests_per_second, burst) = self.limits(&l);
            let (begin, burst) = queues.entry(host(&l)).or_insert((now, burst));
            let at = *begin;
            *burst -= 1.0;
            // A nanosecond keeps the order of loops that begin together.
            let between = if *burst < 1.0 { 1.0 / requests_per_second } else { 1e-9 };
            *begin += Duration::from_secs_f64(between);
            self.begin(l, at);
        }
        for l in unwanted {
            self.end(&l);
        }
    }

    /// After a reload, loops that were held back poll again at once: somebody may have seen to what was wrong.
    fn end_backoff(&mut self) {
        let now = Instant::now();
        for (what, running) in &mut self.loops {
            if running.backoff.end()
                && let State::Waits { until } = &mut running.state
            {
                self.due.remove(&(*until, what.clone()));
                *until = now;
                self.due.insert((now, what.clone()));
                self.health.next_poll(&what.key, now, None);
            }
        }
    }

    /// Starts a loop. Values of an earlier loop with the same key stay if they are of the same host and wallet.
    fn begin(&mut self, what: Loop, begin: Instant) {
        if let Some(before) = self.stop(&what)
            && !what.target.continues(&before.target)
        {
            self.forget(&before);
        }
        self.health.subjects.expect_loop(&what.key, what.plan.interval, host(&what));
        self.health.next_poll(&what.key, begin, None);
        let what = Arc::new(what);
        self.due.insert((begin, what.clone()));
        self.loops.insert(what, Running { state: State::Waits { until: begin }, backoff: Backoff::default() });
    }

    /// Ends a loop and removes its values.
    fn end(&mut self, what: &Loop) {
        self.stop(what);
        self.forget(what);
    }

    /// Removes the values, the health and the log's memory of a loop.
    fn forget(&mut self, what: &Loop) {
        self.store.remove(&what.key);
        self.health.forget_loop(&what.key);
        if let Some(journal) = self.journals.get_mut(&host(what)) {
            journal.forget(&what.key);
        }
    }

    /// Stops the loop of that key, and returns it.
    pub(super) fn stop(&mut self, what: &Loop) -> Option<Arc<Loop>> {
        let (what, running) = self.loops.remove_entry(what)?;
        running.state.halt(&what, &mut self.due);
        Some(what)
    }
}
