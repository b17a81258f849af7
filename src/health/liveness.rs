//! Whether the poller gets on with its work: what `/-/healthy` says, and systemd's watchdog is fed by.
//!
//! The API may be down, slow, or refuse everything: polls end with errors, and that is work. A poller stands still when its thread does
//! not run, or when a poll is due or under way and for long no request and no poll has ended. tokio's clock stops while the machine
//! sleeps, so sleep is no stall.

use std::cell::OnceCell;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use minergate::api::Settings;
use minergate::duration;

/// How often the poller says that it runs, even when nothing is due.
pub const BEAT: Duration = Duration::from_secs(10);

/// How long the poller's thread may not run. Nothing that it does itself takes a second.
const BLOCKED: Duration = Duration::from_secs(60);

/// What a poll may take beside its requests: a login may wait for a TOTP code that was not sent, and for another when that is rejected.
const PATIENCE: Duration = Duration::from_secs(120);

/// How long the poller may be without a result: no request takes longer, and there is at least one in that time.
pub fn patience(timeout: Duration, requests_per_second: f64) -> Duration {
    PATIENCE + timeout + Duration::from_secs_f64(1.0 / requests_per_second)
}

/// How the poller stands still.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Stall {
    #[error("the poller has not run for {}", duration::print(*.0))]
    Blocked(Duration),
    #[error("no poll has ended for {}, though one is due", duration::print(*.0))]
    NoResult(Duration),
}

/// Whether the poller runs and gets on.
pub struct Liveness(Mutex<LivenessState>);

struct LivenessState {
    patience: Duration,
    /// When the poller last said that it runs; nothing before it does.
    beat: Option<Instant>,
    /// When a request or a poll last ended.
    latest: Instant,
    /// Since when the first poll that is due has made the poller wait, if one is due. Computed once after `latest`, so that a probe costs
    /// the same with 10,000 loops as with one.
    waits_since: OnceCell<Option<Instant>>,
}

impl Default for Liveness {
    fn default() -> Self {
        let patience = patience(Settings::TIMEOUT, Settings::REQUESTS_PER_SECOND);
        Liveness(Mutex::new(LivenessState { patience, beat: None, latest: Instant::now(), waits_since: OnceCell::new() }))
    }
}

impl Liveness {
    /// How long the poller may be without a result from now on: [`patience`], as a rule.
    pub fn set_patience(&self, patience: Duration) {
        self.state().patience = patience;
    }

    /// The poller runs. It says so every [`BEAT`] at least.
    pub fn beat(&self) {
        let (mut state, now) = (self.state(), Instant::now());
        // It could get on with nothing while it did not run: a stopped process goes on with what it had begun.
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

    /// Says how the poller stands still, if it does. `loops` are the polls that are due or planned, with the time and the interval of
    /// each; they are looked at only where nothing has ended for long.
    pub(super) fn stall<I: Iterator<Item = (Instant, Duration)>>(
        &self,
        loops: impl FnOnce() -> I,
    ) -> Option<Stall> {
        let state = self.state();
        let LivenessState { patience, beat, latest, .. } = *state;
        let blocked = beat.map_or(Duration::ZERO, |beat| beat.elapsed());
        if blocked > BLOCKED.min(patience) {
            return Some(Stall::Blocked(blocked));
        }
        if latest.elapsed() <= patience {
            return None;
        }
        // A poll may wait for its turn as long as others end.
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
        // A poll that is under way, and does not end.
        let look = || liveness.stall(|| iter::once((begun, SECOND)));
        liveness.beat();
        advance(3600 * SECOND).await;
        assert_eq!(look(), Some(Stall::Blocked(3600 * SECOND)));
        liveness.beat();
        assert_eq!(look(), None);
        for second in 1..=140 {
            advance(SECOND).await;
            liveness.beat();
            // 10 s for the request, 120 s beside it, 0.2 s for its turn, and three intervals.
            assert_eq!(look().is_some(), second > 133, "after {second} s");
        }
        liveness.progressed();
        assert_eq!(look(), None);
    }

    #[tokio::test(start_paused = true)]
    async fn loops_are_looked_at_once_however_often_it_is_asked() {
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
