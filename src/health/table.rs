//! The table of the exporter's own metrics. `/metrics`, the reference, and the tests of rules and dashboards are made from it.
//!
//! Metrics of a subject are read from its health, in the same way as the API's metrics are read from an answer. So `account=` and the removal of an
//! account apply to them too. Metrics of the exporter as a whole are instruments of prometheus-client, which
//! [`ExporterMetrics`](super::ExporterMetrics) updates.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use minergate::api::Blocked;
use minergate::metric::Unit::{Bytes, Seconds};
use minergate::metric::{self, Metric};
use prometheus_client::encoding::{EncodeLabel as _, EncodeLabelSet, LabelSetEncoder};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;

use super::log::DroppedLines;
use super::optional_value::OptionalValue;
use super::own_metric::{OwnMetric, counter, exporter_metrics, gauge, histogram, info};
use super::pause::PausedUntil;
use super::subject::SubjectHealth;

/// The metrics of a subject's health. The label `account` is added before each row's own labels.
pub static SUBJECT_METRICS: &[Metric<SubjectHealth>] = &[
    metric::gauge("up", "Whether every enabled endpoint of the account was read successfully at its latest poll, 1 or 0")
        .read(|health, out| out.put([], health.subject.account().map(|_| f64::from(health.is_up())))),
    metric::gauge("endpoint_up", "Whether the endpoint was read successfully at its latest poll, 1 or 0")
        .labels(&["endpoint", "currency"])
        .read(|health, out| {
            for ((endpoint, currency), l) in &health.loops {
                out.put_some([Some(endpoint), currency.as_deref()], f64::from(l.up));
            }
        }),
    metric::gauge("endpoint_last_success_timestamp", "When the endpoint was last read successfully")
        .unit(Seconds)
        .labels(&["endpoint", "currency"])
        .read(|health, out| {
            for ((endpoint, currency), l) in &health.loops {
                out.put_some([Some(endpoint), currency.as_deref()], l.last_success);
            }
        }),
    metric::counter("auth_logins", "Attempts to log in, by how they ended")
        .labels(&["outcome"])
        .read(|health, out| out.put_all(health.logins.iter().map(|(outcome, logins)| ([*outcome], *logins)))),
    metric::gauge("auth_blocked", "1 while logins are blocked, else 0; rejected credentials block until they change, a captcha or a discontinued API until a reload")
        .labels(&["reason"])
        .read(|health, out| {
            for reason in Blocked::ALL.into_iter().filter(|_| health.logs_in()) {
                out.put([reason.reason()], f64::from(health.blocked.is_some_and(|(blocked, _)| blocked == reason)));
            }
        }),
    metric::gauge("auth_token_timestamp", "When the token in use was obtained")
        .unit(Seconds)
        .read(|health, out| out.put([], health.token_since)),
];

exporter_metrics! {
    build: Info<[(&'static str, &'static str); 3]> = Info::new(BUILD) =>
        info("minergate_exporter_build", "The exporter's version, revision and compiler")
            .labels(&["version", "revision", "rustversion"]),
    reload_successful: Gauge = Gauge::default() =>
        gauge("minergate_exporter_config_last_reload_successful", "Whether the configuration was last read successfully, 1 or 0"),
    reload_time: Gauge<f64, AtomicU64> = Gauge::default() =>
        gauge(
            "minergate_exporter_config_last_reload_success_timestamp",
            "When the configuration was last read successfully, since 1970 in seconds",
        ).unit(Seconds),
    http: Family<HttpLabels, Counter> = Family::default() =>
        counter("minergate_exporter_http_requests", "Requests to the exporter, by route and status").labels(&["path", "code"]),
    dropped_lines: DroppedLines = DroppedLines =>
        counter("minergate_exporter_log_lines_dropped", "Log lines lost because nobody read the log"),
    intervals: Family<EndpointLabel, Gauge<f64, AtomicU64>> = Family::default() =>
        gauge("minergate_endpoint_interval", "Configured time from one poll of the endpoint to the next in seconds")
            .unit(Seconds)
            .labels(&["endpoint"]),
    requests: Family<RequestLabels, Counter> = Family::default() =>
        counter("minergate_api_requests", "Requests to the API, by how they ended").labels(&["endpoint", "outcome"]),
    durations: Family<HostLabel, Histogram, fn() -> Histogram> =
            Family::new_with_constructor(|| Histogram::new(BUCKETS)) =>
        histogram(
            "minergate_api_request_duration",
            "Time from sending a request to the API, or to a pool, to the end of its answer in seconds",
        ).unit(Seconds).labels(&["pool"]),
    dropped: Family<EndpointLabel, Counter> = Family::default() =>
        counter(
            "minergate_api_dropped_samples",
            "Samples left out because of an invalid currency, or because there were too many",
        ).labels(&["endpoint"]),
    corrections: Family<EndpointLabel, Counter> = Family::default() =>
        counter(
            "minergate_api_counter_corrections",
            "Times that a total of the API fell by at most 1 % and was held at its highest value",
        ).labels(&["endpoint"]),
    queue: Counter<f64, AtomicU64> = Counter::default() =>
        counter("minergate_api_queue", "Time that requests to the API waited for their turn in seconds").unit(Seconds),
    retries: Counter = Counter::default() =>
        counter("minergate_api_retries", "Requests to the API that were tried again"),
    skipped: Family<EndpointLabel, Counter> = Family::default() =>
        counter("minergate_api_polls_skipped", "Polls that were not sent because the API had asked for a pause")
            .labels(&["endpoint"]),
    paused_until: PausedUntil = PausedUntil::default() =>
        gauge(
            "minergate_api_paused_until_timestamp",
            "When the pause ends that the API asked for, since 1970 in seconds; absent if there is none",
        ).unit(Seconds),
    // The standard process metrics, from the kernel.
    cpu_time: OptionalValue = OptionalValue::counter() =>
        counter("process_cpu", "User and system CPU time spent in seconds").unit(Seconds),
    resident_memory: OptionalValue = OptionalValue::gauge() =>
        gauge("process_resident_memory", "Resident memory in bytes").unit(Bytes),
    virtual_memory: OptionalValue = OptionalValue::gauge() =>
        gauge("process_virtual_memory", "Virtual memory in bytes").unit(Bytes),
    open_fds: OptionalValue = OptionalValue::gauge() =>
        gauge("process_open_fds", "Number of open file descriptors"),
    max_fds: OptionalValue = OptionalValue::gauge() =>
        gauge("process_max_fds", "Maximum number of open file descriptors"),
    start_time: OptionalValue = OptionalValue::gauge() =>
        gauge("process_start_time", "When the process started, since 1970 in seconds").unit(Seconds),
    threads: OptionalValue = OptionalValue::gauge() =>
        gauge("process_threads", "Number of threads"),
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub(super) struct EndpointLabel {
    pub(super) endpoint: &'static str,
}

/// The name of a pool. The API's name is empty, which Prometheus treats as a missing label. OpenMetrics parsers expect the same labels on all
/// samples of a family.
#[derive(Clone, Debug, Hash, PartialEq, Eq)]
pub(super) struct HostLabel(pub(super) Option<Arc<str>>);

impl EncodeLabelSet for HostLabel {
    fn encode(&self, encoder: &mut LabelSetEncoder<'_>) -> fmt::Result {
        ("pool", self.0.as_deref().unwrap_or_default()).encode(encoder.encode_label())
    }
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub(super) struct RequestLabels {
    pub(super) endpoint: &'static str,
    pub(super) outcome: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub(super) struct HttpLabels {
    pub(super) path: String,
    pub(super) code: u16,
}

/// Upper bounds of the buckets for request durations, in seconds. The default timeout is one of them.
const BUCKETS: [f64; 11] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

const BUILD: [(&str, &str); 3] =
    [("version", env!("CARGO_PKG_VERSION")), ("revision", env!("REVISION")), ("rustversion", env!("RUSTVERSION"))];
