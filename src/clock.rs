//! How long the machine has slept: time in which tokio's clock stands still.

use std::time::Duration;

/// Time that the machine has spent suspended since it started; zero where the system does not say.
#[cfg(target_os = "linux")]
pub fn slept() -> Duration {
    use rustix::time::{ClockId, Timespec, clock_gettime};

    let duration = |time: Timespec| Duration::try_from(time).unwrap_or_default();
    // Read first, so that the difference is not made larger by what passes between the two.
    let with_sleep = duration(clock_gettime(ClockId::Boottime));
    with_sleep.saturating_sub(duration(clock_gettime(ClockId::Monotonic)))
}

/// As above.
#[cfg(not(target_os = "linux"))]
pub fn slept() -> Duration {
    Duration::ZERO
}
