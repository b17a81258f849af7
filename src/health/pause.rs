//! `minergate_api_paused_until_timestamp_seconds`: until when the API asked for a pause; absent when it did not.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Unit;
use tokio::time::Instant;

use super::unix_seconds;

#[derive(Clone, Debug, Default)]
pub(super) struct PausedUntil(Arc<Mutex<Option<Instant>>>);

impl PausedUntil {
    pub(super) fn set(&self, until: Instant) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(until);
    }
}

impl Collector for PausedUntil {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let until = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(left) = until.map(|until| until.saturating_duration_since(Instant::now())).filter(|left| !left.is_zero())
        else {
            return Ok(());
        };
        // In whole seconds, so that it stays the same from scrape to scrape.
        let metric = ConstGauge::new((unix_seconds() + left.as_secs_f64()).round());
        let help = "Until when the API asked to be left alone, since 1970 in seconds.";
        let name = "api_paused_until_timestamp";
        metric.encode(encoder.encode_descriptor(name, help, Some(&Unit::Seconds), metric.metric_type())?)
    }
}
