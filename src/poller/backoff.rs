//! When a loop polls after a poll that failed.

use std::time::Duration;

use tokio::time::Instant;

use super::PollLoop;
use minergate::api;

/// Maximum wait after a permanent error, unless the interval is longer.
const LONGEST: Duration = Duration::from_secs(3600);

/// Wait before the first retry after a temporary error, unless the interval is shorter.
const FIRST: Duration = Duration::from_secs(60);

/// Polls that waited for the same event are spread over this time after it.
const SPREAD: Duration = Duration::from_secs(2);

/// How the last poll ended.
pub(super) enum LastPoll {
    /// Without a failure that matters: the next poll is at its interval.
    Regular,
    /// It failed.
    Failed(api::Error),
    /// It was held back.
    Held,
}

/// The failures of a loop that decide when it polls next.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Backoff {
    failures: u32,
    /// Until then, requests are only sent if the credentials have changed.
    held_until: Option<Instant>,
}

impl Backoff {
    /// Whether the loop is held back now.
    pub(super) fn is_held(&self) -> bool {
        self.held_until.is_some_and(|until| Instant::now() < until)
    }

    /// Ends the backoff. Returns whether the loop was held back.
    pub(super) fn end(&mut self) -> bool {
        let was_held = self.is_held();
        *self = Backoff::default();
        was_held
    }

    /// When to check the loop next, when it will probably send a request, and why this is later than its interval.
    pub(super) fn next(
        &mut self,
        poll_loop: &PollLoop,
        regular: Instant,
        last: &LastPoll,
    ) -> (Instant, Instant, Option<&'static str>) {
        let has_files = poll_loop.target.account().is_some_and(|account| account.has_files());
        // Credentials in files may have changed by then.
        let looked_at = |planned: Instant| if has_files { planned.min(regular) } else { planned };
        let error = match last {
            LastPoll::Regular => {
                *self = Backoff::default();
                return (regular, regular, None);
            }
            LastPoll::Held => {
                let planned = self.held_until.unwrap_or(regular);
                return (looked_at(planned), planned, Some(STAYS));
            }
            LastPoll::Failed(error) => error,
        };
        let now = Instant::now();
        if error.stays() {
            self.failures = self.failures.saturating_add(1);
            let interval = poll_loop.plan.interval;
            let wait = interval.saturating_mul(2u32.saturating_pow(self.failures)).min(LONGEST.max(interval));
            self.held_until = Some(now + wait);
            return (looked_at(now + wait), now + wait, Some(STAYS));
        }
        self.held_until = None;
        match error {
            api::Error::LoginPostponed { until } => {
                let planned = spread(*until);
                (looked_at(planned), planned, Some("the account waits for its next login"))
            }
            api::Error::Paused { until } => {
                let planned = spread(*until);
                (planned, planned, Some(paused(poll_loop)))
            }
            error if error.may_pass() => {
                self.failures = self.failures.saturating_add(1);
                let sooner = now + FIRST.saturating_mul(2u32.saturating_pow(self.failures - 1));
                let planned = regular.min(sooner);
                match error.until().filter(|until| *until > planned) {
                    Some(until) => (spread(until), spread(until), Some(paused(poll_loop))),
                    None => (planned, planned, None),
                }
            }
            _ => (regular, regular, None),
        }
    }
}

const STAYS: &str = "polled less and less often, down to once an hour";

fn paused(poll_loop: &PollLoop) -> &'static str {
    if poll_loop.target.pool().is_some() { "the pool asked for a pause" } else { "the API asked for a pause" }
}

fn spread(time: Instant) -> Instant {
    time + rand::random_range(Duration::ZERO..SPREAD)
}
