//! One limit for the whole host: how many requests a second, and how many at once.
//!
//! First come, first served, on tokio's clock. A general rate limiter has a clock of its own and wakes its waiters in no
//! order, so that under load the same few loops would starve.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::{Instant, sleep_until};

pub(super) struct Limiter {
    period: Duration,
    /// How far the schedule may run behind the clock, so that a pause is made up for by a burst of one second's worth.
    burst: Duration,
    /// When the next request may be sent by the schedule.
    next: Mutex<Instant>,
    slots: Semaphore,
}

impl Limiter {
    pub(super) fn new(requests_per_second: f64, concurrency: usize) -> Limiter {
        let period = Duration::from_secs_f64(1.0 / requests_per_second);
        let burst = Duration::from_secs(1).saturating_sub(period);
        Limiter { period, burst, next: Mutex::new(Instant::now()), slots: Semaphore::new(concurrency) }
    }

    /// Waits for a turn; the slot is free again when the permit is dropped.
    pub(super) async fn acquire(&self) -> Option<SemaphorePermit<'_>> {
        // The semaphore is never closed; without a permit the rate would still hold.
        let permit = self.slots.acquire().await.ok();
        sleep_until(self.turn()).await;
        permit
    }

    fn turn(&self) -> Instant {
        let now = Instant::now();
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let scheduled = (*next).max(now);
        *next = scheduled + self.period;
        scheduled.checked_sub(self.burst).map_or(now, |turn| turn.max(now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_burst_of_a_second_then_the_rate() {
        let limiter = Limiter::new(5.0, 100);
        let start = Instant::now();
        for _ in 0..25 {
            drop(limiter.acquire().await);
        }
        // 5 at once, 20 at 5 a second.
        assert_eq!(start.elapsed().as_millis(), 4000);
    }

    #[tokio::test(start_paused = true)]
    async fn less_than_one_a_second() {
        let limiter = Limiter::new(0.1, 1);
        let start = Instant::now();
        for _ in 0..3 {
            drop(limiter.acquire().await);
        }
        assert_eq!(start.elapsed().as_secs(), 20);
    }

    #[tokio::test(start_paused = true)]
    async fn no_more_at_once_than_allowed() {
        let limiter = Limiter::new(1000.0, 2);
        let first = limiter.acquire().await;
        let _second = limiter.acquire().await;
        let third = tokio::time::timeout(Duration::from_secs(60), limiter.acquire()).await;
        assert!(third.is_err());
        drop(first);
        assert!(limiter.acquire().await.is_some());
    }
}
