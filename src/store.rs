//! The last good rows of every loop: replaced whole at each success, gone when they are too old.

mod totals;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use tokio::time::Instant;

pub use self::totals::Correction;
use self::totals::Totals;
use crate::blocks::Blocks;
use crate::clock;
use crate::subject::Subject;
use minergate::currency;
use minergate::endpoints::{ENDPOINTS, Endpoint};
use minergate::metric::Rows;

/// Currencies that one account (or the pool) may have series of. A server that makes up more is cut off here.
pub const CURRENCY_CAP: usize = 64;

/// What one loop polls.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    pub subject: Subject,
    pub endpoint: &'static str,
}

pub struct Store {
    state: RwLock<State>,
    /// How long the machine has slept since it started.
    slept: fn() -> Duration,
}

struct State {
    /// The rows that are shown, by endpoint, each until it is too old.
    rows: BTreeMap<&'static str, Blocks>,
    /// What counters have reached beyond what is shown.
    totals: BTreeMap<Key, Totals>,
    /// No rows are too old before this.
    next_end: Option<Instant>,
}

impl Default for Store {
    fn default() -> Self {
        let blocks = |endpoint: &'static Endpoint| {
            (endpoint.name, Blocks::new(Subject::label, endpoint.families(), Some(endpoint.path)))
        };
        let rows = ENDPOINTS.iter().map(blocks).collect();
        Store { state: RwLock::new(State { rows, totals: BTreeMap::new(), next_end: None }), slept: clock::slept }
    }
}

/// What came of a loop's newest rows.
#[derive(Debug, Default)]
pub struct Replaced {
    /// Samples left out, by the label rules or the cap.
    pub dropped: u64,
    /// Counters that have fallen, and are shown at the value that they had before.
    pub corrections: Vec<Correction>,
}

/// The rows of every endpoint, as they are shown now.
pub struct Fresh<'a>(RwLockReadGuard<'a, State>);

impl Fresh<'_> {
    /// The endpoints in the order of their table, each with its rows.
    pub fn iter(&self) -> impl Iterator<Item = (&'static Endpoint, &Blocks)> {
        ENDPOINTS.iter().filter_map(|endpoint| Some((endpoint, self.0.rows.get(endpoint.name)?)))
    }

    /// Another number after each change.
    pub fn version(&self) -> u64 {
        self.0.rows.values().map(Blocks::version).sum()
    }
}

impl Store {
    /// Takes the rows of a loop's newest answer, for as long as they may be shown.
    pub fn replace(&self, key: &Key, mut rows: Rows, lifetime: Duration) -> Replaced {
        let end = self.now() + lifetime;
        let mut state = self.write();
        if let Some(kept) = state.admitted(key, &mut rows) {
            rows.keep_currencies(|currency| kept.contains(currency));
        }
        let corrections = state.hold(key, &mut rows);
        let dropped = rows.dropped;
        state.next_end = Some(state.next_end.map_or(end, |next| next.min(end)));
        if let Some(blocks) = state.rows.get_mut(key.endpoint) {
            blocks.put(&key.subject, rows, Some(end));
        }
        Replaced { dropped, corrections }
    }

    /// Drops the rows of a loop that has ended.
    pub fn remove(&self, key: &Key) {
        let mut state = self.write();
        if let Some(blocks) = state.rows.get_mut(key.endpoint) {
            blocks.remove(&key.subject);
        }
        state.totals.remove(key);
    }

    /// The rows that may still be shown.
    pub fn fresh(&self) -> Fresh<'_> {
        let now = self.now();
        let state = self.read();
        if state.next_end.is_none_or(|end| now < end) {
            return Fresh(state);
        }
        drop(state);
        self.write().drop_old(now);
        Fresh(self.read())
    }

    /// The clock of timers stands still while the machine sleeps, and the wall clock jumps; values grow old all the same.
    fn now(&self) -> Instant {
        Instant::now() + (self.slept)()
    }

    fn read(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn drop_old(&mut self, now: Instant) {
        for (endpoint, blocks) in &mut self.rows {
            for subject in blocks.old(now) {
                let rows = blocks.get(&subject).filter(|rows| rows.counters().next().is_some());
                blocks.remove(&subject);
                if let Some(rows) = rows {
                    self.totals.entry(Key { subject, endpoint }).or_default().remember(rows);
                }
            }
        }
        self.next_end = self.rows.values().filter_map(Blocks::next_end).min();
    }

    /// Holds the counters of a loop's new rows that have fallen a little.
    fn hold(&mut self, key: &Key, rows: &mut Rows) -> Vec<Correction> {
        if rows.counters().next().is_none() {
            return Vec::new();
        }
        let shown = self.rows.get(key.endpoint).and_then(|blocks| blocks.get(&key.subject));
        let mut totals = self.totals.remove(key).unwrap_or_default();
        let corrections = totals.hold(shown, rows);
        if !totals.is_empty() {
            self.totals.insert(key.clone(), totals);
        }
        corrections
    }

    /// The currencies of a loop's new rows that find room beside those already there; nothing when all do. Documented ones
    /// go first, then by name, so that it is the same ones at each poll.
    fn admitted(&self, key: &Key, rows: &mut Rows) -> Option<BTreeSet<String>> {
        let before = self.rows.get(key.endpoint).and_then(|blocks| blocks.form(&key.subject));
        if before.is_some_and(|before| rows.share(before)) {
            return None;
        }
        let new = rows.form().currencies();
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

    /// The currencies that the subject's other endpoints have series of. A network's own currency is no label of its rows.
    fn currencies_beside(&self, key: &Key) -> BTreeSet<&str> {
        let others = self.rows.iter().filter(|(endpoint, _)| **endpoint != key.endpoint);
        let forms = others.filter_map(|(_, blocks)| blocks.form(&key.subject));
        forms.flat_map(|form| form.currencies()).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;
    use minergate::currency::Decimals;
    use minergate::endpoints;
    use minergate::metric::Context;

    const MINUTE: Duration = Duration::from_secs(60);

    fn key(account: &str, endpoint: &'static str) -> Key {
        Key { subject: Subject::Account(account.into()), endpoint }
    }

    fn balances(codes: impl Iterator<Item = String>) -> Rows {
        let body: BTreeMap<String, u8> = codes.map(|code| (code, 1)).collect();
        let request = Context { email: None, decimals: &Decimals::default() };
        endpoints::find("balance").unwrap().read(&serde_json::to_vec(&body).unwrap(), &request).unwrap()
    }

    fn put(store: &Store, key: &Key, rows: Rows) -> u64 {
        store.replace(key, rows, MINUTE).dropped
    }

    fn shown(store: &Store, account: &str) -> BTreeSet<String> {
        let fresh = store.fresh();
        let forms = fresh.iter().filter_map(|(_, rows)| rows.form(&Subject::Account(account.into())));
        forms.flat_map(|form| form.currencies()).map(str::to_owned).collect()
    }

    fn samples(store: &Store) -> usize {
        store.fresh().iter().map(|(_, rows)| rows.len()).sum()
    }

    #[tokio::test(start_paused = true)]
    async fn rows_are_shown_until_their_time_and_not_a_moment_longer() {
        let store = Store::default();
        put(&store, &key("a", "balance"), balances(["xmr".to_owned()].into_iter()));
        tokio::time::advance(Duration::from_millis(59_999)).await;
        assert_eq!(samples(&store), 1);
        tokio::time::advance(Duration::from_millis(1)).await;
        assert_eq!(samples(&store), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn rows_grow_old_while_the_machine_sleeps() {
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

    #[tokio::test(start_paused = true)]
    async fn what_the_next_answer_lacks_is_gone() {
        let store = Store::default();
        put(&store, &key("a", "balance"), balances(["xmr".to_owned(), "bcn".to_owned()].into_iter()));
        put(&store, &key("a", "balance"), balances(["bcn".to_owned()].into_iter()));
        assert_eq!(shown(&store, "a"), ["bcn".to_owned()].into());
    }

    #[test]
    fn a_flood_of_currencies_is_cut_off_and_counted() {
        let store = Store::default();
        let flood = |prefix: &'static str| (0..100).map(move |i| format!("{prefix}{i:03}"));
        // Documented codes are kept though they stand last.
        let dropped = put(&store, &key("a", "balance"), balances(flood("a").chain(["xmr".to_owned()])));
        assert_eq!(dropped, 101 - 64);
        assert!(shown(&store, "a").contains("xmr"));
        // Another endpoint brings no further ones, another account does.
        assert_eq!(put(&store, &key("a", "workers"), balances(flood("b"))), 100);
        assert_eq!(shown(&store, "a").len(), CURRENCY_CAP);
        assert_eq!(put(&store, &key("b", "balance"), balances(flood("b"))), 36);
        // An answer that is whole again has all the room.
        assert_eq!(put(&store, &key("a", "balance"), balances(["new".to_owned()].into_iter())), 0);
        assert_eq!(shown(&store, "a"), ["new".to_owned()].into());
    }
}
