//! A number that can be unknown; then it has no sample.

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use prometheus_client::encoding::{EncodeMetric, MetricEncoder};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;

#[derive(Debug)]
pub(super) struct OptionalValue {
    kind: MetricType,
    value: Mutex<Option<f64>>,
}

impl OptionalValue {
    pub(super) fn counter() -> OptionalValue {
        OptionalValue { kind: MetricType::Counter, value: Mutex::default() }
    }

    pub(super) fn gauge() -> OptionalValue {
        OptionalValue { kind: MetricType::Gauge, value: Mutex::default() }
    }

    pub(super) fn set(&self, value: Option<f64>) {
        *self.value() = value;
    }

    fn value(&self) -> MutexGuard<'_, Option<f64>> {
        self.value.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl EncodeMetric for OptionalValue {
    fn encode(&self, encoder: MetricEncoder<'_>) -> fmt::Result {
        match (*self.value(), self.kind) {
            (None, _) => Ok(()),
            (Some(value), MetricType::Counter) => ConstCounter::new(value).encode(encoder),
            (Some(value), _) => ConstGauge::new(value).encode(encoder),
        }
    }

    fn metric_type(&self) -> MetricType {
        self.kind
    }

    fn is_empty(&self) -> bool {
        self.value().is_none()
    }
}
