//! Whether the poller makes progress, for `/-/healthy` and systemd's watchdog.
//!
//! The API can be down, slow, or refuse everything: then polls end with errors, which is progress. The poller has stalled if its thread does
//! not run, or if a poll is due or in progress and no request or poll has ended for a long time. tokio's clock stops while the machine
//! is suspended, so that time does not count.

use std::cell::OnceCell;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use minergate::api::Settings;
use minergate::duration;

/// How often the poller reports that it runs, even if nothing is due.
pub const BEAT: Duration = Duration::from_secs(10);

/// Maximum time for which the poller's thread may not run. None of its own work takes a second.
const BLOCKED: Duration = Duration::from_secs(60);

/// Time that a poll can take in addition to its requests: a login can wait for an unused TOTP code, and for another one if that is rejected.
const PATIENCE: Duration = Duration::from_secs(120);

/// Maximum time without a result: no request takes longer, and at least one is sent in that time.
pub fn patience(timeout: Duration, requests_per_second: f64) -> Duration {
    PATIENCE + timeout + Duration::from_secs_f64(1.0 / requests_per_second)
}

/// How the poller has stalled.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Stall {
    #[error("the poller has not run for {}", duration::print(*.0))]
    Blocked(Duration),
    #[error("no poll has ended for {}, though one is due", duration::print(*.0))]
    NoResult(Duration),
}

/// Whether the poller runs and makes progress.
pub struct Liveness(Mutex<LivenessState>);

struct LivenessState {
    patience: Duration,
    /// When the poller last reported that it runs; `None` before the first time.
    beat: Option<Instant>,
    /// When a request or a poll last ended.
    latest: Instant,
    /// When the first due poll became due, if there is one. Computed once after `latest`, so that a health check takes the same
    /// time with 10,000 loops as with one.
    waits_since: OnceCell<Option<Instant>>,
}

impl Default for Liveness {
    fn default() -> Self {
        let patience = patience(Settings::TIMEOUT, Settings::REQUESTS_PER_SECOND);
        Liveness(Mutex::new(LivenessState { patience, beat: None, latest: Instant::now(), waits_since: OnceCell::new() }))
    }
}

impl Liveness {
    /// Sets the maximum time without a result, usually [`patience`].
    pub fn set_patience(&self, patience: Duration) {
        self.state().patience = patience;
    }

    /// The poller runs. It calls this at least every [`BEAT`].
    pub fn beat(&self) {
        let (mut state, now) = (self.state(), Instant::now());
        // The poller could not make progress while it did not run: a stopped process continues where it was.
        if state.beat.is_none_or(|beat| now - beat > 3 * BEAT) {
            (state.latest, state.waits_since) = (now, OnceCell::new());
        }
        state.beat = Some(now);
    }

    /// A request or a poll has ended, or a loop has begun or ended.
    pub(super) fn progressed(&self) {
        let mut state = self.state();
        (state.latest, state.waits_since) = (Instant::now(), OnceCell::new());
    }

    /// How the poller has stalled, if it has. `loops` are the polls that are due or planned, with time and interval; they are
    /// only used if nothing has ended for a long time.
    pub(super) fn stall<I: Iterator<Item = (Instant, Duration)>>(&self, loops: impl FnOnce() -> I) -> Option<Stall> {
        let state = self.state();
        let LivenessState { patience, beat, latest, .. } = *state;
        let blocked = beat.map_or(Duration::ZERO, |beat| beat.elapsed());
        if blocked > BLOCKED.min(patience) {
            return Some(Stall::Blocked(blocked));
        }
        if latest.elapsed() <= patience {
            return None;
        }
        // A poll may wait for its turn as long as other polls end.
        let waits = |(due, interval): (Instant, Duration)| latest.max(due).checked_add(interval.saturating_mul(3));
        let since = state.waits_since.get_or_init(|| loops().filter_map(waits).min());
        since.map(|since| since.elapsed()).filter(|wait| *wait > patience).map(Stall::NoResult)
    }

    fn state(&self) -> MutexGuard<'_, LivenessState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::iter;

    use tokio::time::advance;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[tokio::test(start_paused = true)]
    async fn a_process_that_was_stopped_is_healthy_once_its_poller_runs_again() {
        let liveness = Liveness::default();
        let begun = Instant::now();
        // A poll that is in progress and does not end.
        let look = || liveness.stall(|| iter::once((begun, SECOND)));
        liveness.beat();
        advance(3600 * SECOND).await;
        assert_eq!(look(), Some(Stall::Blocked(3600 * SECOND)));
        liveness.beat();
        assert_eq!(look(), None);
        for second in 1..=140 {
            advance(SECOND).await;
            liveness.beat();
            // 10 s for the request, 120 s in addition, 0.2 s for its turn, and three intervals.
            assert_eq!(look().is_some(), second > 133, "after {second} s");
        }
        liveness.progressed();
        assert_eq!(look(), None);
    }

    #[tokio::test(start_paused = true)]
    async fn loops_are_inspected_once_however_often_health_is_checked() {
        let liveness = Liveness::default();
        let (begun, mut looks) = (Instant::now(), 0);
        for _ in 0..200 {
            advance(SECOND).await;
            liveness.beat();
            liveness.stall(|| {
                looks += 1;
                iter::once((begun, SECOND))
            });
        }
        assert_eq!(looks, 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_poller_with_nothing_to_do_is_healthy() {
        let liveness = Liveness::default();
        advance(3600 * SECOND).await;
        assert_eq!(liveness.stall(iter::empty), None, "before it runs");
        for _ in 0..360 {
            liveness.beat();
            advance(BEAT).await;
            assert_eq!(liveness.stall(iter::empty), None);
        }
    }
}
