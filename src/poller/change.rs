//! How the poller applies a new plan: which loops begin, continue and end.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::mem;
use std::sync::Arc;
use std::time::Duration;

use minergate::api::Account;
use minergate::endpoints::{ENDPOINTS, Endpoint, Scope};
use tokio::time::Instant;

use super::backoff::Backoff;
use super::{HostName, LoopState, PollLoop, Poller, RunningLoop, Source, Update, host};
use crate::store::Key;

impl<S: Source> Poller<S> {
    /// Applies a new plan. Loops that are the same in both plans continue.
    pub(super) fn change(&mut self, (source, plan): Update<S>) {
        if !Arc::ptr_eq(&source, &self.source) {
            // Only the API's client has changed. Loops at pools continue.
            for (poll_loop, running) in self.loops.iter_mut().filter(|(poll_loop, _)| poll_loop.target.pool().is_none()) {
                mem::replace(&mut running.state, LoopState::Outdated).cancel(poll_loop, &mut self.due);
            }
        }
        let accounts: HashMap<&str, &Arc<Account>> = plan.accounts.iter().map(|(a, _)| (&**a.name(), a)).collect();
        for (before, _) in &self.plan.accounts {
            match accounts.get(&**before.name()) {
                Some(account) if Arc::ptr_eq(account, before) => {}
                Some(_) => self.health.subjects.forget_login(before.name()),
                // It was removed, or it has wallets now and no longer logs in.
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
        self.currency_use.retain(|key| kept.contains(key));
        self.start_networks();
    }

    /// Announces everything that will be polled, so that the metrics about it exist before the first poll.
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
        self.plan.loops().for_each(|l| self.health.subjects.expect_loop(&l.key, l.plan.interval, l.target.pool().cloned()));
    }

    /// Starts and ends networks' loops when the currencies in use change, unless the networks are configured.
    pub(super) fn start_networks(&mut self) {
        if self.plan.currencies.is_none() {
            let networks = self.plan.networks(self.currency_use.currencies());
            self.reconcile(networks.into_iter(), |endpoint| endpoint.scope == Scope::Network);
        }
    }

    /// Among the loops of some endpoints: starts the wanted ones that do not run, and ends the others.
    pub(super) fn reconcile(&mut self, wanted: impl Iterator<Item = PollLoop>, of: impl Fn(&Endpoint) -> bool) {
        let mut unwanted: BTreeSet<Arc<PollLoop>> = self.loops.keys().filter(|l| of(l.plan.endpoint)).cloned().collect();
        // A host allows a burst of requests at once. Loops beyond the burst begin later: in the limiter's queue, they would be before the
        // second polls of more important loops.
        let now = Instant::now();
        let mut queues: BTreeMap<HostName, (Instant, f64)> = BTreeMap::new();
        for l in wanted {
            unwanted.remove(&l);
            let running = self.loops.get_key_value(&l);
            if running.is_some_and(|(before, running)| before.is(&l) && !matches!(running.state, LoopState::Outdated)) {
                continue;
            }
            let (requests_per_second, burst) = self.limits(&l);
            let (begin, burst) = queues.entry(host(&l)).or_insert((now, burst));
            let at = *begin;
            *burst -= 1.0;
            // One nanosecond keeps the order of loops that begin together.
            let between = if *burst < 1.0 { 1.0 / requests_per_second } else { 1e-9 };
            *begin += Duration::from_secs_f64(between);
            self.begin(l, at);
        }
        for l in unwanted {
            self.end(&l);
        }
    }

    /// After a reload, loops that were held back poll again at once, because the cause may be gone.
    fn end_backoff(&mut self) {
        let now = Instant::now();
        for (poll_loop, running) in &mut self.loops {
            if running.backoff.end()
                && let LoopState::Waits { until } = &mut running.state
            {
                self.due.remove(&(*until, poll_loop.clone()));
                *until = now;
                self.due.insert((now, poll_loop.clone()));
                self.health.next_poll(&poll_loop.key, now, None);
            }
        }
    }

    /// Starts a loop. The values of an earlier loop with the same key are kept if it had the same host and wallet.
    fn begin(&mut self, poll_loop: PollLoop, begin: Instant) {
        if let Some(before) = self.stop(&poll_loop)
            && !poll_loop.target.has_same_source(&before.target)
        {
            self.forget(&before);
        }
        self.health.subjects.expect_loop(&poll_loop.key, poll_loop.plan.interval, poll_loop.target.pool().cloned());
        self.health.next_poll(&poll_loop.key, begin, None);
        let poll_loop = Arc::new(poll_loop);
        self.due.insert((begin, poll_loop.clone()));
        self.loops.insert(poll_loop, RunningLoop { state: LoopState::Waits { until: begin }, backoff: Backoff::default() });
    }

    /// Ends a loop and removes its values.
    fn end(&mut self, poll_loop: &PollLoop) {
        self.stop(poll_loop);
        self.forget(poll_loop);
    }

    /// Removes a loop's values, health and log state.
    fn forget(&mut self, poll_loop: &PollLoop) {
        self.store.remove(&poll_loop.key);
        self.health.forget_loop(&poll_loop.key);
        if let Some(journal) = self.journals.get_mut(&host(poll_loop)) {
            journal.forget(&poll_loop.key);
        }
    }

    /// Stops the loop with the same key, and returns it.
    pub(super) fn stop(&mut self, poll_loop: &PollLoop) -> Option<Arc<PollLoop>> {
        let (poll_loop, running) = self.loops.remove_entry(poll_loop)?;
        running.state.cancel(&poll_loop, &mut self.due);
        Some(poll_loop)
    }
}
