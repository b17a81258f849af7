//! The last good rows of every loop: replaced whole at each success, gone when they are too old.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use tokio::time::Instant;

use crate::metric::Rows;
use crate::{clock, currency};

/// Currencies that one account (or the pool) may have series of. A server that makes up more is cut off here.
pub const CURRENCY_CAP: usize = 64;

/// What one loop polls. `account` is empty for pool and network, `currency` for all but a network's status.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    pub account: Arc<str>,
    pub endpoint: &'static str,
    pub currency: Arc<str>,
}

pub struct Store {
    /// One for each loop, with nothing in it before the loop's first answer.
    entries: RwLock<BTreeMap<Key, Option<Entry>>>,
    /// How long the machine has slept since it started.
    slept: fn() -> Duration,
}

struct Entry {
    rows: Arc<Rows>,
    until: Instant,
    slept: Duration,
}

impl Default for Store {
    fn default() -> Self {
        Store { entries: RwLock::default(), slept: clock::slept }
    }
}

impl Store {
    /// Makes room for the rows of a loop.
    pub fn expect(&self, key: &Key) {
        self.entries.write().unwrap_or_else(PoisonError::into_inner).entry(key.clone()).or_default();
    }

    /// Takes the rows of a loop's newest answer, for as long as they may be shown. Returns how many samples were left
    /// out of them, by the label rules or the cap. A loop that has just ended may still bring its last rows: they are not
    /// taken.
    pub fn replace(&self, key: &Key, mut rows: Rows, lifetime: Duration) -> u64 {
        let mut entries = self.entries.write().unwrap_or_else(PoisonError::into_inner);
        let kept = admitted(&rows, &currencies_beside(key, &entries));
        if let Some(kept) = kept {
            rows.keep_currencies(|currency| kept.contains(currency));
        }
        let dropped = rows.dropped;
        if let Some(entry) = entries.get_mut(key) {
            *entry = Some(Entry { rows: Arc::new(rows), until: Instant::now() + lifetime, slept: (self.slept)() });
        }
        dropped
    }

    /// Drops the rows of a loop that has ended.
    pub fn remove(&self, key: &Key) {
        self.entries.write().unwrap_or_else(PoisonError::into_inner).remove(key);
    }

    /// The rows that may still be shown, in order of account, endpoint and currency.
    pub fn fresh(&self) -> Vec<(Key, Arc<Rows>)> {
        // The clock of timers stands still while the machine sleeps, and the wall clock jumps; values grow old all the same.
        let (now, slept) = (Instant::now(), (self.slept)());
        let is_fresh = |entry: &Entry| now + slept.saturating_sub(entry.slept) < entry.until;
        let entries = self.entries.read().unwrap_or_else(PoisonError::into_inner);
        let read = entries.iter().filter_map(|(key, entry)| Some((key, entry.as_ref()?)));
        let fresh = read.filter(|(_, entry)| is_fresh(entry));
        fresh.map(|(key, entry)| (key.clone(), entry.rows.clone())).collect()
    }
}

/// The currencies that the account's other endpoints have series of.
fn currencies_beside(key: &Key, entries: &BTreeMap<Key, Option<Entry>>) -> BTreeSet<String> {
    let first = Key { account: key.account.clone(), endpoint: "", currency: "".into() };
    let account = entries.range(first..).take_while(|(other, _)| other.account == key.account);
    let others = account.filter(|(other, _)| *other != key).filter_map(|(_, entry)| entry.as_ref());
    others.flat_map(|entry| entry.rows.currencies()).map(str::to_owned).collect()
}

/// The currencies of the rows that find room beside those already there; nothing when all do. Documented ones go first,
/// then by name, so that it is the same ones at each poll.
fn admitted(rows: &Rows, beside: &BTreeSet<String>) -> Option<BTreeSet<String>> {
    let (old, new): (BTreeSet<&str>, BTreeSet<&str>) =
        rows.currencies().into_iter().partition(|&code| beside.contains(code));
    let room = CURRENCY_CAP.saturating_sub(beside.len());
    if new.len() <= room {
        return None;
    }
    let (documented, unknown): (Vec<&str>, Vec<&str>) = new.into_iter().partition(|code| currency::is_documented(code));
    let first = documented.into_iter().chain(unknown).take(room);
    Some(old.into_iter().chain(first).map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;
    use crate::currency::Decimals;
    use crate::endpoints;
    use crate::metric::Request;

    const MINUTE: Duration = Duration::from_secs(60);

    fn key(account: &str, endpoint: &'static str) -> Key {
        Key { account: account.into(), endpoint, currency: "".into() }
    }

    fn balances(codes: impl Iterator<Item = String>) -> Rows {
        let body: BTreeMap<String, u8> = codes.map(|code| (code, 1)).collect();
        let request = Request { email: None, decimals: &Decimals::default() };
        endpoints::find("balance").unwrap().read(&serde_json::to_vec(&body).unwrap(), &request).unwrap()
    }

    fn put(store: &Store, key: &Key, rows: Rows) -> u64 {
        store.expect(key);
        store.replace(key, rows, MINUTE)
    }

    fn shown(store: &Store, account: &str) -> BTreeSet<String> {
        let fresh = store.fresh();
        let rows = fresh.iter().filter(|(key, _)| &*key.account == account);
        rows.flat_map(|(_, rows)| rows.currencies()).map(str::to_owned).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn rows_are_shown_until_their_time_and_not_a_moment_longer() {
        let store = Store::default();
        put(&store, &key("a", "balance"), balances(["xmr".to_owned()].into_iter()));
        tokio::time::advance(Duration::from_millis(59_999)).await;
        assert_eq!(store.fresh().len(), 1);
        tokio::time::advance(Duration::from_millis(1)).await;
        assert_eq!(store.fresh().len(), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn rows_grow_old_while_the_machine_sleeps() {
        static SLEPT: AtomicU64 = AtomicU64::new(1000);
        let slept = || Duration::from_secs(SLEPT.load(Ordering::Relaxed));
        let store = Store { slept, ..Store::default() };
        put(&store, &key("a", "balance"), balances(["xmr".to_owned()].into_iter()));
        SLEPT.store(1059, Ordering::Relaxed);
        assert_eq!(store.fresh().len(), 1);
        SLEPT.store(1060, Ordering::Relaxed);
        assert_eq!(store.fresh().len(), 0);
        put(&store, &key("a", "balance"), balances(["xmr".to_owned()].into_iter()));
        assert_eq!(store.fresh().len(), 1);
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

    #[test]
    fn a_loop_that_has_ended_brings_nothing_back() {
        let store = Store::default();
        put(&store, &key("a", "balance"), balances(["xmr".to_owned()].into_iter()));
        store.remove(&key("a", "balance"));
        store.replace(&key("a", "balance"), balances(["xmr".to_owned()].into_iter()), MINUTE);
        assert_eq!(store.fresh().len(), 0);
    }
}
