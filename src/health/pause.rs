//! `minergate_api_paused_until_timestamp_seconds`: when the pause ends that the API asked for; absent if there is none.

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use prometheus_client::encoding::{EncodeMetric, MetricEncoder};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::gauge::ConstGauge;
use tokio::time::Instant;

use super::unix_seconds;

#[derive(Debug, Default)]
pub(super) struct PausedUntil(Mutex<Option<Instant>>);

impl PausedUntil {
    pub(super) fn set(&self, until: Instant) {
        let mut latest = self.lock();
        *latest = latest.max(Some(until));
    }

    fn lock(&self) -> MutexGuard<'_, Option<Instant>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Seconds since 1970, as a whole number, so that it is the same in every scrape.
    fn get(&self) -> Option<f64> {
        let left = (*self.lock())?.saturating_duration_since(Instant::now());
        (!left.is_zero()).then(|| (unix_seconds() + left.as_secs_f64()).round())
    }
}

impl EncodeMetric for PausedUntil {
    fn encode(&self, encoder: MetricEncoder<'_>) -> fmt::Result {
        self.get().map_or(Ok(()), |until| ConstGauge::new(until).encode(encoder))
    }

    fn metric_type(&self) -> MetricType {
        MetricType::Gauge
    }

    fn is_empty(&self) -> bool {
        self.get().is_none()
    }
}
