//! Process metrics from /proc.

#[cfg(target_os = "linux")]
use std::{sync::OnceLock, time::Duration};

use super::table::Instruments;

/// Updates the metrics of the process. A value that the kernel does not report is unknown.
#[cfg(target_os = "linux")]
#[expect(clippy::cast_precision_loss, reason = "none of these comes near 2^53")]
pub(super) fn read(instruments: &Instruments) {
    use procfs::WithCurrentSystemInfo;
    use procfs::process::{LimitValue, Process};

    let process = Process::myself().ok();
    let process = process.as_ref();
    let stat = process.and_then(|process| process.stat().ok());
    let stat = stat.as_ref();
    let soft_limit = process.and_then(|process| process.limits().ok()).map(|limits| limits.max_open_files.soft_limit);
    let ticks = procfs::ticks_per_second() as f64;
    instruments.cpu_time.set(stat.map(|s| (s.utime + s.stime) as f64 / ticks));
    instruments.resident_memory.set(stat.map(|s| s.rss_bytes().get() as f64));
    instruments.virtual_memory.set(stat.map(|s| s.vsize as f64));
    instruments.open_fds.set(process.and_then(|process| process.fd_count().ok()).map(|count| count as f64));
    instruments.max_fds.set(soft_limit.map(|limit| match limit {
        LimitValue::Value(value) => value as f64,
        LimitValue::Unlimited => u64::MAX as f64,
    }));
    instruments.start_time.set(stat.map(|s| start_time(Duration::from_secs_f64(s.starttime as f64 / ticks))));
    instruments.threads.set(stat.map(|s| s.num_threads as f64));
}

#[cfg(not(target_os = "linux"))]
pub(super) fn read(_: &Instruments) {}

/// The start time of the process in seconds since 1970, calculated from the machine's uptime at that time.
///
/// /proc/stat is not used, because systemd hides it (`ProcSubset=pid`). The time is calculated once, so that a clock change does not look like
/// a restart.
#[cfg(target_os = "linux")]
fn start_time(uptime: Duration) -> f64 {
    use rustix::time::{ClockId, clock_gettime};

    static START: OnceLock<f64> = OnceLock::new();
    *START.get_or_init(|| {
        let now = |clock| Duration::try_from(clock_gettime(clock)).unwrap_or_default();
        let age = now(ClockId::Boottime).saturating_sub(uptime);
        now(ClockId::Realtime).saturating_sub(age).as_secs_f64()
    })
}
