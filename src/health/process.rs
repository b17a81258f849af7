//! What the kernel says of this process, read from /proc at each scrape.

#[cfg(target_os = "linux")]
use std::{sync::OnceLock, time::Duration};

/// A value that the kernel does not say has no sample.
#[derive(Debug, Default)]
pub(super) struct Process {
    pub(super) cpu_seconds: Option<f64>,
    pub(super) resident_bytes: Option<f64>,
    pub(super) virtual_bytes: Option<f64>,
    pub(super) open_fds: Option<f64>,
    pub(super) max_fds: Option<f64>,
    pub(super) start_time: Option<f64>,
    pub(super) threads: Option<f64>,
}

impl Process {
    #[cfg(target_os = "linux")]
    #[expect(clippy::cast_precision_loss, reason = "none of these comes near 2^53")]
    pub(super) fn read() -> Process {
        use procfs::WithCurrentSystemInfo;
        use procfs::process::{self, LimitValue};

        let Ok(process) = process::Process::myself() else { return Process::default() };
        let stat = process.stat().ok();
        let ticks = procfs::ticks_per_second() as f64;
        let stat = stat.as_ref();
        let soft_limit = process.limits().ok().map(|limits| limits.max_open_files.soft_limit);
        Process {
            cpu_seconds: stat.map(|s| (s.utime + s.stime) as f64 / ticks),
            resident_bytes: stat.map(|s| s.rss_bytes().get() as f64),
            virtual_bytes: stat.map(|s| s.vsize as f64),
            open_fds: process.fd_count().ok().map(|count| count as f64),
            max_fds: soft_limit.map(|limit| match limit {
                LimitValue::Value(value) => value as f64,
                LimitValue::Unlimited => u64::MAX as f64,
            }),
            start_time: stat.map(|s| start_time(Duration::from_secs_f64(s.starttime as f64 / ticks))),
            threads: stat.map(|s| s.num_threads as f64),
        }
    }

    #[cfg(not(target_os = "linux"))]
    pub(super) fn read() -> Process {
        Process::default()
    }
}

/// When the process started, since 1970 in seconds, from how long the machine had been up then.
///
/// Not from /proc/stat, which systemd hides (`ProcSubset=pid`); and once, so that a clock that is set makes no other start of it.
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
