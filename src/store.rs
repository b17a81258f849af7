//! The last good samples of every loop. They are replaced at each success, and removed when they are stale.

mod totals;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use tokio::time::Instant;

pub use self::totals::Correction;
use self::totals::Totals;
use crate::blocks::{Blocks, Change, ScopeLabel};
use crate::clock;
use crate::subject::Subject;
use minergate::currency;
use minergate::endpoints::{ENDPOINTS, Endpoint, Scope};
use minergate::metric::Samples;

/// Maximum number of currencies for which one account (or the pool) can have samples. It limits a server that makes up currencies.
pub const CURRENCY_CAP: usize = 64;

/// Identifies a loop.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    pub subject: Subject,
    pub endpoint: &'static str,
}

pub struct Store {
    /// The counters' values beyond those that are shown. Locked during each change of samples, so that changes are sequential, each
    /// prepared from the state after the one before.
    totals: Mutex<AllTotals>,
    shown: RwLock<StoreState>,
    /// How long the machine has been suspended since it started.
    slept: fn() -> Duration,
}

/// What is shown. Nothing is compressed while it is locked for writing, because every scrape would wait.
struct StoreState {
    /// The samples of each loop until they are stale, by endpoint.
    samples: BTreeMap<&'static str, Arc<Blocks>>,
    /// No samples become stale before this time.
    next_end: Option<Instant>,
}

type AllTotals = BTreeMap<Key, Totals>;

impl Default for Store {
    fn default() -> Self {
        let blocks = |endpoint: &'static Endpoint| {
            (endpoint.name, Arc::new(Blocks::new(label(endpoint.scope), endpoint.families(), Some(endpoint.path))))
        };
        let samples = ENDPOINTS.iter().map(blocks).collect();
        Store { totals: Mutex::default(), shown: RwLock::new(StoreState { samples, next_end: None }), slept: clock::slept }
    }
}

/// The label for the subject of an endpoint's samples.
fn label(scope: Scope) -> ScopeLabel {
    match scope {
        Scope::Account => |subject| subject.label(Scope::Account),
        Scope::Pool => |subject| subject.label(Scope::Pool),
        Scope::Network => |subject| subject.label(Scope::Network),
    }
}

/// The result of replacing a loop's samples.
#[derive(Debug, Default)]
pub struct Replacement {
    /// Number of samples left out because of the label rules or the cap.
    pub dropped: u64,
    /// Counters that have fallen and keep their previous value.
    pub corrections: Vec<Correction>,
}

/// The samples of all endpoints, as they are shown now.
pub struct Fresh<'a>(RwLockReadGuard<'a, StoreState>);

impl Fresh<'_> {
    /// The endpoints in the order of their table, each with its samples.
    pub fn iter(&self) -> impl Iterator<Item = (&'static Endpoint, &Blocks)> {
        ENDPOINTS.iter().filter_map(|endpoint| Some((endpoint, &**self.0.samples.get(endpoint.name)?)))
    }

    /// The samples of each endpoint, in the order of their table.
    pub fn all(&self) -> Vec<Arc<Blocks>> {
        ENDPOINTS.iter().filter_map(|endpoint| self.0.samples.get(endpoint.name).cloned()).collect()
    }
}

impl Store {
    /// Replaces the samples of a loop. They can be shown for `lifetime`.
    pub fn replace(&self, key: &Key, samples: Samples, lifetime: Duration) -> Replacement {
        let end = self.now() + lifetime;
        let mut totals = lock(&self.totals);
        let (change, replaced) = self.read().prepare(key, samples, end, &mut totals);
        let mut state = self.write();
        state.next_end = Some(state.next_end.map_or(end, |next| next.min(end)));
        state.apply(key.endpoint, change);
        replaced
    }

    /// Removes the samples of a loop that has ended.
    pub fn remove(&self, key: &Key) {
        let mut totals = lock(&self.totals);
        totals.remove(key);
        let change = self.read().prepare_removal(key);
        self.write().apply(key.endpoint, change);
    }

    /// The samples that are not stale.
    pub fn fresh(&self) -> Fresh<'_> {
        let now = self.now();
        let state = self.read();
        if state.is_fresh(now) {
            return Fresh(state);
        }
        drop(state);
        self.drop_old(now);
        Fresh(self.read())
    }

    fn drop_old(&self, now: Instant) {
        let mut totals = lock(&self.totals);
        let old = self.read().old(now);
        for key in old {
            let state = self.read();
            let (samples, change) = (state.samples(&key).cloned(), state.prepare_removal(&key));
            drop(state);
            self.write().apply(key.endpoint, change);
            if let Some(samples) = samples.filter(|samples| samples.counters().next().is_some()) {
                totals.entry(key).or_default().remember(samples);
            }
        }
        let mut state = self.write();
        state.next_end = state.samples.values().filter_map(|blocks| blocks.next_end()).min();
    }

    /// The clock of timers stops while the machine is suspended, and the wall clock can jump, so the suspended time is added.
    fn now(&self) -> Instant {
        Instant::now() + (self.slept)()
    }

    fn read(&self) -> RwLockReadGuard<'_, StoreState> {
        self.shown.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, StoreState> {
        self.shown.write().unwrap_or_else(PoisonError::into_inner)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl StoreState {
    fn is_fresh(&self, now: Instant) -> bool {
        self.next_end.is_none_or(|end| now < end)
    }

    /// The loops whose samples are stale.
    fn old(&self, now: Instant) -> Vec<Key> {
        let old = |(endpoint, blocks): (&&'static str, &Arc<Blocks>)| {
            blocks.old(now).into_iter().map(|subject| Key { subject, endpoint }).collect::<Vec<_>>()
        };
        self.samples.iter().flat_map(old).collect()
    }

    fn samples(&self, key: &Key) -> Option<&Samples> {
        self.samples.get(key.endpoint)?.get(&key.subject)
    }

    /// Prepares the change for a loop's newest answer.
    fn prepare(
        &self,
        key: &Key,
        mut samples: Samples,
        end: Instant,
        totals: &mut AllTotals,
    ) -> (Option<Change>, Replacement) {
        if let Some(kept) = self.admitted(key, &mut samples) {
            samples.keep_currencies(|currency| kept.contains(currency));
        }
        let corrections = self.hold(key, &mut samples, totals);
        let dropped = samples.dropped;
        let change = self.samples.get(key.endpoint).map(|blocks| blocks.prepare(&key.subject, samples, Some(end)));
        (change, Replacement { dropped, corrections })
    }

    fn prepare_removal(&self, key: &Key) -> Option<Change> {
        self.samples.get(key.endpoint)?.prepare_removal(&key.subject)
    }

    fn apply(&mut self, endpoint: &str, change: Option<Change>) {
        if let (Some(blocks), Some(change)) = (self.samples.get_mut(endpoint), change) {
            Arc::make_mut(blocks).apply(change);
        }
    }

    /// Keeps the previous values of counters that have fallen a little.
    fn hold(&self, key: &Key, samples: &mut Samples, totals: &mut AllTotals) -> Vec<Correction> {
        if samples.counters().next().is_none() {
            return Vec::new();
        }
        let shown = self.samples(key).cloned();
        let mut own = totals.remove(key).unwrap_or_default();
        let corrections = own.hold(shown, samples);
        if !own.is_empty() {
            totals.insert(key.clone(), own);
        }
        corrections
    }

    /// The currencies of a loop's new samples that fit under the cap; `None` if all do. Documented currencies
    /// take precedence, then the order is by name, so that they are the same ones at each poll.
    fn admitted(&self, key: &Key, samples: &mut Samples) -> Option<BTreeSet<String>> {
        let before = self.samples.get(key.endpoint).and_then(|blocks| blocks.get(&key.subject)).map(Samples::layout);
        if before.is_some_and(|before| samples.share_layout(before)) {
            return None;
        }
        let new = samples.layout().currencies();
        if before.is_some_and(|before| new.is_subset(&before.currencies())) {
            return None;
        }
        let beside = self.currencies_beside(key);
        let (old, new): (BTreeSet<&str>, BTreeSet<&str>) = new.into_iter().partition(|&code| beside.contains(code));
        let room = CURRENCY_CAP.saturating_sub(beside.len());
        if new.len() <= room {
            return None;
        }
        let (documented, unknown): (Vec<&str>, Vec<&str>) = new.into_iter().partition(|code| currency::is_documented(code));
        let first = documented.into_iter().chain(unknown).take(room);
        Some(old.into_iter().chain(first).map(str::to_owned).collect())
    }

    /// The currencies in the samples of the subject's other endpoints. For a network, the currency is not a label of its samples.
    fn currencies_beside(&self, key: &Key) -> BTreeSet<&str> {
        let others = self.samples.iter().filter(|(endpoint, _)| **endpoint != key.endpoint);
        others.filter_map(|(_, blocks)| blocks.get(&key.subject)).flat_map(|samples| samples.layout().currencies()).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;
    use crate::text::Format;

    use minergate::endpoints;
    use minergate::metric::Context;

    const MINUTE: Duration = Duration::from_secs(60);

    fn key(account: &str, endpoint: &'static str) -> Key {
        Key { subject: Subject::Account(account.into()), endpoint }
    }

    fn balances(codes: impl Iterator<Item = String>) -> Samples {
        let body: BTreeMap<String, u8> = codes.map(|code| (code, 1)).collect();
        let request = Context::default();
        endpoints::find("balance").unwrap().read(&serde_json::to_vec(&body).unwrap(), &request).unwrap()
    }

    fn put(store: &Store, key: &Key, samples: Samples) -> u64 {
        store.replace(key, samples, MINUTE).dropped
    }

    fn shown(store: &Store, account: &str) -> BTreeSet<String> {
        let fresh = store.fresh();
        let own = fresh.iter().filter_map(|(_, samples)| samples.get(&Subject::Account(account.into())));
        own.flat_map(|samples| samples.layout().currencies()).map(str::to_owned).collect()
    }

    /// Number of samples in the endpoints' first families.
    fn first_samples(fresh: &Fresh<'_>) -> usize {
        let of = |blocks: &Blocks| blocks.entries().map(|entry| entry.samples.values(0).len()).sum::<usize>();
        fresh.iter().map(|(_, blocks)| of(blocks)).sum()
    }

    fn samples(store: &Store) -> usize {
        first_samples(&store.fresh())
    }

    #[tokio::test(start_paused = true)]
    async fn samples_are_shown_until_they_are_stale() {
        let store = Store::default();
        put(&store, &key("a", "balance"), balances(["xmr".to_owned()].into_iter()));
        tokio::time::advance(Duration::from_millis(59_999)).await;
        assert_eq!(samples(&store), 1);
        tokio::time::advance(Duration::from_millis(1)).await;
        assert_eq!(samples(&store), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn samples_become_stale_while_the_machine_is_suspended() {
        static SLEPT: AtomicU64 = AtomicU64::new(1000);
        let slept = || Duration::from_secs(SLEPT.load(Ordering::Relaxed));
        let store = Store { slept, ..Store::default() };
        put(&store, &key("a", "balance"), balances(["xmr".to_owned()].into_iter()));
        SLEPT.store(1059, Ordering::Relaxed);
        assert_eq!(samples(&store), 1);
        SLEPT.store(1060, Ordering::Relaxed);
        assert_eq!(samples(&store), 0);
        put(&store, &key("a", "balance"), balances(["xmr".to_owned()].into_iter()));
        assert_eq!(samples(&store), 1);
    }

    /// A scrape holds the lock for reading. If the store were locked for writing meanwhile, this test would never end.
    #[test]
    fn an_answer_is_compressed_while_a_scrape_reads() {
        let (store, key) = (Store::default(), key("a", "balance"));
        put(&store, &key, balances(["xmr".to_owned()].into_iter()));
        let compressed =
            |fresh: &Fresh<'_>| fresh.iter().map(|(_, samples)| samples.size(Format::Text).compressed).sum::<usize>();
        let scrape = store.fresh();
        let before = compressed(&scrape);
        let two = balances(["xmr".to_owned(), "bcn".to_owned()].into_iter());
        let (change, _) = store.read().prepare(&key, two, Instant::now() + MINUTE, &mut lock(&store.totals));
        assert_eq!((first_samples(&scrape), compressed(&scrape)), (1, before));
        drop(scrape);
        store.write().apply(key.endpoint, change);
        assert_eq!(samples(&store), 2);
        assert!(compressed(&store.fresh()) > before);
    }

    #[test]
    fn answers_at_the_same_time_are_all_shown() {
        let store = Store::default();
        std::thread::scope(|scope| {
            for thread in 0..4 {
                let store = &store;
                scope.spawn(move || {
                    for i in 0..100 {
                        let key = key(&format!("{thread}-{i}"), "balance");
                        put(store, &key, balances(["bcn", "eth", "xmr"].map(str::to_owned).into_iter()));
                        assert!(samples(store) >= 3);
                        if i % 2 == 1 {
                            store.remove(&key);
                        }
                    }
                });
            }
        });
        assert_eq!(samples(&store), 4 * 50 * 3);
    }

    #[tokio::test(start_paused = true)]
    async fn samples_that_the_next_answer_lacks_are_removed() {
        let store = Store::default();
        put(&store, &key("a", "balance"), balances(["xmr".to_owned(), "bcn".to_owned()].into_iter()));
        put(&store, &key("a", "balance"), balances(["bcn".to_owned()].into_iter()));
        assert_eq!(shown(&store, "a"), ["bcn".to_owned()].into());
    }

    #[test]
    fn currencies_beyond_the_cap_are_left_out_and_counted() {
        let store = Store::default();
        let flood = |prefix: &'static str| (0..100).map(move |i| format!("{prefix}{i:03}"));
        // Documented codes are kept although they come last.
        let dropped = put(&store, &key("a", "balance"), balances(flood("a").chain(["xmr".to_owned()])));
        assert_eq!(dropped, 101 - 64);
        assert!(shown(&store, "a").contains("xmr"));
        // Another endpoint of the account adds none; another account does.
        assert_eq!(put(&store, &key("a", "workers"), balances(flood("b"))), 100);
        assert_eq!(shown(&store, "a").len(), CURRENCY_CAP);
        assert_eq!(put(&store, &key("b", "balance"), balances(flood("b"))), 36);
        // A normal answer again has all the room.
        assert_eq!(put(&store, &key("a", "balance"), balances(["new".to_owned()].into_iter())), 0);
        assert_eq!(shown(&store, "a"), ["new".to_owned()].into());
    }
}
