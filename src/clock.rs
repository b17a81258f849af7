//! How long the machine has been suspended. tokio's clock stops during that time.

use std::time::Duration;

/// Time that the machine has been suspended since it started; zero if the system does not say.
#[cfg(target_os = "linux")]
pub fn slept() -> Duration {
    use rustix::time::{ClockId, Timespec, clock_gettime};

    let duration = |time: Timespec| Duration::try_from(time).unwrap_or_default();
    // Read first, so that the time between the two calls does not increase the difference.
    let with_sleep = duration(clock_gettime(ClockId::Boottime));
    with_sleep.saturating_sub(duration(clock_gettime(ClockId::Monotonic)))
}

/// As above.
#[cfg(not(target_os = "linux"))]
pub fn slept() -> Duration {
    Duration::ZERO
}
