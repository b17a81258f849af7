//! The standard `process_*` metrics, read from /proc at each scrape.

use std::fmt;
#[cfg(target_os = "linux")]
use std::{sync::OnceLock, time::Duration};

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Unit;

#[derive(Debug)]
pub(super) struct Process;

/// What the kernel says of this process; a value that it does not say has no sample.
#[derive(Debug, Default)]
struct Reading {
    cpu_seconds: Option<f64>,
    resident_bytes: Option<f64>,
    virtual_bytes: Option<f64>,
    open_fds: Option<f64>,
    max_fds: Option<f64>,
    start_time: Option<f64>,
    threads: Option<f64>,
}

#[cfg(target_os = "linux")]
#[expect(clippy::cast_precision_loss, reason = "none of these comes near 2^53")]
fn read() -> Reading {
    use procfs::WithCurrentSystemInfo;
    use procfs::process::{LimitValue, Process};

    let Ok(process) = Process::myself() else { return Reading::default() };
    let stat = process.stat().ok();
    let ticks = procfs::ticks_per_second() as f64;
    let stat = stat.as_ref();
    let soft_limit = process.limits().ok().map(|limits| limits.max_open_files.soft_limit);
    Reading {
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

#[cfg(not(target_os = "linux"))]
fn read() -> Reading {
    Reading::default()
}

impl Collector for Process {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let reading = read();
        if let Some(seconds) = reading.cpu_seconds {
            let help = "User and system CPU time spent in seconds.";
            let metric = ConstCounter::new(seconds);
            metric.encode(encoder.encode_descriptor("process_cpu", help, Some(&Unit::Seconds), metric.metric_type())?)?;
        }
        let mut gauge = |name: &str, help: &str, unit: Option<&Unit>, value: Option<f64>| {
            let Some(metric) = value.map(ConstGauge::new) else { return Ok(()) };
            metric.encode(encoder.encode_descriptor(name, help, unit, metric.metric_type())?)
        };
        gauge("process_resident_memory", "Resident memory in bytes.", Some(&Unit::Bytes), reading.resident_bytes)?;
        gauge("process_virtual_memory", "Virtual memory in bytes.", Some(&Unit::Bytes), reading.virtual_bytes)?;
        gauge("process_open_fds", "Number of open file descriptors.", None, reading.open_fds)?;
        gauge("process_max_fds", "Maximum number of open file descriptors.", None, reading.max_fds)?;
        let start = "When the process started, since 1970 in seconds.";
        gauge("process_start_time", start, Some(&Unit::Seconds), reading.start_time)?;
        gauge("process_threads", "Number of threads.", None, reading.threads)
    }
}
