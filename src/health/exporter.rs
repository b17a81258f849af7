//! The metrics of the exporter as a whole, counted when events happen.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::DescriptorEncoder;
use prometheus_client::encoding::text::encode_registry;
use prometheus_client::registry::Registry;
use tokio::sync::Notify;

use super::process;
use super::table::{EXPORTER_METRICS, EndpointLabel, HostLabel, HttpLabels, Instruments};
use super::unix_seconds;

/// Counts the exporter's events.
pub struct ExporterMetrics {
    instruments: Arc<Instruments>,
    registry: Registry,
    /// Notified of each change of the instruments.
    changed: Notify,
}

impl Default for ExporterMetrics {
    fn default() -> Self {
        let instruments = Arc::new(Instruments::default());
        let mut registry = Registry::default();
        registry.register_collector(Box::new(Table(instruments.clone())));
        let metrics = ExporterMetrics { instruments, registry, changed: Notify::new() };
        // The configuration was read at the start, otherwise the exporter would not run.
        metrics.reloaded(true);
        metrics
    }
}

impl ExporterMetrics {
    /// All metrics as OpenMetrics.
    pub fn open_metrics(&self) -> String {
        let mut text = String::new();
        encode_registry(&mut text, &self.registry).unwrap_or_else(|_| unreachable!("a String takes all that is written"));
        text
    }

    /// Waits for a change. This excludes the process metrics and the count of requests to the exporter, which changes at each scrape.
    pub async fn changed(&self) {
        self.changed.notified().await;
    }

    /// The instruments, one of which will be changed.
    pub(super) fn instruments(&self) -> &Instruments {
        self.changed.notify_one();
        &self.instruments
    }

    /// Announces an endpoint that is polled.
    pub fn expect_endpoint(&self, endpoint: &'static str, interval: Duration) {
        self.instruments().intervals.get_or_create(&EndpointLabel { endpoint }).set(interval.as_secs_f64());
    }

    /// Announces a host: the pool with this name, or the API.
    pub fn expect_host(&self, pool: Option<&Arc<str>>) {
        drop(self.instruments().durations.get_or_create(&HostLabel(pool.cloned())));
    }

    /// Forgets the interval of an endpoint that is off.
    pub fn forget_endpoint(&self, endpoint: &'static str) {
        self.instruments().intervals.remove(&EndpointLabel { endpoint });
    }

    /// Counts counters of an endpoint's answer that fell a little and keep their previous value.
    pub fn corrected(&self, endpoint: &'static str, counters: usize) {
        if counters > 0 {
            self.instruments().corrections.get_or_create(&EndpointLabel { endpoint }).inc_by(counters as u64);
        }
    }

    /// Records a reload of the configuration.
    pub fn reloaded(&self, successful: bool) {
        let instruments = self.instruments();
        instruments.reload_successful.set(successful.into());
        if successful {
            instruments.reload_time.set(unix_seconds());
        }
    }

    /// Counts a request to the exporter. `path` is the route's pattern, because the raw path can contain anything.
    pub fn http_request(&self, path: &str, code: u16) {
        self.instruments.http.get_or_create(&HttpLabels { path: path.to_owned(), code }).inc();
    }
}

/// The rows of the table, as a collector for prometheus-client's registry.
#[derive(Debug)]
struct Table(Arc<Instruments>);

impl Collector for Table {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        process::read(&self.0);
        EXPORTER_METRICS.iter().try_for_each(|metric| metric.encode(&mut encoder, &self.0))
    }
}
