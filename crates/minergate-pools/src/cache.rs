//! A cache of upstream answers. For one key, such as a wallet's address, only one request is in flight at a time.

use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, Mutex as SyncMutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use minergate::api::{Error, Result};
use tokio::sync::Mutex;
use tokio::time::Instant;

/// Answers by key and path.
pub(crate) struct Cache<T> {
    sweep: Duration,
    state: SyncMutex<CacheState<T>>,
}

struct CacheState<T> {
    slots: HashMap<String, Slot<T>>,
    /// When old answers were last dropped.
    swept: Instant,
}

/// The answers of one key. The lock is held during a request, so that a caller that waited for the lock finds the answer.
type Slot<T> = Arc<Mutex<Vec<StoredResult<T>>>>;

struct StoredResult<T> {
    path: String,
    result: Result<Arc<T>>,
    ended: Instant,
    max_age: Duration,
    time: SystemTime,
}

impl<T> StoredResult<T> {
    fn is_young(&self) -> bool {
        self.ended.elapsed() < self.max_age
    }
}

/// How long results are reused.
#[derive(Clone, Copy)]
pub(crate) struct Lifetimes {
    pub(crate) answers: Duration,
    /// 0 keeps no errors. A permanent error ([`Error::stays`]) is always kept as long as an answer.
    pub(crate) errors: Duration,
}

/// The result for a path.
pub(crate) struct CachedResult<T> {
    pub(crate) result: Result<Arc<T>>,
    /// When the answer came.
    pub(crate) time: SystemTime,
}

impl<T> Cache<T> {
    /// A cache that drops expired answers at this interval.
    pub(crate) fn new(sweep: Duration) -> Cache<T> {
        Cache { sweep, state: SyncMutex::new(CacheState { slots: HashMap::new(), swept: Instant::now() }) }
    }

    /// The result for a path: a stored one, one that another caller requested during this call's wait, or else the result of `ask`.
    ///
    /// If a caller is cancelled during its request, the next waiting caller sends one.
    pub(crate) async fn get(
        &self,
        key: &str,
        path: &str,
        keep: Lifetimes,
        ask: impl Future<Output = Result<T>>,
    ) -> CachedResult<T> {
        let began = Instant::now();
        let slot = self.slot(key);
        let mut kept = slot.lock().await;
        if let Some(kept) = kept.iter().find(|kept| kept.path == path) {
            let is_kept = (kept.result.is_ok() || !keep.errors.is_zero()) && kept.is_young();
            if kept.ended > began || is_kept {
                return CachedResult { result: kept.result.clone(), time: kept.time };
            }
        }
        let result = ask.await.map(Arc::new);
        kept.retain(|kept| kept.path != path && kept.is_young());
        let (ended, time) = (Instant::now(), SystemTime::now());
        // A pause can be too long for this call's deadline but short enough for another call.
        if !matches!(result, Err(Error::Paused { .. })) {
            let is_lasting = result.as_ref().err().is_none_or(Error::stays);
            let max_age = if is_lasting { keep.answers } else { keep.errors };
            kept.push(StoredResult { path: path.to_owned(), result: result.clone(), ended, max_age, time });
        }
        CachedResult { result, time }
    }

    fn slot(&self, key: &str) -> Slot<T> {
        let mut state = self.state();
        if state.swept.elapsed() >= self.sweep {
            state.swept = Instant::now();
            state.slots.retain(|_, slot| {
                // A locked slot is in use.
                Arc::strong_count(slot) > 1 || slot.try_lock().is_ok_and(|kept| kept.iter().any(StoredResult::is_young))
            });
        }
        state.slots.entry(key.to_owned()).or_default().clone()
    }

    fn state(&self) -> MutexGuard<'_, CacheState<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    const AGE: Duration = Duration::from_secs(30);
    const SECOND: Duration = Duration::from_secs(1);
    const ANSWERS: Lifetimes = Lifetimes { answers: AGE, errors: Duration::ZERO };
    const ALL: Lifetimes = Lifetimes { answers: AGE, errors: SECOND };

    /// Takes a second, and counts how often it is asked.
    async fn ask(asked: &Cell<u32>, result: Result<u32>) -> Result<u32> {
        asked.set(asked.get() + 1);
        tokio::time::sleep(SECOND).await;
        result
    }

    #[tokio::test(start_paused = true)]
    async fn callers_that_wait_share_the_answer_and_later_ones_get_it_within_its_age() {
        let (cache, asked) = (Cache::new(AGE), Cell::new(0));
        let get = |key, path| cache.get(key, path, ANSWERS, ask(&asked, Ok(7)));
        let (first, second, other) = tokio::join!(get("a", "/x"), get("a", "/x"), get("a", "/y"));
        assert_eq!((*first.result.unwrap(), *second.result.unwrap(), *other.result.unwrap()), (7, 7, 7));
        assert_eq!(asked.get(), 2);
        get("a", "/x").await;
        assert_eq!(asked.get(), 2, "young enough");
        get("b", "/x").await;
        assert_eq!(asked.get(), 3, "another wallet");
        tokio::time::sleep(AGE).await;
        get("a", "/x").await;
        assert_eq!(asked.get(), 4, "too old");
    }

    #[tokio::test(start_paused = true)]
    async fn one_key_has_one_request_in_flight() {
        let (cache, asked) = (Cache::new(AGE), Cell::new(0));
        let start = Instant::now();
        let get = |key, path| cache.get(key, path, ANSWERS, ask(&asked, Ok(7)));
        tokio::join!(get("a", "/x"), get("a", "/y"), get("b", "/x"));
        assert_eq!(start.elapsed(), 2 * SECOND);
    }

    #[tokio::test(start_paused = true)]
    async fn an_error_is_shared_only_with_callers_that_waited() {
        let (cache, asked) = (Cache::new(AGE), Cell::new(0));
        let get = |keep| cache.get("a", "/x", keep, ask(&asked, Err(Error::Timeout)));
        let (first, second) = tokio::join!(get(ANSWERS), get(ANSWERS));
        assert_eq!((first.result.err(), second.result.err(), asked.get()), (Some(Error::Timeout), Some(Error::Timeout), 1));
        get(ANSWERS).await;
        assert_eq!(asked.get(), 2);
        get(ALL).await;
        assert_eq!(asked.get(), 3, "the error before was not kept");
        get(ALL).await;
        assert_eq!(asked.get(), 3, "kept errors are accepted here");
        get(ANSWERS).await;
        assert_eq!(asked.get(), 4);
        tokio::time::sleep(SECOND).await;
        get(ALL).await;
        assert_eq!(asked.get(), 5, "too old");
    }

    #[tokio::test(start_paused = true)]
    async fn a_permanent_error_is_kept_as_long_as_an_answer() {
        let (cache, asked) = (Cache::new(AGE), Cell::new(0));
        let get = || cache.get("a", "/x", ALL, ask(&asked, Err(Error::NotFound)));
        for seconds in [0, 5, 20, 5, 20] {
            tokio::time::sleep(seconds * SECOND).await;
            get().await;
        }
        assert_eq!(asked.get(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_is_not_shared() {
        let (cache, asked) = (Cache::new(AGE), Cell::new(0));
        let until = Instant::now();
        let get = || cache.get("a", "/x", ALL, ask(&asked, Err(Error::Paused { until })));
        tokio::join!(get(), get());
        assert_eq!(asked.get(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn the_next_caller_asks_when_the_first_is_cancelled() {
        let (cache, asked) = (Cache::new(AGE), Cell::new(0));
        let get = || cache.get("a", "/x", ANSWERS, ask(&asked, Ok(7)));
        let (cancelled, second) = tokio::join!(tokio::time::timeout(SECOND / 2, get()), get());
        assert!(cancelled.is_err());
        assert_eq!((*second.result.unwrap(), asked.get()), (7, 2));
    }

    #[tokio::test(start_paused = true)]
    async fn unused_wallets_take_no_memory() {
        let (cache, asked) = (Cache::new(AGE), Cell::new(0));
        for wallet in 0..1000 {
            cache.get(&wallet.to_string(), "/x", ANSWERS, ask(&asked, Ok(7))).await;
            assert!(cache.state().slots.len() <= 61);
        }
        cache.get("a", "/y", ANSWERS, ask(&asked, Ok(7))).await;
        tokio::time::sleep(AGE).await;
        cache.get("a", "/x", ANSWERS, ask(&asked, Ok(7))).await;
        assert_eq!(cache.state().slots.len(), 1);
        let slot = cache.slot("a");
        let kept = slot.lock().await;
        assert_eq!(kept.iter().map(|kept| kept.path.as_str()).collect::<Vec<_>>(), ["/x"]);
    }
}
