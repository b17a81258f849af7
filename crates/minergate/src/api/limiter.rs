//! The limits for one host: requests a second, and requests at once.
//!
//! Requests are served in order of arrival, on tokio's clock. A general rate limiter has a clock of its own and wakes waiters in
//! arbitrary order, so that some loops would starve under load. Slots are shared: one account gets only a part of them, and so do all
//! accounts together that did not answer in time recently.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::{Instant, sleep_until};

use super::pause::{Pauses, Target};
use super::{Error, Result};

/// One account gets at most this fraction (a quarter) of the slots, and so do all accounts together that did not answer in time.
const SHARE: usize = 4;

/// Maximum number of saved retries, and how many one request adds.
const RETRIES: (f64, f64) = (10.0, 0.1);

pub(super) struct Limiter {
    period: Duration,
    /// How far the schedule can lag behind the clock. After a pause, a burst of this length is allowed.
    burst: Duration,
    slots: Semaphore,
    /// Slots for accounts that did not answer in time recently.
    doubtful_slots: Semaphore,
    share: usize,
    state: Mutex<LimiterState>,
}

#[derive(Clone)]
struct LimiterState {
    /// When the schedule allows the next request.
    next: Instant,
    pauses: Pauses,
    retries: f64,
}

/// An account's part of the slots.
#[derive(Debug)]
pub struct Lane {
    slots: Semaphore,
    /// The latest request had no answer, or waited long for it.
    doubtful: AtomicBool,
}

impl Lane {
    /// Records how a request ended, and whether it used its slot for long.
    pub(super) fn note(&self, error: Option<&Error>, slow: bool) {
        let unanswered = matches!(error, Some(Error::Timeout | Error::Broken | Error::Connect(_)));
        self.doubtful.store(unanswered || slow, Ordering::Relaxed);
    }
}

/// A slot. It is free again when this is dropped.
pub(super) struct Turn<'a> {
    _permits: [Option<SemaphorePermit<'a>>; 3],
}

impl Limiter {
    pub(super) fn new(requests_per_second: f64, burst: f64, concurrency: usize) -> Limiter {
        let period = Duration::from_secs_f64(1.0 / requests_per_second);
        let burst = period.mul_f64((burst - 1.0).max(0.0));
        let share = (concurrency / SHARE).max(1);
        Limiter {
            period,
            burst,
            slots: Semaphore::new(concurrency),
            doubtful_slots: Semaphore::new(share),
            share,
            state: Mutex::new(LimiterState { next: Instant::now(), pauses: Pauses::default(), retries: RETRIES.0 }),
        }
    }

    /// Takes over the pauses and the schedule of the host's previous limiter.
    pub(super) fn continuing(self, before: &Limiter) -> Limiter {
        Limiter { state: Mutex::new(before.state().clone()), ..self }
    }

    /// A lane for an account of this host.
    pub(super) fn lane(&self) -> Lane {
        Lane { slots: Semaphore::new(self.share), doubtful: AtomicBool::new(false) }
    }

    /// Waits for a turn.
    ///
    /// # Errors
    /// [`Error::Paused`] if the host asked for a pause that ends after the deadline.
    pub(super) async fn acquire<'a>(
        &'a self,
        lane: &'a Lane,
        target: &Target<'_>,
        deadline: Option<Instant>,
    ) -> Result<Turn<'a>> {
        loop {
            // No slot is used while a pause is waited for.
            while let Some(end) = self.in_time(target, deadline)? {
                wait_until(end).await;
            }
            // The semaphores are never closed; without a permit, the rate limit would still apply. All requests acquire them in the same order, from
            // the narrowest to the widest, so that there is no deadlock and no slot is held unused.
            let own = lane.slots.acquire().await.ok();
            let is_doubtful = lane.doubtful.load(Ordering::Relaxed);
            let doubtful = if is_doubtful { self.doubtful_slots.acquire().await.ok() } else { None };
            let slot = self.slots.acquire().await.ok();
            wait_until(self.turn()).await;
            // The host may have asked for a pause during the wait.
            if self.in_time(target, deadline)?.is_none() {
                return Ok(Turn { _permits: [own, doubtful, slot] });
            }
        }
    }

    /// When the pause for a target ends, if there is one. It is an error if it ends after the deadline.
    pub(super) fn in_time(&self, target: &Target<'_>, deadline: Option<Instant>) -> Result<Option<Instant>> {
        match (self.state().pauses.end(target), deadline) {
            (Some(end), Some(deadline)) if deadline <= end => Err(Error::Paused { until: end }),
            (end, _) => Ok(end),
        }
    }

    /// Changes the pauses.
    pub(super) fn pauses<T>(&self, change: impl FnOnce(&mut Pauses) -> T) -> T {
        change(&mut self.state().pauses)
    }

    /// Takes a retry from the budget, if there is one: a tenth of the requests, and ten at once.
    pub(super) fn may_retry(&self) -> bool {
        let mut state = self.state();
        let enough = state.retries >= 1.0;
        state.retries -= f64::from(u8::from(enough));
        enough
    }

    fn turn(&self) -> Instant {
        let now = Instant::now();
        let mut state = self.state();
        state.retries = (state.retries + RETRIES.1).min(RETRIES.0);
        let scheduled = state.next.max(now);
        state.next = scheduled + self.period;
        scheduled.checked_sub(self.burst).map_or(now, |turn| turn.max(now))
    }

    fn state(&self) -> MutexGuard<'_, LimiterState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Waits until a time. A past time returns at once; a timer would be rounded up to the next millisecond.
async fn wait_until(time: Instant) {
    if time > Instant::now() {
        sleep_until(time).await;
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::timeout;

    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);
    const TARGET: Target<'static> = Target { account: "farm", endpoint: "workers", path: "/1.0/workers" };

    #[tokio::test(start_paused = true)]
    async fn a_burst_of_a_second_then_the_rate() {
        let limiter = Limiter::new(5.0, 5.0, 100);
        let start = Instant::now();
        for _ in 0..25 {
            drop(limiter.acquire(&limiter.lane(), &TARGET, None).await);
        }
        // 5 at once, 20 at 5 a second.
        assert_eq!(start.elapsed().as_millis(), 4000);
    }

    #[tokio::test(start_paused = true)]
    async fn less_than_one_a_second() {
        let limiter = Limiter::new(0.1, 0.1, 1);
        let start = Instant::now();
        for _ in 0..3 {
            drop(limiter.acquire(&limiter.lane(), &TARGET, None).await);
        }
        assert_eq!(start.elapsed().as_secs(), 20);
    }

    #[tokio::test(start_paused = true)]
    async fn no_more_at_once_than_allowed() {
        let limiter = Limiter::new(1000.0, 1000.0, 2);
        let lanes = [limiter.lane(), limiter.lane(), limiter.lane()];
        let first = limiter.acquire(&lanes[0], &TARGET, None).await;
        let _second = limiter.acquire(&lanes[1], &TARGET, None).await;
        assert!(timeout(MINUTE, limiter.acquire(&lanes[2], &TARGET, None)).await.is_err());
        drop(first);
        assert!(timeout(MINUTE, limiter.acquire(&lanes[2], &TARGET, None)).await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn one_account_gets_its_share_and_no_more() {
        let limiter = Limiter::new(1000.0, 1000.0, 8);
        let (slow, other) = (limiter.lane(), limiter.lane());
        let _held = [limiter.acquire(&slow, &TARGET, None).await, limiter.acquire(&slow, &TARGET, None).await];
        assert!(timeout(MINUTE, limiter.acquire(&slow, &TARGET, None)).await.is_err());
        assert!(timeout(MINUTE, limiter.acquire(&other, &TARGET, None)).await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn accounts_that_do_not_answer_share_one_part_of_the_slots() {
        let limiter = Limiter::new(1000.0, 1000.0, 8);
        let silent: Vec<Lane> = (0..10).map(|_| limiter.lane()).collect();
        for lane in &silent {
            lane.note(Some(&Error::Timeout), false);
        }
        let _held = [limiter.acquire(&silent[0], &TARGET, None).await, limiter.acquire(&silent[1], &TARGET, None).await];
        assert!(timeout(MINUTE, limiter.acquire(&silent[2], &TARGET, None)).await.is_err());
        assert!(timeout(MINUTE, limiter.acquire(&limiter.lane(), &TARGET, None)).await.is_ok());
        // An answer that came late has the same effect. After an answer in time, the account is no longer limited.
        silent[2].note(None, true);
        assert!(timeout(MINUTE, limiter.acquire(&silent[2], &TARGET, None)).await.is_err());
        silent[2].note(None, false);
        assert!(timeout(MINUTE, limiter.acquire(&silent[2], &TARGET, None)).await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_applies_to_all_requests_and_to_those_already_waiting() {
        let limiter = Limiter::new(1.0, 1.0, 8);
        let start = Instant::now();
        drop(limiter.acquire(&limiter.lane(), &TARGET, None).await);
        let waiting = async {
            drop(limiter.acquire(&limiter.lane(), &TARGET, None).await);
            start.elapsed()
        };
        let pausing = async {
            tokio::time::sleep(Duration::from_millis(500)).await;
            limiter.pauses(|pauses| pauses.pause_host(Duration::from_secs(100)));
        };
        let (waited, ()) = tokio::join!(waiting, pausing);
        assert!(waited >= Duration::from_millis(100_500), "{waited:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_beyond_the_deadline_is_an_error_at_once() {
        let limiter = Limiter::new(1.0, 1.0, 8);
        let lane = limiter.lane();
        let end = limiter.pauses(|pauses| pauses.pause_host(Duration::from_secs(3600)));
        let start = Instant::now();
        let early = limiter.acquire(&lane, &TARGET, Some(start + MINUTE)).await.err();
        assert_eq!((early, start.elapsed()), (Some(Error::Paused { until: end }), Duration::ZERO));
        let deadline = end + MINUTE;
        assert!(limiter.acquire(&lane, &TARGET, Some(deadline)).await.is_ok() && Instant::now() >= end);
    }

    #[tokio::test(start_paused = true)]
    async fn retries_are_a_tenth_of_the_requests() {
        let limiter = Limiter::new(1000.0, 1000.0, 8);
        let mut retries = 0;
        for _ in 0..1000 {
            drop(limiter.acquire(&limiter.lane(), &TARGET, None).await);
            while limiter.may_retry() {
                retries += 1;
            }
        }
        assert!((105..=111).contains(&retries), "{retries}");
    }
}
